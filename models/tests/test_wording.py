"""What questions ask. From models/: `python -m unittest tests.test_wording`."""
import unittest

import numpy as np

from networks.config import CONCEPTS
from recipe.data.scenes import Scene
from recipe.data.wording import NEAR, Words, absent, exist_question


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
            question, answer = exist_question(self.scene, self.words, self.rng)
            names = [name for c in self.shown for name in (self.words.labels[c], *self.words.synonyms[c])]
            self.assertEqual(answer == 'yes', any(f' {name}' in question for name in names), question)


if __name__ == '__main__':
    unittest.main()
