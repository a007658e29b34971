"""Draws the pictures of the model card: `python -m recipe.card.pictures --weights recipe/weights --out pictures`.

The same weights give the same bytes. Scenes, prompts and codes are drawn by `--seed` or taken by rank, never by hand.
Prints the figures of the charts.
"""
import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open

from networks.config import MINI
from networks.model import build, fill, load_weights
from packager.precision import round_weights

from ...data.scenes import Sprites
from ...inputs import require_files, require_sprites
from ...stages.encoder import EncoderHeads
from ...stages.judge import Judge
from ...stages.language_model import Eyes, Sentences
from .codes import what_codes_mean
from .failures import failures
from .kept import kept_patches
from .painted import from_codes, from_pictures, from_words
from .recalled import recalled
from .sheet import save
from .token_counts import token_counts
from .token_curve import token_curve


@dataclass(frozen=True)
class Amounts:
    """How many scenes and prompts are drawn, shown or not."""
    codes: int = 2500
    sizes: int = 200   # of each number of objects
    curve: int = 150   # of each kind of art
    orders: int = 40
    mixed: int = 9     # of each kind
    failures: int = 20 # at a time, until enough failed


LITTLE = Amounts(24, 6, 4, 8, 3, 6)


def sheets(model, heads, judge, sprites, sentences, seed, amounts):
    """Name of each picture -> how to draw its parts."""
    eyes = Eyes(model.encoder, model.tokenizer, model.decoder, model.painter, model.memory)
    lm = model.language_model

    def told(parts, figures):
        for name, figure in figures.items():
            print(f'{name}: {json.dumps(figure)}')
        return parts

    return {'kept-patches': lambda: kept_patches(eyes, sprites, seed),
            'token-counts': lambda: told(*token_counts(eyes, sprites, seed, amounts.sizes)),
            'token-curve': lambda: told(*token_curve(eyes, model.understanding, lm, heads, judge, sentences, sprites,
                                                     seed, amounts.curve)),
            'codes': lambda: what_codes_mean(eyes, sprites, sentences.words, seed, amounts.codes),
            'recalled': lambda: recalled(model.painter),
            'reconstructions': lambda: from_codes(eyes, sprites, seed),
            'from-words': lambda: from_words(eyes, lm, judge, sentences, seed, amounts.orders),
            'from-pictures': lambda: from_pictures(eyes, lm, judge, sentences, sprites, seed, amounts.mixed),
            'failures': lambda: failures(eyes, model.understanding, lm, judge, sentences, sprites, seed,
                                         amounts.failures)}


def concepts_of(weights):
    """How many things these weights know by name."""
    with safe_open(weights / 'judge.safetensors', 'pt') as file:
        return file.get_slice('concept.weight').get_shape()[0]


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='python -m recipe.card.pictures', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--tokenizer', default='lavit-mini/tokenizer.json')
    parser.add_argument('--seed', type=int, default=200)
    parser.add_argument('--little', action='store_true', help='of few scenes and prompts, to try it')
    parser.add_argument('--only', nargs='*', help='names of single pictures')
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)  # sums in one order, however many cores there are
    torch.use_deterministic_algorithms(True)
    weights, out = Path(args.weights), Path(args.out)
    require_files(parser, args.tokenizer, weights / 'judge.safetensors')
    require_sprites(parser, args.sprites)
    concepts = concepts_of(weights)
    model = round_weights(load_weights(build(MINI, concepts), weights))
    heads = fill(EncoderHeads(MINI.encoder.width, concepts), weights / 'heads.safetensors').eval()
    judge = fill(Judge(concepts), weights / 'judge.safetensors').eval()
    out.mkdir(parents=True, exist_ok=True)
    drawings = sheets(model, heads, judge, Sprites(args.sprites, concepts), Sentences(args.tokenizer, concepts),
                      args.seed, LITTLE if args.little else Amounts())
    with torch.no_grad():
        for name in args.only or drawings:
            save(drawings[name](), out / f'{name}.png')


if __name__ == '__main__':
    main()
