"""Match predictions to the sequences of a dataset, joint by joint."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.store.joint_tree import JointTree, joint_tree
from mocapgen.store.predictions import PredictionRow, Predictions
from mocapgen.store.reader import Dataset
from schemas.errors import DatasetError
from schemas.predictions import ASSUMED, FOUND

_SAME_RATE = 1e-3
"""Relative: frame rates that differ by less are the same."""


@dataclass(frozen=True, eq=False)
class MatchedPrediction:
    """What a model predicted for a sequence.

    Parameters
    ----------
    tree : JointTree
        Its N joints.
    same : tuple of int
        Which joint of the sequence each of them is; -1 for none.
    positions : (T, N, 3) float, metres
        In the camera frame of the sequence.
    """

    tree: JointTree
    same: tuple[int, ...]
    positions: NDArray[Any]

    def errors(self, truth: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean distance of the joints from the true ones in each frame, both relative to the root.

        Parameters
        ----------
        truth : (T, J, 3) float, metres
            Positions of the sequence, in the same frame of reference.

        Returns
        -------
        (T,) float64, metres
            The mean is over the joints that both have (the root counts); NaN where one of these is missing, or if the root is.
        """
        shared = [place for place, joint in enumerate(self.same) if joint >= 0]
        root = next((place for place in shared if self.tree.parents[place] < 0), None)
        if root is None:
            return np.full(len(truth), np.nan)
        guess = self.positions.astype(np.float64)
        true = truth[:, [self.same[place] for place in shared]].astype(np.float64) - truth[:, [self.same[root]]]
        distances = np.linalg.norm(guess[:, shared] - guess[:, [root]] - true, axis=-1)
        return np.asarray(distances.mean(axis=1))


class PredictionMatches:
    """The predictions of a dataset's sequences.

    A prediction belongs to a sequence if clip, avatar and length are the same, and the camera too where there are several; predictions
    from keypoints know no avatar and belong to every avatar of the clip.

    Parameters
    ----------
    predictions : Predictions
    data : Dataset

    Raises
    ------
    DatasetError
        If frame rates differ, or no prediction belongs to any sequence.
    """

    def __init__(self, predictions: Predictions, data: Dataset) -> None:
        self.predictions = predictions
        self._data = data
        if abs(predictions.fps - data.fps) > _SAME_RATE * data.fps:
            raise DatasetError(
                f"{predictions.path}: expected {data.fps:g} frames per second as in {data.path}, found {predictions.fps:g}; predict from that file"
            )
        self._rows: dict[tuple[str, str], list[int]] = defaultdict(list)
        table = predictions.sequences
        for number, (clip, avatar) in enumerate(zip(table["clip"], table["avatar"], strict=True)):
            self._rows[str(clip), str(avatar)].append(number)
        clips = {str(clip) for clip in data.clips["id"]}
        if not clips & {clip for clip, _ in self._rows}:
            found = ", ".join(sorted({clip for clip, _ in self._rows})[:3]) or "none"
            raise DatasetError(f"{predictions.path}: expected predictions of clips in {data.path}, found clips {found}; predict from that file")

    def of(self, number: int) -> PredictionRow | None:
        """Return the prediction of a sequence of the dataset, None if there is none."""
        row = self._data[number]
        clip = str(row.clip["id"])
        candidates = [self.predictions[found] for found in self._rows.get((clip, row.avatar), ()) or self._rows.get((clip, ""), ())]
        candidates = [found for found in candidates if found.length == row.length]
        from_here = [found for found in candidates if _same_place(found.camera, row.camera)]
        if from_here:
            return from_here[0]
        return candidates[0] if len(candidates) == 1 and candidates[0].camera.rig in (ASSUMED, FOUND, row.camera.rig) else None


def matched_prediction(predictions: Predictions, row: PredictionRow, data: Dataset | Predictions, avatar: str) -> MatchedPrediction:
    """Return a predicted sequence in the camera frame of `data`, its joints found again among those of the avatar."""
    positions = row["positions_3d"]
    if predictions.camera_frame != data.camera_frame:
        positions = positions * np.array([1.0, -1.0, 1.0])
    names = joint_tree(data, avatar).names
    place = {name: index for index, name in enumerate(names)}
    shared = predictions.joint_names if set(predictions.joint_names) <= set(names) else predictions.joints
    tree = JointTree(predictions.joint_names, predictions.joint_parents)
    return MatchedPrediction(tree, tuple(place.get(name, -1) for name in shared), positions)


def _same_place(one: Camera, other: Camera) -> bool:
    """Return whether two cameras stand in the same place and look the same way, in whatever frame."""
    return bool(np.allclose(np.abs(one.R), np.abs(other.R), atol=1e-6) and np.allclose(one.centre, other.centre, atol=1e-6))
