"""Makes known art look like unknown art: other shapes, colours, lines and shades of a sprite.

Sprites are premultiplied: colours (S, S, 3) and alpha (S, S, 1), both 0..1.
"""
import numpy as np
from PIL import Image

LEVELS = 3  # of each channel: colours that share their levels are recoloured alike


def bent(image, rng):
    """Turned by up to 20 degrees, stretched and sheared a little, about its centre."""
    angle, half = np.radians(rng.uniform(-20, 20)), image.width / 2
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    back = turn @ np.array([[1, rng.uniform(-.2, .2)], [0, 1]]) @ np.diag(rng.uniform(.95, 1.25, 2))
    shift = half - back @ [half, half]
    return image.transform(image.size, Image.AFFINE, (*back[0], shift[0], *back[1], shift[1]), Image.BILINEAR)


def warped(image, rng, cells=3):
    """Its parts in other proportions: a grid of points, each moved by chance."""
    edges = np.linspace(0, image.width, cells + 1).round().astype(int)
    points = np.stack(np.meshgrid(edges, edges), -1) + rng.normal(0, .045 * image.width, (cells + 1, cells + 1, 2))
    mesh = [((int(edges[x]), int(edges[y]), int(edges[x + 1]), int(edges[y + 1])),
             (*points[y, x], *points[y + 1, x], *points[y + 1, x + 1], *points[y, x + 1]))
            for y in range(cells) for x in range(cells)]
    return image.transform(image.size, Image.MESH, mesh, Image.BILINEAR)


def mingled(one, other, rng):
    """One thing as two sets draw it, uint8 (S, S, 4) each: parts of both, or both at once."""
    size = len(one)
    if rng.random() < .5:
        share = np.full((size, size, 1), rng.uniform(.3, .7))
    else:
        angle, ramp = rng.uniform(0, 2 * np.pi), np.linspace(-1, 1, size)
        side = np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None] + rng.uniform(-.3, .3)
        share = np.clip(side * size / 8 + .5, 0, 1)[..., None]
    return (one * share + other * (1 - share)).astype(np.uint8)


def restyle(rgb, alpha, rng):
    kind = rng.random()
    if kind < .25:
        rgb = mixed_channels(rgb, alpha, rng)
    elif kind < .32:
        rgb = np.repeat(rgb.mean(-1, keepdims=True), 3, -1)
    elif kind < .4:
        levels = rng.integers(2, 5)
        rgb = np.minimum(np.round(rgb * levels) / levels, alpha)
    elif kind < .65:
        rgb = repainted(rgb, alpha, rng)
    if rng.random() < .25:
        rgb = drawn(rgb, alpha, rng)
    if rng.random() < .15:
        rgb = shaded(rgb, alpha, rng)
    if rng.random() < .3:
        rgb, alpha = outlined(rgb, alpha, rng)
    return cut_out(rgb, alpha, rng) if rng.random() < .12 else (rgb, alpha)


def mixed_channels(rgb, alpha, rng):
    matrix = np.eye(3, dtype=np.float32) * rng.uniform(.3, 1.4)
    matrix += (1 - matrix.sum(0, keepdims=True)) / 3
    return np.clip(rgb @ (matrix * rng.uniform(.75, 1.2, size=(1, 3)).astype(np.float32)), 0, alpha)


def repainted(rgb, alpha, rng):
    """Each of its colours in another one."""
    straight = rgb / np.maximum(alpha, 1e-3)
    level = np.minimum((straight * LEVELS).astype(np.int64), LEVELS - 1)
    moved = rng.normal(0, rng.uniform(.1, .35), (LEVELS ** 3, 3)).astype(np.float32)
    return np.clip(straight + moved[level @ [LEVELS ** 2, LEVELS, 1]], 0, 1) * alpha


def thicker(ink):
    """(S, S), each value spread to the four neighbours."""
    wide = ink.copy()
    for one, beside in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
        wide[one] = np.maximum(wide[one], ink[beside])
        wide[:, one] = np.maximum(wide[:, one], ink[:, beside])
    return wide


def drawn(rgb, alpha, rng):
    """Edges inked; the fill as it was, or one colour for all."""
    grey = rgb.mean(-1) + 1 - alpha[..., 0]
    edge = np.zeros_like(grey)
    edge[:, 1:] += np.abs(np.diff(grey, axis=1))
    edge[1:] += np.abs(np.diff(grey, axis=0))
    ink = np.clip(edge * rng.uniform(3, 7), 0, 1)
    if rng.random() < .4:
        ink = thicker(ink)
    fill = rng.random()
    flat = rgb.sum((0, 1)) / max(alpha.sum(), 1) if fill < .8 else np.full(3, rng.uniform(.7, 1))
    return (1 - ink[..., None]) * (rgb if fill < .55 else alpha * flat.astype(np.float32))


def shaded(rgb, alpha, rng):
    """Lighter on one side than on the other."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(.1, .4)
    ramp = np.linspace(-1, 1, len(rgb), dtype=np.float32)
    light = (np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None]) * strength
    return np.clip(rgb + light.astype(np.float32)[..., None] * alpha, 0, alpha)


def outlined(rgb, alpha, rng):
    wide = alpha[..., 0]
    for _ in range(rng.integers(1, 3)):
        wide = thicker(wide)
    colour = np.float32(rng.choice([0, 0, 1, .2]))
    return rgb + (wide[..., None] - alpha).clip(0) * colour, wide[..., None]


def cut_out(rgb, alpha, rng):
    """A rectangle of it gone."""
    size = len(rgb)
    height, width = rng.integers(size // 6, size // 2, 2)
    y, x = (int(rng.integers(size - side + 1)) for side in (height, width))
    left = np.ones_like(alpha)
    left[y:y + height, x:x + width] = 0
    return rgb * left, alpha * left
