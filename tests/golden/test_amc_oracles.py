"""ASF/AMC against joint positions that another program computed, and every real clip read and written.

The conventions of the golden values (``oracles/amc_*.npz``): ``names`` are the bones of the ASF, ``positions_m`` (frames,
bones, 3) their **far ends** in metres in the file's axes (y up), of the root its own position; ``frames`` counts from 0,
so that frame k is number k + 1 in the file. A bone turns by ``parent C L C^-1``, the root by ``L`` (its orientation is zero
in these files). They come from an independent parser that agrees with the Matlab one published with HDM05 to 0.0004 mm. In
our skeleton a joint is the **head** of the bone of its name, so a bone's far end is the head of any of its children, or
the end site ``<bone>_end``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import angle_between
from mocapgen.formats.asf import Asf, format_asf, parse_asf
from mocapgen.formats.asf_amc import find_asf, format_amc, parse_amc
from mocapgen.reading import read

ORACLES = {
    "01_01": "cmu/asfamc/01/01_01.amc",
    "HDM_bd_depositFloorR_001_120": "hdm05/HDM05_cut_amc/depositFloorR/HDM_bd_depositFloorR_001_120.amc",
    "HDM_dg_06-03_03_120": "hdm05/takes/dg/HDM_dg_06-03_03_120.amc",
    "HDM_dg_throwBasketball_007_120": "hdm05/HDM05_cut_amc/throwBasketball/HDM_dg_throwBasketball_007_120.amc",
    "HDM_tr_rotateArmsBothBackward1Reps_014_120": "hdm05/HDM05_cut_amc/rotateArmsBothBackward1Reps/HDM_tr_rotateArmsBothBackward1Reps_014_120.amc",
}
WRITTEN = (
    "cmu/asfamc/02/02_04.amc",
    "hdm05/HDM05_cut_amc/lieDownFloor/HDM_dg_lieDownFloor_013_120.amc",
    "hdm05/HDM05_cut_amc/kickLFront1Reps/HDM_tr_kickLFront1Reps_025_120.amc",
    ORACLES["HDM_bd_depositFloorR_001_120"],
    ORACLES["HDM_dg_throwBasketball_007_120"],
)

ANGLE, DISTANCE = 1e-4, 1e-6
"""What a round trip may change: degrees, metres."""


@cache
def skeleton_file(path: Path) -> Asf:
    return parse_asf(path.read_bytes(), str(path))


def far_end(skeleton: Skeleton, bone: str) -> str:
    return bone if bone == "root" else skeleton.children(bone)[0]


def bones(motion: Motion) -> list[str]:
    return [name for name in motion.skeleton.names if name not in motion.skeleton.end_sites]


def assert_same(found: Motion, expected: Motion) -> None:
    """Compare rotations and positions of the joints that both have."""
    assert len(found) == len(expected)
    joints = bones(expected)
    here, there = found.skeleton.indices(joints), expected.skeleton.indices(joints)
    assert np.degrees(angle_between(found.rotations[:, here], expected.rotations[:, there])).max() <= ANGLE
    ends = [far_end(expected.skeleton, joint) for joint in joints]
    there = expected.skeleton.indices(ends)
    here = found.skeleton.indices([far_end(found.skeleton, joint) if end.endswith("_end") else end for joint, end in zip(joints, ends, strict=True)])
    assert np.abs(forward_kinematics(found)[:, here] - forward_kinematics(expected)[:, there]).max() <= DISTANCE


def test_there_is_a_test_for_every_oracle(data_dir: Path) -> None:
    assert {path.stem for path in (data_dir / "oracles").glob("amc_*.npz")} == {f"amc_{name}" for name in ORACLES}


@pytest.mark.parametrize("name", ORACLES)
def test_joint_positions(data_dir: Path, name: str) -> None:
    with np.load(data_dir / "oracles" / f"amc_{name}.npz") as oracle:
        names, frames, expected = oracle["names"].tolist(), oracle["frames"], oracle["positions_m"]
        parents = dict(zip(names, oracle["parents"].tolist(), strict=True))
    motion = read(data_dir / ORACLES[name])
    assert set(names) == set(bones(motion))
    assert {bone: motion.skeleton.parent(bone) or "" for bone in names} == parents
    positions = forward_kinematics(motion)
    for bone, wanted in zip(names, np.moveaxis(expected, 1, 0), strict=True):
        found = positions[frames, motion.skeleton.index(far_end(motion.skeleton, bone))]
        millimetres = 1000 * np.linalg.norm(found - wanted, axis=-1).max()
        assert millimetres < 0.01, f"{bone}: {millimetres:.4f} mm"
        for child in motion.skeleton.children(bone):  # all its children start there
            if bone != "root":
                np.testing.assert_array_equal(found, positions[frames, motion.skeleton.index(child)])


def test_every_clip_is_read(data_dir: Path) -> None:
    paths = sorted(path for path in data_dir.rglob("*") if path.suffix.lower() == ".amc")
    assert len([path for path in paths if "HDM05_cut_amc" in path.parts]) == 260
    assert len(paths) == 266
    for path in paths:
        data = path.read_bytes()
        asf = skeleton_file(find_asf(path))
        motion = parse_amc(data, asf, str(path))
        lines = data.splitlines()
        numbered = [line for line in lines if line.strip().isdigit()]
        assert len(motion) == len(numbered) == int(numbered[-1]) - int(numbered[0]) + 1
        assert len(asf.ordered) == 31
        # The last line of the file is the last bone of the last frame: nothing has moved to another column.
        name, *words = lines[-1].decode("latin-1").split()
        last = parse_amc(b"\n".join(lines[lines.index(numbered[-1]) :]) + b"\n", asf, str(path))
        np.testing.assert_allclose(last.rotations[0], motion.rotations[-1], atol=1e-15)
        assert len(words) == len({bone.name: bone.dof for bone in asf.ordered}[name])
        assert np.abs(motion.root_positions).max() < 10.0
        assert 0.3 < motion.root_positions[0, 1] < 1.5  # hips of somebody who crouches, stands or hops, metres


def test_figures_have_the_size_of_people(data_dir: Path) -> None:
    for path in sorted(path for path in data_dir.rglob("*") if path.suffix.lower() == ".asf"):
        skeleton = skeleton_file(path).skeleton
        rest = skeleton.rest_positions
        height = rest[skeleton.index("head_end"), 1] - rest[skeleton.index("ltoes_end"), 1]
        assert 1.5 < height < 1.9, path
        assert rest[skeleton.index("lhumerus"), 0] > 0.1 > -0.1 > rest[skeleton.index("rhumerus"), 0]  # +x is the left


@pytest.mark.parametrize("clip", WRITTEN)
def test_write_and_read_against_the_original_skeleton(data_dir: Path, clip: str) -> None:
    motion = read(data_dir / clip)
    asf = skeleton_file(find_asf(data_dir / clip))
    again = parse_amc(format_amc(motion, asf), asf, "again.amc", motion.fps)
    assert_same(again, motion)
    rewritten = parse_asf(format_asf(asf), "again.asf")
    assert_same(parse_amc(format_amc(motion, rewritten), rewritten, "again.amc", motion.fps), motion)


@pytest.mark.parametrize("clip", WRITTEN)
def test_write_and_read_as_a_skeleton_of_its_own(data_dir: Path, clip: str) -> None:
    motion = read(data_dir / clip)
    asf = Asf.from_skeleton(motion.skeleton, motion.name)
    again = parse_amc(format_amc(motion, asf), parse_asf(format_asf(asf), "again.asf"), "again.amc", motion.fps)
    assert_same(again, motion)


def test_the_values_written_are_those_that_were_read(data_dir: Path) -> None:
    """Not only the same motion: the same numbers in the same columns, wherever a rotation has only one set of angles."""
    path = data_dir / ORACLES["HDM_tr_rotateArmsBothBackward1Reps_014_120"]
    asf = skeleton_file(find_asf(path))
    written = format_amc(parse_amc(path.read_bytes(), asf, str(path)), asf).decode("latin-1")

    def table(text: str) -> dict[tuple[int, str], list[float]]:
        found, frame = {}, 0
        for words in (line.split() for line in text.splitlines() if line.strip() and line.lstrip()[0] not in "#:"):
            if len(words) == 1:
                frame = int(words[0])
            else:
                found[frame, words[0]] = [float(word) for word in words[1:]]
        return found

    original, copy = table(path.read_bytes().decode("latin-1")), table(written)
    assert copy.keys() == original.keys()
    unique = [key for key, values in original.items() if len(values) < 3 or (len(values) == 3 and abs(values[1]) < 90 and np.abs(values).max() < 180)]
    assert len(unique) > 0.85 * len(original)
    for key in unique:
        difference = (np.array(copy[key]) - original[key] + 180.0) % 360.0 - 180.0  # wrists are given as -1578.94 and the like
        np.testing.assert_allclose(difference, 0.0, atol=1e-6, err_msg=str(key))
