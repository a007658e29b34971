"""Pictures that the model paints: from words, from a picture and words or two pictures, and of its own codes."""
import numpy as np
import torch

from networks.config import MINI
from networks.decoding import draw_codes

from ...data.batches import EVALUATION_SEED, to_planes
from ...data.draw_heldout import picture_and_words, two_pictures
from ...data.scenes import GROUND_NAMES, LAYOUTS, MOST_OBJECTS
from ...stages.language_model import single_orders
from .kept import of_each_size
from .sheet import QUIET, WRONG, column, grid, heading, image_of, marked, row, side_of, words

ACROSS = 8
MIXED_ACROSS, BETWEEN, SIGN = 3, 36, 14
JUDGED_SIDE = .54  # of a region that holds one of several objects
CENTRES = {place: at for layout in LAYOUTS.values() for at, place in layout}


# ---------------------------------------------------------------- from words

def from_words(eyes, lm, judge, sentences, seed, orders):
    samples = paint_orders(eyes, lm, judge, sentences, orders, seed)
    right = sum(said is None for *_, said in samples)
    side = side_of(ACROSS)
    return [heading(f'From words: {right} of {orders} as asked',
                    'Prompts and samples by seed, none left out. The tick is '
                    'the judge\'s, a network that has only seen true pictures; in red what it takes a picture for.'),
            grid([sample(*one, side) for one in samples], ACROSS)]


def paint_orders(eyes, lm, judge, sentences, count, seed):
    """Single objects painted from words: [(prompt, picture, what the judge takes it for, or None where it is
    right)]."""
    prompts, wanted = single_orders(sentences.words, count, seed)
    pictures = eyes.paint(draw_codes(lm, [sentences.ids(prompt) for prompt in prompts], seed=seed))
    with torch.no_grad():
        concept, ground = (scores.argmax(-1).tolist() for scores in judge(pictures))
    said = [None if (c, g) == asked else f'{sentences.words.labels[c]} on {GROUND_NAMES[g]}'
            for c, g, asked in zip(concept, ground, wanted)]
    return list(zip(prompts, pictures, said))


def sample(prompt, picture, said, side):
    return column([marked(image_of(picture, side), said is None), words(prompt, side, 12),
                   *([words(said, side, 12, WRONG)] if said else [])], 3)


# ---------------------------------------------------------------- from pictures

def from_pictures(eyes, lm, judge, sentences, sprites, seed, count):
    rng = np.random.default_rng((EVALUATION_SEED, seed))
    changes = [picture_and_words(sprites, rng) for _ in range(count)]
    pairs = [two_pictures(sprites, rng) for _ in range(count)]
    side = (side_of(MIXED_ACROSS, BETWEEN) - 4 * 6 - 2 * SIGN) // 3
    parts = []
    for title, note, prompts, scenes in (
            ('A picture and words',
             'The words ask for another ground. Prompts and samples by seed; the tick is the judge\'s.',
             [([before], text) for before, text, _, _ in changes], [s for *_, s in changes]),
            ('Two pictures', 'For both things in one picture, on their ground.',
             [(alone, '') for alone, _, _ in pairs], [s for *_, s in pairs])):
        given = [[c + MINI.visual_offset for codes in eyes.codes(to_planes(shown)) for c in codes] + sentences.ids(text)
                 for shown, text in prompts]
        painted = eyes.paint(draw_codes(lm, given, seed=seed))
        verdicts = [is_there(judge, picture, scene) for picture, scene in zip(painted, scenes)]
        lines = [mixed(shown, text, picture, right, side)
                 for (shown, text), picture, right in zip(prompts, painted, verdicts)]
        parts += [heading(f'{title}: {sum(verdicts)} of {count} as asked', note), grid(lines, MIXED_ACROSS, BETWEEN)]
    return parts


def mixed(shown, text, picture, right, side):
    """The parts of a prompt, and what is painted."""
    given = [*(image_of(planes, side) for planes in to_planes(shown)), *([words(text, side)] if text else [])]
    return row([given[0], words('+', SIGN, 16), given[1], words('=', SIGN, 16), marked(image_of(picture, side), right)],
               6, middle=True)


@torch.no_grad()
def is_there(judge, picture, scene):
    """Whether the judge finds all things of a scene, at its places or anywhere where it names none, and its ground."""
    side = picture.shape[-1]
    span = round(JUDGED_SIDE * side)
    concept, ground = [], []
    for place in scene.places or CENTRES:
        left, top = (min(max(round(c * side - span / 2), 0), side - span) for c in CENTRES[place])
        region = picture if place == 'center' else picture[:, top:top + span, left:left + span]
        for scores, seen in zip((concept, ground), judge(region[None])):
            scores.append(seen)
    found = set(torch.cat(concept).argmax(-1).tolist())
    return set(scene.concepts) <= found and GROUND_NAMES[int(torch.cat(ground).sum(0).argmax())] == scene.ground


# ---------------------------------------------------------------- of its own codes

def from_codes(eyes, sprites, seed):
    side, parts = side_of(ACROSS), []
    for art, styles in (('House style', [sprites.house]), ('Trained art', sprites.train_styles),
                        ('Unseen art', sprites.heldout_styles)):
        pixels, _ = of_each_size(sprites, ACROSS // MOST_OBJECTS, seed, styles=styles)
        codes = eyes.codes(pixels)
        parts += [heading(art), row([column([image_of(before, side), image_of(after, side),
                                             words(f'{len(said)} tokens', side, 12, QUIET)], 4)
                                     for before, after, said in zip(pixels, eyes.paint(codes), codes)])]
    return parts
