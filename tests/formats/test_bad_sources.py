"""A zoo of bad files among good ones: each is an error of ours or a listed skip, in a folder and in a zip."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mocapgen.sources.base import Clip
from mocapgen.sources.hdm05 import Hdm05
from mocapgen.sources.selection import select_clips
from schemas.config import BuildConfig
from schemas.errors import FormatError, SourceError

ASF = b""":version 1.10
:name figure
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name spine
    direction 0 1 0
    length 10
    axis 0 0 0 XYZ
    dof rx ry rz
    limits (-180 180)
           (-180 180)
           (-180 180)
  end
:hierarchy
  begin
    root spine
  end
"""
AMC = b":FULLY-SPECIFIED\n:DEGREES\n" + b"".join(b"%d\nroot 0 1%d 0 0 0 0\nspine 1 2 3\n" % (i, i) for i in range(1, 50))
GOOD = "walk/HDM_bd_walk_001_120.amc"


def zoo(root: Path) -> None:
    """Write good clips and every kind of bad one that a zip can hold too."""
    files: dict[str, bytes] = {
        "walk/HDM_bd.asf": ASF,
        GOOD: AMC,
        "walk/HDM_bd_walk_002_120.amc": b"",
        "walk/HDM_bd_walk_003_120.amc": AMC[: len(AMC) // 2 + 3],
        "walk/HDM_bd_walk_004_120.amc": bytes(range(256)) * 20,
        "walk/HDM_bd_walk_005_120.amc": AMC,
        "walk/HDM_bd_walk_006_120.amc": AMC.replace(b"spine", b"spnie"),
        "walk/HDM_bd_walk_007_120.amc": AMC.replace(b"spine 1 2 3", b"spine 1 nan 3", 9),
        "walk/HDM_bd_walk_008_120.amc": b"",
        "walk/HDM_mm_walk_001_120.amc": AMC + b"50\nroot 0 0 0 0 0 0\nspine 0 0 0\n",
        "run ✓ (ü)/HDM_bk.ASF": ASF.replace(b"order TX TY TZ RX RY RZ", b"order TX TX"),
        "run ✓ (ü)/HDM_bk_run fast_001_120.amc": AMC + b"50\nroot 1 0 0 0 0 0\nspine 0 0 0\n",
        "run ✓ (ü)/notes.amc": AMC,
        "run ✓ (ü)/HDM_bd_run_120.amc": AMC,
        "HDM05.zip": b"PK\x05\x06" + b"\0" * 18,
        "walk/HDM_bd_walk_010_120.c3d": b"another format",
    }
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    (root / "walk/HDM_bd_walk_009_120.amc").mkdir()


def config(root: Path, **settings: Any) -> BuildConfig:
    return BuildConfig.model_validate({"root": root, "dry_run": True, "select": "all", **settings})


@pytest.fixture(params=["folder", "zip"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    zoo(tmp_path / "zoo")
    if request.param == "folder":
        return tmp_path / "zoo"
    return Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "zoo"))


def test_every_bad_file_is_skipped_with_its_reason(root: Path) -> None:
    source = Hdm05(config(root))
    selection = select_clips(source.list(), config(root))
    reasons = {skip.file: skip.reason for skip in selection.skipped}
    assert reasons == {
        "HDM05.zip": "not a clip",
        "run ✓ (ü)/HDM_bd_run_120.amc": "not a clip",
        "run ✓ (ü)/HDM_bk_run fast_001_120.amc": "unreadable",
        "run ✓ (ü)/notes.amc": "not a clip",
        "walk/HDM_bd_walk_005_120.amc": "duplicate",
        "walk/HDM_bd_walk_009_120.amc": "not a clip",
        "walk/HDM_mm_walk_001_120.amc": "no skeleton",
    }
    details = {skip.file: skip.detail for skip in selection.skipped}
    assert "HDM_<actor>_<action>_<take>_<fps>.amc" in details["run ✓ (ü)/notes.amc"]
    assert "run ✓ (ü)/HDM_bk.ASF:8: root order" in details["run ✓ (ü)/HDM_bk_run fast_001_120.amc"]
    assert "found a folder" in details["walk/HDM_bd_walk_009_120.amc"]
    assert details["walk/HDM_bd_walk_005_120.amc"] == f"the same bytes as {GOOD}"
    assert all("\n" not in detail and str(root) not in detail for detail in details.values())
    outcome = {clip.take: read(source, clip) for (clip,) in selection.groups}
    assert outcome.pop("001") == "49 frames"
    assert sorted(outcome) == ["002", "003", "004", "006", "007", "008"]
    for take, text in {"002": "empty file", "008": "empty file", "004": "binary data", "006": "spnie", "007": "nan"}.items():
        assert text in outcome[take]
    for take, text in outcome.items():
        assert text.startswith(f"walk/HDM_bd_walk_{take}_120.amc")
        assert "\n" not in text
        assert str(root) not in text


def read(source: Hdm05, clip: Clip) -> str:
    try:
        return f"{len(source.read(clip).motion)} frames"
    except FormatError as error:
        return str(error)


def test_the_first_usable_repetition_can_be_found(root: Path) -> None:
    (walks,) = [group for group in select_clips(Hdm05(config(root)).list(), config(root, select="one-per-actor")).groups if group[0].action == "walk"]
    assert [clip.take for clip in walks] == ["001", "002", "003", "004", "006", "007", "008"]


def test_clip_that_is_gone_or_replaced_when_it_is_read(tmp_path: Path) -> None:
    zoo(tmp_path)
    source = Hdm05(config(tmp_path))
    clip = next(clip for clip in source.list().clips if clip.file == GOOD)
    (tmp_path / GOOD).unlink()
    with pytest.raises(FormatError, match=f"{GOOD}: expected a motion-capture file, found nothing"):
        source.read(clip)
    (tmp_path / GOOD).mkdir()
    with pytest.raises(FormatError, match="found a folder"):
        source.read(clip)
    (tmp_path / "walk/HDM_bd.asf").unlink()
    with pytest.raises(FormatError, match=r"walk/HDM_bd\.asf: expected a motion-capture file"):
        source.read(clip)


def test_clip_without_a_skeleton_cannot_be_read(tmp_path: Path) -> None:
    zoo(tmp_path)
    source = Hdm05(config(tmp_path))
    clip = next(clip for clip in source.list().clips if clip.actor == "mm")
    with pytest.raises(FormatError, match=r"expected its skeleton HDM_mm\.asf"):
        source.read(clip)


def test_links_in_circles_and_to_nowhere(tmp_path: Path) -> None:
    zoo(tmp_path)
    (tmp_path / "walk/again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "walk/HDM_bd_walk_011_120.amc").symlink_to("nowhere")
    (tmp_path / "readme.txt").symlink_to("nowhere")
    skipped = {skip.file: skip.reason for skip in Hdm05(config(tmp_path)).list().skipped}
    assert skipped["walk/again/"] == "not a clip"
    assert skipped["walk/HDM_bd_walk_011_120.amc"] == "unreadable"
    assert "readme.txt" not in skipped


def test_damaged_member_of_a_zip_is_one_clip_lost(tmp_path: Path) -> None:
    zoo(tmp_path / "zoo")
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "zoo"))
    data = bytearray(packed.read_bytes())
    start = data.index(GOOD.encode()) + len(GOOD)  # the local header comes before the central directory
    data[start + 40 : start + 60] = b"\xff" * 20
    packed.write_bytes(data)
    source = Hdm05(config(packed))
    listing = source.list()
    damaged = next(clip for clip in listing.clips if clip.file == GOOD)
    with pytest.raises(FormatError, match=f"{GOOD}: expected a whole member of the zip"):
        source.read(damaged)
    # Its copy has the same checksum in the directory, so both were to be compared; the sound one is still there.
    sound = next(clip for (clip,) in select_clips(listing, config(packed)).groups if clip.take == "005")
    assert len(source.read(sound).motion) == 49


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and no more", b"text"])
def test_broken_zip_as_root(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "HDM05.zip").write_bytes(data)
    with pytest.raises(SourceError, match=r"HDM05\.zip: expected a zip file, found a broken one"):
        Hdm05(config(tmp_path / "HDM05.zip")).list()
