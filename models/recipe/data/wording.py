"""What can be said about a scene: captions in many phrasings, prompts to paint it, questions and their answers."""
import json
import re
from pathlib import Path

from .frames import FRAMES, SLIPPED, ask, fill, pick, slipped

NUMBERS = ['zero', 'one', 'two', 'three', 'four']
CONCEPTS = Path(__file__).parents[1] / 'art' / 'concepts.json'
NEAR = 8  # rows of that list between a concept and its likes


class Words:
    """Names of the first `count` concepts, as art/concepts.json has them."""

    def __init__(self, count, path=CONCEPTS):
        entries = json.loads(Path(path).read_text())[:count]
        self.labels = [e['label'] for e in entries]
        self.one = [f"{e['article']} {e['label']}" for e in entries]
        self.many = [e['plural'] for e in entries]
        self.synonyms = [e['synonyms'] for e in entries]

    def a(self, concept, rng=None, synonym=0.):
        """'a dog'; with odds `synonym` by another of its names."""
        if rng is not None and self.synonyms[concept] and rng.random() < synonym:
            return with_article(pick(self.synonyms[concept], rng))
        return self.one[concept]


def with_article(name): return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def a_ground(name): return with_article(name)


def listed(parts): return parts[0] if len(parts) == 1 else ', '.join(parts[:-1]) + ' and ' + parts[-1]


def counted(scene, words, rng, synonym=0.):
    """'two dogs and a ship', in order of first appearance."""
    names = []
    for concept in dict.fromkeys(scene.concepts):
        n = scene.concepts.count(concept)
        names.append(words.a(concept, rng, synonym) if n == 1 else f'{NUMBERS[n]} {words.many[concept]}')
    return listed(names)


def arranged(scene, words, rng, synonym=0.):
    """The objects with where they stand."""
    names = [words.a(c, rng, synonym) for c in scene.concepts]
    if len(names) == 1:
        return names[0]
    if scene.places[:2] == ['left', 'right']:
        a, b = names
        return pick([f'{a} to the left of {b}', f'{b} to the right of {a}', f'{a} on the left and {b} on the right',
                     f'{a} next to {b}'], rng)
    if scene.places[:2] == ['top', 'bottom']:
        a, b = names
        return pick([f'{a} above {b}', f'{b} below {a}', f'{a} at the top and {b} at the bottom'], rng)
    return listed([f'{name} at the {place}' for name, place in zip(names, scene.places)])


CAPTIONS = ['{what} on {a_ground} background', '{what} on {ground}', '{what} in front of {a_ground} background',
            'there is {what} on {a_ground} background', 'a picture of {what} on {a_ground} background',
            'an image of {what}, {ground} background', '{a_ground} picture with {what}', '{what} against {ground}',
            'a drawing of {what} on {a_ground} ground', '{what} with {a_ground} background']
GROUND_WORDS = {'red': ['crimson', 'scarlet', 'bright red', 'dark red'], 'orange': ['bright orange', 'amber'],
                'yellow': ['golden', 'bright yellow', 'sunny yellow'],
                'green': ['emerald', 'grass green', 'dark green'],
                'blue': ['azure', 'cobalt', 'royal blue', 'deep blue'], 'purple': ['violet', 'deep purple', 'lilac'],
                'pink': ['light pink', 'hot pink', 'rosy'], 'brown': ['dark brown', 'chocolate brown', 'earth brown'],
                'gray': ['grey', 'silver', 'ashen', 'neutral gray'],
                'white': ['snow white', 'plain white', 'pure white'],
                'black': ['jet black', 'pitch black', 'pure black'], 'teal': ['turquoise', 'cyan', 'blue-green']}
AT = {'left': ['on the left', 'on the left side', 'at the left', 'to the left', 'in the left half', 'left'],
      'right': ['on the right', 'on the right side', 'at the right', 'to the right', 'in the right half', 'right'],
      'top': ['at the top', 'in the upper half', 'in the upper part', 'in the top half', 'up at the top'],
      'bottom': ['at the bottom', 'in the lower half', 'in the lower part', 'in the bottom half', 'down at the bottom']}
for side in ('left', 'right'):
    for end, other in (('top', 'upper'), ('bottom', 'lower')):
        AT[f'{end} {side}'] = [f'at the {end} {side}', f'in the {end} {side} corner', f'in the {other} {side} corner',
                               f'at the {other} {side}', f'{end} {side}', f'in the {other} {side}']
REL = {'to the left of': ['to the left of', 'left of', 'on the left of', 'on the left side of'],
       'to the right of': ['to the right of', 'right of', 'on the right of', 'on the right side of'],
       'above': ['above', 'over', 'on top of', 'higher than'],
       'below': ['below', 'under', 'beneath', 'underneath', 'lower than']}




def spelled(text, rng): return text.replace('gray', 'grey') if rng.random() < .3 else text


def caption(scene, words, rng):
    """A caption by the canonical names. Repeated objects are counted, single ones often placed."""
    repeated = len(set(scene.concepts)) < len(scene.concepts)
    what = counted(scene, words, rng) if repeated or rng.random() < .3 else arranged(scene, words, rng)
    frame = CAPTIONS[0] if rng.random() < .6 else pick(CAPTIONS, rng)
    return frame.format(what=what, ground=scene.ground, a_ground=a_ground(scene.ground))


def order(scene, words, rng, manner='trained'):
    """A prompt to paint the scene, in free wording; one in ten leaves the ground open."""
    repeated = len(set(scene.concepts)) < len(scene.concepts)
    what = (counted if repeated or rng.random() < .3 else arranged)(scene, words, rng, .2)
    ground = scene.ground
    if manner == 'trained' and rng.random() < .35:
        return spelled(CAPTIONS[0].format(what=what, a_ground=a_ground(ground)), rng)
    if rng.random() < .2:
        what = re.sub('\\b(two|three|four)\\b', lambda number: str(NUMBERS.index(number[0])), what)
    if rng.random() < .4:
        ground = pick(GROUND_WORDS[ground], rng)
    frame = pick(FRAMES['paint'][manner], rng)
    if frame.endswith(' {on}') and rng.random() < .2:
        frame, on = frame.removesuffix('{on}').rstrip(' ,'), ''
    else:
        on = pick(FRAMES['ground'][manner], rng).format(ground=ground, a_ground=a_ground(ground))
    if rng.random() < SLIPPED / 2:
        frame = slipped(frame, rng)
    return spelled(fill(frame, rng, manner, what=what, on=on).replace(' ,', ',').replace(',,', ',').lstrip(', '), rng)


def named(concept, words, rng, manner):
    """A name of the concept without article: now and then another than its label, where wording is free."""
    free = manner != 'plain' and words.synonyms[concept] and rng.random() < .1
    return pick(words.synonyms[concept], rng) if free else words.labels[concept]


def the(concept, words, rng, manner): return f'the {named(concept, words, rng, manner)}'


def at(place, rng, manner): return AT[place][0] if manner == 'plain' or rng.random() < .4 else pick(AT[place], rng)


def rel(relation, rng, manner): return REL[relation][0] if manner == 'plain' else pick(REL[relation], rng)


def colour_question(scene, words, rng, manner): return ask('colour', rng, manner), scene.ground


def total_question(scene, words, rng, manner): return ask('total', rng, manner), NUMBERS[len(scene.concepts)]


def absent(scene, words, rng):
    """A concept that the scene lacks, often a like of one that it shows: likes stand together in the list of
    concepts."""
    near = rng.random() < .3
    while True:
        concept = (pick(scene.concepts, rng) + int(rng.integers(-NEAR, NEAR + 1)) if near else
                   int(rng.integers(len(words.labels))))
        if 0 <= concept < len(words.labels) and concept not in scene.concepts:
            return concept


def exist_question(scene, words, rng, manner):
    yes = rng.random() < .5
    concept = pick(scene.concepts, rng) if yes else absent(scene, words, rng)
    a = words.a(concept, rng, .15)
    return ask('exist', rng, manner, a=a, one=a.split(' ', 1)[1], many=words.many[concept]), 'yes' if yes else 'no'


def count_question(scene, words, rng, manner):
    here = rng.random() < .8
    concept = pick(scene.concepts, rng) if here else int(rng.integers(len(words.labels)))
    return (ask('count', rng, manner, many=words.many[concept], a=words.a(concept)),
            NUMBERS[scene.concepts.count(concept)])


def what_question(scene, words, rng, manner):
    if len(scene.concepts) != 1:
        return None
    return ask('what', rng, manner), words.labels[scene.concepts[0]]


def place_question(scene, words, rng, manner):
    """What stands at a named place."""
    if len(scene.concepts) < 2:
        return None
    i = int(rng.integers(len(scene.concepts)))
    return ask('place', rng, manner, at=at(scene.places[i], rng, manner)), words.labels[scene.concepts[i]]


def alone(scene): return [i for i, c in enumerate(scene.concepts) if scene.concepts.count(c) == 1]


def where_question(scene, words, rng, manner):
    if len(scene.concepts) < 2 or not alone(scene):
        return None
    i = pick(alone(scene), rng)
    return ask('where', rng, manner, the=the(scene.concepts[i], words, rng, manner)), scene.places[i]


def pairs_with_relation(scene):
    """Things of which one stands beside, above or below the other: [(known, other, relation of the other)], the known
    ones alone of their kind."""
    pairs = [(scene.concepts[i], scene.concepts[j], RELATIONS.get(difference(scene.places[i], scene.places[j])))
             for i in alone(scene) for j in range(len(scene.places)) if i != j]
    return [pair for pair in pairs if pair[2]]


def relation_question(scene, words, rng, manner):
    """What is to the left of, right of, above or below a named object."""
    pairs = pairs_with_relation(scene)
    if not pairs:
        return None
    known, answer, relation = pick(pairs, rng)
    return (ask('relation', rng, manner, rel=rel(relation, rng, manner), the=the(known, words, rng, manner)),
            words.labels[answer])


RELATIONS = {(-1, 0): 'to the left of', (1, 0): 'to the right of', (0, -1): 'above', (0, 1): 'below'}
OPPOSITE = {'to the left of': 'to the right of', 'to the right of': 'to the left of', 'above': 'below',
            'below': 'above'}


def difference(first, second):
    """Where `second` lies as seen from `first`: (-1, 0) is to its left, (0, -1) above it."""
    def at(place):
        return (-1 if 'left' in place else 1 if 'right' in place else 0,
                -1 if 'top' in place else 1 if 'bottom' in place else 0)
    (a, b), (c, d) = at(first), at(second)
    return ((c > a) - (c < a), (d > b) - (d < b))


def choice_question(scene, words, rng, manner):
    """Which of two is in the picture, or stands at the named side."""
    i = int(rng.integers(len(scene.concepts)))
    here = scene.concepts[i]
    pair = [words.a(here), words.a(absent(scene, words, rng))]
    a, b = pair if rng.random() < .5 else pair[::-1]
    return ask('choice', rng, manner, a=a, b=b), words.labels[here]


def own_colour_question(scene, words, rng, manner):
    """Which colour a thing has, where one colour is most of it."""
    clear = [i for i in alone(scene) if i < len(scene.colours) and scene.colours[i]]
    if not clear:
        return None
    i = pick(clear, rng)
    return ask('own_colour', rng, manner, the=the(scene.concepts[i], words, rng, manner)), scene.colours[i]


def compare_question(scene, words, rng, manner):
    """Whether there are more, or fewer, of one kind than of another; yes and no come about alike often."""
    kind, yes = pick(['compare', 'fewer'], rng), rng.random() < .5
    for _ in range(8):
        a = pick(scene.concepts, rng)
        b = pick(scene.concepts, rng) if rng.random() < .6 else absent(scene, words, rng)
        if a == b:
            continue
        more, fewer = sorted((a, b), key=scene.concepts.count, reverse=True)
        equal = scene.concepts.count(a) == scene.concepts.count(b)
        if equal and yes:
            continue
        first, second = (more, fewer) if yes == (kind == 'compare') else (fewer, more)
        return ask(kind, rng, manner, many=words.many[first], others=words.many[second]), 'yes' if yes else 'no'
    return None


def there_question(scene, words, rng, manner):
    """Whether a thing stands at a place: no, if it stands elsewhere or something else stands there."""
    if len(scene.concepts) < 2:
        return None
    i, yes = int(rng.integers(len(scene.concepts))), rng.random() < .5
    concept = scene.concepts[i]
    if not yes:
        others = [c for c in scene.concepts if c != concept]
        concept = pick(others, rng) if others and rng.random() < .6 else absent(scene, words, rng)
    name = named(concept, words, rng, manner)
    return ask('there', rng, manner, a=with_article(name), the=f'the {name}', at=at(scene.places[i], rng, manner)), \
        'yes' if yes else 'no'


def beside_question(scene, words, rng, manner):
    """Whether one thing stands to the left of, right of, above or below another."""
    pairs = pairs_with_relation(scene)
    if not pairs:
        return None
    known, other, relation = pick(pairs, rng)
    if scene.concepts.count(other) > 1:
        return None
    yes = rng.random() < .5
    if not yes:
        relation = OPPOSITE[relation]
    name = named(other, words, rng, manner)
    return ask('beside', rng, manner, a=with_article(name), the=f'the {name}', rel=rel(relation, rng, manner),
               other=the(known, words, rng, manner)), 'yes' if yes else 'no'


def unknown_question(scene, words, rng, manner):
    """What no picture tells: names, dates, prices, feelings, who made it."""
    return ask('unknown', rng, manner, the=the(pick(scene.concepts, rng), words, rng, manner)), UNKNOWN


def describe(scene, words, rng, manner): return ask('describe', rng, manner), caption(scene, words, rng)


def list_all(scene, words, rng, manner): return ask('list', rng, manner), counted(scene, words, rng)


def what_all(scene, words, rng, manner):
    """What it is, asked of several things: all of them."""
    return (ask('what', rng, manner), counted(scene, words, rng)) if len(scene.concepts) > 1 else None


def where_alone(scene, words, rng, manner):
    """Where the only thing is."""
    if len(scene.concepts) > 1:
        return None
    return ask('where', rng, manner, the=the(scene.concepts[0], words, rng, manner)), scene.places[0]


UNKNOWN = "i don't know"
PLAIN = {'colour': colour_question, 'total': total_question, 'exist': exist_question, 'count': count_question,
         'what': what_question, 'place': place_question, 'where': where_question, 'relation': relation_question,
         'choice': choice_question}
QUESTIONS = {**PLAIN, 'own colour': own_colour_question, 'compare': compare_question, 'there': there_question,
             'beside': beside_question, 'unknown': unknown_question}
# learnt and not measured: have more than one right answer, or are too easy
TELLING = {'describe': describe, 'list': list_all, 'what all': what_all, 'where alone': where_alone}


# learnt late, mixed up with each other, or lost first where the wording is new
HARD = ('exist', 'count', 'where', 'relation', 'beside', 'choice', 'colour', *2 * ('own colour', 'compare', 'unknown'))
FACTUAL = ('exist', 'count', 'where', 'relation', 'own colour', 'there', 'beside')  # name their thing before all others


def questions(scene, words, rng, count, more=(), manner='trained', kinds=QUESTIONS):
    """Up to `count` questions in random order, one of each kind and one more for each in `more`: [(kind, question,
    answer)]."""
    found = []
    for kind in rng.permutation([*kinds, *more]).tolist():
        if len(found) == count:
            break
        asked = kinds[kind](scene, words, rng, manner)
        if asked:
            found.append((kind, *asked))
    return found
