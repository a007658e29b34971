"""Calls that are awaited."""
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar, cast

import httpx
from httpx_sse import EventSource
from typing_extensions import Self, Unpack

from . import requests
from .errors import error_of_answer, error_of_failure
from .events import is_event_stream, read_event, stream_broken
from .pictures import Picture, PictureFile
from .requests import CaptionEvent, GenerateEvent, Job, Probe, Prompt, Request, VqaEvent
from .schema import (
    CaptionOptions,
    CaptionResponse,
    DetokenizeOptions,
    EstimateResponse,
    GenerateOptions,
    Health,
    ImagesResponse,
    ModelDetails,
    ModelList,
    TokenizeOptions,
    TokenizeResponse,
    VqaOptions,
    VqaResponse,
)
from .settings import Options, Settings

Answer = TypeVar("Answer")


class AsyncClient:
    """The calls of one server, awaited. Each raises `LavitError`.

    `url`: where the server is, below whatever path. `http` replaces the connections, for proxies, certificates and the
    like; it stays open.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        http: httpx.AsyncClient | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._settings = Settings(url, **options)
        self._owns_http = http is None
        self._http = http or httpx.AsyncClient()

    def with_options(self, **options: Unpack[Options]) -> Self:
        """The same client with other options, over the same connections, which stay open when it is closed."""
        other = type(self)(self._settings.url, http=self._http)
        other._settings = replace(self._settings, **options)
        return other

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def tokenize(self, image: Picture, **options: Unpack[TokenizeOptions]) -> TokenizeResponse:
        """The visual tokens of a picture."""
        return await self._json(requests.tokenize(image, options))

    async def tokenize_picture(self, image: Picture, **options: Unpack[TokenizeOptions]) -> PictureFile:
        """The picture as PNG, the patches that become no token dimmed."""
        return await self._picture(requests.tokenize(image, options))

    async def detokenize(self, visual_tokens: Sequence[int], **options: Unpack[DetokenizeOptions]) -> ImagesResponse:
        """A picture painted of visual tokens, in base64 beside what is known of it."""
        return await self._json(requests.detokenize(visual_tokens, options))

    async def detokenize_picture(
        self, visual_tokens: Sequence[int], **options: Unpack[DetokenizeOptions]
    ) -> PictureFile:
        """The painted picture itself."""
        return await self._picture(requests.detokenize(visual_tokens, options))

    async def caption(self, image: Picture | None = None, **options: Unpack[CaptionOptions]) -> CaptionResponse:
        """What a picture shows; it may be given as `visual_tokens`, too."""
        return await self._json(requests.caption(image, options))

    def caption_stream(
        self, image: Picture | None = None, **options: Unpack[CaptionOptions]
    ) -> AsyncGenerator[CaptionEvent, None]:
        """Events, `done` with the whole answer last; the event `error` is raised."""
        return self._events(requests.caption(image, options))

    async def vqa(
        self, image: Picture | None = None, *, question: str, **options: Unpack[VqaOptions]
    ) -> VqaResponse:
        """The answer to a question about a picture; it may be given as `visual_tokens`, too."""
        return await self._json(requests.vqa(image, question, options))

    def vqa_stream(
        self, image: Picture | None = None, *, question: str, **options: Unpack[VqaOptions]
    ) -> AsyncGenerator[VqaEvent, None]:
        """Events, as of `caption_stream`."""
        return self._events(requests.vqa(image, question, options))

    async def generate(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> ImagesResponse:
        """Pictures painted of words, or of words, pictures and visual tokens in order."""
        return await self._json(requests.generate(prompt, options))

    async def generate_picture(self, prompt: Prompt, **options: Unpack[GenerateOptions]) -> PictureFile:
        """The one painted picture itself."""
        return await self._picture(requests.generate(prompt, options))

    def generate_stream(
        self, prompt: Prompt, **options: Unpack[GenerateOptions]
    ) -> AsyncGenerator[GenerateEvent, None]:
        """Events, as of `caption_stream`; `previews` asks for pictures on the way."""
        return self._events(requests.generate(prompt, options))

    async def estimate(self, job: Job, **request: Any) -> EstimateResponse:
        """What a job would come to: its tokens, its cost and the time until its answer. Nothing is done."""
        return await self._json(requests.estimate(job, request))

    async def models(self) -> ModelList:
        return await self._json(requests.models())

    async def model(self, name: str) -> ModelDetails:
        return await self._json(requests.model(name))

    async def load_model(self, name: str) -> ModelDetails:
        """Answers when the model is ready. Needs a key with the scope `admin`, as `unload_model` does."""
        return await self._json(requests.change_model(name, "load"))

    async def unload_model(self, name: str) -> ModelDetails:
        return await self._json(requests.change_model(name, "unload"))

    async def health(self, probe: Probe = "ready") -> Health:
        """Raises `LavitError` at once where the answer is no; `ready` says whether work is taken."""
        return await self.with_options(retries=0)._json(requests.health(probe))

    async def _json(self, request: Request[Answer]) -> Answer:
        answer = await self._send(request)
        try:
            return cast(Answer, answer.json())
        except ValueError:
            raise error_of_answer(answer) from None

    async def _picture(self, request: Request[Any]) -> PictureFile:
        return requests.file_of(await self._send(requests.for_picture(request)))

    async def _events(self, request: Request[Any]) -> AsyncGenerator[Any, None]:
        answer = await self._send(requests.for_events(request), stream=True)
        try:
            if not is_event_stream(answer):
                await answer.aread()
                raise error_of_answer(answer)
            async for message in EventSource(answer).aiter_sse():
                event = read_event(message)
                yield event
                if event["event"] == "done":
                    return
        except httpx.RequestError as cause:
            raise stream_broken(cause) from cause
        finally:
            await answer.aclose()
        raise stream_broken()

    async def _send(self, request: Request[Any], stream: bool = False) -> httpx.Response:
        """The answer of success, of a stream its head."""
        failures = 0
        while True:
            try:
                sent = self._settings.build(self._http, request)
                answer = await self._http.send(sent, stream=stream)
                if answer.is_success:
                    return answer
                await answer.aread()
                error = error_of_answer(answer)
            except httpx.RequestError as cause:
                error = error_of_failure(cause)
            pause = self._settings.pause_before(error, failures)
            if pause is None:
                raise error
            await asyncio.sleep(pause)
            failures += 1
