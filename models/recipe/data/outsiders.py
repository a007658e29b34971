"""Pictures of what the model does not know: drawings of other things, photographs, and what a program can draw."""
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .scenes import Sprites, draw, premultiplied

SIZE = 96
PICTURES = {'.png', '.jpg', '.jpeg', '.webp'}
WORDS = ('the quick brown fox jumps over a lazy dog while 42 wizards file open save edit view help total name date '
         'price settings search menu login chapter figure table and of in to is that it was for on are with as').split()


class Outsiders(Sprites):
    """The drawings of one side, trained on or held out: each is a thing of its own in one style."""

    def __init__(self, folder, held_out):
        about = json.loads((Path(folder) / 'outsiders.json').read_text())
        chosen = [i for i, one in enumerate(about) if one['held_out'] == held_out]
        straight = np.load(Path(folder) / 'outsiders.npy', mmap_mode='r')[chosen]
        self.sources = [about[i]['set'] for i in chosen]
        self.names = [about[i]['icon'] for i in chosen]
        self.styles, self.train_styles, self.heldout_styles, self.restyled, self.house = ['own'], [0], [0], [], 0
        self.available = np.ones((len(chosen), 1), bool)
        self.large, self.small = premultiplied(straight[:, None])

    def picture(self, rng, source=None, augment=False):
        """One or two strange things on a ground, as scenes show known ones."""
        mine = [i for i, s in enumerate(self.sources) if source in (None, s)]
        count = 1 if rng.random() < .75 else 2
        return draw(self, rng, concepts=[int(i) for i in rng.choice(mine, count)], augment=augment)[0]


class Photographs:
    """Pictures of a folder, cut to squares."""

    def __init__(self, files):
        self.pictures = [np.asarray(Image.open(file).convert('RGB')) for file in files]

    @classmethod
    def below(cls, *folders):
        return cls(sorted(file for folder in folders for file in Path(folder).rglob('*')
                          if file.suffix.lower() in PICTURES))

    def picture(self, rng): return cut(self.pictures[int(rng.integers(len(self.pictures)))], rng)


def cut(picture, rng, least=.5):
    """A square of at least this share of the shorter side, at SIZE."""
    height, width = picture.shape[:2]
    side = int(min(height, width) * rng.uniform(least, 1))
    x, y = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
    return np.asarray(Image.fromarray(picture[y:y + side, x:x + side]).resize((SIZE, SIZE), Image.BILINEAR))


def noise(rng):
    """Independent pixels, grey or coloured, sharp or blurred, or clouds of several scales."""
    field = rng.random((SIZE, SIZE, 3 if rng.random() < .7 else 1))
    if rng.random() < .5:
        field = sum(rng.random(((SIZE >> k) + 1, (SIZE >> k) + 1, field.shape[2])).repeat(1 << k, 0).repeat(1 << k, 1)
                    [:SIZE, :SIZE] * 2 ** (k - 3) for k in range(6)) / 7.9
    picture = Image.fromarray((np.repeat(field, 3 // field.shape[2], 2) * 255).clip(0, 255).astype(np.uint8))
    blur = rng.choice([0, 0, .7, 1.5, 3])
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(float(blur))) if blur else picture)


def gradient(rng):
    """Smooth changes between two to four colours, in a line or around a point."""
    ys, xs = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    angle = rng.uniform(0, 2 * np.pi)
    line = rng.random() < .6
    along = np.cos(angle) * xs + np.sin(angle) * ys if line else np.hypot(xs - rng.random(), ys - rng.random())
    along = (along - along.min()) / np.ptp(along)
    stops = rng.random((int(rng.integers(2, 5)), 3))
    at = np.linspace(0, 1, len(stops))
    return (np.stack([np.interp(along, at, stops[:, c]) for c in range(3)], -1) * 255).astype(np.uint8)


def texture(rng):
    """Waves, cells, stripes or checks in a few colours."""
    ys, xs = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    kind = rng.integers(3)
    if kind == 0:
        field = sum(np.sin(2 * np.pi * (f @ [0, 1] * xs + f @ [1, 0] * ys) + p)
                    for f, p in zip(rng.uniform(-14, 14, (4, 2)), rng.uniform(0, 6.3, 4)))
    elif kind == 1:
        points = rng.random((int(rng.integers(8, 80)), 2))
        distance = np.hypot(xs[..., None] - points[:, 0], ys[..., None] - points[:, 1])
        field = distance.min(-1) if rng.random() < .5 else distance.argmin(-1) * 1.7 % 1
    else:
        step, angle = rng.uniform(3, 20), rng.uniform(0, np.pi)
        field = (np.cos(angle) * xs + np.sin(angle) * ys) * step // 1 % 2 + (rng.random() < .5) * (ys * step // 1 % 2)
    field = (field - field.min()) / max(np.ptp(field), 1e-6)
    low, high = rng.random((2, 3))
    grain = rng.normal(0, rng.uniform(0, .08), (SIZE, SIZE, 3))
    return ((low + field[..., None] * (high - low) + grain) * 255).clip(0, 255).astype(np.uint8)


def colours(rng):
    """Paper and ink."""
    paper, ink = (rng.integers(225, 256, 3), rng.integers(0, 90, 3))
    if rng.random() < .3:
        paper, ink = ink, paper
    return tuple(map(int, paper)), tuple(map(int, ink))


def write(draw_on, rng, ink, box, size):
    """Lines of words within a box."""
    left, top, right, bottom = box
    font = ImageFont.load_default(size)
    for y in range(int(top), int(bottom - size), int(size * rng.uniform(1.1, 1.5))):
        line = ' '.join(rng.choice(WORDS, 12))
        draw_on.text((left, y), line[:max(1, int((right - left) / (size * .55)))], ink, font)


def text(rng):
    paper, ink = colours(rng)
    picture = Image.new('RGB', (SIZE * 2, SIZE * 2), paper)
    size = float(rng.choice([10, 14, 20, 32, 60]))
    write(ImageDraw.Draw(picture), rng, ink, (rng.integers(0, 20), rng.integers(0, 20), SIZE * 2, SIZE * 2), size)
    return np.asarray(picture.resize((SIZE, SIZE), Image.BILINEAR))


def interface(rng):
    """Windows, buttons, fields and lines of text."""
    paper, ink = colours(rng)
    side = SIZE * 3
    picture = Image.new('RGB', (side, side), paper)
    on = ImageDraw.Draw(picture)
    on.rectangle((0, 0, side, int(rng.integers(10, 40))), tuple(map(int, rng.integers(0, 256, 3))))
    for _ in range(int(rng.integers(3, 14))):
        x, y = rng.integers(0, side, 2)
        box = (int(x), int(y), int(x + rng.integers(20, side)), int(y + rng.integers(10, 120)))
        fill = tuple(map(int, rng.integers(180 if rng.random() < .7 else 0, 256, 3)))
        on.rounded_rectangle(box, int(rng.integers(0, 10)), fill, ink if rng.random() < .6 else None)
        write(on, rng, ink, (box[0] + 4, box[1] + 2, box[2], box[3]), float(rng.choice([9, 11, 14])))
    return np.asarray(picture.resize((SIZE, SIZE), Image.BILINEAR))


DRAWN = {'noise': noise, 'gradient': gradient, 'texture': texture, 'text': text, 'interface': interface}
