"""Vision and mergers in fewer nodes: the numbers of before, and the same bits alone and in a batch."""
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from networks.config import MINI
from networks.visual_tokenizer import DynamicTokenizer, VisionEncoder
from packager.activations import observe, round_activations
from packager.graphs import BATCH, MergerToCodes, Vision
from packager.precision import as_bytes, to_bytes
from packager.vision_fusion import fuse_vision
from packager.write import export_graph

E = replace(MINI.encoder, image_size=48, width=96, depth=2, heads=2, mlp_hidden=128)
T = replace(MINI.tokenizer, heads=2, mlp_hidden=128, codebook_size=1024)


class Summed(nn.Module):
    """A product without a bias, and something else made on the way."""

    def __init__(self):
        super().__init__()
        self.product, self.norm = nn.Linear(E.width, E.width, bias=False), nn.LayerNorm(E.width)

    def forward(self, features): return self.product(features) + self.norm(features)


def exported(module, example, outputs, dynamic, path):
    """With whole-number products, as a package has them."""
    with torch.no_grad():
        for matrix in module.parameters():
            if matrix.ndim in (2, 4) and matrix.numel() >= 4096:
                matrix.copy_(torch.from_numpy(as_bytes(*to_bytes(matrix.numpy(), 0))))
    export_graph(module, example, outputs, dynamic, 0, path)
    round_activations(path, observe(path, [{name: value.numpy() for name, value in example.items()}]))


def nodes(path): return [node.op_type for node in onnx.load(str(path)).graph.node]


def runner(path):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda feed: session.run(None, feed)[0]


class VisionFusionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        torch.manual_seed(0)
        encoder = VisionEncoder(E)
        cls.pixels = torch.randint(0, 256, (3, 3, 48, 48), dtype=torch.uint8)
        features = torch.randn(3, E.patches, E.width)
        places = torch.stack([torch.randperm(E.patches)[:6].sort().values for _ in range(3)])
        merger = {'features': {0: BATCH}, 'places': {0: BATCH, 1: torch.export.Dim('kept', min=1, max=E.patches)}}
        cls.graphs = {
            'vision': (Vision(encoder), {'pixels': cls.pixels}, ['features'], {'pixels': {0: BATCH}}),
            'merger_codes': (MergerToCodes(DynamicTokenizer(E, T)), {'features': features, 'places': places}, ['codes'],
                             merger),
            'summed': (Summed(), {'features': features}, ['sums'], {'features': {0: BATCH}})}
        cls.before, cls.after, cls.nodes, cls.feeds = {}, {}, {}, {}
        for name, (module, example, outputs, dynamic) in cls.graphs.items():
            path = Path(folder.name) / f'{name}.onnx'
            exported(module.eval(), example, outputs, dynamic, path)
            cls.before[name], before = runner(path), nodes(path)
            fuse_vision(path)
            cls.after[name], cls.nodes[name] = runner(path), (before, nodes(path))
            cls.feeds[name] = {key: value.numpy() for key, value in example.items()}

    def test_features_come_to_the_same(self):
        a, b = (run['vision'](self.feeds['vision']) for run in (self.before, self.after))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)

    def test_codes_are_the_same(self):
        a, b = (run['merger_codes'](self.feeds['merger_codes']) for run in (self.before, self.after))
        np.testing.assert_array_equal(a, b)

    def test_a_sum_with_what_is_no_constant_stays(self):
        a, b = (run['summed'](self.feeds['summed']) for run in (self.before, self.after))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
        self.assertIn('Add', self.nodes['summed'][1])

    def test_vision_has_far_fewer_nodes(self):
        before, after = self.nodes['vision']
        self.assertLess(len(after), .65 * len(before))
        self.assertEqual(after.count('QAttention'), E.depth)
        self.assertNotIn('Softmax', after)

    def test_biases_are_taken_along(self):
        for name in ('vision', 'merger_codes'):
            before, after = self.nodes[name]
            self.assertGreater(after.count('MatMulIntegerToFloat') + after.count('QAttention'), 0, name)
            self.assertLess(after.count('Add'), .6 * before.count('Add'), name)

    def test_a_picture_has_the_same_bits_alone(self):
        whole = self.after['vision'](self.feeds['vision'])
        alone = self.after['vision']({'pixels': self.feeds['vision']['pixels'][1:2]})
        np.testing.assert_array_equal(whole[1:2], alone)


if __name__ == '__main__':
    unittest.main()
