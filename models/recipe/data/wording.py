"""What can be said about a scene: captions in many phrasings, prompts to paint it, questions and their answers."""
import json
from pathlib import Path

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
            name = pick(self.synonyms[concept], rng)
            return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        return self.one[concept]


def pick(options, rng): return options[int(rng.integers(len(options)))]


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


FRAMES = ['{what} on {a_ground} background', '{what} on {ground}', '{what} in front of {a_ground} background',
          'there is {what} on {a_ground} background', 'a picture of {what} on {a_ground} background',
          'an image of {what}, {ground} background', '{a_ground} picture with {what}', '{what} against {ground}',
          'a drawing of {what} on {a_ground} ground', '{what} with {a_ground} background']
ORDERS = ['draw {what} on {a_ground} background', 'paint {what} on {ground}', 'show me {what} on {a_ground} background',
          'please paint {what} with {a_ground} background', '{what}, {ground} background',
          '{ground} background, {what}',
          'a photo of {what} on {a_ground} background', 'a pictogram of {what} on {a_ground} background']


def a_ground(name): return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def spelled(text, rng): return text.replace('gray', 'grey') if rng.random() < .3 else text


def caption(scene, words, rng):
    """A caption by the canonical names. Repeated objects are counted, single ones often placed."""
    repeated = len(set(scene.concepts)) < len(scene.concepts)
    what = counted(scene, words, rng) if repeated or rng.random() < .3 else arranged(scene, words, rng)
    frame = FRAMES[0] if rng.random() < .6 else pick(FRAMES, rng)
    return frame.format(what=what, ground=scene.ground, a_ground=a_ground(scene.ground))


def order(scene, words, rng):
    """A prompt to paint the scene, in free wording."""
    repeated = len(set(scene.concepts)) < len(scene.concepts)
    what = (counted if repeated or rng.random() < .3 else arranged)(scene, words, rng, .2)
    frame = FRAMES[0] if rng.random() < .4 else pick(FRAMES + ORDERS, rng)
    return spelled(frame.format(what=what, ground=scene.ground, a_ground=a_ground(scene.ground)), rng)


def colour_question(scene, words, rng):
    asked = pick(['what color is the background?', 'which color does the background have?', 'what is the ground color?',
                  'what color is behind the objects?', 'name the background color', 'the background is which color?',
                  'what color is the ground?', 'tell me the color of the background'], rng)
    return (asked.replace('color', 'colour') if rng.random() < .3 else asked), scene.ground


def total_question(scene, words, rng):
    return pick(['how many objects are there?', 'how many things are in the picture?', 'how many objects do you see?',
                 'count the objects', 'what is the number of objects?', 'how many items are shown?',
                 'how many objects does the picture show?', 'how many things can you see?'], rng), \
        NUMBERS[len(scene.concepts)]


def absent(scene, words, rng):
    """A concept that the scene lacks, often a like of one that it shows: likes stand together in the list of
    concepts."""
    others = [c for c in range(len(words.labels)) if c not in scene.concepts]
    likes = [c for c in others if min(abs(c - shown) for shown in scene.concepts) <= NEAR]
    return pick(likes if likes and rng.random() < .3 else others, rng)


def exist_question(scene, words, rng):
    yes = rng.random() < .5
    concept = pick(scene.concepts, rng) if yes else absent(scene, words, rng)
    name = words.a(concept, rng, .15)
    return pick([f'is there {name}?', f'do you see {name}?', f'can you see {name}?', f'does the picture show {name}?',
                 f'is {name} in the picture?', f'is there {name} in the image?', f'does it contain {name}?',
                 f'is {name} visible?'], rng), 'yes' if yes else 'no'


def count_question(scene, words, rng):
    here = rng.random() < .8
    concept = pick(scene.concepts, rng) if here else int(rng.integers(len(words.labels)))
    many = words.many[concept]
    return pick([f'how many {many} are there?', f'how many {many} do you see?', f'count the {many}',
                 f'how many {many} are in the picture?', f'what is the number of {many}?',
                 f'how many {many} can you see?', f'how many {many} are shown?', f'number of {many}?'], rng), \
        NUMBERS[scene.concepts.count(concept)]


def what_question(scene, words, rng):
    if len(scene.concepts) != 1:
        return None
    return pick(['what is it?', 'what is this?', 'what is in the picture?', 'what do you see?', 'what does it show?',
                 'what object is this?', 'name the object', 'what is shown here?'], rng
                ), words.labels[scene.concepts[0]]


def place_question(scene, words, rng):
    """What stands at a named place."""
    if len(scene.concepts) < 2:
        return None
    i = int(rng.integers(len(scene.concepts)))
    place = scene.places[i]
    at = f'on the {place}' if place in ('left', 'right') else f'at the {place}'
    return pick([f'what is {at}?', f'what do you see {at}?', f'which object is {at}?', f'what stands {at}?',
                 f'name the object {at}', f'what object is {at}?', f'what can be seen {at}?', f'{at} there is what?'],
                rng), words.labels[scene.concepts[i]]


def where_question(scene, words, rng):
    alone = [i for i, c in enumerate(scene.concepts) if scene.concepts.count(c) == 1]
    if len(scene.concepts) < 2 or not alone:
        return None
    i = pick(alone, rng)
    name = words.labels[scene.concepts[i]]
    return pick([f'where is the {name}?', f'where do you see the {name}?', f'where does the {name} stand?',
                 f'in which place is the {name}?', f'where can I find the {name}?',
                 f'what is the position of the {name}?',
                 f'where in the picture is the {name}?', f'the {name} is where?'], rng), scene.places[i]


def relation_question(scene, words, rng):
    """What is to the left of, right of, above or below a named object."""
    pairs = []
    for i, first in enumerate(scene.places):
        for j, second in enumerate(scene.places):
            if i == j or scene.concepts.count(scene.concepts[i]) > 1:
                continue
            relation = RELATIONS.get(difference(first, second))
            if relation:
                pairs.append((words.labels[scene.concepts[i]], words.labels[scene.concepts[j]], relation))
    if not pairs:
        return None
    known, answer, relation = pick(pairs, rng)
    return pick([f'what is {relation} the {known}?', f'which object is {relation} the {known}?',
                 f'what do you see {relation} the {known}?', f'what stands {relation} the {known}?',
                 f'{relation} the {known} there is what?', f'name the object {relation} the {known}',
                 f'what can be seen {relation} the {known}?', f'what object is {relation} the {known}?'], rng), answer


RELATIONS = {(-1, 0): 'to the left of', (1, 0): 'to the right of', (0, -1): 'above', (0, 1): 'below'}


def difference(first, second):
    """Where `second` lies as seen from `first`: (-1, 0) is to its left, (0, -1) above it."""
    def at(place):
        return (-1 if 'left' in place else 1 if 'right' in place else 0,
                -1 if 'top' in place else 1 if 'bottom' in place else 0)
    (a, b), (c, d) = at(first), at(second)
    return ((c > a) - (c < a), (d > b) - (d < b))


def choice_question(scene, words, rng):
    """Which of two is in the picture, or stands at the named side."""
    i = int(rng.integers(len(scene.concepts)))
    here = scene.concepts[i]
    pair = [words.a(here), words.a(absent(scene, words, rng))]
    a, b = pair if rng.random() < .5 else pair[::-1]
    return pick([f'is it {a} or {b}?', f'which is in the picture, {a} or {b}?', f'do you see {a} or {b}?',
                 f'is there {a} or {b}?', f'{a} or {b}?', f'does it show {a} or {b}?',
                 f'which of the two is there, {a} or {b}?', f'what is shown, {a} or {b}?'], rng), words.labels[here]


QUESTIONS = {'colour': colour_question, 'total': total_question, 'exist': exist_question, 'count': count_question,
             'what': what_question, 'place': place_question, 'where': where_question, 'relation': relation_question,
             'choice': choice_question}


HARD = ('exist', 'count', 'where', 'relation')  # learnt late


def questions(scene, words, rng, count, twice=()):
    """Up to `count` questions in random order, one of each kind and two of the kinds in `twice`: [(kind, question,
    answer)]."""
    asked = [(kind, QUESTIONS[kind](scene, words, rng)) for kind in rng.permutation([*QUESTIONS, *twice])]
    return [(kind, *found) for kind, found in asked if found][:count]
