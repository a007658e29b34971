"""The one error that calls raise."""
from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .schema import FieldError, Problem


class LavitError(Exception):
    """A call that failed.

    `code` is one of the server's (`schema.ErrorCode`, or that of a newer server), or of this client:
    `connection_failed`, `timed_out`, `stream_broken`, `unexpected_answer`, `request_unsendable`.
    `status` is that of the answer, or of the problem within a stream; 0 where there was no answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 0,
        request_id: str | None = None,
        retry_after: float | None = None,
        problem: Problem | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.request_id = request_id
        """The id under which the server's log tells of the request."""
        self.retry_after = retry_after
        """Seconds after which the server holds another try for worth while."""
        self.problem = problem
        """The document itself, where one came."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled whole, as between processes."""
        return type(self), (self.code, str(self)), dict(self.__dict__)

    @property
    def errors(self) -> list[FieldError]:
        """Each wrong field: a JSON pointer, and what is wrong with it."""
        return self.problem.get("errors", []) if self.problem else []


def error_of_answer(answer: httpx.Response) -> LavitError:
    """The error of an answer that is none of success, and has been read."""
    status, request_id = answer.status_code, answer.headers.get("x-request-id")
    retry_after = _retry_after(answer.headers.get("retry-after"))
    try:
        return error_of_problem(answer.json(), status, request_id, retry_after)
    except (ValueError, KeyError, TypeError):  # of a proxy, or of another program at this address
        return LavitError(
            "unexpected_answer",
            f"the answer is {status}{_target(answer)}: {answer.text[:200]}",
            status=status,
            request_id=request_id,
            retry_after=retry_after,
        )


def _target(answer: httpx.Response) -> str:
    """Where a redirect points."""
    location = answer.headers.get("location")
    return "" if location is None else f" to {location[:200]}"


def error_of_problem(
    problem: Problem, status: int = 0, request_id: str | None = None, retry_after: float | None = None
) -> LavitError:
    """The error of a problem. What one of a proxy leaves out is that of its answer."""
    code, detail = problem["code"], problem["detail"]
    if not isinstance(code, str) or not isinstance(detail, str):
        raise TypeError("no problem")
    return LavitError(
        code,
        detail,
        status=problem.get("status", status),
        request_id=problem.get("request_id", request_id),
        retry_after=retry_after,
        problem=problem,
    )


def error_of_failure(cause: httpx.RequestError) -> LavitError:
    if not isinstance(cause, httpx.TransportError):  # too many redirects, or a body that is not as its headers say
        return LavitError("unexpected_answer", f"the answer cannot be read: {cause}")
    if isinstance(cause, httpx.TimeoutException) and not isinstance(cause, httpx.ConnectTimeout):
        return LavitError("timed_out", "the server was silent for too long")
    return LavitError("connection_failed", f"the server did not answer: {cause}")


def _retry_after(header: str | None) -> float | None:
    """Of a number of seconds, or of a date, which proxies write; what is neither counts as none."""
    if header is None:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", header):
        return float(header)
    if not re.search("[A-Za-z]{3}", header):
        return None
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
