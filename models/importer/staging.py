"""A folder that appears complete or not at all."""
import os
import shutil
import signal
from contextlib import contextmanager

from .errors import CheckpointError

SIGNALS = [getattr(signal, name) for name in ('SIGTERM', 'SIGHUP') if hasattr(signal, name)]


@contextmanager
def staged(out):
    """Gives a new folder beside `out`, which is renamed to `out` when the block ends, and removed when it fails or the
    process is told to stop."""
    if out.exists():
        raise CheckpointError(f'{out}: exists already')
    if not out.parent.is_dir():
        raise CheckpointError(f'{out.parent}: no such folder')
    with partial(out.with_name(f'.{out.name}.partial-{os.getpid()}')) as folder:
        yield folder
        folder.rename(out)


@contextmanager
def renewed(out):
    """As `staged`, but where `out` is a folder already its files stay until all new ones are written. These then take
    the places of those with the same names, the manifest last."""
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        with staged(out) as folder:
            yield folder
        return
    with partial(out / f'.partial-{os.getpid()}') as folder:
        yield folder
        for path in sorted(folder.iterdir(), key=lambda path: path.name == 'manifest.json'):
            path.replace(out / path.name)


@contextmanager
def partial(folder):
    """Makes a folder that is gone when the block ends, if it was not renamed there, however the block ends."""
    before = {s: signal.signal(s, stop) for s in SIGNALS}
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for s, handler in before.items():
            signal.signal(s, handler)


def stop(number, _frame):
    raise SystemExit(128 + number)


def require_space(folder, needed):
    """Free disk space for `needed` bytes where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CheckpointError(f'{folder}: {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free')
