"""What things usually look like. From models/: `python -m unittest tests.test_memory`."""
import unittest

import torch

from networks.memory import SHARE, Memory
from recipe.data.scenes import NO_OBJECT
from recipe.stages.memory import Means, shows_loss

WIDTH, CONCEPTS = 8, 5


def sure(gate):
    """A memory that reads coordinate c of a feature as concept c, and takes patches for things by coordinate 7."""
    memory = Memory(WIDTH, CONCEPTS).requires_grad_(False)
    memory.shows.weight.zero_()
    memory.shows.weight[0, 7] = gate
    memory.shows.bias.zero_()
    memory.concept.weight.copy_(torch.eye(CONCEPTS, WIDTH))
    memory.concept.bias.zero_()
    return memory


class Recalling(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.memory = sure(100)
        self.features = torch.randn(2, 3, WIDTH)
        self.features[..., 7] = 1
        self.features[0, 0, 3] = 200

    def test_a_feature_goes_half_the_way_to_the_usual_one_of_what_it_is_taken_for(self):
        usual = self.memory.usual.weight[:, 3]
        expected = self.features[0, 0] + .5 * (usual - self.features[0, 0])
        torch.testing.assert_close(self.memory(self.features)[0, 0], expected)

    def test_who_is_taken_for_several_things_goes_towards_all_by_their_odds(self):
        x = self.features[1, 2]
        odds = (2 * x[:CONCEPTS]).exp()
        expected = (1 - SHARE) * x + SHARE * (self.memory.usual.weight * odds / odds.sum()).sum(1)
        torch.testing.assert_close(self.memory(self.features)[1, 2], expected)

    def test_what_shows_no_thing_stays(self):
        self.features[0, 1, 7] = -1
        torch.testing.assert_close(self.memory(self.features)[0, 1], self.features[0, 1])


class Learning(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.features, self.labels = torch.randn(4, 6, WIDTH), torch.randint(CONCEPTS - 1, (4, 6))
        self.labels[:, ::2] = NO_OBJECT

    def test_the_usual_feature_is_the_mean_over_patches_of_all_pictures_and_nothing_where_none_was_seen(self):
        means = Means(CONCEPTS, WIDTH)
        for features, labels in zip(self.features.split(1), self.labels.split(1)):
            means.add(features, labels)
        expected = torch.stack([self.features[self.labels == concept].mean(0) for concept in range(CONCEPTS - 1)])
        torch.testing.assert_close(means.of_each()[:-1], expected.nan_to_num())
        self.assertTrue((means.of_each()[-1] == 0).all())
        self.assertEqual((means.pictures, means.missing()), (4, int(expected.isnan().any(1).sum()) + 1))

    def test_the_ground_is_told_from_things(self):
        self.features[..., 7] = torch.where(self.labels == NO_OBJECT, -1., 1.)
        self.assertLess(shows_loss(sure(9), self.features, self.labels), .001)
        self.assertGreater(shows_loss(sure(-9), self.features, self.labels), 5)


if __name__ == '__main__':
    unittest.main()
