"""The built-in motions: plausible for a person, exactly known, the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mocapgen import build
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion
from mocapgen.reading import read
from mocapgen.sources.base import Clip
from mocapgen.sources.folder import Folder
from mocapgen.sources.procedural.actions import ACTIONS
from mocapgen.sources.sample import ACTORS, Sample, clips, make, make_session, sessions, write_sample
from schemas.config import BuildConfig
from schemas.errors import ConfigError, DatasetError

CLIPS = clips()
SIDES = ("Left", "Right")
CGSPEED = {"LeftFoot": "LeftFoot", "RightHand": "RightHand", "LeftLowerArm": "LeftForeArm"}


@pytest.fixture(scope="module", params=CLIPS, ids=lambda clip: clip.id)
def performed(request: pytest.FixtureRequest) -> tuple[Clip, Motion, dict[str, Array], dict[str, np.ndarray]]:
    clip: Clip = request.param
    motion, planted = make(clip)
    positions = forward_kinematics(motion)
    return clip, motion, {name: positions[:, index] for index, name in enumerate(motion.skeleton.names)}, planted


def _flexion(at: dict[str, Array], upper: str, joint: str, lower: str) -> Array:
    """Return the angle by which a joint is bent, degrees: 0 is straight."""
    first, second = at[joint] - at[upper], at[lower] - at[joint]
    cosine = (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def test_every_clip_is_plausible(performed: tuple[Clip, Motion, dict[str, Array], dict[str, np.ndarray]]) -> None:
    clip, motion, at, planted = performed
    everything = np.stack(list(at.values()), axis=1)
    speed = np.linalg.norm(np.diff(everything, axis=0), axis=2) * motion.fps
    acceleration = np.linalg.norm(np.diff(everything, 2, axis=0), axis=2) * motion.fps**2
    assert speed.max() < 12.0
    assert acceleration.max() < 300.0
    assert everything[..., 1].min() > (-0.06 if clip.action == "lieDown" else 0.0)
    for side in SIDES:
        resting = planted[f"{side}Foot"]
        resting = resting[1:] & resting[:-1]
        ball = at[f"{side}Toes"]
        assert (np.linalg.norm(np.diff(ball, axis=0), axis=1) * motion.fps)[resting].max() < 1e-3
        assert ball[1:][resting, 1].max() < 0.06
        assert _flexion(at, f"{side}UpperLeg", f"{side}LowerLeg", f"{side}Foot").max() < 155.0
        assert _flexion(at, f"{side}UpperArm", f"{side}LowerArm", f"{side}Hand").max() < 165.0


def test_joints_stay_within_human_ranges(performed: tuple[Clip, Motion, dict[str, Array], dict[str, np.ndarray]]) -> None:
    """Limits are the ends of the usual clinical ranges; a loaded ankle is bent up by some 45 degrees at most."""
    _, motion, at, _ = performed
    turn = {name: Rotation.from_quat(motion.rotations[:, index]) for index, name in enumerate(motion.skeleton.names)}
    for joint, limit in {"Spine": 30, "Chest": 30, "UpperChest": 30, "Neck": 30, "Head": 30, "LeftShoulder": 25, "RightShoulder": 25}.items():
        assert np.degrees(turn[joint].magnitude()).max() < limit, joint
    rest = dict(zip(motion.skeleton.names, motion.skeleton.rest_positions[:, None], strict=True))
    for side, outwards in zip(SIDES, (1.0, -1.0), strict=True):
        thigh = turn["Hips"].inv().apply(at[f"{side}LowerLeg"] - at[f"{side}UpperLeg"])
        flexion = np.degrees(np.arctan2(thigh[:, 2], -thigh[:, 1]))
        abduction = np.degrees(np.arcsin(outwards * thigh[:, 0] / np.linalg.norm(thigh, axis=1)))
        assert -30.0 < flexion.min() <= flexion.max() < 145.0
        assert -20.0 < abduction.min() <= abduction.max() < 45.0
        bent_up = _flexion(at, f"{side}LowerLeg", f"{side}Foot", f"{side}Toes") - _flexion(rest, f"{side}LowerLeg", f"{side}Foot", f"{side}Toes")
        assert -55.0 < bent_up.min() <= bent_up.max() < 45.0
        assert np.degrees(turn[f"{side}Toes"].magnitude()).max() < 60.0


def test_nothing_jumps(performed: tuple[Clip, Motion, dict[str, Array], dict[str, np.ndarray]]) -> None:
    clip, motion, at, _ = performed
    step = Rotation.from_quat(motion.rotations[1:].reshape(-1, 4)) * Rotation.from_quat(motion.rotations[:-1].reshape(-1, 4)).inv()
    assert np.degrees(step.magnitude()).max() * motion.fps < 2000.0
    assert ((motion.rotations[1:] * motion.rotations[:-1]).sum(axis=2) > 0).all()
    acceleration = np.diff(np.stack(list(at.values()), axis=1), 2, axis=0) * motion.fps**2
    # A throw is the fastest: a hand reaches 220 m/s2, over some 30 ms. A jump in speed of 2 m/s would show as 240 m/s2 from one frame to the next.
    assert np.linalg.norm(np.diff(acceleration, axis=0), axis=2).max() < (200.0 if clip.action == "throw" else 100.0)


def test_ground_truth_by_other_arithmetic(performed: tuple[Clip, Motion, dict[str, Array], dict[str, np.ndarray]]) -> None:
    _, motion, at, _ = performed
    turned = {"Hips": Rotation.from_quat(motion.rotations[:, 0])}
    place = {"Hips": np.array(motion.root_positions)}
    for index, name in enumerate(motion.skeleton.names[1:], start=1):
        parent = motion.skeleton.names[motion.skeleton.parents[index]]
        place[name] = place[parent] + turned[parent].apply(np.array(motion.skeleton.offsets[index]))
        turned[name] = turned[parent] * Rotation.from_quat(motion.rotations[:, index])
        np.testing.assert_allclose(at[name], place[name], rtol=0, atol=1e-9, err_msg=name)


def test_knees_bend_forward_and_left_is_left(performed: tuple[Clip, Motion, dict[str, Array], dict[str, np.ndarray]]) -> None:
    clip, _, at, _ = performed
    across = at["LeftUpperLeg"] - at["RightUpperLeg"]
    for side in SIDES:
        hip, knee, ankle = (at[side + part] for part in ("UpperLeg", "LowerLeg", "Foot"))
        # Where a knee is in front of the line from hip to ankle, (ankle - knee) x (hip - knee) points to the left.
        hinge = np.cross(ankle - knee, hip - knee)
        assert ((hinge * across).sum(axis=1) > -1e-3).all()
    if clip.action != "lieDown":
        toes = at["LeftToes"] - at["LeftFoot"]
        assert (np.cross(across, [0.0, 1.0, 0.0]) * toes).sum(axis=1).mean() > 0


def test_listing_is_complete_and_sorted() -> None:
    assert list(CLIPS) == sorted(CLIPS)
    assert len({clip.id for clip in CLIPS}) == len(CLIPS)
    assert {clip.actor for clip in CLIPS} == set(ACTORS)
    assert len({clip.action for clip in CLIPS}) == 12
    assert Sample(BuildConfig(source="sample", dry_run=True)).list().clips == CLIPS


def test_lengths_show_the_rules_of_selection() -> None:
    frames = np.array([(len(make(clip)[0]) - 1) // 4 + 1 for clip in CLIPS])
    assert (frames < 40).any()
    assert (frames > 300).any()
    assert ((frames >= 40) & (frames <= 300)).mean() > 0.8


def test_the_seed_decides() -> None:
    def digests(seed: int) -> list[str]:
        source = Sample(BuildConfig(source="sample", dry_run=True, seed=seed))
        return [source.read(clip).sha256 for clip in CLIPS[::12]]

    assert digests(0) == digests(0)
    assert not set(digests(0)) & set(digests(1))


def test_takes_and_actors_differ() -> None:
    by_id = {clip.id: clip for clip in CLIPS}
    first, second = (make(by_id[f"sample_sa_squat_00{take}_120"])[0] for take in (1, 2))
    assert not np.array_equal(first.root_positions[:50], second.root_positions[:50])
    statures = [np.ptp(actor.skeleton.rest_positions[:, 1]) for actor in ACTORS.values()]
    assert min(np.diff(sorted(statures))) > 0.02


def test_written_clips_read_back_as_the_same_motion(tmp_path: Path) -> None:
    assert write_sample(tmp_path / "out") == len(CLIPS)
    files = sorted((tmp_path / "out").rglob("*.amc"))
    assert len(files) == len(CLIPS)
    for clip in CLIPS[::17]:
        motion, _ = make(clip)
        found = read(tmp_path / "out" / clip.action / f"{clip.id.replace('sample', 'HDM', 1)}.amc")
        assert found.fps == motion.fps
        wanted, got = forward_kinematics(motion), forward_kinematics(found)
        for joint in ("LeftFoot", "RightHand", "Neck", "LeftLowerArm"):
            there = got[:, found.skeleton.index(joint)]
            np.testing.assert_allclose(there, wanted[:, motion.skeleton.index(joint)], atol=1e-6)


@pytest.mark.parametrize(
    ("format", "place"),
    [
        ("c3d", "{0.action}/HDM_{0.actor}_{0.action}_{0.take}_120.c3d"),
        ("bvh", "{0.actor}/{0.action}/{0.actor}_{0.action}_{0.take}.bvh"),
        ("cmu", "{subject}/{subject}_{trial}.bvh"),
    ],
)
def test_other_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, place: str) -> None:
    monkeypatch.setattr("mocapgen.sources.sample.clips", lambda: CLIPS[::40])
    assert write_sample(tmp_path / "out", format) == len(CLIPS[::40])
    for clip in CLIPS[::40]:
        trial = 100 * (1 + list(ACTIONS).index(clip.action)) + int(clip.take)
        path = place.format(clip, subject=201 + list(ACTORS).index(clip.actor), trial=trial)
        wanted, found = make(clip)[0], read(tmp_path / "out" / path)
        assert (len(found), found.fps) == (len(wanted), wanted.fps)
        for joint, near in (("LeftFoot", 0.01), ("RightHand", 0.01), ("LeftLowerArm", 0.015)):
            there = forward_kinematics(wanted)[:, wanted.skeleton.index(joint)]
            here = forward_kinematics(found)[:, found.skeleton.index(CGSPEED[joint] if format == "cmu" else joint)]
            assert np.linalg.norm(there - here, axis=-1).mean() < near


def test_bvh_files_lie_where_the_folder_source_finds_their_actors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mocapgen.sources.sample.clips", lambda: CLIPS[::40])
    write_sample(tmp_path / "out", "bvh")
    listed = Folder(BuildConfig(source="folder", root=tmp_path / "out", dry_run=True)).list().clips
    assert {(clip.actor, clip.action) for clip in listed} == {(clip.actor, clip.action) for clip in CLIPS[::40]}


def test_as_many_and_as_long_clips_as_one_likes(tmp_path: Path) -> None:
    """As a database that the source `cmu` reads whole, the same for one worker and for two; another seed, other motions."""
    written: dict[str, list[bytes]] = {}
    told: list[tuple[int, int, str]] = []
    for name, seed, workers in (("one", 0, 1), ("two", 0, 2), ("other", 1, 1)):
        assert write_sample(tmp_path / name, "cmu", seed, 7, 500, workers, lambda *told_now: told.append(told_now)) == 7
        written[name] = [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.bvh"))]
    assert written["one"] == written["two"]
    assert len({*written["one"], *written["other"]}) == 14
    assert told[6] == (7, 7, sessions(7)[-1].id)
    report = build(BuildConfig(source="cmu", root=tmp_path / "one", dry_run=True, workers=1, long="split"))
    assert {(found.profile, found.fps, found.frames) for found in report.detections} == {("cgspeed", 120.0, 500)}
    trials = ["201_01", "201_02", "202_01", "202_02", "203_01", "204_01", "205_01"]
    assert [(found.actor, found.action) for found in report.detections] == [(trial[:3], f"unknown {trial}") for trial in trials]


def test_other_layouts_hold_such_clips_too(tmp_path: Path) -> None:
    for format, source in (("amc", "hdm05"), ("bvh", "folder")):
        assert write_sample(tmp_path / format, format, clip_count=2, frames=200, workers=1) == 2
        report = build(BuildConfig.model_validate({"source": source, "root": tmp_path / format, "dry_run": True, "workers": 1, "select": "all"}))
        assert report.clips_used == 2


def test_a_session_is_plausible_and_its_actor_stays_about_the_origin() -> None:
    for clip in sessions(5):
        motion = make_session(clip, 3500)
        assert (len(motion), motion.fps) == (3500, 120.0)
        at = forward_kinematics(motion)
        assert np.linalg.norm(np.diff(at, axis=0), axis=2).max() * motion.fps < 14.0
        assert np.degrees(np.arccos(np.clip(np.abs((motion.rotations[1:] * motion.rotations[:-1]).sum(axis=-1)), 0.0, 1.0))).max() * 2.0 < 30.0
        assert -0.1 < at[..., 1].min() < 0.05
        assert np.abs(motion.root_positions[:, [0, 2]]).max() < 15.0
        np.testing.assert_array_equal(motion.rotations[:700], make_session(clip, 700).rotations)


def test_wrong_uses(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of amc"):
        write_sample(tmp_path, "fbx")
    for wrong, message in (({"clip_count": 0}, "1 to 49,995"), ({"clip_count": 50_000}, "1 to 49,995"), ({"frames": 5}, "clip_count")):
        with pytest.raises(ConfigError, match=message):
            write_sample(tmp_path / "out", **wrong)
    with pytest.raises(ConfigError, match="at least one"):
        write_sample(tmp_path / "out", clip_count=1, frames=0)
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(DatasetError, match="new or empty folder"):
        write_sample(tmp_path)
    with pytest.raises(DatasetError, match="a file"):
        write_sample(tmp_path / "mine")
    with pytest.raises(ConfigError, match="built in"):
        Sample(BuildConfig(source="sample", dry_run=True, root=tmp_path))


def test_a_dataset_of_the_written_files_is_that_of_the_built_in_clips(tmp_path: Path) -> None:
    """Through ASF/AMC text and the source for real files: the oracle for the whole way, also for a rig that sees all sides."""
    write_sample(tmp_path / "files", "amc")
    found = {}
    for source, root in (("sample", None), ("hdm05", tmp_path / "files")):
        out = tmp_path / f"{source}.h5"
        settings = {"actions": ("jog", "lieDown", "throw"), "actors": ("sb",), "avatars": ("child_10", "tall_man")}
        report = build(BuildConfig.model_validate({"source": source, "root": root, "out": out, "workers": 1, **settings}))
        assert report.clips_used == 3
        with h5py.File(out) as file:
            found[source] = {name: file[f"frames/{name}"][:] for name in ("positions_3d", "positions_2d", "quaternions")}
            found[source]["action"] = file["clips/action"].asstr()[:]
    assert list(found["hdm05"].pop("action")) == list(found["sample"].pop("action"))
    for name, atol in (("positions_3d", 1e-5), ("positions_2d", 0.01), ("quaternions", 1e-5)):
        np.testing.assert_allclose(found["hdm05"][name], found["sample"][name], rtol=0, atol=atol, err_msg=name)
