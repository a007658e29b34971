"""The sheet of what codes stand for. From models/: `python -m unittest tests.test_atlas`."""
import unittest

import numpy as np

from networks.config import MINI
from recipe.atlas import ACROSS, CONTENTS, PATCH, TILE, Nearest, sheet, tile_of


class Atlas(unittest.TestCase):
    def setUp(self):
        side = MINI.encoder.grid * PATCH
        rng = np.random.default_rng(0)
        self.picture = rng.integers(0, 256, (side, side, 3), np.uint8)

    def test_a_tile_has_its_patch_in_the_middle(self):
        half = PATCH // 2
        for place in (0, 9, 63):
            y, x = (at * PATCH for at in divmod(place, MINI.encoder.grid))
            inner = tile_of(self.picture, place)[half:-half, half:-half]
            np.testing.assert_array_equal(inner, self.picture[y:y + PATCH, x:x + PATCH])

    def test_beyond_the_rim_the_picture_goes_on_as_it_ends(self):
        corner = tile_of(self.picture, 0)[:PATCH // 2, :PATCH // 2]
        np.testing.assert_array_equal(corner, np.broadcast_to(self.picture[0, 0], corner.shape))

    def test_the_nearest_patch_stands_at_its_contents_place_and_others_are_clear(self):
        found, content = Nearest(), ACROSS + 2
        for place, likeness in ((9, .5), (10, .9), (11, .7)):
            found.offer(self.picture, place, content, likeness)
        drawn = np.asarray(sheet(found))
        self.assertEqual(drawn.shape, (CONTENTS // ACROSS * TILE, ACROSS * TILE, 4))
        tile = drawn[TILE:2 * TILE, 2 * TILE:3 * TILE]
        np.testing.assert_array_equal(tile[..., :3], tile_of(self.picture, 10))
        self.assertEqual((drawn[..., 3] > 0).sum(), TILE * TILE)
        self.assertEqual(found.uses[content], 3)


if __name__ == '__main__':
    unittest.main()
