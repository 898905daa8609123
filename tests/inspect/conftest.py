"""The clean files that defects are planted in: two actors, four actions, two avatars, 16 sequences, in both camera frames."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from mocapgen import BuildConfig, build
from schemas.conventions import CAMERA_FRAMES


@pytest.fixture(scope="session")
def clean_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One clean file by camera frame; never to be changed: copy it."""
    folder = tmp_path_factory.mktemp("clean")
    files = {frame: folder / f"{frame}.h5" for frame in CAMERA_FRAMES}
    for frame, path in files.items():
        wanted = {"actors": ("sa", "sd"), "actions": ("walk", "squat", "kick", "lieDown"), "avatars": ("average_man", "child_10")}
        build(BuildConfig(source="sample", camera_frame=frame, out=path, workers=1, **wanted))
    return files


@pytest.fixture(params=CAMERA_FRAMES)
def stage(request: pytest.FixtureRequest, clean_files: dict[str, Path], tmp_path: Path) -> Iterator[h5py.File]:
    """A copy of the clean file to make changes in, in either camera frame."""
    path = tmp_path / "stage.h5"
    shutil.copy(clean_files[request.param], path)
    with h5py.File(path, "r+") as file:
        yield file


@pytest.fixture
def clean(clean_files: dict[str, Path]) -> Path:
    """The clean file in Unity's camera frame."""
    return clean_files["unity"]
