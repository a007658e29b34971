"""Simple drawn shapes in place of the pictograms, to try the recipe on: `python -m recipe.data.stand_in --out FOLDER`.

The same files as `art/render.js` writes: `sprites.npy`, straight-alpha RGBA (concepts, sets, 96, 96, 4), and
`sprites.json`. A concept is a star in a colour; a set draws it filled, as an outline, or turned. And those that
`art/outsiders.js` writes: `outsiders.npy` (drawings, 96, 96, 4) and `outsiders.json`, of round things.
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

SIZE, STRANGERS = 96, 8
SETS = {HOUSE_STYLE: {}, 'outlines': {'outline': True}, 'turned': {'turn': .5}}  # the last is held out


def shape(concept, concepts, outline=False, turn=0.):
    """One sprite: a star of as many corners as its number tells, with a hue of its own."""
    corners, radius = 3 + concept % 5, SIZE * .46
    colour = tuple(round(255 * c) for c in colorsys.hsv_to_rgb(concept / concepts, .9, .8))
    points = []
    for i in range(2 * corners):
        reach = radius * (1 if i % 2 == 0 else .5 + .08 * (concept % 4))
        angle = math.pi * i / corners + turn
        points.append((SIZE / 2 + reach * math.sin(angle), SIZE / 2 - reach * math.cos(angle)))
    image = Image.new('RGBA', (SIZE, SIZE))
    ImageDraw.Draw(image).polygon(points, None if outline else colour, colour, 6)
    return np.asarray(image)


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
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / 'sprites.npy', np.stack([[shape(c, len(labels), **look) for look in SETS.values()]
                                           for c in range(len(labels))]))
    about = {'sets': list(SETS), 'train_sets': len(SETS) - 1, 'restyled': [], 'concepts': labels,
             'available': [[True] * len(SETS)] * len(labels)}
    (out / 'sprites.json').write_text(json.dumps(about) + '\n')
    strangers = range(STRANGERS)
    np.save(out / 'outsiders.npy', np.stack([stranger(number) for number in strangers]))
    (out / 'outsiders.json').write_text(json.dumps([
        {'set': 'rings', 'icon': f'ring {number}', 'held_out': number % 2 == 1} for number in strangers]) + '\n')


if __name__ == '__main__':
    main()
