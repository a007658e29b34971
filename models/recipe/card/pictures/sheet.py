"""What the pictures of the card are made of: tiles, words, rows and columns of them. Everything is a Pillow image."""
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

PAPER, SHADE, INK, QUIET = (255, 255, 255), (232, 234, 237), (31, 35, 40), (89, 99, 110)
RIGHT, WRONG, ACCENT = (26, 127, 55), (207, 34, 46), (9, 105, 218)
WIDTH, MARGIN = 1000, 12
COLOURS = 256


def image_of(planes, side, resample=Image.LANCZOS):
    """Planes (3, S, S), uint8 or about -1..1, as a picture of that side."""
    if planes.dtype != torch.uint8:
        planes = ((planes.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(planes.permute(1, 2, 0).numpy())).resize((side, side), resample)


def words(text, width, size=13, colour=INK, left=False):
    """Text wrapped to a width, in the middle or on the left."""
    font = ImageFont.load_default(size)
    wrapped = wrap(text, font, width)
    height = round(size * 1.25)
    sheet = Image.new('RGB', (width, height * len(wrapped)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(wrapped):
        at = 0 if left else round((width - font.getlength(line)) / 2)
        pen.text((at, number * height), line, colour, font)
    return sheet


def wrap(text, font, width):
    lines = ['']
    for word in text.split(' '):
        longer = f'{lines[-1]} {word}'.strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def heading(text, note=''):
    """Words over a part of the sheet, and a quieter note below."""
    width = WIDTH - 2 * MARGIN
    parts = [words(text, width, 19, left=True), *([words(note, width, 13, QUIET, left=True)] if note else [])]
    return column([Image.new('RGB', (1, 8), PAPER), *parts, Image.new('RGB', (1, 4), PAPER)], 2)


def row(images, gap=8, middle=False):
    """Side by side, level at the top or in the middle."""
    height = max(image.height for image in images)
    sheet = Image.new('RGB', (sum(image.width for image in images) + gap * (len(images) - 1), height), PAPER)
    at = 0
    for image in images:
        sheet.paste(image, (at, (height - image.height) // 2 if middle else 0))
        at += image.width + gap
    return sheet


def column(images, gap=8):
    """One below the other."""
    sheet = Image.new('RGB', (max(image.width for image in images),
                              sum(image.height for image in images) + gap * (len(images) - 1)), PAPER)
    at = 0
    for image in images:
        sheet.paste(image, (0, at))
        at += image.height + gap
    return sheet


def grid(images, across, gap=8, below=12):
    return column([row(images[i:i + across], gap) for i in range(0, len(images), across)], below)


def side_of(across, gap=8):
    """How wide tiles are of which so many stand in a row of the sheet."""
    return (WIDTH - 2 * MARGIN - gap * (across - 1)) // across


def marked(image, right):
    """A picture with a verdict in its corner: a tick or a cross."""
    scale, size = 4, 20
    disc = Image.new('RGBA', (size * scale, size * scale))
    pen = ImageDraw.Draw(disc)
    pen.ellipse((0, 0, size * scale - 1, size * scale - 1), PAPER)
    pen.ellipse((6, 6, size * scale - 7, size * scale - 7), RIGHT if right else WRONG)
    strokes = [[(24, 42), (36, 54), (57, 28)]] if right else [[(28, 28), (52, 52)], [(28, 52), (52, 28)]]
    for stroke in strokes:
        pen.line(stroke, PAPER, 8, 'curve')
    disc = disc.resize((size, size), Image.LANCZOS)
    image = image.copy()
    image.paste(disc, (image.width - size - 3, 3), disc)
    return image


def save(parts, path):
    """Parts one below the other, on paper, as a small PNG."""
    body = column(parts)
    sheet = Image.new('RGB', (WIDTH, body.height + 2 * MARGIN), PAPER)
    sheet.paste(body, (MARGIN, MARGIN))
    sheet.quantize(COLOURS, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)


def levels(pen, values, level, left, right):
    """Lines across a chart at the values, named on their left; `level` tells how high a value stands."""
    font = ImageFont.load_default(14)
    for value in values:
        pen.line((left, level(value), right, level(value)), SHADE if value else QUIET)
        pen.text((left - 10, level(value)), f'{value:g}', QUIET, font, anchor='rm')
