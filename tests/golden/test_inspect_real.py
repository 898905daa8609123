"""The checks on real recordings: the known glitches are reported where they are, and clean clips are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mocapgen import BuildConfig, build
from mocapgen.inspect.run import inspect
from schemas.inspection import Finding

GLITCHES = {
    # the leg is swung up, its solution jumps to another one and back: frames at 120 per second, joints of that leg
    "HDM_tr_kickLFront1Reps_025_120": (107, 109),
    "HDM_tr_kickLFront1Reps_026_120": (101, 106),
    "HDM_tr_kickLFront1Reps_027_120": (149, 155),
    "HDM_tr_kickLFront1Reps_028_120": (100, 110),
    "HDM_tr_kickLFront1Reps_029_120": (92, 101),
    # the knee darts aside within a frame, at 1,000 m/s²
    "HDM_bk_kickLFront1Reps_011_120": (45, 47),
}
SPIKES = ("motion.speed_spike", "motion.acceleration_spike")


@pytest.fixture(scope="module")
def cuts(data_dir: Path) -> Path:
    return data_dir / "hdm05/HDM05_cut_amc"


def found(folder: Path, root: Path, select: str, **settings: object) -> tuple[dict[str, list[Finding]], int]:
    """Return the findings in a file built with these settings, by clip, and how many clips it has."""
    wanted = {"source": "hdm05", "select": "all", "min_frames": 1, "max_frames": 10000, "avatars": ("average_man",), "workers": 1}
    report = build(BuildConfig.model_validate({**wanted, "root": root, "out": folder / "data.h5", **settings}))
    clips: dict[str, list[Finding]] = {}
    for finding in inspect(folder / "data.h5", select=select, workers=1).findings:
        clips.setdefault(finding.clip, []).append(finding)
    return clips, report.clips_used


def test_the_known_glitches_of_kicks_are_reported_at_their_frames(cuts: Path, tmp_path: Path) -> None:
    """At the rate of the recording; at 30 frames per second, three frames of four are gone, and with them most of a glitch."""
    clips, count = found(tmp_path, cuts, "motion.*,kinematics.*", fps=120, actions=("kickLFront1Reps",))
    for clip, (first, last) in GLITCHES.items():
        if (cuts / "kickLFront1Reps" / f"{clip}.amc").exists():
            spikes = [finding for finding in clips[clip] if finding.check in SPIKES and finding.joint.startswith("Left")]
            assert any(first <= (finding.frame or 0) <= last for finding in spikes), [(finding.frame, finding.message) for finding in clips[clip]]
    assert count > 20
    others = set(clips) - set(GLITCHES)
    assert others <= {"HDM_dg_kickLFront1Reps_013_120"}  # whose standing knee jumps at frame 158


def test_at_30_frames_per_second_what_is_left_of_the_glitches_is_reported_and_fast_kicks_are_not(cuts: Path, tmp_path: Path) -> None:
    clips, count = found(tmp_path, cuts, "motion.*,kinematics.*,camera.*", actions=("kickLFront1Reps", "jogLeft*", "hopBothLegs*", "sneak*"))
    assert count > 80
    assert {clip: [(finding.check, finding.frame, finding.joint) for finding in findings] for clip, findings in clips.items()} == {
        "HDM_tr_kickLFront1Reps_025_120": [("motion.acceleration_spike", 26, "LeftLowerLeg")]
    }


def test_thighs_and_hands_that_flip_over_are_reported(cuts: Path, tmp_path: Path) -> None:
    """Half a turn from one frame to the next: in the recordings, so in the AMC files' own angles."""
    clips, _ = found(tmp_path, cuts, "motion.rotation_jump,kinematics.bent_backwards", actions=("squat1Reps", "throwBasketball"), actors=("dg",))
    jumps = {
        clip: (finding.frame, finding.joint) for clip, findings in clips.items() for finding in findings if finding.check == "motion.rotation_jump"
    }
    assert jumps["HDM_dg_squat1Reps_026_120"] == (20, "RightUpperLeg")
    assert jumps["HDM_dg_throwBasketball_007_120"] == (38, "RightHand")
    backwards = {clip for clip, findings in clips.items() if any(finding.check == "kinematics.bent_backwards" for finding in findings)}
    assert backwards == {f"HDM_dg_squat1Reps_0{number}_120" for number in (25, 26, 27, 28, 30, 31, 32)}


@pytest.mark.parametrize(
    ("path", "check", "clip", "frame"),
    [
        ("cmu/bvh-iclone/006", "motion.acceleration_spike", "006_04", 75),  # a hand flips over for one frame
        ("cmu/bvh-neo/85", "motion.frozen", "85_03/0", 0),  # the dancer is held for two seconds before it starts
        ("cmu/bvh-iclone/003", "motion.floating", "003_01", 0),  # a walk on uneven ground, 30 cm above the floor
    ],
)
def test_cmu_recordings(data_dir: Path, tmp_path: Path, path: str, check: str, clip: str, frame: int) -> None:
    clips, _ = found(tmp_path, data_dir / path, check, source="folder", max_frames=300, long="split")
    (name,) = [name for name in clips if name.endswith(clip)]
    assert [finding.frame for finding in clips[name]] == [frame]
