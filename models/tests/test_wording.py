"""What questions ask. From models/: `python -m unittest tests.test_wording`."""
import unittest

import numpy as np

from networks.config import CONCEPTS
from recipe.data.scenes import Scene
from recipe.data.wording import (
    NEAR,
    NUMBERS,
    QUESTIONS,
    TELLING,
    UNKNOWN,
    Words,
    absent,
    compare_question,
    exist_question,
    order,
    questions,
)

MANNERS = ('plain', 'trained', 'heldout')


class Wording(unittest.TestCase):
    def setUp(self):
        self.words, self.rng = Words(CONCEPTS), np.random.default_rng(0)
        self.shown = [self.words.labels.index(name) for name in ('dog', 'giraffe')]
        self.scene = Scene(self.shown, ['left', 'right'], 'blue', None)

    def test_what_is_absent_is_not_shown_and_stands_near_it_in_the_list_about_a_third_of_the_time(self):
        drawn = [absent(self.scene, self.words, self.rng) for _ in range(2000)]
        self.assertFalse(set(drawn) & set(self.shown))
        near = np.mean([min(abs(c - shown) for shown in self.shown) <= NEAR for c in drawn])
        self.assertTrue(.27 < near < .38, near)  # .3, and by chance some of the others
        self.assertGreater(len(set(drawn)), CONCEPTS / 2)

    def test_yes_is_the_answer_to_what_is_shown_by_any_of_its_names(self):
        for _ in range(300):
            question, answer = exist_question(self.scene, self.words, self.rng, 'trained')
            names = [name for c in self.shown for name in (self.words.labels[c], *self.words.synonyms[c])]
            asked = f' {question}'.replace('hot dog', '')
            self.assertEqual(answer == 'yes', any(f' {name}' in asked for name in names), question)

    def test_every_kind_is_asked_in_every_manner_and_leaves_no_slot_open(self):
        scene = Scene(self.shown, ['left', 'right'], 'blue', None, ['brown', 'yellow'])
        kinds = {**QUESTIONS, **TELLING}
        for manner in MANNERS:
            for _ in range(200):
                for kind, question, answer in questions(scene, self.words, self.rng, 99, manner=manner, kinds=kinds):
                    self.assertNotRegex(question, '[{}]', kind)
                    self.assertTrue(question.strip() and answer)
            asked = questions(scene, self.words, self.rng, 99, manner=manner, kinds=kinds)
            self.assertEqual({kind for kind, *_ in asked}, set(kinds) - {'what', 'where alone'})  # of a thing alone

    def test_a_scene_of_one_thing_is_asked_what_it_is_and_not_where(self):
        alone = Scene(self.shown[:1], ['center'], 'blue', None)
        asked = {kind: answer for kind, _, answer in questions(alone, self.words, self.rng, 99)}
        self.assertEqual(asked['what'], 'dog')
        self.assertFalse({'where', 'place', 'relation', 'there', 'beside', 'own colour'} & set(asked))

    def test_what_several_things_are_and_where_a_single_one_is_has_an_answer_too(self):
        alone = Scene(self.shown[:1], ['center'], 'blue', None)
        for scene, expected in ((alone, {'where alone': 'center'}), (self.scene, {'what all': 'a dog and a giraffe'})):
            asked = {kind: answer for kind, _, answer in questions(scene, self.words, self.rng, 99, kinds=TELLING)}
            self.assertEqual({kind: asked[kind] for kind in asked if kind not in ('describe', 'list')}, expected)

    def test_comparisons_are_answered_by_counting(self):
        dog, giraffe = self.shown
        scene = Scene([dog, dog, giraffe], ['top left', 'top right', 'bottom left'], 'red', None)
        answers = set()
        for _ in range(300):
            question, answer = compare_question(scene, self.words, self.rng, 'plain')
            if 'giraffes' not in question or 'dogs' not in question:
                continue
            dogs_first = question.index('dogs') < question.index('giraffes')
            fewer = any(word in question for word in ('fewer', 'less', 'smaller'))
            self.assertEqual(answer == 'yes', dogs_first != fewer, question)
            answers.add(answer)
        self.assertEqual(answers, {'yes', 'no'})

    def test_what_a_picture_does_not_tell_is_not_known(self):
        for _, _, answer in questions(self.scene, self.words, self.rng, 9, kinds={'unknown': QUESTIONS['unknown']}):
            self.assertEqual(answer, UNKNOWN)

    def test_an_order_names_every_thing_and_most_name_the_ground(self):
        grounds = 0
        for _ in range(400):
            text = order(self.scene, self.words, self.rng, 'heldout')
            self.assertNotRegex(text, r'[{}]| ,|,,|^,')
            for concept in self.shown:
                names = [self.words.labels[concept], *self.words.synonyms[concept]]
                self.assertTrue(any(name in text for name in names), text)
            grounds += any(word in text for word in ('blue', 'azure', 'cobalt'))
        self.assertGreater(grounds, 280)
        self.assertLess(grounds, 400)

    def test_numbers_of_things_come_as_words_and_as_digits(self):
        three = Scene([self.shown[0]] * 3, ['top left', 'top right', 'bottom left'], 'red', None)
        texts = [order(three, self.words, self.rng) for _ in range(300)]
        self.assertTrue(all('three dogs' in text or '3 dogs' in text for text in texts))
        self.assertEqual(NUMBERS[3], 'three')
        self.assertTrue(any('3 dogs' in text for text in texts))


if __name__ == '__main__':
    unittest.main()
