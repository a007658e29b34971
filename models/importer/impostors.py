"""What lies at the place of a file when a download went wrong, told by its first bytes."""
from .errors import CheckpointError

LFS_POINTER = b'version https://git-lfs.github.com/spec/'
ARCHIVES = {b'\x1f\x8b': 'gzip', b'BZh': 'bzip2', b'\xfd7zXZ': 'xz', b'7z\xbc\xaf': '7z', b'Rar!': 'rar',
            b'\x28\xb5\x2f\xfd': 'zstd'}


def refuse_impostor(path, label):
    """Raises CheckpointError if a binary file is empty, a git-lfs pointer, a web page, other text, or an archive."""
    with open(path, 'rb') as file:
        head = file.read(512)
    if not head:
        raise CheckpointError(f'{label}: is empty; download it again')
    if head.startswith(LFS_POINTER):
        raise CheckpointError(f'{label}: is a git-lfs pointer and not the file itself; fetch it with `git lfs pull`')
    if not head.strip(b'\0'):
        raise CheckpointError(f'{label}: begins with zeros only, as an unfinished download does; download it again')
    text = head.lstrip(b'\xef\xbb\xbf \t\r\n').lower()
    if text.startswith((b'<!doctype', b'<html', b'<?xml', b'<head', b'<body')):
        raise CheckpointError(f'{label}: is a web page; download the file itself')
    for magic, kind in ARCHIVES.items():
        if head.startswith(magic):
            raise CheckpointError(f'{label}: is a {kind} archive; unpack it')
    if is_text(head):
        first = head.decode(errors='replace').strip().splitlines()[0][:60]
        raise CheckpointError(f'{label}: is text and not a binary file: {first}')


def is_text(head):
    """Whether bytes, the last of which may be cut off, are UTF-8 without control characters."""
    text = head.decode(errors='replace').rstrip('\ufffd')
    return all(c in '\t\n\r\f' or c.isprintable() and c != '\ufffd' for c in text)
