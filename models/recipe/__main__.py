"""The whole recipe, from pictograms to a model package: `python -m recipe --out FOLDER`.

FOLDER gets `tokenizer.json`, checkpoints and logs in `runs/`, `weights/`, `figures.md`, `pictures/` and the package
`lavit-mini/`. The same command again goes on where it was interrupted. `--smoke` goes through every step with drawn
stand-ins for the pictograms and next to no training, which takes a few minutes and gives a package that knows nothing.
"""
import argparse
import json
import multiprocessing
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

from networks.config import CONCEPTS

from .lifetime import START_METHOD, die_with_parent
from .steps import EMPTY_FIGURES, SMOKE_CONCEPTS, steps_of

INTERRUPTED = 128 + signal.SIGINT
TO_TIDY = 5  # seconds for a step that is stopped, to remove what it has half written


class Record:
    """What is done, as it stands in a file."""

    def __init__(self, path):
        self.path = path
        self.done = json.loads(path.read_text()) if path.exists() else {}

    def holds(self, step):
        """Whether a step is done. One that was done with other options ends the process."""
        if step.name not in self.done:
            return False
        if self.done[step.name] != step.command:
            sys.exit(f'{self.path}: {step.name} was done by another command, {shlex.join(self.done[step.name])}; '
                     'choose another --out')
        return True

    def add(self, step):
        self.done[step.name] = step.command
        part = self.path.with_suffix('.part')
        part.write_text(json.dumps(self.done, indent=1) + '\n')
        part.rename(self.path)


def work(main, arguments):
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        main(arguments)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def run(step):
    """The step in a process of its own; its exit code."""
    if not step.module:
        if not shutil.which(step.arguments[0]):
            sys.exit(f'{step.name}: {step.arguments[0]} is not installed')
        return subprocess.run(step.arguments, cwd=step.folder, preexec_fn=die_with_parent).returncode
    main = import_module(step.module).main
    process = multiprocessing.get_context(START_METHOD).Process(target=work, args=(main, step.arguments))
    process.start()
    try:
        process.join()
    finally:
        process.terminate()
        process.join(TO_TIDY)
        process.kill()
    return process.exitcode


def take(step, title, record):
    """Runs a step that is not done, and says so. One that fails ends the process."""
    if record.holds(step):
        print(f'{title}: done before', flush=True)
        return
    print(f'{title}: {shlex.join(step.command)}', flush=True)
    clock = time.time()
    code = run(step)
    if code:
        sys.exit(f'{title} failed with exit code {code}; the same command again goes on from here')
    record.add(step)
    print(f'{title}: {(time.time() - clock) / 60:.1f} minutes', flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='python -m recipe', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', required=True, help='folder of everything that is made')
    parser.add_argument('--smoke', action='store_true', help='every step in little')
    parser.add_argument('--sprites', help='folder of the rendered pictograms (default: recipe/sprites)')
    parser.add_argument('--share', help="folder usr/share of the unpacked clip art; without it there is none")
    parser.add_argument('--outside', default='recipe/outside',
                        help='folder of photographs, as of `recipe.train`; without it the model learns only from '
                             'drawings what it does not know')
    parser.add_argument('--concepts', type=int, help=f'how many of the list are learnt (default: {CONCEPTS})')
    parser.add_argument('--effort', type=float, default=1, help='share of the usual minutes of each stage')
    parser.add_argument('--bfloat16', action='store_true',
                        help='multiply in 16 bits; quick only where the processor has AMX')
    args = parser.parse_args(arguments)
    out = Path(args.out)
    if out.is_file():
        parser.error(f'{out}: is a file')
    if args.share and not Path(args.share).is_dir():
        parser.error(f'{args.share}: no such folder')
    if args.smoke:  # for such small work the threads of a process would wait for each other
        os.environ['OMP_NUM_THREADS'] = '1'
    args.sprites = args.sprites or str(out / 'sprites' if args.smoke else 'recipe/sprites')
    args.concepts = args.concepts or (SMOKE_CONCEPTS if args.smoke else CONCEPTS)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (('about.json', '{"version": "0.0.0"}\n'), ('figures.md', EMPTY_FIGURES)):
        if not (out / name).exists():
            (out / name).write_text(text)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    record, steps, began = Record(out / 'done.json'), steps_of(args), time.time()
    for number, step in enumerate(steps, 1):
        title = f'[{number} of {len(steps)}] {step.name}'
        try:
            take(step, title, record)
        except KeyboardInterrupt:
            print(f'{title}: stopped; the same command again goes on from here', file=sys.stderr)
            sys.exit(INTERRUPTED)
    print(f'{out / "lavit-mini"} is complete, after {(time.time() - began) / 60:.1f} minutes', flush=True)


if __name__ == '__main__':
    main()
