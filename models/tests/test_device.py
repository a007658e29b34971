"""Graphs for devices: the numbers of those for processors, from the same weights, in operators that a GPU has."""
import contextlib
import io
import json
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import onnx
import onnxruntime

from packager import device as packager_device
from packager.device import GRAPHS, main

ROOT = Path(__file__).parents[2]
LACKING = {'QuantizeLinear', 'DequantizeLinear', 'LogSoftmax', 'Mod', 'Equal'}  # in the WebGPU provider
UNSEEN = 2 ** 20  # the place of tokens that fill a row up
ROWS, NEW, PAST = 3, 5, 7


def outputs(path, feed):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return session.run(None, {value.name: feed[value.name] for value in session.get_inputs()})


def inputs(manifest, seed=0):
    rng, shape, ids = np.random.default_rng(seed), manifest['language_model'], manifest['ids']
    heads, width, hidden = shape['kv_heads'], shape['head_dim'], shape['hidden_size']
    tokens = rng.integers(0, shape['vocabulary_size'], (ROWS, NEW))
    first, last = ids['visual_offset'], shape['vocabulary_size'] - 1
    tokens[0] = ids['image_end'], first, first + manifest['visual_tokenizer']['codebook_size'] - 1, last, 3
    tokens[1, 0] = last
    positions = np.tile(np.arange(NEW) + PAST, (ROWS, 1))
    positions[0, 0] = UNSEEN
    cache = {f'cache_{kind}.{i}': rng.normal(size=(ROWS, heads, *size)) for i in range(shape['layers'])
             for kind, size in (('keys', (width, PAST)), ('values', (PAST, width)))}
    feed = {'token_ids': tokens, 'embeddings': rng.normal(size=(ROWS, NEW, hidden)), 'positions': positions,
            'is_embedding': rng.random((ROWS, NEW)) < .3, 'cache_bias': np.zeros((ROWS, PAST)),
            'states': rng.normal(size=(ROWS, hidden)), 'conditional': np.array([0, 2]),
            'unconditional': np.array([1, 2]), 'guidance_scale': np.array([2., 1.]),
            'may_end': np.array([True, False]), 'may_skip': np.array([False, True]), **cache}
    return {name: value.astype(np.float32) if value.dtype == np.float64 else value for name, value in feed.items()}


class Embedded(unittest.TestCase):
    package = ROOT / 'models/lavit-mini'

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name) / 'package'
        shutil.copytree(cls.package, cls.folder)
        main([str(cls.folder)])
        cls.manifest = json.loads((cls.folder / 'manifest.json').read_text())

    def pairs(self):
        for name in GRAPHS:
            graph = self.manifest['graphs'][name]
            yield name, self.folder / graph['file'], self.folder / graph['device']['file']

    def test_numbers_are_the_same(self):
        """Of three draws two: a value between two steps of 8 bits goes to either with the order of a sum."""
        feeds = [inputs(self.manifest, seed) for seed in range(3)]
        for name, processor, device in self.pairs():
            gaps = [max(np.abs(expected.astype(float) - found).max() / max(1, np.abs(expected).max())
                        for expected, found in zip(outputs(processor, feed), outputs(device, feed), strict=True))
                    for feed in feeds]
            self.assertLess(sorted(gaps)[1], 1e-4, name)
            self.assertLess(max(gaps), .05, name)

    def test_no_operator_is_left_to_the_processor(self):
        for name, _, device in self.pairs():
            graph = onnx.load(str(device), load_external_data=False).graph
            self.assertFalse(LACKING & {node.op_type for node in graph.node}, name)

    def test_weights_stay_in_the_file_of_the_other(self):
        for name, processor, device in self.pairs():
            self.assertLess(device.stat().st_size, 100_000, name)
            for tensor in onnx.load(str(device), load_external_data=False).graph.initializer:
                places = {entry.value for entry in tensor.external_data if entry.key == 'location'}
                self.assertTrue(places <= {processor.name, *self.apart(name)}, name)

    def apart(self, name):
        return [entry['file'] for entry in self.manifest['graphs'][name].get('data', [])]

    def test_the_package_is_what_this_makes(self):
        self.assertEqual(self.manifest, json.loads((self.package / 'manifest.json').read_text()))


class Imported(Embedded):
    package = ROOT / 'test/fixtures/lavit-golden'


class Interrupted(unittest.TestCase):
    def test_a_package_stays_as_it_was_where_not_all_can_be_written(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / 'package'
        shutil.copytree(Imported.package, folder)
        for path in folder.glob('*.device.onnx'):
            path.unlink()
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        rewrites = [mock.DEFAULT, mock.DEFAULT, OSError(28, 'No space left on device')]
        with mock.patch.object(packager_device, 'rewrite', side_effect=rewrites, wraps=packager_device.rewrite):
            self.assertRaises(OSError, main, [str(folder)])
        self.assertEqual({path.name: path.read_bytes() for path in folder.iterdir()}, before)
        main([str(folder)])
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         sorted(path.name for path in Imported.package.iterdir()))


class Refused(unittest.TestCase):
    def test_a_folder_that_is_no_package(self):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit):
            main(['/nope'])
        self.assertIn('/nope: no package, manifest.json is missing', errors.getvalue())


if __name__ == '__main__':
    unittest.main()
