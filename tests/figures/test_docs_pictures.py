"""The pictures of the manual: all are there, small, and made again by the script that says so."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from PIL import Image

from mocapgen.shared.config import settings
from schemas.render import RenderConfig
from tests.conftest import REPOSITORY

IMAGES = REPOSITORY / "docs" / "images"


@pytest.fixture
def script() -> ModuleType:
    where = importlib.util.spec_from_file_location("make_pictures", REPOSITORY / "docs" / "make_pictures.py")
    module = importlib.util.module_from_spec(where)
    where.loader.exec_module(module)
    return module


def test_every_picture_is_committed_shown_and_small(script):
    pages = "".join(page.read_text(encoding="utf-8") for page in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
    for name, options in script.PICTURES.items():
        assert f"images/{name})" in pages
        assert (IMAGES / name).stat().st_size < 1_000_000
        assert settings(RenderConfig, {"out": name, **options})


def test_pictures_are_made_again(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "PICTURES", {name: script.PICTURES[name] for name in ("demo.gif", "filmstrip.png")})
    script.make(tmp_path)
    for name in script.PICTURES:
        with Image.open(tmp_path / name) as made, Image.open(IMAGES / name) as committed:
            assert made.size == committed.size
            assert getattr(made, "n_frames", 1) == getattr(committed, "n_frames", 1)
