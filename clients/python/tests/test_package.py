"""What the package says of itself, and that its parts say the same."""
from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, SCENE

import lavit_client

HERE = Path(__file__).parents[1]
READMES = (HERE / "README.md").read_text() + (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```", READMES, re.MULTILINE | re.DOTALL)
AWAITED = {
    r"async def __a(\w+)": r"def __\1",
    r"async (def|for) ": r"\1 ",
    r"await ": "",
    r"AsyncGenerator\[(\w+), None\]": r"Generator[\1, None, None]",
    r"AsyncGenerator": "Generator",
    r"AsyncClient": "Client",
    r"aclose": "close",
    r"\.a(iter_sse|read)\(": r".\1(",
    r"asyncio": "time",
    r"that are awaited": "that wait for their answers",
    r", awaited": "",
}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_readmes_run(
    snippet: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fixtures = tmp_path / "test/fixtures"
    fixtures.mkdir(parents=True)
    for folder in (tmp_path, fixtures):
        shutil.copy(SCENE, folder)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet.replace("http://127.0.0.1:8080", url), "README.md", "exec"), {})
    told = capsys.readouterr().out
    for answer in re.findall(r"^ *print\(.*\)  # (.+)$", snippet, re.MULTILINE):
        assert answer in told


def test_both_clients_are_one_text() -> None:
    package = HERE / "src/lavit_client"
    text = (package / "async_client.py").read_text()
    for pattern, replacement in AWAITED.items():
        text = re.sub(pattern, replacement, text)
    assert text == (package / "client.py").read_text()


def test_types_travel_with_the_package() -> None:
    assert (Path(lavit_client.__file__).parent / "py.typed").exists()
