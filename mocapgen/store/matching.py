"""Which prediction belongs to which sequence of a dataset."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from mocapgen.cameras.camera import Camera
from mocapgen.store.predictions import PredictionRow, Predictions
from mocapgen.store.reader import Dataset
from schemas.errors import DatasetError

_SAME_RATE = 1e-3
"""Relative: frame rates that differ by less are the same."""


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
        return candidates[0] if len(candidates) == 1 and candidates[0].camera.rig in ("assumed", row.camera.rig) else None


def _same_place(one: Camera, other: Camera) -> bool:
    """Return whether two cameras stand in the same place and look the same way, in whatever frame."""
    return bool(np.allclose(np.abs(one.R), np.abs(other.R), atol=1e-6) and np.allclose(one.centre, other.centre, atol=1e-6))
