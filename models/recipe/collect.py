"""Gathers finished stages into weights: `python -m recipe.collect --runs recipe/runs --out recipe/weights`.

The selector is calibrated on the way, so that its threshold is 0.5. The encoder's heads and the judge go along: they
are no part of the package, but the evaluation reads with them.
"""
import argparse
import json
from copy import deepcopy
from pathlib import Path

import torch

from networks.config import CONCEPTS, MINI
from networks.model import OPTIONAL, build, fill, save_weights

from .data.batches import measured
from .data.scenes import Sprites
from .inputs import require_files, require_sprites
from .loop import load
from .stages.encoder import EncoderHeads
from .stages.judge import Judge
from .stages.tokenizer import PAINTING, calibrate

STAGES = {'encoder': ('encoder', 'heads'), 'judge': ('judge',), 'memory': ('memory',), 'tokenizer': ('tokenizer',),
          'painter': ('decoder', 'painter'), 'language_model': ('language_model', 'understanding'),
          'denoiser': ('denoiser',), 'familiarity': ('familiarity',)}


def was_trained(stage, args):
    """Whether an optional part, named like its stage, has a checkpoint or weights."""
    return (Path(args.runs) / f'{stage}.pt').exists() or (Path(args.weights) / f'{stage}.safetensors').exists()


@torch.no_grad()
def mix(module, path, share):
    """Moves the module's tensors by this share of the way to those in the file: of two sets of weights that lie near
    each other the mean forgets less than the later one (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
    models")."""
    before = fill(deepcopy(module), path)
    for now, then in zip((*module.parameters(), *module.buffers()), (*before.parameters(), *before.buffers())):
        if now.is_floating_point():
            now.lerp_(then, share)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--runs', default='recipe/runs')
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    parser.add_argument('--weights', default='recipe/weights', help='stands in for stages without a checkpoint')
    parser.add_argument('--stages', nargs='+', choices=STAGES, default=list(STAGES), help='only these')
    parser.add_argument('--measure', type=float, default=1, help='share of the usual scenes to calibrate on')
    parser.add_argument('--before', type=float, default=0,
                        help='share of `--weights` in the mean of them and what was trained since, 0 to 1')
    parser.add_argument('--about', help='JSON file that gets what the stage familiarity has measured')
    parser.add_argument('--out', required=True)
    args = parser.parse_args(arguments)
    if not 0 <= args.before <= 1:
        parser.error(f'--before {args.before}: a share is 0 to 1')
    require_files(parser, args.about)
    if 'tokenizer' in args.stages:
        require_sprites(parser, args.sprites)
    model = build(MINI, args.concepts)
    model.heads, model.judge = EncoderHeads(MINI.encoder.width, args.concepts), Judge(args.concepts)
    stages = [stage for stage in args.stages if stage not in OPTIONAL or was_trained(stage, args)]
    for stage in stages:
        load(args, *(PAINTING if stage == 'painter' else [stage]),
             **{part: getattr(model, part) for part in STAGES[stage]})
        for part in STAGES[stage] if args.before else ():
            mix(getattr(model, part), Path(args.weights) / f'{part}.safetensors', args.before)
    if 'tokenizer' in stages:
        load(args, 'encoder', encoder=model.encoder)
        calibrate(model.encoder, model.tokenizer, Sprites(args.sprites, args.concepts), measured(args, 300))
    save_weights(model, args.out, [part for stage in stages for part in STAGES[stage]])
    if args.about and 'familiarity' in stages:
        path = Path(args.about)
        figures = json.loads((Path(args.runs) / 'familiarity.json').read_text())
        path.write_text(json.dumps({**json.loads(path.read_text()), 'familiarity': figures}, indent=2) + '\n')


if __name__ == '__main__':
    main()
