"""How known art is made to look like unknown art. From models/: `python -m unittest tests.test_restyling`."""
import unittest

import numpy as np
from PIL import Image

from recipe.data.restyling import (
    bent,
    cut_out,
    drawn,
    mingled,
    mixed_channels,
    outlined,
    repainted,
    restyle,
    shaded,
    warped,
)

SIZE = 40


def disc():
    """A disc in two colours with a soft edge, premultiplied: colours (S, S, 3) and alpha (S, S, 1)."""
    ys, xs = np.mgrid[0:SIZE, 0:SIZE] - SIZE / 2
    alpha = np.clip(15 - np.hypot(xs, ys), 0, 1)[..., None].astype(np.float32)
    return np.where(xs[..., None] < 0, np.float32([.9, .2, .1]), np.float32([.1, .6, .9])) * alpha, alpha


class Restyling(unittest.TestCase):
    def setUp(self): self.rng = np.random.default_rng(0)

    def test_whatever_is_done_leaves_a_premultiplied_sprite(self):
        for _ in range(300):
            rgb, alpha = restyle(*disc(), self.rng)
            self.assertEqual((rgb.shape, alpha.shape), ((SIZE, SIZE, 3), (SIZE, SIZE, 1)))
            self.assertGreaterEqual(min(rgb.min(), alpha.min()), 0)
            self.assertLessEqual((rgb - alpha).max(), 1e-5)
            self.assertLessEqual(alpha.max(), 1)

    def test_colours_change_and_the_shape_stays(self):
        for change in (mixed_channels, repainted, shaded):
            rgb, alpha = disc()
            changed = change(rgb, alpha, self.rng)
            self.assertGreater(np.abs(changed - rgb).max(), .05, change)
            self.assertEqual(changed[alpha[..., 0] == 0].max(), 0, change)

    def test_a_colour_is_repainted_alike_wherever_it_stands(self):
        rgb, alpha = disc()
        changed = repainted(rgb, alpha, self.rng)
        for half in (np.s_[:, :SIZE // 2 - 1], np.s_[:, SIZE // 2 + 1:]):
            solid = changed[half][alpha[half][..., 0] == 1]
            self.assertLess(np.ptp(solid, 0).max(), 1e-5)

    def test_of_two_drawings_both_are_in_one(self):
        one, other = np.full((SIZE, SIZE, 4), 200, np.uint8), np.full((SIZE, SIZE, 4), 40, np.uint8)
        together = [mingled(one, other, self.rng) for _ in range(40)]
        self.assertTrue(all(m.dtype == np.uint8 and 40 <= m.min() and m.max() <= 200 for m in together))
        self.assertTrue(any(np.ptp(m) == 0 and 70 < m[0, 0, 0] < 170 for m in together), 'both at once')
        self.assertTrue(any(m.min() == 40 and m.max() == 200 for m in together), 'parts of both')

    def test_ink_stands_where_two_colours_meet(self):
        rgb, alpha = disc()
        inked = drawn(rgb, alpha, self.rng)
        middle = inked[SIZE // 2].sum(-1)
        self.assertLess(middle[SIZE // 2], middle[SIZE // 4])

    def test_an_outline_makes_a_thing_wider_and_never_comes_in_at_the_other_side(self):
        rgb, alpha = disc()
        rgb, alpha = np.roll(rgb, -SIZE // 2 + 4, 1), np.roll(alpha, -SIZE // 2 + 4, 1)
        rgb[:, SIZE // 2:], alpha[:, SIZE // 2:] = 0, 0
        _, wide = outlined(rgb, alpha, self.rng)
        self.assertGreater(wide.sum(), alpha.sum())
        self.assertEqual(wide[:, -1].max(), 0)

    def test_what_is_cut_out_is_gone(self):
        rgb, alpha = disc()
        cut = [cut_out(rgb, alpha, self.rng)[1].sum() for _ in range(50)]
        self.assertLess(max(cut), alpha.sum() + 1e-3)
        self.assertLess(min(cut), .85 * alpha.sum())
        self.assertGreater(min(cut), .5 * alpha.sum())

    def test_shapes_are_bent_and_warped_about_where_they_stand(self):
        rgb, alpha = disc()
        image = Image.fromarray((np.concatenate([rgb, alpha], -1) * 255).astype(np.uint8), 'RGBa')
        for change in (bent, warped):
            for _ in range(20):
                moved = np.asarray(change(image, self.rng))[..., 3] / 255
                ys, xs = np.nonzero(moved > .5)
                self.assertLess(np.hypot(xs.mean() - SIZE / 2, ys.mean() - SIZE / 2), 5, change)
                self.assertGreater(np.abs(moved - alpha[..., 0]).mean(), .005, change)
