"""What the tests of outputs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from mocapgen.sources import sample
from tests.e2e.outputs import make_world


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with whatever the commands read; not to be changed."""
    folder = tmp_path_factory.mktemp("outputs") / "seeds"
    make_world(folder)
    return folder


@pytest.fixture
def three_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be three built-in motions, which are made in a moment."""
    few = sample.clips()[:3]
    monkeypatch.setattr(sample, "clips", lambda: few)
