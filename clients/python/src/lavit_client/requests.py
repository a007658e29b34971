"""What each call sends, and what it is answered: all that does not depend on how it is sent."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, Union
from urllib.parse import quote

import httpx
from typing_extensions import TypedDict

from .errors import LavitError, error_of_answer
from .pictures import Picture, PictureFile, wire_of
from .schema import (
    CaptionResponse,
    EstimateResponse,
    Health,
    ImagesResponse,
    ModelDetails,
    ModelList,
    PreviewEvent,
    QueuedEvent,
    StepEvent,
    TextPart,
    TokenEvent,
    TokenizeResponse,
    VisualTokenEvent,
    VisualTokensPart,
    VqaResponse,
)

Answer = TypeVar("Answer")


class ImagePart(TypedDict):
    """A picture within a prompt."""

    type: Literal["image"]
    image: Picture


Prompt = Union[str, Sequence[Union[TextPart, ImagePart, VisualTokensPart]]]


class Queued(TypedDict):
    event: Literal["queued"]
    data: QueuedEvent


class Token(TypedDict):
    event: Literal["token"]
    data: TokenEvent


class VisualToken(TypedDict):
    event: Literal["token"]
    data: VisualTokenEvent


class Preview(TypedDict):
    event: Literal["preview"]
    data: PreviewEvent


class Step(TypedDict):
    event: Literal["step"]
    data: StepEvent


class CaptionDone(TypedDict):
    event: Literal["done"]
    data: CaptionResponse


class VqaDone(TypedDict):
    event: Literal["done"]
    data: VqaResponse


class ImagesDone(TypedDict):
    event: Literal["done"]
    data: ImagesResponse


CaptionEvent = Union[Queued, Token, CaptionDone]
VqaEvent = Union[Queued, Token, VqaDone]
GenerateEvent = Union[Queued, VisualToken, Preview, Step, ImagesDone]
Probe = Literal["live", "ready", "startup"]
Job = Literal["tokenize", "detokenize", "caption", "vqa", "generate"]


@dataclass(frozen=True)
class Request(Generic[Answer]):
    """A request whose answer is of this type; of a stream, each of its events."""

    path: str
    accept: str
    method: str = "POST"
    json: dict[str, Any] | None = None


def tokenize(image: Picture, options: Mapping[str, Any]) -> Request[TokenizeResponse]:
    return _job("/tokenize", options, image=image)


def detokenize(visual_tokens: Sequence[int], options: Mapping[str, Any]) -> Request[ImagesResponse]:
    return _job("/detokenize", options, visual_tokens=list(visual_tokens))


def caption(image: Picture | None, options: Mapping[str, Any]) -> Request[CaptionResponse]:
    return _job("/caption", options, image=image)


def vqa(image: Picture | None, question: str, options: Mapping[str, Any]) -> Request[VqaResponse]:
    return _job("/vqa", options, image=image, question=question)


def generate(prompt: Prompt, options: Mapping[str, Any]) -> Request[ImagesResponse]:
    return _job("/generate", options, prompt=_prompt(prompt))


def estimate(job: Job, request: Mapping[str, Any]) -> Request[EstimateResponse]:
    image, prompt, options = request.get("image"), request.get("prompt"), dict(request)
    if image is not None:
        options["image"] = wire_of(image)
    if job == "generate" and prompt is not None:
        options["prompt"] = _prompt(prompt)
    return Request("/estimate", "application/json", json={"job": job, "request": options})


def models() -> Request[ModelList]:
    return Request("/models", "application/json", "GET")


def model(name: str) -> Request[ModelDetails]:
    return Request(_model_path(name), "application/json", "GET")


def change_model(name: str, action: Literal["load", "unload"]) -> Request[ModelDetails]:
    return Request(f"{_model_path(name)}/{action}", "application/json")


def health(probe: Probe) -> Request[Health]:
    return Request(f"/health/{probe}", "application/json", "GET")


def for_picture(request: Request[Any]) -> Request[PictureFile]:
    """The same job, answered with the one picture itself."""
    form = (request.json or {}).get("format", "png")
    return Request(request.path, f"image/{form}", request.method, request.json)


def for_events(request: Request[Any]) -> Request[Any]:
    """The same job, answered with events."""
    return Request(request.path, "text/event-stream", request.method, request.json)


def file_of(answer: httpx.Response) -> PictureFile:
    """The picture. Raises `unexpected_answer` for what is none, as the page of a proxy."""
    seed = answer.headers.get("x-seed")
    media_type = answer.headers.get("content-type", "")
    if not media_type.startswith("image/"):
        raise error_of_answer(answer)
    return PictureFile(answer.content, media_type, None if seed is None else int(seed))


def _model_path(name: str) -> str:
    """Raises `request_unsendable` for what no path can hold: dots would lead elsewhere, none to the list of all."""
    if name in ("", ".", ".."):
        raise LavitError("request_unsendable", f"the request cannot be sent: {name!r} is no name of a model")
    try:
        return f"/models/{quote(name, safe='')}"
    except UnicodeEncodeError as cause:
        raise LavitError("request_unsendable", f"the request cannot be sent: {cause}") from cause


def _job(path: str, options: Mapping[str, Any], image: Picture | None = None, **more: Any) -> Request[Any]:
    picture = {} if image is None else {"image": wire_of(image)}
    return Request(path, "application/json", json={**options, **more, **picture})


def _prompt(prompt: Prompt) -> str | list[Any]:
    return prompt if isinstance(prompt, str) else [_part(part) for part in prompt]


def _part(part: Any) -> Any:
    return {**part, "image": wire_of(part["image"])} if part["type"] == "image" else part
