"""Paths that name no motion-capture file: one line, at once, whatever is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import mocapgen
from mocapgen.formats.limits import MAX_BYTES
from schemas.errors import FormatError
from tests.formats.test_bad_sources import AMC, ASF

CONTENT = {
    "empty": b"",
    "zeros": bytes(2000),
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 9,
    "utf16": "HIERARCHY\n1\n".encode("utf-16"),
}


def refusal(path: Path, asf: Path | None = None) -> str:
    """Return the line that reading raises."""
    with pytest.raises(FormatError) as caught:
        mocapgen.read(path, **({} if asf is None else {"asf": asf}))
    line = str(caught.value)
    assert len(line) <= 300
    assert line.isprintable()
    return line


@pytest.mark.parametrize("suffix", ["amc", "bvh", "c3d", "asf"])
@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "device", "large", *CONTENT])
def test_what_is_no_motion_file(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"file.{suffix}"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "large":
        path.touch()
        os.truncate(path, MAX_BYTES + 1)  # takes no room on the disk
    elif kind in CONTENT:
        path.write_bytes(CONTENT[kind])
    found = {"nothing": "found nothing", "folder": "found a folder", "pipe": "found a device, pipe or socket", "large": "of at most"}
    found |= {"device": found["pipe"], "empty": "found an empty file"}
    if suffix == "asf":
        (tmp_path / "walk.amc").write_bytes(AMC)
        line = refusal(tmp_path / "walk.amc", path)
    else:
        (tmp_path / "skeleton.asf").write_bytes(ASF)
        line = refusal(path)
    assert line.startswith(str(path))
    assert found.get(kind, "expected") in line
