"""A folder that appears complete or not at all."""
import os
import re
import shutil
import signal
from contextlib import contextmanager

from .errors import CheckpointError

try:
    import fcntl
except ImportError:
    fcntl = None

SIGNALS = [getattr(signal, name) for name in ('SIGTERM', 'SIGHUP') if hasattr(signal, name)]


@contextmanager
def staged(out):
    """Gives a new folder beside `out`, which is renamed to `out` when the block ends, and removed when it fails or the
    process is told to stop."""
    if out.exists():
        raise CheckpointError(f'{out}: exists already')
    if not out.parent.is_dir():
        raise CheckpointError(f'{out.parent}: no such folder')
    with partial(out.with_name(f'.{out.name}.partial')) as folder:
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
    with partial(out / '.partial') as folder:
        yield folder
        for path in sorted(folder.iterdir(), key=lambda path: path.name == 'manifest.json'):
            path.replace(out / path.name)


@contextmanager
def partial(name):
    """Makes a folder of this name and the process's number, which is gone when the block ends, if it was not renamed
    there, however the block ends. Those that killed processes left are removed before."""
    before = {s: signal.signal(s, stop) for s in SIGNALS}
    folder, held = name.with_name(f'{name.name}-{os.getpid()}'), None
    try:
        clear(name)
        folder.mkdir()
        held = hold(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)
        for s, handler in before.items():
            signal.signal(s, handler)


def clear(name):
    """Removes folders of this name and a process's number where there is no such process and nobody holds them."""
    for path in name.parent.iterdir() if fcntl else ():
        number = re.fullmatch(re.escape(name.name) + r'-(\d+)', path.name)
        if not number or path.is_symlink() or not path.is_dir() or runs(int(number[1])):
            continue
        held = hold(path)
        if held is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(held)


def runs(process):
    """Whether another process has this number. One in another container is not seen, and may have the number of this
    one, too: its folder is held, though."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


def hold(folder):
    """Locks a folder until what is given is closed or the process is gone. Gives None where another holds it, or where
    no such locks are known."""
    if fcntl is None:
        return None
    held = None
    try:
        held = os.open(folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return held
    except OSError:
        if held is not None:
            os.close(held)
        return None


def stop(number, _frame):
    raise SystemExit(128 + number)


def require_space(folder, needed):
    """Free disk space for `needed` bytes where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CheckpointError(f'{folder}: {needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free')
