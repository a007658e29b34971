"""How requests are sent, and when they are tried again."""
from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from typing_extensions import TypedDict

from .errors import LavitError
from .requests import Request

HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
HEADER_TEXT = re.compile(r"[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?")


class Options(TypedDict, total=False):
    """What a client may be told."""

    api_key: str
    """Sent as bearer token: Latin-1, since a header holds nothing else."""

    retries: int
    """Tries after the first; 2 if not given."""

    longest_pause: float
    """Seconds that a `Retry-After` may ask for; what asks for more is raised. 60 if not given."""

    timeout: httpx.Timeout | float | None
    """Longest silence, in seconds; 300, and 10 to connect, if not given. A job has `deadline_ms`, too."""

    headers: Mapping[str, str]
    """Beside the client's own, or in their place."""


@dataclass(frozen=True)
class Settings:
    """The same with their defaults, and the place of the server."""

    url: str
    api_key: str | None = None
    retries: int = 2
    longest_pause: float = 60.0
    timeout: httpx.Timeout | float | None = field(default_factory=lambda: httpx.Timeout(300, connect=10))
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises `ValueError` for what no request could be sent with."""
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as cause:
            raise ValueError(f"url is no URL: {cause}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("url must begin with http:// or https://, and name a host")
        if re.search("[?#]", self.url):  # also with nothing behind it
            raise ValueError("url must end with the path of the server: paths are put after it")
        if url.userinfo and self.api_key is not None:
            raise ValueError("url must hold no name or password beside an api_key, in whose place it would be sent")
        if self.api_key is not None and not HEADER_TEXT.fullmatch(self.api_key):
            raise ValueError("api_key must be text that a header can hold: Latin-1, in one line, no space around it")
        for name, value in self.headers.items():
            if not HEADER_NAME.fullmatch(name) or value and not HEADER_TEXT.fullmatch(value):
                raise ValueError(f"headers: {name!r} must be a name, its value Latin-1, one line, no space around it")

    def build(self, http: httpx.Client | httpx.AsyncClient, request: Request[Any]) -> httpx.Request:
        """The request as it is sent. Raises `request_unsendable` for what JSON or an address cannot hold."""
        key = {} if self.api_key is None else {"authorization": f"Bearer {self.api_key}"}
        headers = httpx.Headers({"accept": request.accept, **key}, encoding="latin-1")
        # in their place whatever the case of their names
        headers.update(httpx.Headers(self.headers, encoding="latin-1"))
        url = self.url.rstrip("/") + request.path
        try:
            return http.build_request(request.method, url, headers=headers, json=request.json, timeout=self.timeout)
        except (TypeError, ValueError, httpx.InvalidURL) as cause:
            raise LavitError("request_unsendable", f"the request cannot be sent: {cause}") from cause

    def pause_before(self, error: LavitError, failures: int) -> float | None:
        """Seconds before another try, None where there is none.

        A try does no harm: a request changes nothing on the server, which says by `Retry-After` when one is worth
        while. A little more keeps many clients apart.
        """
        if failures >= self.retries:
            return None
        if error.code == "connection_failed":
            return float(0.25 * 2**failures)
        if error.status not in (429, 503) or error.retry_after is None or error.retry_after > self.longest_pause:
            return None
        return error.retry_after * (1 + random.random() / 4)
