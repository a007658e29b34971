"""What writing a folder leaves, and what it takes away of runs before. From models/: `python -m unittest
tests.test_staging`."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from importer.staging import hold, renewed, staged

MODELS = Path(__file__).parents[1]
WRITING = '''
import sys, time
from pathlib import Path
from importer import staging
with getattr(staging, sys.argv[1])(Path(sys.argv[2])) as folder:
    (folder / 'graph.data').write_text('half')
    print(folder, flush=True)
    time.sleep(600)
'''


class Staging(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.out = self.folder / 'package'

    def writing(self, way):
        """A process that is in the midst of it, and its folder."""
        process = subprocess.Popen([sys.executable, '-c', WRITING, way, str(self.out)], cwd=MODELS, text=True,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, Path(process.stdout.readline().strip())

    def write(self, way):
        with way(self.out) as folder:
            (folder / 'manifest.json').write_text('{}')

    def dead(self):
        """The number of a process that has been."""
        process = subprocess.Popen([sys.executable, '-c', ''])
        process.wait()
        return process.pid

    def test_what_a_killed_run_left_is_removed_by_the_next(self):
        for way in (staged, renewed):
            with self.subTest(way.__name__):
                process, left = self.writing(way.__name__)
                process.kill()
                process.wait()
                self.assertTrue((left / 'graph.data').is_file())
                self.write(way)
                self.assertFalse(left.exists())
                self.assertEqual(os.listdir(self.folder), ['package'])
                self.assertEqual(os.listdir(self.out), ['manifest.json'])
        process, left = self.writing('renewed')
        self.assertEqual(left.parent, self.out)
        process.kill()
        process.wait()
        self.write(renewed)
        self.assertEqual(os.listdir(self.out), ['manifest.json'])

    def test_a_run_that_goes_on_keeps_its_folder(self):
        _, writing = self.writing('staged')
        self.write(staged)
        self.assertTrue((writing / 'graph.data').is_file())

    def test_only_what_this_makes_and_nobody_holds_is_removed(self):
        dead = self.dead()
        names = [f'.package.partial-{dead}x', f'.other.partial-{dead}', f'package.partial-{dead}', '.package.partial-',
                 f'.package.partial-{os.getppid()}', f'.packages.partial-{dead}']
        for name in names:
            (self.folder / name).mkdir()
        elsewhere = self.folder / 'elsewhere'
        elsewhere.mkdir()
        (self.folder / f'.package.partial-{dead}').symlink_to(elsewhere)
        (self.folder / f'.package.partial-0{dead}').write_text('a file')
        in_container = self.folder / f'.package.partial-00{dead}'
        in_container.mkdir()
        self.addCleanup(os.close, hold(in_container))
        before = sorted(os.listdir(self.folder))
        self.write(staged)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([*before, 'package']))

    def test_the_number_of_a_killed_run_may_be_that_of_this_one(self):
        left = self.folder / f'.package.partial-{os.getpid()}'
        left.mkdir()
        (left / 'graph.data').write_text('half')
        self.write(staged)
        self.assertEqual(os.listdir(self.folder), ['package'])
        self.assertEqual(os.listdir(self.out), ['manifest.json'])


if __name__ == '__main__':
    unittest.main()
