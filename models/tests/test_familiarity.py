"""How familiar a picture is, and what it is measured against. From models/: `python -m unittest
tests.test_familiarity`."""
import unittest
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import torch

from networks.config import CONCEPTS as LISTED
from networks.config import MINI
from networks.familiarity import Familiarity
from networks.model import PARTS, fill
from packager.precision import round_weights
from recipe.data.outsiders import DRAWN, SIZE, cut
from recipe.stages.encoder import EncoderHeads
from recipe.stages.familiarity import auroc, fit

N, D, CONCEPTS = MINI.encoder.patches, MINI.encoder.width, 40


def pictures(count, shift, seed):
    """Features around a place of their own, and what a selector might say of them."""
    torch.manual_seed(seed)
    return torch.randn(count, N, D) + shift, torch.randn(count, N, 2).log_softmax(-1)


class Head(unittest.TestCase):
    def test_it_is_a_share_and_each_picture_stands_alone(self):
        torch.manual_seed(0)
        head = Familiarity(D, CONCEPTS).eval()
        x = pictures(5, 0, 1)
        with torch.no_grad():
            together, alone = head(*x), torch.cat([head(*(part[i:i + 1] for part in x)) for i in range(5)])
        self.assertEqual(together.shape, (5,))
        self.assertTrue(((together > 0) & (together < 1)).all())
        torch.testing.assert_close(together, alone)

    def test_it_learns_which_side_a_picture_is_of_and_leaves_the_readings_as_they_are(self):
        torch.manual_seed(0)
        heads, shift = EncoderHeads(D, CONCEPTS), torch.randn(D) * .5
        head = fit(Familiarity(D, CONCEPTS), heads, pictures(24, 0, 2), pictures(24, shift, 3), steps=60)
        torch.testing.assert_close(head.concept.weight, heads.concept.weight)
        with torch.no_grad():
            self.assertGreater(auroc(head(*pictures(30, 0, 4)), head(*pictures(30, shift, 5))), .95)

    def test_auroc_is_the_share_of_pairs_in_the_right_order(self):
        self.assertEqual(auroc(torch.tensor([3., 2.]), torch.tensor([1., 2.])), .875)


class Package(unittest.TestCase):
    def test_the_graph_of_the_package_says_what_the_weights_say(self):
        head = fill(Familiarity(D, LISTED), Path('recipe/weights/familiarity.safetensors')).eval()
        round_weights(SimpleNamespace(**dict.fromkeys(PARTS) | {'familiarity': head}))
        features, log_probabilities = pictures(3, 0, 6)
        session = onnxruntime.InferenceSession('lavit-mini/familiarity.onnx', providers=['CPUExecutionProvider'])
        got, = session.run(None, {'features': features.numpy(), 'log_probabilities': log_probabilities.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(got, head(features, log_probabilities).numpy(), atol=1e-5)


class Outside(unittest.TestCase):
    def test_what_is_drawn_by_program_is_a_picture_that_varies(self):
        for name, make in DRAWN.items():
            drawn = [make(np.random.default_rng(seed)) for seed in range(4)]
            for picture in drawn:
                self.assertEqual((picture.shape, picture.dtype), ((SIZE, SIZE, 3), np.uint8), name)
                self.assertGreater(picture.std(), 1, name)
            self.assertFalse(np.array_equal(drawn[0], drawn[1]), name)

    def test_a_cut_is_a_square_of_the_picture(self):
        picture = np.zeros((80, 200, 3), np.uint8)
        picture[:, :, 0] = np.arange(200)
        part = cut(picture, np.random.default_rng(0))
        self.assertEqual(part.shape, (SIZE, SIZE, 3))
        width = int(part[0, -1, 0]) - int(part[0, 0, 0])
        self.assertTrue(38 <= width <= 80, width)


if __name__ == '__main__':
    unittest.main()
