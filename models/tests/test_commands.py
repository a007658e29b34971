"""What the recipe's commands say of what is missing or wrong: one line, before anything is done. From models/:
`python -m unittest tests.test_commands`."""
import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from recipe import __main__ as whole
from recipe import atlas, collect, export_judge, ranges, train
from recipe.card import evaluate
from recipe.card.pictures import __main__ as pictures
from recipe.steps import Step


class Told(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.sprites = self.folder / 'sprites'
        self.sprites.mkdir()
        (self.sprites / 'sprites.json').write_text('{}')
        self.common = ['--sprites', str(self.sprites), '--weights', str(self.folder / 'weights')]

    def told(self, said, command, *options):
        errors = io.StringIO()
        before = sorted(self.folder.rglob('*'))
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()), \
                self.assertRaises(SystemExit) as end:
            command.main([*map(str, options)])
        line = errors.getvalue().splitlines()[-1] if errors.getvalue() else str(end.exception.code)
        self.assertIn(said, line)
        self.assertNotEqual(end.exception.code, 0)
        self.assertEqual(sorted(self.folder.rglob('*')), before)

    def test_training_by_nobody_or_for_no_time(self):
        self.told('--processes 0', train, '--stage', 'judge', '--minutes', 1, '--processes', 0, *self.common)
        for minutes in ('nan', 'inf', '-1'):
            self.told('not a number of minutes', train, '--stage', 'judge', f'--minutes={minutes}', *self.common)

    def test_sprites_that_nobody_drew(self):
        none, judge = self.folder / 'none', self.folder / 'judge.safetensors'
        judge.write_bytes(b'')
        for command, options in ((train, ['--stage', 'judge', '--minutes', 1]), (collect, ['--out', none]),
                                 (export_judge, ['--out', none, '--weights', self.folder])):
            with self.subTest(command.__name__):
                self.told(f'{none}: no sprites', command, *options, '--sprites', none)

    def test_weights_that_nobody_trained(self):
        out = ['--out', self.folder / 'out']
        for command, options, part in ((ranges, [], 'encoder'), (atlas, out, 'judge'), (export_judge, out, 'judge'),
                                       (collect, [*out, '--runs', self.folder / 'runs'], 'encoder')):
            with self.subTest(command.__name__):
                self.told(f'{self.folder / "weights" / part}.safetensors: no such file', command, *options,
                          *self.common)

    def test_files_that_figures_and_pictures_take_and_change(self):
        missing, shipped = self.folder / 'missing', ['--tokenizer', __file__]
        for option in ('--about', '--card', '--tokenizer'):
            self.told(f'{missing}: no such file', evaluate, *self.common, *shipped, option, missing)
        self.told(f'{missing}: no sprites', evaluate, '--weights', self.heads(), *shipped, '--sprites', missing)
        self.told('judge.safetensors: no such file', pictures, '--out', self.folder / 'out', *shipped, *self.common)

    def heads(self):
        (self.folder / 'heads.safetensors').write_bytes(b'')
        return self.folder

    def test_shares_and_figures_of_a_collection(self):
        self.told('--before 2.0', collect, '--out', self.folder / 'out', '--before', 2, *self.common)
        missing = self.folder / 'about.json'
        self.told(f'{missing}: no such file', collect, '--out', self.folder / 'out', '--about', missing, *self.common)

    def test_folders_of_the_whole_recipe(self):
        file = self.folder / 'file'
        file.write_text('kept')
        self.told(f'{file}: is a file', whole, '--out', file)
        self.told('clips: no such folder', whole, '--out', self.folder / 'new', '--share', self.folder / 'clips')


@unittest.skipUnless(os.name == 'posix', 'signals go to a group of processes')
class Interrupted(unittest.TestCase):
    def test_ctrl_c_is_told_in_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([sys.executable, '-m', 'recipe', '--smoke', '--out', folder], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                       cwd=Path(__file__).parents[1], preexec_fn=lambda: signal.signal(
                                           signal.SIGINT, signal.default_int_handler))
            self.addCleanup(process.kill)
            first = process.stdout.readline()
            time.sleep(1)
            os.killpg(process.pid, signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
        # Python ends itself by the signal where it came within an `exec`, as imports have; shells call both 130
        self.assertIn(process.returncode, (130, -signal.SIGINT), rest)
        self.assertIn('] sprites: python', first)
        self.assertRegex(rest.splitlines()[-1], r'^\[\d+ of \d+\] .+: stopped; the same command again goes on')
        self.assertNotIn('Traceback', rest)

    def test_ctrl_c_between_two_steps_is_told_as_well(self):
        told = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(told), \
                contextlib.redirect_stderr(told), mock.patch.object(whole, 'run', return_value=0), \
                mock.patch.object(whole.Record, 'add', side_effect=KeyboardInterrupt), \
                mock.patch.object(signal, 'signal'), self.assertRaises(SystemExit) as ended:
            whole.main(['--smoke', '--out', folder])
        self.assertEqual(ended.exception.code, 130)
        self.assertRegex(told.getvalue(), r'\n\[1 of \d+\] sprites: stopped; the same command again goes on')

    def test_a_program_that_is_not_installed(self):
        with self.assertRaisesRegex(SystemExit, 'art: no-such-program is not installed'):
            whole.run(Step('art', ['no-such-program', 'ci']))


if __name__ == '__main__':
    unittest.main()
