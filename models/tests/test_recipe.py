"""The whole recipe in little: interrupted, gone on with, and what it makes. From models/: `python -m unittest
tests.test_recipe`."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from argparse import Namespace
from pathlib import Path

from PIL import Image

from recipe import __main__ as command
from recipe.card.table import START
from recipe.steps import SMOKE_CONCEPTS, SMOKE_SCENES, steps_of

MODELS = Path(__file__).parents[1]


def descendants(process):
    """Ids of the processes that a process started, and of those that they started."""
    found, parents = {process}, {}
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(')')[2].split()[1])
        except OSError:
            pass
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def alive(process):
    try:
        return Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


class Readme(unittest.TestCase):
    def test_it_lists_every_step_in_its_order(self):
        options = Namespace(out='new', smoke=False, effort=1, concepts=600, sprites='sprites', share=None,
                            outside='outside', bfloat16=False)

        def named(words): return words[2:5] if words[2] == 'recipe.train' else words[2:3]
        lines = (line.split() for line in (MODELS / 'README.md').read_text().splitlines())
        told = [words for words in lines if words[:2] == ['python', '-m'] and words[2].startswith('recipe.')
                and words[2] != 'recipe.ablations']
        self.assertEqual([named(words) for words in told],
                         [named(step.command) for step in steps_of(options) if step.module])


def wait_until(holds, seconds=900):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f'not within {seconds} seconds')
        time.sleep(.1)


@unittest.skipUnless(sys.platform == 'linux', 'children are looked for in /proc')
class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Killed while two processes train the encoder, then run again to its end."""
        cls.out = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / 'recipe'
        cls.first = (cls.out.parent / 'first.txt')
        killed = cls.start(cls.first)
        wait_until(lambda: '] encoder: python' in cls.first.read_text() and len(descendants(killed.pid)) >= 4)
        cls.orphans = descendants(killed.pid)
        killed.kill()
        killed.wait()
        try:
            wait_until(lambda: not any(map(alive, cls.orphans)), 30)
        except AssertionError:
            cls.left = [process for process in cls.orphans if alive(process)]
            for process in cls.left:
                os.kill(process, signal.SIGKILL)
        else:
            cls.left = []
        cls.second = cls.out.parent / 'second.txt'
        cls.code = cls.start(cls.second).wait()
        cls.text = cls.second.read_text()

    @classmethod
    def start(cls, output):
        with open(output, 'w') as file:
            # as a shell starts what runs in its background: deaf to SIGINT
            return subprocess.Popen([sys.executable, '-m', 'recipe', '--smoke', '--out', cls.out], cwd=MODELS,
                                    stdout=file, stderr=subprocess.STDOUT,
                                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))

    def test_killing_it_ends_its_children(self):
        self.assertGreaterEqual(len(self.orphans), 4)
        self.assertEqual(self.left, [])

    def test_the_same_command_goes_on(self):
        self.assertEqual(self.code, 0, self.text)
        self.assertRegex(self.text, r'\[1 of \d+\] sprites: done before\n\[2 of \d+\] text tokenizer: done before\n'
                                    r'\[3 of \d+\] encoder: python -m recipe.train ')
        self.assertRegex(self.text, 'lavit-mini is complete')

    def test_every_stage_tells_how_far_it_is(self):
        for stage in ('encoder', 'judge', 'tokenizer', 'painter', 'language_model', 'denoiser'):
            self.assertRegex(self.text, fr'\n{stage}: \d+\.\d of 0.02 minutes, step [1-9]\d*, \w+ \d')
        self.assertRegex(self.text, r'\nmemory: [1-9]\d* pictures, \d+ concepts not seen, shows \d')

    def test_the_package_is_what_its_manifest_says(self):
        manifest = json.loads((self.out / 'lavit-mini/manifest.json').read_text())
        self.assertEqual(len(manifest['concepts']), SMOKE_CONCEPTS)
        shipped = json.loads((MODELS / 'lavit-mini/manifest.json').read_text())
        self.assertEqual(manifest['graphs'].keys(), shipped['graphs'].keys())
        self.assertEqual(manifest['familiarity'].keys(), shipped['familiarity'].keys())
        for part in (manifest['tokenizer'], *manifest['graphs'].values()):
            content = (self.out / 'lavit-mini' / part['file']).read_bytes()
            self.assertEqual((hashlib.sha256(content).hexdigest(), len(content)), (part['sha256'], part['bytes']))
        self.assertEqual(manifest['quality']['scenes'], SMOKE_SCENES)

    def test_figures_and_pictures_are_there(self):
        self.assertIn('| VQA: all kinds |', (self.out / 'figures.md').read_text().partition(START)[2])
        names = sorted(path.stem for path in (self.out / 'pictures').iterdir())
        self.assertEqual(names, sorted(path.stem for path in (MODELS / 'pictures').iterdir()))
        for path in (self.out / 'pictures').iterdir():
            Image.open(path).verify()

    def test_pictures_drawn_again_are_the_same_with_any_number_of_threads(self):
        names = ('reconstructions', 'from-words', 'from-pictures')
        for threads in ('1', '4'):
            again = self.out.parent / threads
            subprocess.run([sys.executable, '-m', 'recipe.card.pictures', '--little', '--weights', self.out / 'weights',
                            '--sprites', self.out / 'sprites', '--tokenizer', self.out / 'tokenizer.json',
                            '--out', again, '--only', *names], cwd=MODELS, check=True,
                           env={**os.environ, 'OMP_NUM_THREADS': threads})
            for name in names:
                self.assertEqual((again / f'{name}.png').read_bytes(), (self.out / f'pictures/{name}.png').read_bytes())

    def test_other_options_in_the_same_folder_are_refused(self):
        with self.assertRaisesRegex(SystemExit, 'sprites was done by another command.*choose another --out'):
            command.main(['--smoke', '--out', str(self.out), '--concepts', '9'])


if __name__ == '__main__':
    unittest.main()
