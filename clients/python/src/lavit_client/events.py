"""Events of streamed answers."""
from __future__ import annotations

from typing import Any

import httpx
from httpx_sse import ServerSentEvent

from .errors import LavitError, error_of_problem


def is_event_stream(answer: httpx.Response) -> bool:
    """Whether it is what was asked for, not the page of a proxy."""
    return str(answer.headers.get("content-type", "")).startswith("text/event-stream")


def read_event(message: ServerSentEvent) -> dict[str, Any]:
    """The event as a dictionary. Raises the problem of the event `error`."""
    try:
        data = message.json()
        if message.event == "error":
            raise error_of_problem(data)
    except (ValueError, KeyError, TypeError):  # of another program at this address
        raise LavitError("unexpected_answer", f"the event is {message.data[:200]}") from None
    return {"event": message.event, "data": data}


def stream_broken(cause: httpx.RequestError | None = None) -> LavitError:
    """The error of a stream without its last event."""
    if isinstance(cause, httpx.TimeoutException):
        return LavitError("timed_out", "the server was silent for too long")
    return LavitError("stream_broken", "the answer ended before it was done")
