"""Scenes: one to four pictograms on a coloured ground, drawn from rendered sprites, with their own facts."""
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from .colours import main_colour
from .restyling import bent, mingled, restyle, warped

HOUSE_STYLE = 'fluent-emoji-flat'
GROUNDS = {'red': (214, 48, 44), 'orange': (240, 140, 30), 'yellow': (248, 222, 70), 'green': (66, 160, 71),
           'blue': (52, 96, 214), 'purple': (136, 62, 178), 'pink': (244, 150, 190), 'brown': (128, 84, 52),
           'gray': (140, 140, 145), 'white': (248, 248, 248), 'black': (24, 24, 26), 'teal': (32, 160, 160)}
GROUND_NAMES = list(GROUNDS)
MINGLED = .15     # of restyled sprites, those that two sets share
AS_REDRAWN = .5   # of those of sets in other manners, those that stay as they are
NO_OBJECT = -100  # patch label of plain ground, ignored by cross-entropy


@dataclass
class Scene:
    """What a picture shows: `concepts[i]` stands at `places[i]` ('center', 'left', 'top right', ...)."""
    concepts: list
    places: list
    ground: str
    labels: np.ndarray  # (grid, grid) int64: index of the concept covering each patch, or NO_OBJECT
    colours: list = field(default_factory=list)  # of each thing: the name of what colour most of it has, or None
    boxes: list = field(default_factory=list)  # of each thing: x and y of its middle and its side, as shares


def premultiplied(straight):
    """Straight RGBA (concepts, styles, S, S, 4) -> premultiplied, in full size and at 48 pixels."""
    n, m, s = straight.shape[:3]
    large, small = np.empty((n, m, s, s, 4), np.uint8), np.empty((n, m, 48, 48, 4), np.uint8)
    for one, full, half in zip(straight, large, small):
        one = one.astype(np.uint16)
        alpha = one[..., 3:]
        full[:] = np.concatenate([(one[..., :3] * alpha + 127) // 255, alpha], -1)
        half[:] = full.reshape(m, 48, s // 48, 48, s // 48, 4).astype(np.uint16).sum((2, 4)) // (s // 48) ** 2
    return large, small


class Sprites:
    """Premultiplied sprites in two resolutions; `available[concept, style]`. `restyled` are sets trained on in other
    manners: more art to learn from, and none that anybody draws."""

    def __init__(self, folder, concepts=None):
        self.folder = folder = Path(folder)
        about = json.loads((folder / 'sprites.json').read_text())
        self.styles = about['sets']
        self.restyled = [i for i, name in enumerate(self.styles) if name in about['restyled']]
        self.train_styles = [i for i in range(about['train_sets']) if i not in self.restyled]
        self.heldout_styles = list(range(about['train_sets'], len(self.styles)))
        self.house = self.styles.index(HOUSE_STYLE)
        self.names = about['concepts'][:concepts]
        self.available = np.array(about['available'])[:concepts]
        self.large, self.small = premultiplied(np.load(folder / 'sprites.npy', mmap_mode='r')[:concepts])

    def style_of(self, concept, wanted, styles, rng):
        if self.available[concept, wanted]:
            return wanted
        return int(rng.choice([s for s in styles if self.available[concept, s]] or [self.house]))

    def get(self, concept, style, pixels, rng, augment):
        """One sprite as premultiplied float (pixels, pixels, 3) and alpha (pixels, pixels, 1), both 0..1."""
        source = (self.small if pixels <= 48 else self.large)[concept]
        sprite = source[style]
        if augment and rng.random() < MINGLED:
            drawn = [s for s in self.train_styles + self.restyled if self.available[concept, s]]
            sprite = mingled(sprite, source[rng.choice(drawn)], rng)
        image = Image.fromarray(sprite, 'RGBa').resize((pixels, pixels), Image.BILINEAR)
        if augment:
            if rng.random() < .6:
                image = bent(image, rng)
            if rng.random() < .4:
                image = warped(image, rng)
            if rng.random() < .3:
                image = image.transpose(Image.FLIP_LEFT_RIGHT)
        x = np.asarray(image).astype(np.float32) / 255
        rgb, alpha = x[..., :3], x[..., 3:]
        plain = not augment or style in self.restyled and rng.random() < AS_REDRAWN
        return (rgb, alpha) if plain else restyle(rgb, alpha, rng)


def ground(size, rng, plain, name=None):
    name = name or GROUND_NAMES[rng.integers(len(GROUND_NAMES))]
    colour = np.clip(np.array(GROUNDS[name], np.float32) / 255 + rng.normal(0, .02, 3), 0, 1)
    image = np.ones((size, size, 3), np.float32) * colour
    kind = 0 if plain else rng.integers(3)
    ys, xs = np.mgrid[0:size, 0:size]
    if kind == 1:
        angle = rng.uniform(0, 2 * np.pi)
        slope = (np.cos(angle) * xs + np.sin(angle) * ys) / size - .5 * (np.cos(angle) + np.sin(angle))
        image = image + (slope * rng.uniform(.1, .3))[..., None]
    elif kind == 2:
        pattern = rng.integers(4)
        step = rng.integers(4, 14)
        texture = ((xs // step) % 2, (ys // step) % 2, (xs // step + ys // step) % 2,
                   rng.random((size // 4 + 1, size // 4 + 1)).repeat(4, 0).repeat(4, 1)[:size, :size])[pattern]
        image = image + ((texture - .5) * rng.uniform(.04, .12))[..., None]
    return np.clip(image, 0, 1).astype(np.float32), name


LAYOUTS = {'single': [((.5, .5), 'center')],
           'row': [((.27, .5), 'left'), ((.73, .5), 'right')],
           'column': [((.5, .27), 'top'), ((.5, .73), 'bottom')],
           'corners': [((.27, .27), 'top left'), ((.73, .27), 'top right'),
                       ((.27, .73), 'bottom left'), ((.73, .73), 'bottom right')]}
# Of a single object and of several: sides as shares of the picture's, and how far from their places they may stand.
FREE = ((.45, .9), (.34, .48)), (.1, .05)
COMPOSED = ((.62, .82), (.42, .5)), (.03, .02)
MOST_OBJECTS = max(map(len, LAYOUTS.values()))


def pick_concepts(count, total, rng):
    if count > 1 and rng.random() < .3:
        concepts = [int(rng.integers(total))] * count
        if count > 2 and rng.random() < .5:
            concepts[-1] = int(rng.integers(total))
        return [concepts[i] for i in rng.permutation(count)]
    return [int(c) for c in rng.choice(total, count, replace=False)]


def draw(sprites, rng, size=96, grid=8, styles=None, augment=False, plain=False, count=None, counts=(.35, .3, .17, .18),
         concepts=None, ground_name=None, span=None, composed=False):
    """Draws one scene.

    Returns a uint8 picture (size, size, 3) and its Scene. `styles`: indices of the sets to draw from (default: those
    for training). `counts`: odds of one to four objects. `concepts`, `ground_name`: what it must show. `span`: least
    and greatest side of an object as shares of the picture's (default: a single one is larger). `composed`: objects
    large and in the middle of their places, as a picture should be painted.
    """
    if styles is None:
        styles = sprites.train_styles + (sprites.restyled if augment else [])
    image, ground_name = ground(size, rng, plain, ground_name)
    count = len(concepts) if concepts else count or int(rng.choice([1, 2, 3, 4], p=counts))
    concepts = concepts or pick_concepts(count, len(sprites.names), rng)
    layout = ('single' if count == 1 else 'corners' if count > 2 else 'row' if rng.random() < .5 else 'column')
    cells = [LAYOUTS[layout][i] for i in sorted(rng.choice(len(LAYOUTS[layout]), count, replace=False))]
    spans, jitters = COMPOSED if composed else FREE
    (low, high), jitter = span or spans[count > 1], jitters[count > 1]
    shared = int(rng.choice(styles))
    cover, colours, boxes = np.zeros((count, size, size), np.float32), [], []
    for k, (concept, ((cx, cy), _)) in enumerate(zip(concepts, cells)):
        pixels = int(rng.uniform(low, high) * size)
        style = sprites.style_of(concept, shared if rng.random() < .7 else int(rng.choice(styles)), styles, rng)
        rgb, alpha = sprites.get(concept, style, pixels, rng, augment)
        colours.append(main_colour(rgb, alpha))
        x, y = (int(np.clip((c + rng.uniform(-jitter, jitter)) * size - pixels / 2, 0, size - pixels))
                for c in (cx, cy))
        boxes.append(((x + pixels / 2) / size, (y + pixels / 2) / size, pixels / size))
        box = (slice(y, y + pixels), slice(x, x + pixels))
        image[box] = image[box] * (1 - alpha) + rgb
        cover[(k, *box)] = alpha[..., 0]
    if augment:
        image = weather(image, rng)
    patch = size // grid
    share = cover.reshape(count, grid, patch, grid, patch).mean((2, 4))
    labels = np.where(share.max(0) > .25, np.array(concepts)[share.argmax(0)], NO_OBJECT)
    picture = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    return picture, Scene(concepts, [place for _, place in cells], ground_name, labels, colours, boxes)


def weather(image, rng):
    """Whole-picture wear: blur, noise, gain."""
    if rng.random() < .15:
        blurred = Image.fromarray((np.clip(image, 0, 1) * 255).astype(np.uint8)).filter(
            ImageFilter.GaussianBlur(float(rng.uniform(.4, 1.1))))
        image = np.asarray(blurred).astype(np.float32) / 255
    if rng.random() < .2:
        image = image + rng.normal(0, rng.uniform(.01, .05), image.shape).astype(np.float32)
    return image
