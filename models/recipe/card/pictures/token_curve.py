"""What fewer tokens cost: quality against the mean number of patches kept, by the selector's threshold."""
import torch
from PIL import Image, ImageDraw, ImageFont

from networks.config import MINI

from ...data.batches import heldout
from ...stages import tokenizer as tokenizer_stage
from ...stages.language_model import MANNERS, speaking_figures
from .sheet import ACCENT, INK, MARGIN, PAPER, QUIET, RIGHT, WIDTH, WRONG, heading, levels

THRESHOLDS = (.02, .03, .05, .1, .2, .35, .5, .6, .65, .7, .75)
SHIPPED = .5
SERIES = {'answers, trained art': ACCENT, 'answers, unseen art': (117, 175, 234),
          'things named, trained art': RIGHT, 'things named, unseen art': (140, 200, 150),
          'true codes painted': WRONG}
LEFT, TOP, BOTTOM = 44, 40, 46


def token_curve(eyes, merger, lm, heads, judge, sentences, sprites, seed, scenes):
    """The parts of the sheet, and the figures: for each threshold mean patches kept and a share right, by series."""
    arts = {'trained art': heldout(sprites, scenes, seed=seed),
            'unseen art': heldout(sprites, scenes, seed=seed + 1, styles=sprites.heldout_styles)}
    single = heldout(sprites, scenes, seed=seed + 2, styles=[sprites.house], plain=True, count=1)
    points = {name: [] for name in SERIES}
    for threshold in THRESHOLDS:
        for art, drawn in arts.items():
            spoken = speaking_figures(eyes, merger, lm, sentences, *drawn, threshold=threshold,
                                      manners={'vqa': MANNERS['vqa']})
            kept = torch.cat([eyes.see(p, threshold)[1].sum(1) for p in drawn[0].split(50)]).mean().item()
            points[f'answers, {art}'].append((kept, spoken['vqa']))
            points[f'things named, {art}'].append((kept, spoken['recall']))
        painted = tokenizer_stage.figures(eyes.encoder, heads, eyes.tokenizer, eyes.decoder, eyes.painter, judge,
                                          *single, threshold=threshold)
        points['true codes painted'].append((painted['kept'].item(), painted['judged'].item()))
    note = (f'Share right against mean patches kept of {MINI.encoder.patches}, over {scenes} fresh scenes each; from '
            f'left to right the threshold falls from {THRESHOLDS[-1]} to {THRESHOLDS[0]}. The rings are the model as '
            f'it ships ({SHIPPED}).')
    figures = {name: dict(zip(map(str, THRESHOLDS), [[round(x, 1), round(y, 3)] for x, y in line]))
               for name, line in points.items()}
    return [heading('What fewer tokens cost', note), chart(points)], figures


def chart(points, height=460):
    """A line for each series."""
    sheet = Image.new('RGB', (WIDTH - 2 * MARGIN, height), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    floor, most = height - BOTTOM, MINI.encoder.patches
    level = lambda share: floor - (floor - TOP) * share
    along = lambda kept: LEFT + (sheet.width - LEFT - 12) * kept / most
    levels(pen, [number / 10 for number in range(0, 11, 2)], level, LEFT, sheet.width)
    for kept in range(0, most + 1, 8):
        pen.text((along(kept), floor + 8), str(kept), QUIET, font, anchor='mt')
    pen.text((sheet.width, height - 4), 'patches kept', QUIET, font, anchor='rb')
    at = LEFT
    for name, colour in SERIES.items():
        line = [(along(kept), level(share)) for kept, share in points[name]]
        pen.line(line, colour, 2)
        for number, (x, y) in enumerate(line):
            radius = 6 if THRESHOLDS[number] == SHIPPED else 3
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), PAPER if radius > 3 else colour, colour, 2)
        pen.rectangle((at, 8, at + 14, 22), colour)
        pen.text((at + 20, 15), name, INK, font, anchor='lm')
        at += 40 + font.getlength(name)
    return sheet
