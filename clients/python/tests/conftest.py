"""The server that the tests ask: the one at LAVIT_URL, or the built one, started here. `npm run build` builds it."""
from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from lavit_client import Client, LavitError

ROOT = Path(__file__).parents[3]
SCENE = ROOT / "test/fixtures/scene.png"  # a dog above a rocket, on blue


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if "LAVIT_URL" in os.environ:
        yield os.environ["LAVIT_URL"]
    else:
        yield from start(tmp_path_factory.mktemp("server") / "log")


@pytest.fixture(scope="session")
def strict_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that takes one request at a time, of those who know the key `secret`."""
    folder = tmp_path_factory.mktemp("strict")
    keys = folder / "keys.json"
    key = {"name": "tests", "sha256": sha256(b"secret").hexdigest(), "scopes": ["infer", "admin"]}
    keys.write_text(json.dumps([key]))
    yield from start(folder / "log", LAVIT_KEYS_FILE=str(keys), LAVIT_QUEUE_LIMIT="1", LAVIT_ENGINES="1")


def start(log: Path, **environment: str) -> Iterator[str]:
    """The address of a built server, once its model is ready; it ends with the tests."""
    command = ["node", str(ROOT / "dist/server.js")]
    with log.open("w") as output:
        server = subprocess.Popen(command, env={**os.environ, "PORT": "0", **environment}, stdout=output)
    try:
        yield wait_until_ready(server, log)
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> str:
    while server.poll() is None:
        time.sleep(0.1)
        told = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        if told is None:
            continue
        with Client(told[0]) as client, suppress(LavitError):
            client.health()
            return told[0]
    raise RuntimeError("the server ended: " + log.read_text())
