"""Styles that nobody draws. From models/: `python -m unittest tests.test_styles`."""
import unittest
from unittest.mock import patch

import torch

from recipe.stages import styles


class Styles(unittest.TestCase):
    def setUp(self): torch.manual_seed(0)

    def test_a_share_of_the_pictures_is_seen_through_filters_and_the_others_as_they_are(self):
        x = torch.randn(400, 3, 6, 6).clamp(-2, 2)
        changed = (styles.convolved(x) != x).flatten(1).any(1).float().mean().item()
        self.assertAlmostEqual(changed, styles.CONVOLVED, delta=.08)

    def test_filtered_pictures_stay_in_the_range_of_pixels(self):
        with patch.object(styles, 'CONVOLVED', 1):
            self.assertLessEqual(styles.convolved(torch.randn(50, 3, 6, 6) * 3).abs().max(), 2.5)

    def test_mixed_styles_come_from_the_batch_and_shapes_stay(self):
        features = torch.randn(8, 5, 7, 7) * torch.rand(8, 5, 1, 1) * 4 + torch.randn(8, 5, 1, 1)
        with patch.object(styles, 'MIXED', 1):
            mixed = styles.mix_styles(features, 3)
        self.assertTrue(torch.equal(mixed[:3], features[:3]), 'the first stay as they are')
        self.assertGreater((mixed[3:] - features[3:]).abs().max(), .1)
        low, high = features[3:].mean((2, 3)).min(0).values, features[3:].mean((2, 3)).max(0).values
        self.assertTrue(((mixed[3:].mean((2, 3)) >= low - 1e-3) & (mixed[3:].mean((2, 3)) <= high + 1e-3)).all())

        def shape(x): return (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True)
        self.assertLess((shape(mixed) - shape(features)).abs().max(), .02)

    def test_at_the_odds_of_none_nothing_changes(self):
        features = torch.randn(4, 5, 7, 7)
        with patch.object(styles, 'MIXED', 0):
            self.assertTrue(torch.equal(styles.mix_styles(features, 0), features))


if __name__ == '__main__':
    unittest.main()
