"""How people ask for things: the frames of frames.txt filled in, with polite forms, slips of spelling and endings.

Three manners. `plain`: the first eight frames of a kind as they stand. `trained`: all frames that training sees, worn
as people wear them. `heldout`: frames and polite forms that training never sees, for measuring.
"""
import re
from pathlib import Path

PLAIN_FRAMES = 8
LIKE = {'picture': ['picture', 'image', 'photo', 'drawing', 'pic', 'scene'], 'color': ['color', 'colour'],
        'background': ['background', 'background', 'backdrop', 'ground'], 'things': ['objects', 'things', 'items']}
OPENINGS = {'trained': ['please ', 'hi, ', 'hello, ', 'hey, ', 'tell me, ', 'can you tell me: ', 'excuse me, ', 'so, ',
                        'could you please tell me, ', 'i wonder, ', 'ok, ', 'answer this: ', 'now: '],
            'heldout': ['dear model, ', 'a quick one: ', 'kindly say: ', 'now then, ', 'may i ask, ']}
CLOSINGS = {'trained': [' please', ', please', ' thanks', ' thank you', ', can you tell me?', ' here?'],
            'heldout': [', thanks a lot', ', if you can', ', be so kind']}
POLITE, SLIPPED, BARE, ODD = .15, .1, .2, .06  # odds: an opening or closing, a slip, no question mark, another ending
ON_WORDS = re.compile(r'(?<![{\w])[a-z]{4,}(?![\w}])')


def read(path):
    """kind -> manner -> frames."""
    frames, kind = {}, None
    for line in path.read_text().splitlines():
        if line.startswith('['):
            kind = frames.setdefault(line.strip('[]'), {'plain': [], 'trained': [], 'heldout': []})
        elif line and not line.startswith('#'):
            kind['heldout' if line.startswith('~') else 'trained'].append(line.removeprefix('~'))
    for kind in frames.values():
        kind['plain'] = kind['trained'][:PLAIN_FRAMES]
    return frames


FRAMES = read(Path(__file__).with_name('frames.txt'))


def pick(options, rng): return options[int(rng.integers(len(options)))]


def frame_of(kind, rng, manner):
    """One frame; training and what is like it takes a plain one in every third case."""
    return pick(FRAMES[kind]['plain' if manner == 'trained' and rng.random() < .35 else manner], rng)


def fill(frame, rng, manner, **slots):
    """The slots of words of like meaning and the given ones; plain wording takes the commonest word."""
    like = {slot: words[0] if manner == 'plain' else pick(words, rng) for slot, words in LIKE.items()}
    return frame.format(**like | slots)


def ask(kind, rng, manner='trained', **slots):
    """A question or an instruction of this kind. Slots are left as they are, only the words around them slip."""
    frame = frame_of(kind, rng, manner)
    if manner != 'plain':
        frame = ended(polite(frame, rng, manner), rng)
        if rng.random() < SLIPPED:
            frame = slipped(frame, rng)
    asked = fill(frame, rng, manner, **slots)
    return asked.replace('color', 'colour') if manner == 'plain' and rng.random() < .3 else asked


def polite(frame, rng, manner):
    chance = rng.random()
    if chance < POLITE * .7:
        return pick(OPENINGS[manner], rng) + frame
    if chance < POLITE:
        closing = pick(CLOSINGS[manner], rng)
        return frame.rstrip('?') + closing + ('?' if frame.endswith('?') and not closing.endswith('?') else '')
    return frame


def ended(frame, rng):
    chance = rng.random()
    if chance < BARE:
        return frame.rstrip('?')
    return frame.rstrip('?') + pick(['??', '!', '.', ' ?'], rng) if chance < BARE + ODD else frame


def slipped(text, rng):
    """One word of four letters or more with a letter lost, doubled, or changed for its neighbour; never in a slot."""
    words = list(ON_WORDS.finditer(text))
    if not words:
        return text
    word = pick(words, rng)
    at, kind = int(rng.integers(word.start() + 1, word.end() - 1)), int(rng.integers(3))
    if kind == 0:
        at += int(rng.integers(2))  # the last letter, too
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at + 1] + text[at] + text[at + 2:]
