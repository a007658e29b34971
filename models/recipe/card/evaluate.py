"""Measures a set of weights on freshly drawn scenes: `python -m recipe.card.evaluate --weights recipe/weights`.

Trained art: new scenes of sprites from the sets trained on. Unseen art: scenes of the held-out sets. Prints JSON; with
`--about` the figures go into the file that export reads, with `--card` into the table of the model card.
"""
import argparse
import json
from pathlib import Path

import torch

from networks.config import CONCEPTS, MINI
from networks.model import build, fill, load_weights
from packager.precision import round_weights

from ..data.batches import heldout
from ..data.scenes import Sprites
from ..inputs import require_files, require_sprites
from ..stages import encoder as encoder_stage
from ..stages import tokenizer as tokenizer_stage
from ..stages.encoder import EncoderHeads
from ..stages.judge import Judge, answers
from ..stages.language_model import Eyes, Sentences, painting_figures, speaking_figures
from . import table as card


def measure(model, heads, judge, sprites, sentences, count, seed):
    """All held-out figures; `seed` chooses the scenes."""
    eyes = Eyes(model.encoder, model.tokenizer, model.decoder, model.painter, model.memory)
    trained = heldout(sprites, count, seed=seed)
    unseen = heldout(sprites, count, seed=seed + 1, styles=sprites.heldout_styles)
    house = heldout(sprites, count, seed=seed + 2, styles=[sprites.house])
    single = heldout(sprites, count, seed=seed + 3, styles=[sprites.house], plain=True, count=1)
    result = {'scenes': count, 'seed': seed}
    for name, art in (('trained', trained), ('unseen', unseen)):
        result[f'encoder_{name}'] = encoder_stage.figures(model.encoder, heads, *art)
        result[f'understanding_{name}'] = speaking_figures(eyes, model.understanding, model.language_model, sentences,
                                                           *art)
    for name, art in (('trained', trained), ('house', house), ('house_single', single)):
        result[f'tokenizer_{name}'] = {k: float(v) for k, v in tokenizer_stage.figures(
            model.encoder, heads, model.tokenizer, model.decoder, model.painter, judge, *art, threshold=.5).items()}
    result['kept'] = {'emoji_on_plain_ground': kept(model, sprites, count, seed + 4, plain=True, count=1),
                      'four_objects': kept(model, sprites, count, seed + 5, count=4)}
    concept, ground = answers(single[1])
    guess, plain = judge(tokenizer_stage.picture_of(single[0], MINI.pixel_decoder.picture_size))
    result['judge_on_true_pictures'] = {'object': (guess.argmax(-1) == concept).float().mean().item(),
                                        'ground': (plain.argmax(-1) == ground).float().mean().item()}
    result['painting_from_text'] = painting_figures(eyes, model.language_model, sentences, judge, count, seed=seed)
    return rounded(result)


def kept(model, sprites, pictures, seed, **scene):
    """How many patches the selector keeps of freshly drawn scenes."""
    pixels, _ = heldout(sprites, pictures, seed=seed, **scene)
    counts = torch.cat([tokenizer_stage.tokenize(model.encoder, model.tokenizer, p)[1].sum(1)
                        for p in pixels.split(50)])
    return {'mean': counts.mean().item(), 'least': counts.min().item(), 'most': counts.max().item()}


def rounded(x):
    return {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else round(x, 4)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', required=True)
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--tokenizer', default='lavit-mini/tokenizer.json')
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    parser.add_argument('--scenes', type=int, default=400)
    parser.add_argument('--seed', type=int, default=100)
    parser.add_argument('--bits', type=int, choices=(8, 16), default=8, help='of the matrices, as in export')
    parser.add_argument('--about', help='JSON file whose "quality" is replaced')
    parser.add_argument('--card', help='Markdown file whose table of figures is replaced')
    args = parser.parse_args(arguments)
    weights = Path(args.weights)
    require_files(parser, args.about, args.card, args.tokenizer, weights / 'heads.safetensors')
    require_sprites(parser, args.sprites)
    model = round_weights(load_weights(build(MINI, args.concepts), weights), args.bits)
    heads = fill(EncoderHeads(MINI.encoder.width, args.concepts), weights / 'heads.safetensors').eval()
    judge = fill(Judge(args.concepts), weights / 'judge.safetensors').eval()
    with torch.no_grad():
        quality = measure(model, heads, judge, Sprites(args.sprites, args.concepts),
                          Sentences(args.tokenizer, args.concepts), args.scenes, args.seed)
    print(json.dumps(quality, indent=2))
    if args.about:
        path = Path(args.about)
        path.write_text(json.dumps({**json.loads(path.read_text()), 'quality': quality}, indent=2) + '\n')
    if args.card:
        card.fill(Path(args.card), quality)


if __name__ == '__main__':
    main()
