"""Weights in 8 bits: what is lost, and that the package finds the same numbers again."""
import unittest

import numpy as np

from packager.precision import as_bytes, exact_bytes, to_bytes


class PrecisionTest(unittest.TestCase):
    def setUp(self):
        self.values = np.random.default_rng(0).normal(0, .05, (96, 64)).astype(np.float32)

    def test_no_weight_moves_by_more_than_half_a_step_of_its_row(self):
        whole, scale = to_bytes(self.values, 0)
        self.assertEqual((whole.dtype, scale.shape), (np.int8, (96, 1)))
        gap = np.abs(as_bytes(whole, scale) - self.values)
        self.assertTrue((gap <= scale * .57).all())  # the largest of a row may be cut by the rounding of its scale

    def test_rounded_matrices_are_told_from_others_either_way_up(self):
        rounded = as_bytes(*to_bytes(self.values, 0))
        for matrix in (rounded, rounded.T.copy()):
            self.assertTrue(np.array_equal(as_bytes(*exact_bytes(matrix)), matrix))
        self.assertIsNone(exact_bytes(self.values))
        self.assertIsNone(exact_bytes(rounded[:1]))

    def test_an_empty_row_stays_empty(self):
        self.values[3] = 0
        self.assertTrue((as_bytes(*to_bytes(self.values, 0))[3] == 0).all())
