"""The awaited client: what is its own. Its calls are those of the other one."""
from __future__ import annotations

import asyncio
import math
from contextlib import aclosing

import httpx
import pytest
from conftest import SCENE
from test_client import LONG, QUESTION, count_of_left, wait_for_left

from lavit_client import AsyncClient, LavitError


def test_jobs_run_side_by_side(url: str) -> None:
    async def run() -> None:
        async with AsyncClient(url) as lavit:
            answer, painted, tokens = await asyncio.gather(
                lavit.vqa(SCENE, question=QUESTION), lavit.generate_picture("a rocket", seed=7), lavit.tokenize(SCENE)
            )
            assert answer["answers"][0]["text"] == "two"
            assert painted.seed == 7 and painted.data[:4] == b"\x89PNG"
            assert (await lavit.detokenize(tokens["visual_tokens"]))["images"]
            with pytest.raises(LavitError, match="top_p"):
                await lavit.generate("a dog", top_p=2)

    asyncio.run(run())


def test_streams_and_whoever_leaves_them(url: str) -> None:
    async def run() -> None:
        before = count_of_left(url)
        async with AsyncClient(url) as lavit:
            events = [event async for event in lavit.caption_stream(SCENE, num_beams=1)]
            assert [events[0]["event"], events[-1]["event"]] == ["queued", "done"]
            async for event in lavit.generate_stream("a dog", **LONG):
                if event["event"] == "step":
                    break
            await asyncio.to_thread(wait_for_left, url, before + 1)
            async with aclosing(lavit.generate_stream("a dog", **LONG)) as kept:
                await kept.__anext__()
            await asyncio.to_thread(wait_for_left, url, before + 2)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(lavit.generate("a dog", **LONG), 1.0)
            await asyncio.to_thread(wait_for_left, url, before + 3)

    asyncio.run(run())


def test_what_json_cannot_hold_is_refused_before_it_is_sent() -> None:
    async def run() -> None:
        transport = httpx.MockTransport(lambda _request: pytest.fail("was sent"))
        async with AsyncClient(http=httpx.AsyncClient(transport=transport)) as lavit:
            for prompt, top_p in (("a dog", math.nan), ("a dog \ud83d", 0.5)):
                with pytest.raises(LavitError) as refused:
                    await lavit.generate(prompt, top_p=top_p)
                assert refused.value.code == "request_unsendable"
                with pytest.raises(LavitError) as refused:
                    _ = [event async for event in lavit.generate_stream(prompt, top_p=top_p)]
                assert refused.value.code == "request_unsendable"

    asyncio.run(run())


def test_what_is_refused_for_a_while_is_tried_again(strict_url: str) -> None:
    async def run() -> None:
        async with AsyncClient(strict_url, api_key="secret", retries=20) as lavit:
            answers = await asyncio.gather(*[lavit.caption(SCENE, num_beams=1, seed=1) for _ in range(3)])
            texts = [answer["captions"][0]["text"] for answer in answers]
            assert len(set(texts)) == 1 and "dog" in texts[0]

    asyncio.run(run())
