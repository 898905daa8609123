"""The same input gives the same bytes: whatever the number of workers, the order of the folder, or folder against zip."""

from __future__ import annotations

import hashlib
import random
import shutil
import zipfile
from pathlib import Path

import pytest

from mocapgen import build
from schemas.config import BuildConfig

SETTINGS = {"hdm05": {"select": "all", "min_frames": 20}, "sample": {"actions": ("walk", "squat"), "camera": "random:2"}}


@pytest.fixture(scope="session")
def some_cuts(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of the cuts, written file by file in a shuffled order."""
    root = tmp_path_factory.mktemp("shuffled") / "HDM05_cut_amc"
    cuts = data_dir / "hdm05/HDM05_cut_amc"
    classes = sorted(path.name for path in cuts.iterdir())[:2]
    files = [path for name in classes for path in sorted((cuts / name).iterdir())]
    random.Random(5).shuffle(files)
    for path in files:
        target = root / path.relative_to(cuts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root


def digest(folder: Path, source: str, root: Path | None, workers: int = 1) -> str:
    out = folder / f"{len(list(folder.iterdir()))}.h5"
    build(BuildConfig.model_validate({"source": source, "root": root, "out": out, "workers": workers, **SETTINGS[source]}))
    return hashlib.sha256(out.read_bytes()).hexdigest()


@pytest.mark.parametrize("source", ["hdm05", "sample"])
def test_the_number_of_workers_does_not_matter(source: str, some_cuts: Path, tmp_path: Path) -> None:
    root = some_cuts if source == "hdm05" else None
    assert len({digest(tmp_path, source, root, workers) for workers in (1, 2, 4)}) == 1


def test_the_order_of_the_folder_and_its_name_do_not_matter(some_cuts: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"
    for path in sorted(some_cuts.rglob("*.a*"), reverse=True):
        target = again / path.relative_to(some_cuts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (tmp_path / "out").mkdir()
    assert digest(tmp_path / "out", "hdm05", again) == digest(tmp_path / "out", "hdm05", some_cuts)


def test_a_zip_gives_the_same_file_as_the_folder_it_holds(some_cuts: Path, tmp_path: Path) -> None:
    archive = tmp_path / "cuts.zip"
    files = [path for path in some_cuts.rglob("*") if path.is_file()]
    random.Random(6).shuffle(files)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for path in files:
            out.write(path, path.relative_to(some_cuts).as_posix())
    (tmp_path / "out").mkdir()
    assert digest(tmp_path / "out", "hdm05", archive) == digest(tmp_path / "out", "hdm05", some_cuts)
