"""What the painter recalls, and where it lays it. From models/: `python -m unittest tests.test_recall`."""
import tempfile
import unittest

import numpy as np
import torch
import torch.nn.functional as F

from networks.config import MINI
from networks.recall import Recall, overlay
from recipe.data import stand_in
from recipe.data.batches import to_planes
from recipe.data.scenes import NO_OBJECT, Sprites, draw
from recipe.stages.painter import finding_losses
from recipe.stages.recall import ground_of, laid, learn_pictures, places_of

P = MINI.encoder.patches
THINGS = 12
SIZE = MINI.pixel_decoder.picture_size


def looked_up(look, x, y, side):
    """A recalled picture (4, S, S) at its place in the whole (4, SIZE, SIZE), by PyTorch's own sampler."""
    at = (torch.arange(SIZE) + .5) / SIZE
    across, down = (2 * (at - middle) / side for middle in (x, y))
    places = torch.stack([across.expand(SIZE, SIZE), down[:, None].expand(SIZE, SIZE)], -1)
    return F.grid_sample(look[None], places[None], mode='bilinear', align_corners=False)[0]


class Recalling(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.recall = Recall(MINI.encoder, MINI.pixel_decoder, THINGS)
        colours = torch.rand(3, 4, *[MINI.pixel_decoder.recalled_size] * 2)
        colours[:, 3:] = 1
        with torch.no_grad():
            self.recall.pictures[:3] = colours

    def said(self, *things):
        """Scores and boxes where each patch tells of the thing (x, y, side, number) whose middle is nearest, and is
        believed."""
        boxes = torch.tensor(things)
        gaps = (self.recall.middles[:, None] - boxes[:, :2]).abs().amax(-1) / boxes[:, 2]
        nearest = boxes[gaps.argmin(-1)]
        return (F.one_hot(nearest[:, 3].long(), THINGS).float()[None], nearest[None, :, :3], torch.ones(1, P))

    def test_a_thing_lies_where_and_as_large_as_all_its_patches_say(self):
        for x, y, side in ((.5, .5, .8), (.41, .57, .5), (.3, .66, .37)):
            with self.subTest(side=side), torch.no_grad():
                seen = self.recall.lay(*self.said((x, y, side, 1)))[0]
                expected = looked_up(self.recall.pictures[1], x, y, side)
                inside = expected[3] > .999
                self.assertLess((seen - expected)[:, inside].abs().max(), 1e-4)
                self.assertEqual(seen[:, expected[3] == 0].abs().max(), 0)

    def test_outlines_do_not_soften_where_things_are_enlarged(self):
        with torch.no_grad():
            half = MINI.pixel_decoder.recalled_size // 2
            self.recall.pictures[1] = torch.cat([torch.ones(4, half * 2, half), torch.zeros(4, half * 2, half)], -1)
            seen = self.recall.lay(*self.said((.5, .5, .9, 1)))[0, 3, SIZE // 2]
        self.assertLessEqual(((seen > .01) & (seen < .99))[SIZE // 4:3 * SIZE // 4].sum(), 1)

    def test_things_beside_each_other_do_not_fade_towards_each_other(self):
        with torch.no_grad():
            seen = self.recall.lay(*self.said((.26, .5, .46, 0), (.74, .5, .46, 2)))[0]
        expected = sum(looked_up(self.recall.pictures[n], x, .5, .46) for x, n in ((.26, 0), (.74, 2)))
        self.assertLess((seen - expected)[:, expected[3] > .999].abs().max(), 1e-3)

    def test_patches_that_agree_on_a_middle_are_of_one_mind(self):
        recall, x = self.recall, torch.zeros(1, P, MINI.pixel_decoder.width)
        features = torch.zeros(1, P, MINI.encoder.width)
        x[0, :, :2] = torch.tensor([.4, .6]) - recall.middles
        features[0, :, 0] = 1
        features[0, 7, 1] = 3   # one of them takes it for something else
        with torch.no_grad():
            for layer in (recall.place, recall.thing):
                layer.weight.zero_()
                layer.bias.zero_()
            recall.place.weight[:2, :2] = torch.eye(2)
            recall.thing.weight[5, 0] = recall.thing.weight[9, 1] = 1
            scores, boxes, borne_out = recall.agree(*recall.find(x, features))
        self.assertEqual(scores.argmax(-1).unique().tolist(), [5])
        torch.testing.assert_close(boxes[0], torch.tensor([.4, .6, .5]).expand(P, -1))
        self.assertEqual(borne_out.unique().tolist(), [1])

    def test_two_middles_near_each_other_become_one_and_far_ones_stay(self):
        boxes = torch.tensor([[[.30, .5, .4], [.36, .5, .5], [.8, .5, .3]]])
        scores, shown = torch.eye(3)[None], torch.full((1, 3), 9.)
        _, boxes, borne_out = self.recall.agree(scores, boxes, shown)
        torch.testing.assert_close(boxes[0, :2], torch.tensor([.33, .5, .45]).expand(2, -1), atol=1e-3, rtol=0)
        torch.testing.assert_close(boxes[0, 2], torch.tensor([.8, .5, .3]), atol=1e-3, rtol=0)
        self.assertGreater(borne_out[0, :2].min(), .9)
        self.assertLess(borne_out[0, 2], 1e-3)

    def test_a_patch_that_nobody_bears_out_lays_nothing(self):
        scores, boxes, _ = self.said((.5, .5, .8, 1))
        self.assertEqual(self.recall.lay(scores, boxes, torch.zeros(1, P)).abs().max(), 0)

    def test_windows_of_ones_cover_the_picture_four_times_and_its_rim_less(self):
        whole = overlay(torch.ones(1, P, 1, 24, 24), MINI.encoder.grid)[0, 0]
        self.assertEqual(whole.shape, (SIZE, SIZE))
        self.assertEqual((whole[0, 0], whole[0, 50], whole[50, 50]), (1, 2, 4))


class Learning(unittest.TestCase):
    def test_who_tells_the_truth_pays_nothing(self):
        recall = Recall(MINI.encoder, MINI.pixel_decoder, THINGS)
        boxes = torch.full((1, 4, 4), float(NO_OBJECT))
        boxes[0, 0] = torch.tensor([.5, .5, .5, 3])
        labels = torch.full((1, P), NO_OBJECT)
        labels[0, 27] = 3
        told = boxes[:, :1, :3].expand(1, P, 3)
        scores, shown = torch.zeros(1, P, THINGS), torch.where(labels == 3, 50., -50.)
        scores[..., 3] = 100
        for loss in finding_losses(recall.middles, (scores, told, shown), (scores, told, None), labels, boxes):
            self.assertLess(loss, 1e-6)

        def losses(scores=scores, told=told, shown=shown):
            return finding_losses(recall.middles, (scores, told, shown), (scores, told, None), labels, boxes)

        self.assertAlmostEqual(losses(told=told + .1)[0].item(), .2, places=5)
        self.assertAlmostEqual(losses(shown=-shown)[0].item(), 5., places=5)
        self.assertGreater(losses(scores=-scores)[1], 1)

    def test_things_are_laid_over_the_ground_in_order(self):
        pictures = torch.zeros(2, 4, 8, 8)
        pictures[0], pictures[1, 2:] = torch.tensor([1., 0, 0, 1])[:, None, None], 1
        boxes = torch.tensor([[[.5, .5, .8, 0], [.5, .5, .4, 1], [NO_OBJECT] * 4]])
        seen = laid(pictures, boxes, torch.tensor([[0., 1, 0]])[..., None, None], SIZE)[0]
        for (y, x), colour in {(48, 48): (0, 0, 1), (20, 48): (1, 0, 0), (2, 2): (0, 1, 0)}.items():
            self.assertEqual(tuple(seen[:, y, x].tolist()), colour)

    def test_pictures_of_things_are_learnt_from_scenes_of_them(self):
        with tempfile.TemporaryDirectory() as folder:
            stand_in.main(['--out', folder, '--concepts', '4'])
            sprites = Sprites(folder, 4)
        recall = Recall(MINI.encoder, MINI.pixel_decoder, 4)
        learn_pictures(recall, sprites, effort=.05)
        drawn, scenes = draw(sprites, np.random.default_rng(3), styles=[sprites.house], plain=True, count=2)
        true, (labels, boxes) = to_planes([drawn]) / 255, places_of([scenes])
        ground = ground_of(true, labels)
        with torch.no_grad():
            gap = (laid(recall.pictures, boxes, ground, SIZE) - true).abs().mean()
        self.assertLess(gap, .5 * (ground - true).abs().mean())


if __name__ == '__main__':
    unittest.main()
