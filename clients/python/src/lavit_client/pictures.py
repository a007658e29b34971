"""Pictures as programs have them, and as the server reads them."""
from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Union

from .schema import GeneratedImage, ImageInput, ImageRef, PreviewEvent

Picture = Union[str, bytes, bytearray, memoryview, "os.PathLike[str]", IO[bytes], ImageRef]
"""A picture to send: the bytes of its file, a `Path`, an open file, or `{"ref": …}` with the `image_ref` of an answer.

A `str` is what the server reads as such: a data URL, base64, or an https URL where the server fetches pictures. It is
never a path, so that a text of someone else's opens no file.
"""


@dataclass(frozen=True)
class PictureFile:
    """A picture that came as the body of an answer."""

    data: bytes
    media_type: str
    seed: int | None
    """Of a painted picture: the same request with this seed paints it again."""


def bytes_of(image: GeneratedImage | PreviewEvent) -> bytes:
    """The file of a picture that came within JSON."""
    return base64.b64decode(image["data"])


def wire_of(picture: Picture) -> ImageInput:
    """The picture in JSON. Raises `OSError` for a file that cannot be read."""
    if isinstance(picture, str):
        return picture
    if isinstance(picture, Mapping):
        return picture
    if isinstance(picture, (bytes, bytearray, memoryview)):
        data = bytes(picture)
    elif isinstance(picture, os.PathLike):
        data = Path(picture).read_bytes()
    else:
        data = picture.read()
    return base64.b64encode(data).decode()
