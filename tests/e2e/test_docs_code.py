"""What the manual says to run does run: every fenced block of these pages, from top to bottom, in a scratch copy of the project.

```bash blocks run as they stand. A block with `title="PATH"` is a file that the reader writes; any other ```python block is a script.
To be quick, trainings are cut down to one epoch of a small network, and sample motions to three actions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGES = ("adding.md", "api.md", "datasets.md", "file-format.md", "from-unity.md", "index.md", "your-own-mocap.md")
PACKAGES = ("schemas", "mocapgen", "trainer")
_BLOCK = re.compile(r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    title: str | None
    text: str


def blocks(page: str) -> list[Block]:
    found = [Block(match["language"], match["title"], match["text"]) for match in _BLOCK.finditer(page)]
    return [block for block in found if block.title or block.language in ("bash", "python")]


def command(block: Block, folder: Path) -> list[str]:
    if block.language == "python":
        script = folder / "block.py"
        script.write_text(block.text, encoding="utf-8")
        return [sys.executable, str(script)]
    text = re.sub(r"^trainer fit .*$", short_training, block.text, flags=re.MULTILINE)
    text = re.sub(r"^mocapgen sample (\S+) --format bvh$", r"\g<0>\nrm -r \1/*/[!hkw]*", text, flags=re.MULTILINE)
    return ["bash", "-e", "-o", "pipefail", "-c", text]


def short_training(line: re.Match[str]) -> str:
    """One epoch shows that a training runs; how good it gets is measured elsewhere."""
    return f"{line[0]} --epochs 1" + ("" if "--model" in line[0] else " --model cvmnet --set model_settings.width=32")


@pytest.fixture
def clone(tmp_path: Path, repository: Path) -> Path:
    """A scratch copy of the packages, compiled modules included, as somebody who adds to them has it."""
    for package in PACKAGES:
        shutil.copytree(repository / package, tmp_path / package)
    return tmp_path


@pytest.mark.parametrize("name", PAGES)
def test_every_block_of_the_page_runs(name: str, clone: Path, repository: Path) -> None:
    found = blocks((repository / "docs" / name).read_text(encoding="utf-8"))
    assert found
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {
        **os.environ,
        "PYTHONPATH": str(clone),
        "PATH": path,
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "BROWSER": "true",
        "PYTHONWARNINGS": "error",
    }
    for block in found:
        if block.title:
            file = clone / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            continue
        done = subprocess.run(
            command(block, clone), cwd=clone, env=environment, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"docs/{name}:\n{block.text}\n{done.stdout}\n{done.stderr}"


def test_blocks_are_told_apart():
    page = 'text\n```python title="a/b.py"\nx = 1\n```\n```bash\ntrue\nfalse\n```\n```matlab\nx\n```\n```python\nprint()\n```\n'
    assert blocks(page) == [Block("python", "a/b.py", "x = 1\n"), Block("bash", None, "true\nfalse\n"), Block("python", None, "print()\n")]
    assert (
        command(Block("bash", None, "trainer fit a.h5 --out b\nls\n"), Path())[-1]
        == "trainer fit a.h5 --out b --epochs 1 --model cvmnet --set model_settings.width=32\nls\n"
    )
    assert command(Block("bash", None, "mocapgen sample own --format bvh\n"), Path())[-1] == "mocapgen sample own --format bvh\nrm -r own/*/[!hkw]*\n"
