"""How people ask for things: the frames of frames.txt filled in, with polite forms, slips of spelling and endings.

Three manners to measure with. `plain`: the first eight frames of a kind as they stand. `trained`: all frames that
training sees, worn as people wear them. `heldout`: frames and polite forms that training never sees. And one to learn
from, `crossed`: the trained ones, of which many begin like one and end like another, so that either part tells the
kind.
"""
import re
from pathlib import Path

PLAIN_FRAMES = 8
OPENINGS = {'trained': ['please ', 'hi, ', 'hello, ', 'hey, ', 'tell me, ', 'can you tell me: ', 'excuse me, ', 'so, ',
                        'could you please tell me, ', 'i wonder, ', 'ok, ', 'answer this: ', 'now: ', 'well, ',
                        'listen, ', 'good morning, ', 'a request: ', 'i was wondering, ', 'do tell me, ',
                        'just curious, ', 'look closely: ', 'in short, ', 'be honest, ', 'sorry, ', 'next: ',
                        'i want to know, ', 'help me, ', 'friend, '],
            'heldout': ['dear model, ', 'a quick one: ', 'kindly say: ', 'now then, ', 'may i ask, ']}
CLOSINGS = {'trained': [' please', ', please', ' thanks', ' thank you', ', can you tell me?', ' here?',
                        ', do you know?', ' exactly?', ', quickly', ' in your opinion?', ', i wonder',
                        ', would you say?'],
            'heldout': [', thanks a lot', ', if you can', ', be so kind']}
POLITE, SLIPPED, BARE, ODD = .15, .1, .2, .06  # odds: an opening or closing, a slip, no question mark, another ending
SCATTERED, AGAIN = .3, .3  # odds: a word that means nothing, and one more
CROSSED, TELLING = .4, 4   # odds that a frame to learn from is made of two, and the fewest words that it then has
SLOT = re.compile(r'\{(\w+)\}')
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


def read_words(path):
    """slot -> words for it."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith('#')]
    return {slot: words.split(', ') for slot, words in (line.split(': ') for line in lines)}


def plainest(frame):
    """With the first of the words that stand for each other, and without what ends it."""
    return SLOT.sub(lambda slot: LIKE.get(slot[1], [slot[0]])[0], frame).rstrip('?!. ')


FRAMES = read(Path(__file__).with_name('frames.txt'))
LIKE = read_words(Path(__file__).with_name('like.txt'))
BEYOND = read_words(Path(__file__).with_name('beyond.txt'))
SLOTS = LIKE | BEYOND
HELD_OUT = {kind: {plainest(frame) for frame in frames['heldout']} for kind, frames in FRAMES.items()}


def pick(options, rng): return options[int(rng.integers(len(options)))]


def frame_of(kind, rng, manner):
    """One frame; training and what is like it takes a plain one in every third case."""
    frames, known = FRAMES[kind], known_as(manner)
    if known == 'trained' and rng.random() < .35:
        return pick(frames['plain'], rng)
    frame = pick(frames[known], rng)
    if manner == 'crossed' and rng.random() < CROSSED:
        both = crossed(frame, pick(frames[known], rng), rng)
        return frame if plainest(both) in HELD_OUT[kind] else both
    return frame


def known_as(manner): return 'trained' if manner == 'crossed' else manner


def crossed(one, other, rng):
    """The beginning of one frame of a kind and the end of another, cut behind what a scene fills in, or between words
    where there is nothing; the one as it stands if they are not filled in alike, or if too few words are left."""
    slots, others = slots_of(one), slots_of(other)
    if [slot[0] for slot in slots] != [slot[0] for slot in others]:
        return one
    if slots:
        at = int(rng.integers(len(slots)))
        both = one[:slots[at].end()] + other[others[at].end():]
    else:
        share, words, rest = rng.uniform(.3, .7), one.split(' '), other.split(' ')
        both = ' '.join(words[:round(share * len(words))] + rest[round(share * len(rest)):])
    return both if len(both.split()) - len(slots) >= TELLING else one


def slots_of(frame):
    """Of what a scene fills in; words that stand for each other are none."""
    return [slot for slot in SLOT.finditer(frame) if slot[1] not in SLOTS]


def fill(frame, rng, manner, **slots):
    """The slots of words of like meaning, those of what no picture tells, and the given ones; plain wording takes the
    first word."""
    words = {slot: words[0] if manner == 'plain' else pick(words, rng) for slot, words in SLOTS.items()
             if f'{{{slot}}}' in frame}
    return frame.format(**words | slots)


def ask(kind, rng, manner='trained', **slots):
    """A question or an instruction of this kind. Slots are left as they are, only the words around them slip."""
    frame, manner = frame_of(kind, rng, manner), known_as(manner)
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


def scattered(text, whole, rng):
    """Now and then with words that mean nothing between its own, as words never heard are to a listener; not within
    what `whole`, a pattern, finds."""
    while rng.random() < SCATTERED:
        inside = [match.span() for match in whole.finditer(text)]
        gaps = [at for at in (0, *(space.start() + 1 for space in re.finditer(' ', text)))
                if not any(start < at < end for start, end in inside)]
        at = pick(gaps, rng)
        text = f'{text[:at]}{unheard(rng)} {text[at:]}'
        if rng.random() > AGAIN:
            break
    return text


def unheard(rng):
    """'belado', 'turi', 'kamesit': of two or three syllables."""
    syllables = [pick('bcdfghjklmnprstvwz', rng) + pick('aeiou', rng) for _ in range(int(rng.integers(2, 4)))]
    return ''.join(syllables) + (pick('lmnrst', rng) if rng.random() < .5 else '')
