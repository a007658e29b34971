"""Which patches the selector keeps, seen on scenes of one to four objects."""
import torch
from PIL import Image, ImageDraw

from ...data.batches import heldout
from ...data.scenes import MOST_OBJECTS
from .sheet import INK, PAPER, column, heading, image_of, row, side_of, words

EACH = 2  # scenes of each number of objects


def kept_patches(eyes, sprites, seed):
    side = side_of(EACH * MOST_OBJECTS)
    parts = []
    for art, styles in (('Trained art', sprites.train_styles), ('Unseen art', sprites.heldout_styles)):
        pixels, _ = of_each_size(sprites, EACH, seed, styles=styles)
        _, keep = eyes.see(pixels)
        parts += [heading(art), row([column([image_of(planes, side), dimmed(image_of(planes, side), mask),
                                             words(f'{int(mask.sum())} of {len(mask)} kept', side)])
                                     for planes, mask in zip(pixels, keep)])]
    return parts


def of_each_size(sprites, each, seed, **options):
    """Fresh scenes of one object, then of two, three and four: pixels and facts."""
    drawn = [heldout(sprites, each, seed=seed + count, count=count, **options) for count in range(1, MOST_OBJECTS + 1)]
    return torch.cat([pixels for pixels, _ in drawn]), [scene for _, scenes in drawn for scene in scenes]


def dimmed(image, keep):
    """A picture whose dropped patches are faint, with a line around what is kept."""
    size = int(len(keep) ** .5)
    kept = keep.view(size, size).bool().tolist()
    mask = Image.new('L', image.size, 255)
    edges = [round(i * image.width / size) for i in range(size + 1)]
    pen, cells = ImageDraw.Draw(mask), [(y, x) for y in range(size) for x in range(size)]
    for y, x in cells:
        pen.rectangle((edges[x], edges[y], edges[x + 1] - 1, edges[y + 1] - 1), 255 if kept[y][x] else 50)
    image = Image.composite(image, Image.new('RGB', image.size, PAPER), mask)
    pen = ImageDraw.Draw(image)
    for y, x in cells:
        if x and kept[y][x] != kept[y][x - 1]:
            pen.line((edges[x], edges[y], edges[x], edges[y + 1]), INK)
        if y and kept[y][x] != kept[y - 1][x]:
            pen.line((edges[x], edges[y], edges[x + 1], edges[y]), INK)
    pen.rectangle((0, 0, image.width - 1, image.height - 1), outline=(200, 204, 209))
    return image
