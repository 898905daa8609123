"""Standard output and error that are closed, full, or read by somebody who leaves: no bug, and what was to be built is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BUILD = "build --source sample --actors sa --actions walk --avatars average_man --workers 1 -v --out out.h5"


def in_a_shell(folder: Path, ending: str, command: str = BUILD) -> subprocess.CompletedProcess[str]:
    line = f"{sys.executable} -m mocapgen {command} {ending}"
    return subprocess.run(["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("ending", [">&-", "2>&-", ">&- 2>&- <&-", "| true", "2>&1 | head -1", "2>/dev/full"])
def test_what_was_to_be_built_is_built(tmp_path: Path, ending: str) -> None:
    done = in_a_shell(tmp_path, ending)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.h5").read_bytes()[:4] == b"\x89HDF"


def test_a_full_standard_output_is_said_once(tmp_path: Path) -> None:
    done = in_a_shell(tmp_path, ">/dev/full")
    assert (done.returncode, done.stderr) == (2, "mocapgen: error: standard output: No space left on device\n")
    assert (tmp_path / "out.h5").is_file()


def test_what_libraries_print_never_goes_into_a_file(tmp_path: Path) -> None:
    """With standard output closed, the first file that is opened would take its place."""
    code = "from mocapgen.shared.streams import outlive_readers as o; o(); f = open('a', 'w'); import os; os.write(1, b'x'); print(f.fileno() > 2)"
    subprocess.run(["bash", "-c", f'{sys.executable} -c "{code}" >&- 2>&-'], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "a").read_bytes() == b""


def test_an_error_that_nobody_can_read_has_its_status(tmp_path: Path) -> None:
    assert in_a_shell(tmp_path, "2>&-", "inspect none.h5").returncode == 2
