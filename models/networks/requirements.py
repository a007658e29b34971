"""What the commands say where `requirements.txt` is not installed: one line in place of a traceback."""
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FILE = Path(__file__).parents[1] / 'requirements.txt'
INSTALL = 'python3 -m venv models/.venv && . models/.venv/bin/activate && pip install -r models/requirements.txt'


def require():
    """Ends the process when one of the packages is missing."""
    missing = [name for name in (line.split('==')[0] for line in FILE.read_text().split()) if not installed(name)]
    if missing:
        sys.exit(f'Python packages are missing ({", ".join(missing)}). From the root of the repository: {INSTALL}')


def installed(name):
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False
