"""The source folder on a tree like AMASS's: what is a motion, who does what, and from the files to BVH again."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pybvh
import pytest

from mocapgen import build, open_dataset, read
from mocapgen.core.motion import Motion
from mocapgen.export import export
from mocapgen.sources.amass_files import said_by
from mocapgen.sources.sample import SOURCE as SAMPLE
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError, SourceError
from tests.amass_files import OURS, amass_arrays, body_model, own_places, places, write_amass, y_up


@pytest.fixture(scope="module")
def walk() -> Motion:
    from mocapgen import retarget

    source = SAMPLE(BuildConfig(source="sample", dry_run=True))
    clip = next(clip for clip in source.list().clips if (clip.actor, clip.action) == ("sa", "walk"))
    return retarget(source.read(clip).motion, "average_man")[:240]


@pytest.fixture(scope="module")
def tree(walk: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("AMASS")
    write_amass(root / "CMU" / "01" / "01_01_poses.npz", amass_arrays(walk))
    write_amass(root / "CMU" / "01" / "shape.npz", {"betas": np.zeros(10), "gender": np.array("male")})
    write_amass(root / "KIT" / "3" / "walk_fast03_stageii.npz", amass_arrays(walk, "smplx", size=1.1))
    write_amass(root / "MPI_HDM05" / "bk" / "HDM_bk_01-01_02_120_poses.npz", amass_arrays(walk, size=0.9))
    write_amass(root / "mine" / "own.npz", amass_arrays(walk, "smpl"))
    write_amass(root / "mine" / "export.npz", {"positions_3d": np.zeros((1, 27, 3)), "start": np.zeros(1), "length": np.ones(1)})
    (root / "mine" / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    return root


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("CMU/01/01_01_poses.npz", ("CMU_01", "playground - forward jumps, turn around", "01")),
        ("01/01_01_poses.npz", ("01", "playground - forward jumps, turn around", "01")),
        ("MPI_HDM05/bk/HDM_bk_01-01_02_120_poses.npz", ("bk", "01-01", "02")),
        ("KIT/3/walk_6m_straight_line04_poses.npz", ("KIT_3", "walk_6m_straight_line", "walk_6m_straight_line04")),
        ("AMASS/BioMotionLab_NTroje/rub001/0000_treadmill_norm_poses.npz", ("BioMotionLab_NTroje_rub001", "treadmill_norm", "0000_treadmill_norm")),
        ("x.npz", (None, "x", "x")),
        ("KIT/3/12_poses.npz", ("KIT_3", "12", "12")),
    ],
)
def test_who_does_what(path: str, said: Sequence[str | None]) -> None:
    found = said_by(path)
    assert (found.get("actor"), found["action"], found["take"]) == tuple(said)


@pytest.mark.parametrize("packed", [False, True])
def test_a_build_of_a_tree(tree: Path, tmp_path: Path, packed: bool) -> None:
    root = tree
    if packed:
        root = tmp_path / "amass.zip"
        with zipfile.ZipFile(root, "w") as archive:
            for path in sorted(tree.rglob("*.npz")):
                archive.write(path, path.relative_to(tree))
    report = build(source="folder", root=root, avatars="average_man", min_frames=1, workers=1, out=tmp_path / "amass.h5")
    found = {(skip.file, skip.reason): skip.detail for skip in report.skipped}
    assert "found the shape of a person without a motion" in found.pop(("CMU/01/shape.npz", "not a clip"))
    assert "positions that mocapgen exported" in found.pop(("mine/export.npz", "not a clip"))
    assert "a damaged one" in found.pop(("mine/broken.npz", "unreadable"))
    assert not found
    with open_dataset(tmp_path / "amass.h5") as data:
        actors = {str(row.clip["id"]): str(row.clip["actor"]) for row in data}
    assert actors == {
        "CMU/01/01_01_poses": "CMU_01",
        "KIT/3/walk_fast03_stageii": "KIT_3",
        "MPI_HDM05/bk/HDM_bk_01-01_02_120_poses": "bk",
        "mine/own": "mine",
    }
    assert {detection.profile for detection in report.detections} == {"SMPL", "SMPL+H", "SMPL-X"}


def test_from_file_to_bvh_and_another_programs_reading(walk: Motion, tree: Path, tmp_path: Path) -> None:
    """Joints of `average_man` in the exported BVH are where they are for the file's rotations on that body, by pybvh."""
    build(source="folder", root=tree / "CMU", avatars="average_man", fps=120, max_frames=1000, workers=1, out=tmp_path / "data.h5")
    export(tmp_path / "data.h5", "bvh", tmp_path / "walk.bvh", scale=1.0)
    other = pybvh.read_bvh_file(tmp_path / "walk.bvh", world_up="+y")
    found = other.node_positions()[:, [[node.name for node in other.nodes].index(name) for name in OURS]]
    motion = read(tree / "CMU" / "01" / "01_01_poses.npz")
    expected = y_up(places(amass_arrays(walk), motion.skeleton.rest_positions[motion.skeleton.indices(list(OURS))]))
    limbs = [index for index, name in enumerate(OURS) if name.endswith(("LowerArm", "Hand", "LowerLeg", "Head"))]
    off = (found - found[:, :1]) - (expected - expected[:, :1])
    assert np.linalg.norm(off, axis=-1)[:, limbs].max() < 0.005  # feet are planted, which bends the knees by a trifle
    np.testing.assert_allclose(own_places(motion)[:, 0], found[:, 0], atol=0.03)


def test_a_body_model_in_a_build(walk: Motion, tree: Path, tmp_path: Path) -> None:
    model, _, _ = body_model()
    (tmp_path / "smplh" / "female").mkdir(parents=True)
    np.savez(tmp_path / "smplh" / "female" / "model.npz", **model)
    out, settings = tmp_path / "a.h5", {"avatars": "average_man", "min_frames": 1, "workers": 1}
    report = build(source="folder", root=tree / "CMU", body_model=tmp_path / "smplh", out=out, **settings)
    assert "bones of model.npz with 16 of 16 shape parameters" in " ".join(report.detections[0].notes)
    with open_dataset(out) as data:
        assert data.config["body_model"] == "smplh"  # no place in the file
    with pytest.raises(ConfigError, match=r"body_model: expected a file or folder, found nothing at none"):
        build(source="folder", root=tree, body_model="none", dry_run=True)
    with pytest.raises(ConfigError, match="body_model: is not supported by source='sample', only by source=folder"):
        build(source="sample", body_model=tmp_path, dry_run=True)


def test_rates_of_a_table_and_of_nobody(walk: Motion, tmp_path: Path) -> None:
    write_amass(tmp_path / "m" / "a.npz", amass_arrays(walk, mocap_framerate=None))
    with pytest.raises(FormatError, match=r"a\.npz: expected the frame rate .* for a build in a table of clips"):
        build(source="folder", root=tmp_path / "m", strict=True, dry_run=True, min_frames=1)
    (tmp_path / "clips.csv").write_text("file,fps\na.npz,60\n")
    report = build(source="folder", root=tmp_path / "m", table=tmp_path / "clips.csv", dry_run=True, min_frames=1, workers=1)
    assert [detection.fps for detection in report.detections] == [60.0]


def test_formats_that_databases_do_not_have(tmp_path: Path) -> None:
    for source in ("cmu", "hdm05"):
        with pytest.raises(ConfigError, match=rf"format: expected .*c3d with source='{source}', found npz"):
            build(source=source, root=tmp_path, format="npz", dry_run=True)


def test_a_folder_of_other_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(SourceError, match=r"found 1 \.npz; x\.npz: expected a motion of AMASS, found an archive with a$"):
        build(source="folder", root=tmp_path, dry_run=True)
