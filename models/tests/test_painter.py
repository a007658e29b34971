"""What painted pictures are held against. From models/: `python -m unittest tests.test_painter`."""
import unittest

import torch
from torch.nn.functional import avg_pool2d

from networks.config import MINI
from recipe.stages.tokenizer import nearby, painting_losses


class Nearby(unittest.TestCase):
    def setUp(self):
        noise = torch.rand(2, 3, 104, 104, generator=torch.Generator().manual_seed(0)) * 255
        self.large = avg_pool2d(noise, 5, 1, 2).round()
        self.weight = torch.ones(2, MINI.encoder.patches)

    def cut(self, y, x): return self.large[..., 4 + y:100 + y, 4 + x:100 + x]

    def test_what_is_painted_beside_its_place_costs_nothing_but_at_the_rim(self):
        true, painted = self.cut(0, 0).to(torch.uint8), self.cut(2, -4) / 127.5 - 1
        strict, _ = painting_losses(painted, true, self.weight)
        pixel, edge = painting_losses(painted, true, self.weight, 4)
        self.assertLess(pixel, .15 * strict)
        found = nearby(painted, true / 127.5 - 1, self.weight, 4)
        self.assertLess((found - painted)[..., 8:-8, 8:-8].abs().max(), 1e-5)

    def test_what_is_painted_farther_away_is_not_found(self):
        true, painted = self.cut(0, -4).to(torch.uint8), self.cut(0, 4) / 127.5 - 1
        strict, _ = painting_losses(painted, true, self.weight)
        self.assertGreater(painting_losses(painted, true, self.weight, 4)[0], .5 * strict)

    def test_what_is_in_its_place_stays_there(self):
        true = self.cut(0, 0)
        painted = true / 127.5 - 1
        self.assertTrue(torch.equal(nearby(painted, painted, self.weight, 4), painted))


if __name__ == '__main__':
    unittest.main()
