"""Products in whole numbers: near the exact ones, the same in every batch, and only where the range allows it."""
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from packager.activations import harmless, observe, products, round_activations
from packager.graphs import BATCH
from packager.precision import as_bytes, to_bytes
from packager.write import export_graph


class Product(nn.Module):
    def __init__(self, matrix):
        super().__init__()
        self.first, self.second = nn.Parameter(matrix), nn.Parameter(matrix.flip(0))

    def forward(self, x): return (x @ self.first.T) @ self.second.T


class Convolution(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.kernel, self.bias = nn.Parameter(kernel), nn.Parameter(torch.linspace(-1, 1, len(kernel)))

    def forward(self, x): return nn.functional.conv2d(x, self.kernel, self.bias, padding=1)


class ActivationsTest(unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(3)
        matrix = as_bytes(*to_bytes(self.rng.normal(0, .1, (96, 96)).astype(np.float32), 0))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / 'product.onnx'
        export_graph(Product(torch.from_numpy(matrix)), {'x': torch.randn(2, 5, 96)}, ['y'], {'x': {0: BATCH}}, 0,
                     self.path)
        self.x = self.rng.normal(size=(8, 5, 96)).astype(np.float32)

    def run_graph(self, x):
        session = onnxruntime.InferenceSession(str(self.path), providers=['CPUExecutionProvider'])
        return session.run(None, {'x': x})[0]

    def test_both_products_are_rounded_and_stay_near(self):
        exact = self.run_graph(self.x)
        ranges = observe(self.path, [{'x': self.x}])
        self.assertEqual((len(ranges), ranges['x']), (2, [self.x.min(), self.x.max()]))
        round_activations(self.path, ranges)
        self.assertEqual([node.op_type for node in onnx.load(str(self.path)).graph.node].count('QuantizeLinear'), 2)
        near = self.run_graph(self.x)
        self.assertFalse(np.array_equal(near, exact))
        self.assertGreater((near * exact).sum() / np.linalg.norm(near) / np.linalg.norm(exact), .9995)

    def test_a_row_has_the_same_bits_alone_and_in_a_batch(self):
        round_activations(self.path, observe(self.path, [{'x': self.x}]))
        together = self.run_graph(self.x)
        for row in range(8):
            self.assertTrue(np.array_equal(together[row:row + 1], self.run_graph(self.x[row:row + 1])))

    def test_convolutions_are_rounded_but_for_those_that_harm(self):
        for far in (1, 400):  # a channel of its own scale takes the levels of the others
            kernel = self.rng.normal(0, .1, (32, 32, 3, 3)).astype(np.float32)
            kernel[0] *= far
            export_graph(Convolution(torch.from_numpy(kernel)), {'x': torch.randn(2, 32, 8, 8)}, ['y'],
                         {'x': {0: BATCH}}, 0, self.path)
            x = self.rng.normal(size=(4, 32, 8, 8)).astype(np.float32)
            exact = self.run_graph(x)
            ranges = harmless(self.path, observe(self.path, [{'x': x}]), [{'x': x}])
            round_activations(self.path, ranges)
            near = self.run_graph(x)
            kinds = [node.op_type for node in onnx.load(str(self.path)).graph.node]
            self.assertEqual(kinds.count('DequantizeLinear') > 2, far == 1)
            self.assertLess(np.abs(near - exact).max(), .05 * np.abs(exact).max())
            self.assertTrue(np.array_equal(near[:1], self.run_graph(x[:1])))

    def test_a_product_whose_input_has_far_values_stays_as_it_is(self):
        self.x[0, 0, 0] = 1000
        ranges = observe(self.path, [{'x': self.x}])
        self.assertNotIn('x', ranges)
        round_activations(self.path, ranges)
        self.assertIn('x', {node.input[0] for node, *_ in products(onnx.load(str(self.path)))})
