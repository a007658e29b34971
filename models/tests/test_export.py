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

from recipe import export

MODELS = Path(__file__).parents[1]
GRAPH = 'token_predictor'


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
