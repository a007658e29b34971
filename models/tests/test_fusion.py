"""The language model in fewer nodes: the numbers of before, and the same bits alone, in a batch and in any window."""
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from networks.config import MINI
from networks.language_model import HIDDEN, PlacedLanguageModel
from packager.activations import observe, round_activations
from packager.fusion import fuse
from packager.graphs import BATCH, LanguageStep, input_names
from packager.precision import as_bytes, to_bytes
from packager.write import export_graph

C = replace(MINI.language_model, hidden=96, layers=2, heads=2, mlp_hidden=128, max_length=128)
WORDS, CONTENTS, PLACES, HEAD = 50, 8, 4, 48
UNSEEN = 2 ** 20  # the place of tokens that fill a row up


def inputs(rows, new, past, written, first=0, kv_heads=C.heads):
    """As the server feeds it; the first tokens of each row fill it up."""
    rng = np.random.default_rng(new)
    positions = np.tile(np.arange(new) + written - first, (rows, 1))
    positions[:, :first] = UNSEEN
    seen = np.arange(past) < written
    cache = [np.where(seen if key else seen[:, None], rng.normal(size=(rows, kv_heads, *shape)), 0)
             for _ in range(C.layers) for key, shape in ((True, (HEAD, past)), (False, (past, HEAD)))]
    return {'token_ids': rng.integers(0, WORDS + CONTENTS * PLACES, (rows, new)),
            'embeddings': rng.normal(size=(rows, new, C.hidden)), 'is_embedding': rng.random((rows, new)) < .5,
            'positions': positions, 'cache_bias': np.tile(np.where(seen, 0, HIDDEN), (rows, 1)), 'cache': cache}


def flat(feed):
    values = [v for value in feed.values() for v in (value if isinstance(value, list) else [value])]
    return {name: v.astype(np.float32) if v.dtype == np.float64 else v
            for name, v in zip(input_names(feed, C.layers), values)}


def runner(path):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda feed: session.run(None, flat(feed))


class FusionTest(unittest.TestCase):
    queries_per_key = 1

    @classmethod
    def inputs(cls, *sizes, **more): return inputs(*sizes, kv_heads=C.heads // cls.queries_per_key, **more)

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        config = replace(C, queries_per_key=cls.queries_per_key)
        model = PlacedLanguageModel(config, WORDS, CONTENTS, PLACES)
        with torch.no_grad():
            for matrix in model.parameters():
                if matrix.ndim > 1:
                    matrix.copy_(torch.from_numpy(as_bytes(*to_bytes(matrix.numpy() * 3, 0))))
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name) / 'language_model.onnx'
        feed = cls.inputs(2, 3, 7, 7)
        example = {name: [torch.from_numpy(v).float() for v in value] if name == 'cache' else
                   torch.from_numpy(value).float() if value.dtype == np.float64 else torch.from_numpy(value)
                   for name, value in feed.items()}
        new, past = torch.export.Dim('new', min=1, max=C.max_length), torch.export.Dim('past', min=1, max=C.max_length)
        dynamic = {**{k: {0: BATCH, 1: new} for k in ('token_ids', 'embeddings', 'is_embedding', 'positions')},
                   'cache_bias': {0: BATCH, 1: past},
                   'cache': [{0: BATCH, 3 if k % 2 == 0 else 2: past} for k in range(2 * C.layers)]}
        outputs = ['states', *(f'new_{kind}.{i}' for i in range(C.layers) for kind in ('keys', 'values'))]
        export_graph(LanguageStep(model), example, outputs, dynamic, C.layers, path)
        round_activations(path, observe(path, [flat(cls.inputs(4, 20, 1, 0))]))
        cls.before = staticmethod(runner(path))
        cls.nodes = [len(onnx.load(str(path)).graph.node)]
        fuse(path, C.max_length)
        cls.after = staticmethod(runner(path))
        cls.nodes.append(len(onnx.load(str(path)).graph.node))
        cls.kinds = {node.op_type for node in onnx.load(str(path)).graph.node}

    def test_prompts_and_steps_come_to_the_same(self):
        for feed in (self.inputs(3, 24, 1, 0, first=5), self.inputs(1, 16, 64, 40), self.inputs(5, 1, 64, 30)):
            seen = feed['positions'][0] != UNSEEN
            for i, (a, b) in enumerate(zip(self.before(feed), self.after(feed), strict=True)):
                if i > 0:  # what fills a row up is written nowhere
                    a, b = (x[..., seen] if i % 2 else x[:, :, seen] for x in (a, b))
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

    def test_it_has_far_fewer_nodes(self):
        self.assertLess(self.nodes[1], .65 * self.nodes[0])
        self.assertFalse(self.kinds & {'Pow', 'Reciprocal', 'Neg'})

    def test_a_row_has_the_same_bits_alone_and_in_any_window(self):
        whole = self.after(self.inputs(5, 1, 128, 30))
        for past in (32, 48, 64, 96):
            feed = self.inputs(5, 1, 128, 30)
            feed['cache_bias'] = feed['cache_bias'][:, :past]
            feed['cache'] = [v[..., :past] if i % 2 == 0 else v[:, :, :past] for i, v in enumerate(feed['cache'])]
            for a, b in zip(whole, self.after(feed), strict=True):
                np.testing.assert_array_equal(a, b)
        alone = {k: [v[:1] for v in value] if k == 'cache' else value[:1]
                 for k, value in self.inputs(5, 1, 128, 30).items()}
        for a, b in zip(whole, self.after(alone), strict=True):
            np.testing.assert_array_equal(a[:1], b)


class GroupedFusionTest(FusionTest):
    """Of queries that share keys and values."""
    queries_per_key = 2


if __name__ == '__main__':
    unittest.main()
