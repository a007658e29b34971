"""Where scenes put their things. From models/: `python -m unittest tests.test_scenes`."""
import unittest

import numpy as np

from recipe.data.scenes import LAYOUTS, NO_OBJECT, Sprites, draw

SIZE, CONCEPTS = 96, 5


def squares():
    """Sprites of one style: opaque magenta squares, a colour that no ground has."""
    sprites = Sprites.__new__(Sprites)
    sprites.names, sprites.house, sprites.train_styles = list(map(str, range(CONCEPTS))), 0, [0]
    sprites.restyled = []
    sprites.available = np.ones((CONCEPTS, 1), bool)
    sprites.large = np.zeros((CONCEPTS, 1, SIZE, SIZE, 4), np.uint8) + np.uint8([255, 0, 255, 255])
    sprites.small = sprites.large[:, :, ::2, ::2]
    return sprites


def box(picture):
    """Left, top, right and bottom of what is magenta, as shares of the picture's side."""
    ys, xs = np.nonzero((picture[..., 0] > 250) & (picture[..., 1] < 5) & (picture[..., 2] > 250))
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) / SIZE


class Scenes(unittest.TestCase):
    def setUp(self): self.sprites, self.rng = squares(), np.random.default_rng(0)

    def sides_and_offsets(self, **options):
        sides, offsets = [], []
        for _ in range(60):
            left, top, right, bottom = box(draw(self.sprites, self.rng, plain=True, count=1, **options)[0])
            sides.append(right - left)
            offsets.append(max(abs(left + right - 1), abs(top + bottom - 1)) / 2)
        return np.array(sides), np.array(offsets)

    def test_a_composed_picture_has_its_thing_large_and_in_the_middle(self):
        sides, offsets = self.sides_and_offsets(composed=True)
        self.assertGreater(sides.min(), .6)
        self.assertLess(sides.max(), .83)
        self.assertLess(offsets.max(), .05)

    def test_sets_in_other_manners_come_into_restyled_pictures_alone(self):
        sprites = squares()
        sprites.restyled, sprites.available = [1], np.ones((CONCEPTS, 2), bool)
        asked = []
        sprites.get = lambda concept, style, *rest: asked.append(style) or squares().get(concept, 0, *rest)
        for augment, styles in ((False, {0}), (True, {0, 1})):
            asked.clear()
            for _ in range(40):
                draw(sprites, self.rng, augment=augment)
            self.assertEqual(set(asked), styles)

    def test_other_pictures_have_it_in_any_size_and_farther_off(self):
        sides, offsets = self.sides_and_offsets()
        self.assertLess(sides.min(), .5)
        self.assertGreater(sides.max(), .83)
        self.assertGreater(offsets.max(), .05)

    def test_two_composed_things_stand_apart_at_their_places(self):
        cells = {place: centre for layout in LAYOUTS.values() for centre, place in layout}
        for _ in range(60):
            _, scene = draw(self.sprites, self.rng, plain=True, concepts=[1, 2], composed=True)
            for concept, place in zip(scene.concepts, scene.places):
                rows, columns = np.nonzero(scene.labels == concept)
                x, y = cells[place]
                self.assertAlmostEqual((columns.mean() + .5) / 8, x, delta=.1)
                self.assertAlmostEqual((rows.mean() + .5) / 8, y, delta=.1)
            self.assertGreater((scene.labels == NO_OBJECT).sum(), 16)


if __name__ == '__main__':
    unittest.main()
