"""What `recipe.export` leaves where it fails or is told something wrong. From models/: `python -m unittest
tests.test_export`."""
import contextlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from packager import write
from recipe import export

MODELS = Path(__file__).parents[1]
GRAPH = 'token_predictor'


class Compared(unittest.TestCase):
    """Of a visual head's candidates: ids, scores and log-probabilities, and the log-probabilities of all."""

    def gap(self, *got):
        expected = (torch.tensor([[5, 6, 7]]), torch.tensor([[2., 1., 1.]]), torch.tensor([[-.5, -1., -2.]]),
                    torch.zeros(1, 9))
        session = mock.Mock(run=lambda *_: [np.asarray(e) if g is None else np.array(g, e.numpy().dtype)
                                            for e, g in zip(expected, got)])
        with mock.patch.object(write, 'input_names', lambda *_: []):
            return write.gap_of('visual_head', lambda: expected, {}, session, 0, write.TOLERANCE)

    def test_candidates_with_one_score_may_change_places(self):
        self.assertEqual(self.gap([[5, 7, 6]], None, [[-.5, -2, -1]], None), 0)

    def test_what_is_no_tie_is_a_gap(self):
        for got in (([[6, 5, 7]], None, None, None), (None, [[2.1, 1, 1]], None, None),
                    (None, [[2, 1.1, 1]], None, None), (None, None, [[-.6, -1, -2]], None),
                    (None, None, None, [[.1] * 9])):
            self.assertRaises(AssertionError, self.gap, *got)


class Exported(unittest.TestCase):
    def setUp(self):
        self.enterContext(contextlib.chdir(MODELS))
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.out = self.folder / 'lavit-mini'

    def export(self, *options):
        real = export.definitions
        with contextlib.redirect_stdout(io.StringIO()), mock.patch.object(
                export, 'definitions', lambda model: {GRAPH: real(model)[GRAPH]}):
            export.main(['--out', str(self.out), '--count', '12', *options])

    def refused(self, said, *options):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit):
            self.export(*options)
        self.assertIn(said, errors.getvalue().splitlines()[-1])

    def contents(self): return {path.name: path.read_bytes() for path in self.out.iterdir()}

    def test_a_package_that_is_there_stays_when_a_new_one_fails(self):
        self.out.mkdir()
        for name in ('manifest.json', 'NOTICE', 'tokenizer.json', f'{GRAPH}.onnx', 'beside.txt'):
            (self.out / name).write_text('before')
        before = self.contents()
        with mock.patch.object(export, 'check', side_effect=OSError(28, 'No space left on device')):
            self.assertRaises(OSError, self.export)
        self.assertEqual(self.contents(), before)
        self.export()
        after = self.contents()
        self.assertEqual(after.keys(), before.keys())
        self.assertEqual([name for name in after if after[name] == before[name]], ['beside.txt'])
        self.assertEqual(json.loads(after['manifest.json'])['graphs'].keys(), {GRAPH})

    def test_nothing_is_left_of_a_new_package_that_fails(self):
        self.out = self.folder / 'deep/lavit-mini'
        with mock.patch.object(export, 'check', side_effect=OSError(28, 'No space left on device')):
            self.assertRaises(OSError, self.export)
        self.assertEqual(os.listdir(self.out.parent), [])
        self.export()
        self.assertEqual(sorted(self.contents()), ['NOTICE', 'manifest.json', f'{GRAPH}.onnx', 'tokenizer.json'])

    def test_what_is_missing_is_told_before_anything_is_written(self):
        missing = str(self.folder / 'missing')
        for option in ('--about', '--concepts', '--tokenizer', '--weights', '--pictures'):
            with self.subTest(option):
                self.refused(f'{missing}: no', option, missing)
        self.assertFalse(self.out.exists())
        self.out.write_text('a file')
        self.refused(f'{self.out}: is a file')


if __name__ == '__main__':
    unittest.main()
