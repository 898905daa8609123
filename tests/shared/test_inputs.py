from __future__ import annotations

import os
from pathlib import Path

import pytest

from mocapgen.shared.inputs import read_bytes
from schemas.errors import ConfigError, DatasetError


def test_regular_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc\0\r\n")
    (tmp_path / "link").symlink_to(path)
    assert read_bytes(path, "a file") == read_bytes(str(tmp_path / "link"), "a file") == b"abc\0\r\n"
    assert read_bytes(path, "a file", most=6) == b"abc\0\r\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("none", "found nothing"),
        ("folder", "found a folder"),
        ("pipe", "found a device, pipe or socket"),
        ("null", "found a device, pipe or socket"),
        ("nul\0", "null"),
        ("large", "of at most 10 B, found 11 B"),
    ],
)
def test_refused_in_one_line_without_waiting(tmp_path: Path, name: str, found: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(DatasetError) as info:
        read_bytes(tmp_path / name, "a thing", most=10)
    message = str(info.value)
    assert found in message
    assert "expected a thing" in message
    assert "\n" not in message
    with pytest.raises(ConfigError, match=r"^avatars: expected a thing"):
        read_bytes(tmp_path / name, "a thing", 10, "avatars", ConfigError)
