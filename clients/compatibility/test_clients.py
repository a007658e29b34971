"""OpenAI's client and an agent of LangChain on the server at LAVIT_URL."""
import asyncio
import base64
import json
import os
import re
import time
from pathlib import Path
from urllib.request import Request, urlopen

import openai
import pytest
from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "test/fixtures"
SCENE, APPLE = FIXTURES / "scene.png", FIXTURES / "apple.png"
MODEL = "lavit-mini"
QUESTION = "how many objects are there?"
SERVER = os.environ["LAVIT_URL"]
URL = f"{SERVER}/v1"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/clients.md").read_text(), re.MULTILINE | re.DOTALL)
client = openai.OpenAI(base_url=URL, api_key="none", max_retries=0)


def ask(text=None, path=SCENE):
    data = base64.b64encode(path.read_bytes()).decode()
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return [{"role": "user", "content": [picture] if text is None else [picture, {"type": "text", "text": text}]}]


def tokens_of(path):
    with urlopen(Request(f"{SERVER}/tokenize", path.read_bytes(), {"content-type": "image/png"})) as answer:
        return json.load(answer)["visual_tokens"]


def is_png(data):
    return base64.b64decode(data)[:4] == b"\x89PNG"


def test_openai_a_question_about_a_picture():
    answer = client.chat.completions.create(model=MODEL, messages=ask(QUESTION))
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("two", "stop")
    image_tokens = answer.usage.prompt_tokens_details.image_tokens
    assert image_tokens == len(tokens_of(SCENE)) and answer.usage.prompt_tokens > image_tokens


def test_openai_a_streamed_caption():
    options = {"model": MODEL, "messages": ask(), "temperature": 0, "seed": 1}
    chunks = list(client.chat.completions.create(**options, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    whole = client.chat.completions.create(**options)
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) > 3
    assert chunks[-1].usage == whole.usage


def test_openai_awaited():
    async def run():
        async with openai.AsyncOpenAI(base_url=URL, api_key="none") as client:
            stream = await client.chat.completions.create(model=MODEL, messages=ask(), temperature=0, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert "dog" in asyncio.run(run())


def test_openai_paints_with_pictures_on_the_way():
    painted = client.images.generate(model=MODEL, prompt="an apple on a blue background", size="96x96")
    assert is_png(painted.data[0].b64_json) and painted.usage.input_tokens_details.image_tokens == 0
    stream = client.images.generate(
        model=MODEL, prompt="three apples on a blue background", stream=True, partial_images=2, extra_body={"seed": 7}
    )
    events = list(stream)
    *on_the_way, last = [event.type.split(".")[1] for event in events]
    assert last == "completed"
    assert on_the_way in (["partial_image"], ["partial_image"] * 2)  # a short picture has fewer on its way
    assert all(is_png(event.b64_json) for event in events) and events[-1].usage.output_tokens > 0


def test_openai_paints_pictures_anew():
    one = client.images.edit(model=MODEL, image=APPLE, prompt="on a red background")
    with SCENE.open("rb") as scene:
        several = client.images.edit(model=MODEL, image=[scene, APPLE.read_bytes()], prompt="on a red background")
    assert is_png(one.data[0].b64_json) and is_png(several.data[0].b64_json)
    tokens = [answer.usage.input_tokens_details.image_tokens for answer in (one, several)]
    assert 0 < tokens[0] < tokens[1]


def test_openai_models():
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == "lavit"


def test_openai_errors_are_readable():
    with pytest.raises(openai.NotFoundError, match="gpt") as unknown:
        client.chat.completions.create(model="gpt", messages=ask(QUESTION))
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.UnprocessableEntityError, match="must hold a picture") as refused:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])
    assert refused.value.param == "messages"
    with pytest.raises(openai.BadRequestError, match="logprobs"):
        client.chat.completions.create(model=MODEL, messages=ask(QUESTION), logprobs=True)


chat = ChatOpenAI(model=MODEL, base_url=URL, api_key="none", temperature=0, max_retries=0)


def test_langchain_chat():
    answer = chat.invoke(ask(QUESTION))
    assert answer.content == "two"
    assert answer.usage_metadata["input_tokens"] > 16
    pieces = list((chat | StrOutputParser()).stream(ask()))
    assert "dog" in "".join(pieces) and len(pieces) > 3
    assert [answer.content for answer in chat.batch([ask(QUESTION), ask(QUESTION)])] == ["two", "two"]


def test_langchain_agent():
    def paint(prompt: str) -> str:
        """Paints a picture."""
        return prompt

    agent = create_agent(chat, tools=[paint], system_prompt="You answer questions about pictures.")
    messages = agent.invoke({"messages": ask(QUESTION)})["messages"]
    assert messages[-1].content == "two"


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_guide(snippet, monkeypatch, capsys, tmp_path):
    (tmp_path / "test").symlink_to(ROOT / "test")
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet.replace("http://127.0.0.1:8080", SERVER), "docs/clients.md", "exec"), {})
    for answer in re.findall(r"^ *print\(.*\)  # (.+)$", snippet, re.MULTILINE):
        assert answer in capsys.readouterr().out


def test_openai_a_file_of_requests():
    bodies = {"a": {"messages": ask(QUESTION)}, "b": {"messages": [{"role": "user", "content": "hello"}]}}
    asked = {"method": "POST", "url": "/v1/chat/completions"}
    lines = [{"custom_id": name, **asked, "body": body} for name, body in bodies.items()]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    sent = client.files.create(file=("requests.jsonl", text.encode()), purpose="batch")
    asked = {"input_file_id": sent.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = client.batches.create(**asked, metadata={"of": "a test"})
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        time.sleep(0.05)
        batch = client.batches.retrieve(batch.id)
    counts = batch.request_counts
    assert (batch.status, counts.total, counts.completed, counts.failed) == ("completed", 2, 1, 1)
    [row] = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
    assert (row["custom_id"], row["response"]["body"]["choices"][0]["message"]["content"]) == ("a", "two")
    [row] = [json.loads(row) for row in client.files.content(batch.error_file_id).text.splitlines()]
    assert (row["custom_id"], row["response"]["status_code"]) == ("b", 422)
    assert batch.id in [known.id for known in client.batches.list(limit=1)]
    assert client.files.delete(sent.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(sent.id)
