"""How many tokens scenes of one to four objects take: a chart, and its figures."""
import torch
from PIL import Image, ImageDraw, ImageFont

from networks.config import MINI

from ...data.batches import heldout
from ...data.scenes import MOST_OBJECTS
from ...data.wording import NUMBERS
from .sheet import ACCENT, INK, MARGIN, PAPER, WIDTH, heading, levels

EQUAL = (.4, .4)  # side of every object, as a share of the picture's
SERIES = {'every object of the same size, {:.0%} of the side': (ACCENT, {'span': EQUAL}),
          'scenes as they are drawn, where a single object is larger': ((140, 149, 159), {})}
LEFT, TOP, BOTTOM, BAR = 44, 64, 34, 66


def token_counts(eyes, sprites, seed, scenes):
    """The parts of the sheet, and mean counts by series and number of objects."""
    counts = [[kept(eyes, sprites, scenes, seed + objects, count=objects, **options)
               for objects in range(1, MOST_OBJECTS + 1)]
              for _, options in SERIES.values()]
    names = [name.format(EQUAL[0]) for name in SERIES]
    figures = {name: [round(n.mean().item(), 1) for n in series] for name, series in zip(names, counts)}
    note = (f'Mean patches kept of {MINI.encoder.patches}, over {scenes} fresh scenes each, trained art; the line '
            'spans the middle half of them.')
    return [heading('Tokens by number of objects', note), chart(names, counts)], figures


def kept(eyes, sprites, scenes, seed, **scene):
    """Patches kept of each fresh scene."""
    pixels, _ = heldout(sprites, scenes, seed=seed, **scene)
    return torch.cat([eyes.see(p)[1].sum(1) for p in pixels.split(50)])


def chart(names, counts, height=380):
    """Bars side by side for each number of objects."""
    sheet = Image.new('RGB', (WIDTH - 2 * MARGIN, height), PAPER)
    pen, font, bold = ImageDraw.Draw(sheet), ImageFont.load_default(14), ImageFont.load_default(17)
    top = 5 * -(-max(n.quantile(.75).item() for series in counts for n in series) // 5)
    floor = height - BOTTOM
    level = lambda value: floor - (floor - TOP) * value / top
    levels(pen, range(0, int(top) + 1, 5), level, LEFT, sheet.width)
    group = (sheet.width - LEFT) / MOST_OBJECTS
    for objects in range(MOST_OBJECTS):
        centre = LEFT + group * (objects + .5)
        name = NUMBERS[objects + 1] + (' object' if objects == 0 else ' objects')
        pen.text((centre, floor + 10), name, INK, font, anchor='mt')
        for number, ((colour, _), series) in enumerate(zip(SERIES.values(), counts)):
            n, at = series[objects], centre + (number - len(counts) / 2) * (BAR + 8) + 4
            pen.rectangle((at, level(n.mean().item()), at + BAR, floor - 1), colour)
            middle = at + BAR / 2
            low, high = (level(n.quantile(q).item()) for q in (.25, .75))
            pen.line((middle, high, middle, low), INK, 2)
            pen.text((middle, min(high, level(n.mean().item())) - 6), f'{n.mean():.1f}', INK, bold, anchor='mb',
                     stroke_width=3, stroke_fill=PAPER)
    at = LEFT
    for (colour, _), name in zip(SERIES.values(), names):
        pen.rectangle((at, 8, at + 14, 22), colour)
        pen.text((at + 22, 15), name, INK, font, anchor='lm')
        at += 52 + font.getlength(name)
    return sheet
