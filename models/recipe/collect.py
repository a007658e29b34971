"""Gathers finished stages into weights: `python -m recipe.collect --runs recipe/runs --out recipe/weights`.

The selector is calibrated on the way, so that its threshold is 0.5. The encoder's heads and the judge go along: they
are no part of the package, but the evaluation reads with them.
"""
import argparse
from pathlib import Path

from safetensors.torch import save_file

from .config import MINI
from .model import build, save_weights
from .scenes import Sprites
from .stages.encoder import EncoderHeads
from .stages.judge import Judge
from .stages.language_model import SharedLanguageModel
from .stages.tokenizer import calibrate
from .training import load

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--runs', default='recipe/runs')
    parser.add_argument('--sprites', default='recipe/data')
    parser.add_argument('--concepts', type=int, default=150)
    parser.add_argument('--weights', default='recipe/weights', help='stands in for stages without a checkpoint')
    parser.add_argument('--out', required=True)
    args = parser.parse_args()
    model, heads, judge = build(MINI), EncoderHeads(MINI.encoder.width, args.concepts), Judge(args.concepts)
    load(args, 'encoder', encoder=model.encoder, heads=heads)
    load(args, 'judge', judge=judge)
    load(args, 'tokenizer', tokenizer=model.tokenizer, decoder=model.decoder, painter=model.painter)
    shared = SharedLanguageModel()
    load(args, 'language_model', language_model=shared, understanding=model.understanding)
    model.language_model = shared.folded()
    load(args, 'denoiser', denoiser=model.denoiser)
    calibrate(model.encoder, model.tokenizer, Sprites(args.sprites, args.concepts))
    save_weights(model, args.out)
    for name, module in (('heads', heads), ('judge', judge)):
        save_file({k: v.half() if v.is_floating_point() else v for k, v in module.state_dict().items()},
                  Path(args.out) / f'{name}.safetensors')
