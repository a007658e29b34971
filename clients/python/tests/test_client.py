"""The client against a running server with the model that the repository ships."""
from __future__ import annotations

import base64
import math
import pickle
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import cast

import httpx
import pytest
from conftest import SCENE

from lavit_client import AsyncClient, Client, LavitError, Picture, Prompt, bytes_of
from lavit_client.schema import GenerateOptions

QUESTION = "how many objects are there?"
LONG: GenerateOptions = {"steps": 50, "n": 8}


@pytest.fixture
def lavit(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


def test_a_picture_may_be_given_in_any_form(lavit: Client) -> None:
    answer = lavit.tokenize(SCENE)
    assert answer["usage"] == {"visual_tokens": len(answer["visual_tokens"]), "patches": 64}
    data = SCENE.read_bytes()
    encoded = base64.b64encode(data).decode()
    with SCENE.open("rb") as file:
        forms: list[Picture] = [
            data,
            bytearray(data),
            memoryview(data),
            file,
            encoded,
            f"data:image/png;base64,{encoded}",
            {"ref": answer["image_ref"]},
        ]
        for form in forms:
            assert lavit.tokenize(form)["visual_tokens"] == answer["visual_tokens"], type(form)


def test_every_job_in_json(lavit: Client) -> None:
    assert lavit.vqa(SCENE, question=QUESTION)["answers"][0]["text"] == "two"
    caption = lavit.caption(SCENE, num_beams=1, seed=1)
    assert "dog" in caption["captions"][0]["text"]
    assert lavit.caption(SCENE, num_beams=1, seed=1)["captions"] == caption["captions"]
    tokens = lavit.tokenize(SCENE)["visual_tokens"]
    assert lavit.caption(visual_tokens=tokens)["approximate"] is True
    assert lavit.detokenize(tokens, seed=7)["images"][0]["visual_tokens"] == tokens
    parts: Prompt = [{"type": "image", "image": SCENE}, {"type": "text", "text": "on a red background"}]
    assert len(lavit.generate(parts, seed=7, n=2)["images"]) == 2


def test_pictures_come_as_files(lavit: Client) -> None:
    kept = lavit.tokenize_picture(SCENE)
    assert (kept.media_type, kept.data[:4], kept.seed) == ("image/png", b"\x89PNG", None)
    painted = lavit.generate_picture("a rocket on a blue background", seed=7, format="webp")
    assert (painted.media_type, painted.data[8:12], painted.seed) == ("image/webp", b"WEBP", 7)
    [told] = lavit.generate("a rocket on a blue background", seed=7, format="webp")["images"]
    assert bytes_of(told) == painted.data
    assert lavit.detokenize_picture(told["visual_tokens"]).media_type == "image/png"


def test_streams_end_with_the_whole_answer(lavit: Client) -> None:
    text = ""
    for event in lavit.caption_stream(SCENE, num_beams=1, seed=1):
        if event["event"] == "token":
            text += event["data"]["delta"]
        elif event["event"] == "done":
            assert event["data"]["captions"][0]["text"] == text
            assert event["data"]["captions"] == lavit.caption(SCENE, num_beams=1, seed=1)["captions"]
    assert "dog" in text
    events = list(lavit.generate_stream("a rocket", seed=7, steps=4, previews=1))
    counts = Counter(event["event"] for event in events)
    assert (counts["preview"], counts["step"], counts["done"]) == (1, 4, 1)
    answer = list(lavit.vqa_stream(SCENE, question=QUESTION))[-1]
    assert answer["event"] == "done" and answer["data"]["answers"][0]["text"] == "two"


def test_errors_are_problems(lavit: Client) -> None:
    with pytest.raises(LavitError, match="top_p") as refused:
        lavit.generate("a dog", top_p=2)
    error = refused.value
    assert (error.status, error.code, error.errors[0]["pointer"]) == (422, "invalid_field", "/top_p")
    assert error.request_id and error.problem and error.retry_after is None
    assert code_of(lambda: lavit.tokenize(b"no picture")) == "unsupported_media_type"
    assert code_of(lambda: lavit.caption({"ref": "img_none"})) == "image_ref_expired"
    assert code_of(lambda: list(lavit.caption_stream(SCENE, top_k=-1))) == "invalid_field"
    assert code_of(lambda: list(lavit.generate_stream("a dog", deadline_ms=100, steps=50, n=8))) == "deadline_exceeded"
    assert code_of(lambda: lavit.with_options(timeout=0.1).generate("a dog", **LONG)) == "timed_out"
    with pytest.raises(OSError):
        lavit.tokenize(Path("/nowhere.png"))


def test_whoever_leaves_ends_the_work(lavit: Client, url: str) -> None:
    before = count_of_left(url)
    for event in lavit.generate_stream("a dog", **LONG):
        if event["event"] == "step":
            break
    wait_for_left(url, before + 1)
    with closing(lavit.generate_stream("a dog", **LONG)) as events:
        next(events)
    wait_for_left(url, before + 2)


def test_what_a_job_would_come_to(lavit: Client) -> None:
    seen = lavit.tokenize(SCENE)
    told = lavit.estimate("caption", image={"ref": seen["image_ref"]})
    assert told["usage"]["visual_tokens"] == len(seen["visual_tokens"]) and told["cost"] > 0
    parts: Prompt = [{"type": "image", "image": SCENE}, {"type": "text", "text": "on a red background"}]
    assert lavit.estimate("generate", prompt=parts)["job"] == "generate"
    assert lavit.estimate("caption", image=SCENE, prompt="a dog")["job"] == "caption"
    assert code_of(lambda: lavit.estimate("vqa", image=SCENE, question="")) == "invalid_field"


def test_models_and_health(lavit: Client) -> None:
    assert lavit.models()["default"] == "lavit-mini"
    assert lavit.model("lavit-mini")["state"] == "ready"
    assert code_of(lambda: lavit.model("no/such")) == "model_not_found"
    assert lavit.health() == lavit.health("startup") == {"status": "ok"}
    assert code_of(lambda: lavit.unload_model("lavit-mini")) == "forbidden"


def test_a_key_is_sent(strict_url: str) -> None:
    with Client(strict_url + "/") as client:
        assert code_of(client.models) == "unauthorized"
        headers = {"x-request-id": "of-the-client"}
        assert client.with_options(api_key="secret").load_model("lavit-mini")["state"] == "ready"
        with pytest.raises(LavitError) as refused:
            client.with_options(api_key="secret", headers=headers).model("none")
        assert refused.value.request_id == "of-the-client"


def test_what_is_refused_for_a_while_is_tried_again(strict_url: str) -> None:
    statuses: list[int] = []
    hooks = {"response": [lambda answer: statuses.append(answer.status_code)]}
    with httpx.Client(event_hooks=hooks) as http, Client(strict_url, http=http, api_key="secret") as lavit:
        events = lavit.generate_stream("a dog", steps=50, n=2)
        next(events)  # the one place is taken
        assert code_of(lambda: lavit.with_options(retries=0).caption(SCENE)) == "queue_full"
        assert code_of(lambda: lavit.with_options(longest_pause=0.5).caption(SCENE)) == "queue_full"
        leaving = threading.Thread(target=list, args=[events])
        leaving.start()
        assert lavit.with_options(retries=20).caption(SCENE)["captions"]
        leaving.join()
    assert statuses[:4] == [200, 429, 429, 429] and statuses[-1] == 200


def test_what_no_server_of_this_kind_answers() -> None:
    event_stream = {"content-type": "text/event-stream"}
    short = {"code": "slow_down", "detail": "too much"}  # without its status and request
    answers = [
        httpx.Response(502, text="<h1>Bad gateway</h1>", headers={"x-request-id": "of-a-proxy"}),
        httpx.Response(200, text="<h1>Welcome</h1>"),
        httpx.Response(301, text="<h1>Moved</h1>", headers={"location": "https://elsewhere/caption"}),
        httpx.Response(503, headers={"retry-after": "Sat, 28 Nov 2026 00:00:00 GMT"}),
        httpx.Response(200, json={"models": []}),
        httpx.Response(429, json=short, headers={"retry-after": "0"}),
        httpx.Response(200, json={"models": []}),
        httpx.Response(400, json=short, headers={"x-request-id": "a"}),
        httpx.Response(400, json={**short, "detail": 1}),
        httpx.Response(503, text="no"),
        httpx.Response(200, text='event: queued\ndata: {"position": 0}\n\n', headers=event_stream),
        httpx.Response(200, text="event: token\ndata: {\n\n", headers=event_stream),
        httpx.Response(200, text='event: error\ndata: {"no": "problem"}\n\n', headers=event_stream),
        httpx.Response(200, text="<h1>Log in</h1>", headers={"content-type": "text/html"}),
        httpx.Response(200, text="<h1>Log in</h1>", headers={"content-type": "text/html"}),
        httpx.Response(200, stream=Garbled(), headers={"content-encoding": "gzip"}),
    ]
    transport = httpx.MockTransport(lambda _request: answers.pop(0))
    with Client(http=httpx.Client(transport=transport)) as lavit:
        with pytest.raises(LavitError, match="Bad gateway") as refused:
            lavit.models()
        assert (refused.value.status, refused.value.request_id) == (502, "of-a-proxy")
        assert code_of(lavit.models) == "unexpected_answer"
        with pytest.raises(LavitError, match="^the answer is 301 to https://elsewhere/caption: <h1>Moved") as refused:
            lavit.caption(b"")
        assert (refused.value.status, refused.value.code) == (301, "unexpected_answer")
        for _ in range(2):
            assert lavit.models()["models"] == []
        with pytest.raises(LavitError, match="too much") as refused:
            lavit.models()
        assert (refused.value.code, refused.value.status, refused.value.request_id) == ("slow_down", 400, "a")
        for _ in range(2):
            assert code_of(lavit.models) == "unexpected_answer"
        assert code_of(lambda: list(lavit.caption_stream(b""))) == "stream_broken"
        for _ in range(2):
            assert code_of(lambda: list(lavit.caption_stream(b""))) == "unexpected_answer"
        with pytest.raises(LavitError, match="Log in") as refused:
            list(lavit.caption_stream(b""))
        assert (refused.value.status, refused.value.code) == (200, "unexpected_answer")
        assert code_of(lambda: lavit.generate_picture("a dog")) == "unexpected_answer"
        assert code_of(lavit.models) == "unexpected_answer"
    with Client("http://127.0.0.1:1", retries=1) as nobody:
        assert code_of(nobody.models) == "connection_failed"


def test_retry_after_is_a_number_of_seconds_or_a_date_or_counts_as_none() -> None:
    def told(header: str) -> float | None:
        transport = httpx.MockTransport(lambda _request: httpx.Response(400, headers={"retry-after": header}))
        with Client(http=httpx.Client(transport=transport)) as lavit, pytest.raises(LavitError) as refused:
            lavit.models()
        return refused.value.retry_after

    seconds = {"7": 7, "1.5": 1.5, "0": 0, "Sat, 28 Nov 1998 00:00:00 GMT": 0}
    assert {header: told(header) for header in seconds} == seconds
    in_a_minute = told(formatdate(time.time() + 60, usegmt=True))
    assert in_a_minute is not None and 55 < in_a_minute <= 60
    no_years = "Sat, 28 Nov 99999999999999999999 00:00:00 GMT"
    for header in ("", "-1", "1.", ".5", "1e3", "1, 2", "1-2", "2026-11-28", "soon", "Infinity", no_years):
        assert told(header) is None, header


class Garbled(httpx.SyncByteStream):
    """A body that is not encoded as its headers say."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"no gzip"


def test_headers_replace_those_of_the_client_in_any_case() -> None:
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200, json={})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    headers = {"Authorization": "Basic abc", "ACCEPT": "application/json;q=1"}
    with Client(http=http, api_key="secret", headers=headers) as lavit:
        lavit.models()
    assert sent[0].get_list("authorization") == ["Basic abc"]
    assert sent[0].get_list("accept") == ["application/json;q=1"]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_no_request_can_be_sent_with_is_refused_before_any(kind: type[Client | AsyncClient]) -> None:
    for url in ("http://[::1", "http://127.0.0.1:port", "http://a\nb"):
        with pytest.raises(ValueError, match="^url is no URL: "):
            kind(url)
    for key in ("schl\u00fcssel-\u20ac", "\u30ad\u30fc", "two\nlines", "line\n", ""):
        with pytest.raises(ValueError, match="^api_key must be .* Latin-1") as refused:
            kind(api_key=key)
        assert not isinstance(refused.value, UnicodeError)
        with pytest.raises(ValueError, match="^api_key must be"):
            kind().with_options(api_key=key)
    for url in ("localhost:8080", "127.0.0.1:8080", "", "foo", "ftp://x", "//x", "http://"):
        with pytest.raises(ValueError, match="^url must begin with http:// or https://"):
            kind(url)
    for url in ("http://x?a=b", "http://x/y#z", "http://x?", "http://x/#"):
        with pytest.raises(ValueError, match="^url must end with the path"):
            kind(url)
    with pytest.raises(ValueError, match="^url must hold no name or password beside an api_key"):
        kind("http://me:word@x", api_key="secret")
    kind("http://me:word@x")  # of a proxy
    for headers in ({"x-a": "\u20ac"}, {"x-a": "two\nlines"}, {"x-a": " a"}, {"x a": "a"}, {"": "a"}):
        with pytest.raises(ValueError, match="^headers: .* must be a name, its value Latin-1") as refused:
            kind(headers=headers)
        assert not isinstance(refused.value, UnicodeError)
        with pytest.raises(ValueError, match="^headers: "):
            kind().with_options(headers=headers)


def test_what_json_cannot_hold_is_refused_before_it_is_sent() -> None:
    transport = httpx.MockTransport(lambda _request: pytest.fail("was sent"))
    with Client(http=httpx.Client(transport=transport)) as lavit:
        calls: list[Callable[[], object]] = [
            lambda: lavit.generate("a dog", top_p=math.nan),
            lambda: lavit.generate("a dog \ud83d"),
            lambda: lavit.detokenize([cast(int, object())]),
            lambda: lavit.generate_picture("a dog", top_p=math.inf),
            lambda: list(lavit.caption_stream(b"", prompt="\ud83d")),
            lambda: lavit.estimate("generate", prompt="a dog", top_p=math.nan),
            lambda: lavit.model("a" * 100_000),
        ]
        for call in calls:
            with pytest.raises(LavitError, match="^the request cannot be sent: ") as refused:
                call()
            assert (refused.value.code, refused.value.status) == ("request_unsendable", 0)
            assert refused.value.__cause__ is not None


def test_names_that_no_path_holds_are_refused_before_they_are_sent() -> None:
    transport = httpx.MockTransport(lambda _request: pytest.fail("was sent"))
    with Client(http=httpx.Client(transport=transport)) as lavit:
        for name in ("", ".", "..", "\ud83d"):
            for call in (lavit.model, lavit.load_model, lavit.unload_model):
                with pytest.raises(LavitError, match="^the request cannot be sent: ") as refused:
                    call(name)
                assert (refused.value.code, refused.value.status) == ("request_unsendable", 0)


def test_a_key_and_headers_of_latin_1_are_sent() -> None:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.extend(value for name, value in request.headers.raw if name.lower() in (b"authorization", b"x-a", b"x-b"))
        return httpx.Response(200, json={})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    with Client(http=http, api_key="schl\u00fcssel", headers={"X-A": "\u00fc", "x-b": ""}) as lavit:
        lavit.models()
    assert sent == [b"Bearer schl\xfcssel", b"\xfc", b""]


def test_an_error_crosses_processes() -> None:
    body = {"code": "invalid_field", "detail": "no", "status": 422, "request_id": "a", "errors": [{"pointer": "/n"}]}
    transport = httpx.MockTransport(lambda _request: httpx.Response(422, json=body))
    with Client(http=httpx.Client(transport=transport)) as lavit, pytest.raises(LavitError) as refused:
        lavit.models()
    copied = pickle.loads(pickle.dumps(refused.value))
    assert (type(copied), str(copied), vars(copied)) == (LavitError, "no", vars(refused.value))
    assert copied.errors == [{"pointer": "/n"}]


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(LavitError) as refused:
        call()
    return refused.value.code


def count_of_left(url: str) -> int:
    """How many paintings ended with their client."""
    line = r'lavit_request_duration_seconds_count{route="/generate",method="POST",status="499"} (\d+)'
    told = re.search(line, httpx.get(f"{url}/metrics").text)
    return int(told[1]) if told else 0


def wait_for_left(url: str, count: int) -> None:
    while count_of_left(url) < count:
        time.sleep(0.02)
