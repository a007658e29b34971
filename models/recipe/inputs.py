"""What a command works on, looked for before it begins."""
from pathlib import Path


def require_files(parser, *paths):
    """Ends the process with one line where a file is not there; None is one that nobody asked for."""
    for path in paths:
        if path is not None and not Path(path).is_file():
            parser.error(f'{path}: no such file')


def require_sprites(parser, folder):
    if not (Path(folder) / 'sprites.json').is_file():
        parser.error(f'{folder}: no sprites; recipe/art/render.js draws them, see README.md')
