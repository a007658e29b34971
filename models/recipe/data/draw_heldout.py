"""Draws data for `npm run evaluate`: `python -m recipe.data.draw_heldout --out FOLDER --seed 1 --scenes 400`.

Freshly drawn pictures in the formats of COCO captions and VQA v2, with what they show in `scenes.json`:

    FOLDER/         scenes of --art, with captions, questions and answers
    FOLDER/single/  prompts for one object, with true pictures in the house style
    FOLDER/pairs/   prompts for two objects that stand beside or above each other
    FOLDER/worded/  prompts for one or two objects in the wording of --wording, which for the others is always plain
    FOLDER/counted/ prompts for two and for three of one kind
    FOLDER/mixed/   prompts of a picture and words (a new ground), or of two pictures; these lie in `shown/`
"""
import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from networks.config import CONCEPTS

from .batches import EVALUATION_SEED
from .frames import pick
from .scenes import GROUND_NAMES, Sprites, draw
from .wording import NUMBERS, PLAIN, QUESTIONS, UNKNOWN, Words, a_ground, caption, order, questions

REFERENCES = 5
PEOPLE = 10  # all of one mind
UNANSWERABLE = 'unanswerable'  # how VQA v2 has it, and what LaVIT's evaluation makes of "i don't know"
ANSWER_TYPES = {'exist': 'yes/no', 'there': 'yes/no', 'beside': 'yes/no', 'compare': 'yes/no', 'count': 'number',
                'total': 'number'}
KINDS = {'plain': PLAIN, 'trained': QUESTIONS, 'heldout': QUESTIONS}


class Folder:
    """Collects pictures and what is said of them, and writes them."""

    def __init__(self, path, words):
        self.path, self.words = Path(path), words
        self.captions, self.questions, self.answers, self.scenes, self.prompts, self.count = [], [], [], [], [], 0
        (self.path / 'images').mkdir(parents=True, exist_ok=True)

    def add(self, picture, scene, said=(), asked=(), prompt=None, **facts):
        self.count += 1
        number = self.count
        Image.fromarray(picture).save(self.path / 'images' / file_name(number))
        for text in said:
            self.captions.append({'id': len(self.captions) + 1, 'image_id': number, 'caption': text})
        for kind, question, answer in asked:
            answer = UNANSWERABLE if answer == UNKNOWN else answer
            ids = {'question_id': len(self.questions) + 1, 'image_id': number}
            self.questions.append({**ids, 'question': question})
            self.answers.append({**ids, 'question_type': kind, 'answer_type': ANSWER_TYPES.get(kind, 'other'),
                                 'multiple_choice_answer': answer,
                                 'answers': [{'answer_id': i, 'answer': answer} for i in range(1, PEOPLE + 1)]})
        if prompt:
            self.prompts.append({'image_id': number, 'prompt': prompt})
        self.scenes.append({'image_id': number, 'concepts': [self.words.labels[c] for c in scene.concepts],
                            'places': scene.places, 'ground': scene.ground, **facts})

    def show(self, picture, name):
        """A picture of a prompt, as a part of it."""
        (self.path / 'shown').mkdir(exist_ok=True)
        Image.fromarray(picture).save(self.path / 'shown' / name)
        return {'type': 'image', 'file_name': name}

    def write(self):
        images = [{'id': n, 'file_name': file_name(n)} for n in range(1, self.count + 1)]
        names = {one: [one, many] for one, many in zip(self.words.labels, self.words.many)}
        self.put('scenes', {'names': names, 'scenes': self.scenes})
        if self.captions:
            self.put('captions_heldout', {'images': images, 'annotations': self.captions})
        if self.questions:
            self.put('questions', {'questions': self.questions})
            self.put('annotations', {'annotations': self.answers})
        if self.prompts:
            self.put('prompts', {'prompts': self.prompts})

    def put(self, name, content): (self.path / f'{name}.json').write_text(json.dumps(content) + '\n')


def file_name(number): return f'{number:06d}.png'


def scenes(folder, count, sprites, rng, styles, manner):
    for _ in range(count):
        picture, scene = draw(sprites, rng, styles=styles)
        folder.add(picture, scene, [caption(scene, folder.words, rng) for _ in range(REFERENCES)],
                   questions(scene, folder.words, rng, len(KINDS[manner]), manner=manner, kinds=KINDS[manner]))


def single(folder, count, sprites, rng):
    for _ in range(count):
        picture, scene = draw(sprites, rng, count=1, **house(sprites))
        folder.add(picture, scene, [on_ground(folder.words.one[scene.concepts[0]], scene.ground)])


def pairs(folder, count, sprites, rng):
    for _ in range(count):
        concepts = two(sprites, rng)
        picture, scene = draw(sprites, rng, concepts=concepts, **house(sprites))
        a, b = (folder.words.one[c] for c in concepts)
        beside = scene.places[0] == 'left'
        said = pick([f'{a} to the left of {b}', f'{b} to the right of {a}'] if beside else
                    [f'{a} above {b}', f'{b} below {a}'], rng)
        folder.add(picture, scene, [on_ground(said, scene.ground)], case='beside' if beside else 'above')


def worded(folder, count, sprites, rng, manner):
    for _ in range(count):
        picture, scene = draw(sprites, rng, counts=(.5, .5, 0, 0), **house(sprites))
        folder.add(picture, scene, [order(scene, folder.words, rng, manner)], case=f'{len(scene.concepts)} objects')


def counted(folder, count, sprites, rng):
    """In turn two and three of one kind; the prompt does not say where."""
    for number in range(count):
        n, concept = 2 + number % 2, int(rng.integers(len(sprites.names)))
        picture, scene = draw(sprites, rng, concepts=[concept] * n, **house(sprites))
        scene.places = []
        folder.add(picture, scene, [on_ground(f'{NUMBERS[n]} {folder.words.many[concept]}', scene.ground)],
                   case=f'{NUMBERS[n]} of a kind')


def mixed(folder, count, sprites, rng):
    """In turn: a picture and words that change its ground; two pictures on like grounds, for both things at once."""
    for number in range(count):
        if number % 2 == 0:
            before, text, after, changed = picture_and_words(sprites, rng)
            words = {'type': 'text', 'text': text}
            folder.add(after, changed, prompt=[folder.show(before, f'{number}.png'), words], case='picture and words')
        else:
            alone, both, scene = two_pictures(sprites, rng)
            folder.add(both, scene, prompt=[folder.show(p, f'{number}_{i}.png') for i, p in enumerate(alone)],
                       case='two pictures')


def picture_and_words(sprites, rng):
    """A picture, words that change its ground, the picture they ask for and its scene."""
    before, scene = draw(sprites, rng, count=1, **house(sprites))
    ground = pick([g for g in GROUND_NAMES if g != scene.ground], rng)
    after, changed = draw(sprites, rng, concepts=scene.concepts, ground_name=ground, **house(sprites))
    return before, f'on {a_ground(ground)} background', after, changed


def two_pictures(sprites, rng):
    """Two pictures of one thing each on like grounds, the picture of both and its scene."""
    concepts = two(sprites, rng)
    both, scene = draw(sprites, rng, concepts=concepts, **house(sprites))
    alone = [draw(sprites, rng, concepts=[c], ground_name=scene.ground, **house(sprites))[0] for c in concepts]
    scene.places = []  # the prompt does not say where
    return alone, both, scene


def house(sprites): return {'styles': [sprites.house], 'plain': True}


def two(sprites, rng): return [int(c) for c in rng.choice(len(sprites.names), 2, replace=False)]


def on_ground(what, ground): return f'{what} on {a_ground(ground)} background'


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--scenes', type=int, default=400, help='and as many prompts of each kind')
    parser.add_argument('--art', choices=('trained', 'unseen', 'house'), default='trained', help='of the scenes')
    parser.add_argument('--wording', choices=KINDS, default='plain',
                        help='of questions: the plainest, any that training saw, or only such as it never saw')
    parser.add_argument('--sprites', default='recipe/sprites')
    parser.add_argument('--concepts', type=int, default=CONCEPTS)
    args = parser.parse_args(arguments)
    sprites, words = Sprites(args.sprites, args.concepts), Words(args.concepts)
    styles = {'trained': sprites.train_styles, 'unseen': sprites.heldout_styles, 'house': [sprites.house]}[args.art]
    makers = {'': partial(scenes, styles=styles, manner=args.wording), 'single': single, 'pairs': pairs, 'mixed': mixed,
              'worded': partial(worded, manner=args.wording), 'counted': counted}
    for number, (name, make) in enumerate(makers.items()):
        folder = Folder(Path(args.out) / name, words)
        make(folder, args.scenes, sprites, np.random.default_rng((EVALUATION_SEED, args.seed, number)))
        folder.write()


if __name__ == '__main__':
    main()
