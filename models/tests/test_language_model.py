"""What the language model must know by the way. From models/: `python -m unittest tests.test_language_model`."""
import unittest
from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np
import torch

from networks.config import CONCEPTS, MINI
from networks.language_model import PlacedLanguageModel
from networks.model import build, save_weights, teacher_of
from recipe.data.scenes import GROUND_NAMES, NO_OBJECT, Scene
from recipe.stages.language_model import (
    FACTS,
    IGNORE,
    PLACES,
    QUESTION,
    STRANGE,
    Sentences,
    fact_loss,
    fact_reader,
    lay_out,
    shade,
    strange,
    taught_loss,
    what_shows,
)


class Facts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sentences = Sentences('lavit-mini/tokenizer.json', CONCEPTS)
        cls.dog, cls.rocket = (cls.sentences.words.labels.index(name) for name in ('dog', 'rocket'))

    def scene(self, *things):
        """Of (concept, place, colour); the first covers the first patch, the second the next, and so on."""
        concepts, places, colours = map(list, zip(*things))
        labels = np.full((8, 8), NO_OBJECT)
        labels[0, :len(concepts)] = concepts
        return Scene(concepts, places, 'blue', labels, colours)

    def test_a_question_knows_place_and_colour_of_its_thing_once_it_has_named_it(self):
        scene = self.scene((self.dog, 'top', 'brown'), (self.rocket, 'bottom', None))
        for name, place, colour in (('dog', 'top', GROUND_NAMES.index('brown')), ('rocket', 'bottom', IGNORE)):
            question = f'what colour is the {name}, please?'
            at, what, its_shade = self.sentences.fact(scene, question)
            ids = self.sentences.ids(QUESTION.format(question=question))
            self.assertTrue(self.sentences.tokenizer.decode(ids[:at + 1]).endswith(name))
            self.assertEqual((what, its_shade), (1 + PLACES.index(place), colour))

    def test_of_several_alike_and_of_none_no_colour_is_known(self):
        scene = self.scene((self.dog, 'left', 'brown'), (self.dog, 'right', 'white'))
        self.assertEqual(self.sentences.fact(scene, 'is there a dog?')[1:], (len(PLACES) + 1, IGNORE))
        self.assertEqual(self.sentences.fact(scene, 'is there a rocket?')[1:], (0, IGNORE))
        self.assertEqual(shade(scene, self.dog), IGNORE)

    def test_a_patch_tells_what_covers_it_and_its_colour(self):
        shown = what_shows(self.scene((self.dog, 'top', 'brown'), (self.rocket, 'bottom', None)))
        self.assertEqual(shown[:3].tolist(), [[self.dog, GROUND_NAMES.index('brown')], [self.rocket, IGNORE],
                                              [NO_OBJECT, IGNORE]])

    def test_branches_stand_side_by_side_with_their_facts(self):
        ids, branch, place, target, facts, first = lay_out([[([], [5, 6, 7], None), ([8, 9], [3, 2], (1, 4, 2))]])
        self.assertEqual(ids.tolist(), [[5, 6, 8, 9, 3]])
        self.assertEqual(branch.tolist(), [[1, 1, 2, 2, 2]])
        self.assertEqual(place.tolist(), [[0, 1, 0, 1, 2]])
        self.assertEqual(target.tolist(), [[6, 7, IGNORE, 3, 2]])
        self.assertEqual(facts[0, 3].tolist(), [4, 2])
        self.assertTrue((facts[0, [0, 1, 2, 4]] == IGNORE).all())
        self.assertEqual(first.tolist(), [5])

    def test_only_what_is_known_counts(self):
        torch.manual_seed(0)
        reader, states = fact_reader(), torch.randn(1, 3, MINI.language_model.hidden)
        facts = torch.tensor([[[2, IGNORE], [IGNORE, 5], [IGNORE, IGNORE]]])
        places, colours = reader(states).split([FACTS, len(GROUND_NAMES)], -1)
        expected = -places.log_softmax(-1)[0, 0, 2] - colours.log_softmax(-1)[0, 1, 5]
        torch.testing.assert_close(fact_loss(reader, states, facts), expected)
        self.assertEqual(fact_loss(reader, states, torch.full_like(facts, IGNORE)).item(), 0)


class Strange(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.features = torch.randn(200, 16, 8)
        self.labels = torch.randint(0, 3, (200, 16))
        self.labels[:, 0] = NO_OBJECT
        self.moved = strange(self.features, self.labels) - self.features

    def test_patches_of_one_thing_move_alike_and_the_ground_stays(self):
        self.assertEqual(self.moved[:, 0].abs().max(), 0)
        for moved, labels in zip(self.moved, self.labels):
            for label in set(labels.tolist()) - {NO_OBJECT}:
                of_thing = moved[labels == label]
                torch.testing.assert_close(of_thing, of_thing[:1].expand_as(of_thing))

    def test_a_third_of_the_things_move_each_its_own_way(self):
        first = torch.stack([m[labels == 0][0] for m, labels in zip(self.moved, self.labels) if (labels == 0).any()])
        moves = first[first.abs().sum(-1) > 0]
        self.assertAlmostEqual(len(moves) / len(first), STRANGE, delta=.1)
        self.assertEqual(len(moves.unique(dim=0)), len(moves))


class Taught(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        shape = replace(MINI.language_model, hidden=16, layers=1, mlp_hidden=8)
        self.lm, self.teacher = (PlacedLanguageModel(shape, words=6, contents=3, places=2) for _ in range(2))
        self.states, self.target = torch.randn(4, 16), torch.tensor([2, 6, 10, 5])

    def test_who_expects_the_same_has_nothing_to_learn(self):
        loss = taught_loss(self.lm, self.states, self.target, self.lm, self.states)
        self.assertAlmostEqual(loss.item(), 0, places=6)

    def test_codes_count_by_their_place_and_by_the_content_at_it(self):
        def kl(ours, theirs):
            p, q = theirs.softmax(-1), ours.softmax(-1)
            return (p * (p / q).log()).sum(-1)
        at = torch.tensor([0, 1])  # ids 6 and 10 are the codes 0 and 4 of three contents at each place
        words = kl(self.lm.word_scores(self.states), self.teacher.word_scores(self.states)).sum()
        contents = sum(kl(self.lm.content_scores(state, self.lm.at_place[place]),
                          self.teacher.content_scores(state, self.teacher.at_place[place]))
                       for state, place in zip(self.states[1:3], at))
        torch.testing.assert_close(taught_loss(self.lm, self.states, self.target, self.teacher, self.states),
                                   (words + contents) / 4)

    def test_a_teacher_may_have_other_heads_and_another_width(self):
        config = replace(MINI, language_model=replace(MINI.language_model, queries_per_key=2, mlp_hidden=72))
        with TemporaryDirectory() as folder:
            save_weights(build(config, 5), folder, ('language_model', 'understanding'))
            teacher = teacher_of(folder)
        attention = teacher.language_model.model.layers[0].self_attn
        self.assertEqual(attention.kv_heads, MINI.language_model.heads // 2)
        self.assertFalse(any(p.requires_grad for p in teacher.language_model.parameters()))


if __name__ == '__main__':
    unittest.main()
