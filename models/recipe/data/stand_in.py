"""Simple drawn shapes in place of the pictograms, to try the recipe on: `python -m recipe.data.stand_in --out FOLDER`.

The same files as `art/render.js` writes: `sprites.npy`, straight-alpha RGBA (concepts, sets, 96, 96, 4), and
`sprites.json`, and both in `others` for what is no concept. A concept is a star in a colour; a set draws it filled, as
an outline, or turned; others have more corners. And those that `art/outsiders.js` writes: `outsiders.npy` (drawings,
96, 96, 4) and `outsiders.json`, of round things.
"""
import argparse
import colorsys
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .scenes import HOUSE_STYLE
from .wording import Words

SIZE, STRANGERS, OTHERS = 96, 8, 6
SETS = {HOUSE_STYLE: {}, 'outlines': {'outline': True}, 'turned': {'turn': .5}}  # the last is held out


def shape(concept, concepts, least, outline=False, turn=0.):
    """One sprite: a star of as many corners as its number tells, `least` or more, with a hue of its own."""
    corners, radius = least + concept % 5, SIZE * .46
    colour = tuple(round(255 * c) for c in colorsys.hsv_to_rgb(concept / concepts, .9, .8))
    points = []
    for i in range(2 * corners):
        reach = radius * (1 if i % 2 == 0 else .5 + .08 * (concept % 4))
        angle = math.pi * i / corners + turn
        points.append((SIZE / 2 + reach * math.sin(angle), SIZE / 2 - reach * math.cos(angle)))
    image = Image.new('RGBA', (SIZE, SIZE))
    ImageDraw.Draw(image).polygon(points, None if outline else colour, colour, 6)
    return np.asarray(image)


def write(out, labels, styles, heldout, corners):
    """The sprites of concepts with these labels, in the first `styles` of SETS, of which the last `heldout` are."""
    looks = list(SETS)[:styles]
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / 'sprites.npy', np.stack([[shape(c, len(labels), corners, **SETS[look]) for look in looks]
                                           for c in range(len(labels))]))
    about = {'sets': looks, 'train_sets': styles - heldout, 'restyled': [], 'concepts': labels,
             'available': [[True] * styles] * len(labels)}
    (out / 'sprites.json').write_text(json.dumps(about) + '\n')


def stranger(number):
    """One sprite that is no concept: rings within each other, each in a grey of its own."""
    image = Image.new('RGBA', (SIZE, SIZE))
    for ring in range(2 + number % 3):
        edge, grey = SIZE * (.04 + .14 * ring), 40 + (70 * ring + 20 * number) % 200
        ImageDraw.Draw(image).ellipse((edge, edge, SIZE - edge, SIZE - edge), (grey, grey, grey))
    return np.asarray(image)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True)
    parser.add_argument('--concepts', type=int, default=12)
    args = parser.parse_args(arguments)
    out, labels = Path(args.out), Words(args.concepts).labels
    write(out, labels, len(SETS), 1, 3)
    write(out / 'others', [f'star {number}' for number in range(OTHERS)], len(SETS) - 1, 0, 8)
    strangers = range(STRANGERS)
    np.save(out / 'outsiders.npy', np.stack([stranger(number) for number in strangers]))
    (out / 'outsiders.json').write_text(json.dumps([
        {'set': 'rings', 'icon': f'ring {number}', 'held_out': number % 2 == 1} for number in strangers]) + '\n')


if __name__ == '__main__':
    main()
