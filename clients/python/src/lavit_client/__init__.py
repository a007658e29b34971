"""Client of LaVIT Server: pictures to captions, answers and visual tokens, and back."""
from .async_client import AsyncClient
from .client import Client
from .errors import LavitError
from .pictures import Picture, PictureFile, bytes_of
from .requests import CaptionEvent, GenerateEvent, ImagePart, Prompt, VqaEvent

__all__ = [
    "AsyncClient",
    "CaptionEvent",
    "Client",
    "GenerateEvent",
    "ImagePart",
    "LavitError",
    "Picture",
    "PictureFile",
    "Prompt",
    "VqaEvent",
    "bytes_of",
]
