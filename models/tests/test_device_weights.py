"""Packages for GPUs: weights lie in their files as they are stored, and graphs still compute what PyTorch does."""
import tempfile
import unittest
from pathlib import Path

import onnx
import torch
from onnx import TensorProto

from networks.config import MINI
from networks.model import build
from packager.graphs import definitions
from packager.precision import round_weights
from recipe.export import fold_norms, write_for_device

LAYERS = MINI.language_model.layers
GRAPHS = 'vision', 'merger_codes', 'language_model', 'visual_head'


class DeviceWeightsTest(unittest.TestCase):
    @classmethod
    @torch.no_grad()
    def setUpClass(cls):
        torch.manual_seed(0)
        model = round_weights(build(MINI, 12), 16)
        fold_norms(model.encoder)
        cls.graphs = {name: definition for name, definition in definitions(model).items() if name in GRAPHS}

    @torch.no_grad()
    def written(self, name, precision):
        """Bytes of the data files of a graph, which was checked against PyTorch, and the graph."""
        definition = self.graphs[name]
        with tempfile.TemporaryDirectory() as folder:
            entry = write_for_device(name, definition, definition[1], precision, Path(folder), LAYERS)
            graph = onnx.load(str(Path(folder) / entry['file']), load_external_data=False).graph
        return sum(file['bytes'] for file in entry['data']), graph

    def test_products_take_matrices_in_half_precision(self):
        for name in GRAPHS:
            size, graph = self.written(name, 'fp16')
            large = sum(p.numel() for p in self.graphs[name][0].parameters() if p.numel() > 4096)
            self.assertLess(size, 2.3 * large, name)
            kinds = {t.name: t.data_type for t in graph.initializer}
            products = [n for n in graph.node if n.op_type == 'MatMul' and n.input[1] in kinds]
            if name in ('vision', 'language_model'):   # what decides codes stays in single precision
                self.assertEqual({kinds[n.input[1]] for n in products}, {TensorProto.FLOAT16}, name)

    def test_layers_of_the_language_model_lie_in_blocks(self):
        matrices = sum(p.numel() for p in self.graphs['language_model'][0].parameters() if p.ndim == 2)
        for precision, most in (('int8', 1.2), ('int4', .8)):   # bytes of a number, scales included
            size, graph = self.written('language_model', precision)
            self.assertLess(size, most * matrices)
            self.assertIn('MatMulNBits', {node.op_type for node in graph.node})


if __name__ == '__main__':
    unittest.main()
