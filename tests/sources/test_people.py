"""C3D files with several people: a clip of each, or of the one who is asked for."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen.formats.c3d import write_c3d
from mocapgen.markers.virtual import place_markers
from mocapgen.pipeline import build
from mocapgen.sources.folder import Folder
from mocapgen.sources.sample import clips, make
from schemas.config import BuildConfig


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file of two people, one of a person and a prop, and one whose markers are not seen at first."""
    folder = tmp_path_factory.mktemp("people")
    body = place_markers(make(clips()[0])[0].slice(100, 300))
    two = replace(
        body,
        labels=tuple(f"{name}:{label}" for name in ("Anna", "Bert") for label in body.labels),
        positions=np.concatenate([body.positions, body.positions + np.array([1.5, 0.0, 0.0])], axis=1),
        valid=np.ones((200, 82), dtype=np.bool_),
    )
    write_c3d(folder / "serve.c3d", two)
    write_c3d(folder / "ball.c3d", replace(two, labels=tuple(label.replace("Bert:", "Ball:B") for label in two.labels)))
    late = body.valid.copy()
    late[:40] = False
    write_c3d(folder / "late.c3d", replace(body, valid=late))
    return folder


def config(root: Path, **settings: object) -> BuildConfig:
    given = {"source": "folder", "root": root, "avatars": ("average_man",), "min_frames": 1, "workers": 1, "dry_run": True, **settings}
    return BuildConfig.model_validate(given)


def test_two_people_are_two_clips(root: Path, tmp_path: Path) -> None:
    listing = Folder(config(root)).list()
    assert [(clip.id, clip.actor, clip.subject) for clip in listing.clips] == [
        ("ball", "unknown", None),
        ("late", "unknown", None),
        ("serve/Anna", "Anna", "Anna"),
        ("serve/Bert", "Bert", "Bert"),
    ]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in root.iterdir():
            archive.write(file, file.name)
    assert Folder(config(tmp_path / "all.zip")).list() == listing


def test_one_person_is_chosen(root: Path) -> None:
    listing = Folder(config(root, subject="Bert")).list()
    assert [(clip.id, clip.subject) for clip in listing.clips] == [("late", None), ("serve", "Bert")]
    assert [(skip.file, skip.reason, skip.detail) for skip in listing.skipped] == [
        ("ball.c3d", "not selected", "not among --subject Bert: the file holds Anna")
    ]


def test_people_props_and_frames_that_are_left_out_are_in_the_file_and_in_the_report(root: Path, tmp_path: Path) -> None:
    report = build(config(root, dry_run=False, out=tmp_path / "a.h5"))
    assert report.clips_used == 4
    lost = "frames 0 to 39 of 200 are left out: no "
    assert [(skip.file, skip.reason) for skip in report.skipped] == [("late.c3d", "not seen")]
    assert report.skipped[0].detail.startswith(lost)
    found = {detection.file: detection for detection in report.detections}
    assert found["late.c3d"].warnings[0].startswith(lost)
    assert found["ball.c3d"].notes[0].startswith("subject Ball left out (no person: ")
    with h5py.File(tmp_path / "a.h5") as file:
        starts = dict(zip(file["clips/id"].asstr()[()], file["clips/source_start"][()], strict=True))
        assert file["skipped/reason"].asstr()[()].tolist() == ["not seen"]
    assert starts == {"ball": 0, "late": 40, "serve/Anna": 0, "serve/Bert": 0}
