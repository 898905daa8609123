"""What is drawn: one clip on one avatar before one camera, in the world and on the image, with a model's prediction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Array
from mocapgen.store.joint_tree import JointTree, joint_tree
from mocapgen.store.matching import PredictionMatches, matched_prediction
from mocapgen.store.predictions import Predictions
from mocapgen.store.reader import Dataset, SequenceRow
from schemas.errors import DatasetError

_FARTHEST = 1e6
"""Metres; the squares of a floor that is larger would fill the memory."""

ASSUMED = "assumed"
"""Rig of the camera that ``trainer predict`` takes for keypoints: level, at the world's origin."""


@dataclass(frozen=True, eq=False)
class Poses:
    """A body in motion.

    Parameters
    ----------
    tree : JointTree
    world : (T, J, 3) float64, metres, world frame
    pixels : (T, J, 2) float64
        On the image; NaN where there is nothing.
    """

    tree: JointTree
    world: Array
    pixels: Array


@dataclass(frozen=True, eq=False)
class DrawnSequence:
    """One clip on one avatar before one camera.

    Parameters
    ----------
    clip, avatar : str
    fps : float
    camera : Camera
    poses : Poses
        What is drawn in the colours of the body's sides.
    truth : Poses, optional
        The ground truth, drawn pale truth a prediction.
    floor : float
        Height of the ground in the world, metres.
    """

    clip: str
    avatar: str
    fps: float
    camera: Camera
    poses: Poses
    truth: Poses | None = None
    floor: float = 0.0

    def __len__(self) -> int:
        return len(self.poses.world)

    @property
    def layers(self) -> tuple[Poses, ...]:
        """What is drawn, the lowest first."""
        return (self.poses,) if self.truth is None else (self.truth, self.poses)

    @cached_property
    def errors(self) -> Array | None:
        """(T,) millimetres: mean distance of the joints from the truth, relative to the root; None without a truth."""
        if self.truth is None:
            return None
        root = self.poses.tree.root
        apart = (self.poses.world - self.poses.world[:, root, None]) - (self.truth.world - self.truth.world[:, root, None])
        return 1000.0 * np.linalg.norm(apart, axis=-1).mean(axis=-1)

    @cached_property
    def representative_frame(self) -> int:
        """The frame whose pose is farthest from the first one: clips begin before the action.

        Distances are relative to the root, and medians over five frames, so that single spikes have no effect.
        """
        world = self.poses.world - self.poses.world[:, self.poses.tree.root, None]
        start = world[np.isfinite(world).all(axis=(1, 2)).argmax()]
        distance = np.square(np.nan_to_num(world - start)).sum(axis=-1).mean(axis=-1)
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(distance, 2, mode="edge"), 5)
        return int(np.median(windows, axis=1).argmax())


def read_sequence(data: Dataset | Predictions, row: SequenceRow, matches: PredictionMatches | None = None) -> DrawnSequence:
    """Read one sequence for drawing.

    Parameters
    ----------
    data : Dataset or Predictions
        The open file.
    row : SequenceRow
        Of this file.
    matches : PredictionMatches, optional
        A model's prediction, to be drawn over it.

    Raises
    ------
    DatasetError
        If a frame cannot be read, no joint is anywhere, or the predictions do not cover this sequence.
    """
    poses = Poses(joint_tree(data, row.avatar), row.camera.to_world(row["positions_3d"]), row["positions_2d"].astype(np.float64))
    if not np.isfinite(poses.world).all(axis=2).any():
        raise DatasetError(f"{data.path}: /frames/positions_3d: expected positions to draw in sequence {row.number}, found none that is finite")
    farthest = float(np.nanmax(np.abs(poses.world)))
    if farthest > _FARTHEST:
        where = f"{data.path}: /frames/positions_3d"
        raise DatasetError(f"{where}: expected positions within {_FARTHEST:g} m to draw in sequence {row.number}, found {farthest:g} m")
    truth = None
    if matches is not None:
        poses, truth = _predicted(data, row, poses, matches)
    floor = 0.0
    if row.camera.rig == ASSUMED:  # the height of the ground is unknown: take the lowest joints
        heights = poses.world[..., 1]
        floor = float(np.percentile(heights[np.isfinite(heights)], 1))
    return DrawnSequence(str(row.clip["id"]), row.avatar, data.fps, row.camera, poses, truth, floor)


def _predicted(data: Dataset | Predictions, row: SequenceRow, truth: Poses, matches: PredictionMatches) -> tuple[Poses, Poses]:
    """Return a prediction of a sequence, and the truth reduced to the joints that are predicted."""
    guess, clip = matches.of(row.number), str(row.clip["id"])
    if guess is None:
        raise DatasetError(
            f"{matches.predictions.path}: expected a prediction of {row.length} frames of clip {clip!r} on avatar {row.avatar!r} before this camera, "
            f"found none; make it from {data.path} with `trainer predict`"
        )
    found = matched_prediction(matches.predictions, guess, data, row.avatar)
    if min(found.same) < 0:
        missing = [name for name, place in zip(found.tree.names, found.same, strict=True) if place < 0]
        raise DatasetError(f"{matches.predictions.path}: expected joints that {data.path} has, found {', '.join(missing)}")
    pixels = row.camera.project(found.positions.astype(np.float64))
    same = list(found.same)
    return Poses(found.tree, row.camera.to_world(found.positions), pixels), Poses(found.tree, truth.world[:, same], truth.pixels[:, same])
