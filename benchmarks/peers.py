"""The same work done by a peer: a plain parser, SciPy joint by joint, OpenCV; with the largest difference of the results."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from benchmarks.naive_amc import bone_ends
from benchmarks.stages import Material
from benchmarks.tables import Section, Value
from benchmarks.timing import Timing, measure
from mocapgen.cameras.camera import Camera
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion
from mocapgen.core.resample import resample
from mocapgen.core.rotation import slerp, to_euler, to_matrix

_SHARE = 20
"""Peers get every 20th clip only: some are slow."""


@dataclass(frozen=True)
class Comparison:
    """One task, done by us and by a peer on the same input."""

    task: str
    peer: str
    frames: int
    ours: Callable[[], Array]
    theirs: Callable[[], Array]
    unit: str
    scale: float = 1.0
    """Factor from what the results are in to `unit`."""

    def row(self, ours: Timing, theirs: Timing) -> dict[str, Value]:
        """Return the figures."""
        difference = np.abs(ours.result - theirs.result).max() * self.scale
        return {
            "task": self.task,
            "peer": self.peer,
            "ours, frames/s": self.frames / ours.best,
            "peer, frames/s": self.frames / theirs.best,
            "times faster": theirs.best / ours.best,
            "largest difference": f"{difference:.1e} {self.unit}",
        }


def peers(material: Material, repeat: int, pinning: str) -> Section:
    """Measure every comparison."""
    chosen = range(0, len(material.raw), _SHARE)
    comparisons = [_reading(material, chosen), *_rotations(material, chosen)]
    if importlib.util.find_spec("cv2") is not None:
        comparisons.append(_projection(material, chosen))
    rows = []
    for comparison in comparisons:
        timings = measure({"ours": comparison.ours, "theirs": comparison.theirs}, repeat)
        rows.append(comparison.row(timings["ours"], timings["theirs"]))
    return Section("Against peers", f"{len(chosen)} clips; {pinning}; best of {repeat}. Angles compared modulo a full turn.", tuple(rows))


def _reading(material: Material, chosen: range) -> Comparison:
    raw = [material.raw[index] for index in chosen]

    def ours() -> Array:
        return np.concatenate([_ends(clip.parse()).reshape(-1, 3) for clip in raw])

    def theirs() -> Array:
        return np.concatenate([bone_ends(clip.data.decode("latin-1"), clip.asf).reshape(-1, 3) for clip in raw])

    def _ends(motion: Motion) -> Array:
        """Pick the far ends of the bones among the joints: heads of the children, or end sites."""
        skeleton = motion.skeleton
        ends = [(skeleton.children(name) or (name,))[0] for name in skeleton.names if name not in skeleton.end_sites]
        return forward_kinematics(motion)[:, skeleton.indices(ends)]

    frames = sum(len(material.motions[index]) for index in chosen)
    return Comparison("read AMC + kinematics", "line by line, 3 x 3 matrices", frames, ours, theirs, "mm", 1000.0)


def _rotations(material: Material, chosen: range) -> list[Comparison]:
    motions = [material.motions[index] for index in chosen]
    frames = sum(map(len, motions))
    rate = 25.0
    slow = sum(len(resample(motion, rate)) for motion in motions)
    return [
        Comparison(
            "forward kinematics",
            "NumPy matrices, joint by joint",
            frames,
            lambda: np.concatenate([forward_kinematics(motion).ravel() for motion in motions]),
            lambda: np.concatenate([_matrix_kinematics(motion).ravel() for motion in motions]),
            "mm",
            1000.0,
        ),
        Comparison(
            "slerp",
            "scipy Slerp, joint by joint",
            slow,
            lambda: np.concatenate([np.abs(_slerp(motion, rate)).ravel() for motion in motions]),
            lambda: np.concatenate([np.abs(_scipy_slerp(motion, rate)).ravel() for motion in motions]),
            "(quaternion)",
        ),
        Comparison(
            "quaternion to Euler",
            "scipy as_euler",
            frames,
            lambda: _cosines([to_euler("YXZ", motion.rotations) for motion in motions]),
            lambda: _cosines([_scipy_euler(motion) for motion in motions]),
            "(sine, cosine)",
        ),
    ]


def _matrix_kinematics(motion: Motion) -> Array:
    local = to_matrix(motion.rotations)
    turns = [local[:, 0]]
    positions: list[Array] = [motion.root_positions]
    for joint, parent in enumerate(motion.skeleton.parents[1:], start=1):
        turns.append(turns[parent] @ local[:, joint])
        positions.append(positions[parent] + turns[parent] @ motion.skeleton.offsets[joint])
    return np.stack(positions, axis=1)


def _times(motion: Motion, rate: float) -> Array:
    return np.arange(len(resample(motion, rate)), dtype=np.float64) * (motion.fps / rate)


def _slerp(motion: Motion, rate: float) -> Array:
    at = _times(motion, rate)
    before = np.minimum(at.astype(np.intp), len(motion) - 2)
    return slerp(motion.rotations[before], motion.rotations[before + 1], (at - before)[:, None])


def _scipy_slerp(motion: Motion, rate: float) -> Array:
    at, frames = _times(motion, rate), np.arange(len(motion))
    joints = np.moveaxis(motion.rotations, 1, 0)
    return np.stack([Slerp(frames, Rotation.from_quat(joint))(at).as_quat() for joint in joints], axis=1)


def _scipy_euler(motion: Motion) -> Array:
    return Rotation.from_quat(motion.rotations.reshape(-1, 4)).as_euler("YXZ").reshape(*motion.rotations.shape[:2], 3)


def _cosines(angles: list[Array]) -> Array:
    joined = np.concatenate(angles)
    return np.stack([np.cos(joined), np.sin(joined)])


def _projection(material: Material, chosen: range) -> Comparison:
    import cv2

    scenes = [(cameras[0], performed.positions) for i in chosen for cameras, performed in [(material.rendered[i][0], material.performances[i][0])]]

    def ours(camera: Camera, positions: Array) -> Array:
        return camera.project(camera.to_camera(positions)).reshape(-1, 2)

    def theirs(camera: Camera, positions: Array) -> Array:
        # OpenCV takes proper rotations and a y axis that points down.
        flip = np.diag([1.0, np.sign(camera.K[1, 1]), 1.0])
        rotation = cv2.Rodrigues(flip @ camera.R)[0]
        pixels, _ = cv2.projectPoints(positions.reshape(-1, 1, 3), rotation, flip @ camera.t, camera.K @ flip, None)
        return np.asarray(pixels, dtype=np.float64).reshape(-1, 2)

    return Comparison(
        "projection",
        "cv2.projectPoints",
        sum(len(positions) for _, positions in scenes),
        lambda: np.concatenate([ours(*scene) for scene in scenes]),
        lambda: np.concatenate([theirs(*scene) for scene in scenes]),
        "px",
    )
