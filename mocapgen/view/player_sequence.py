"""What the player shows: sequences with their cameras, and predictions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.core.motion import Motion
from mocapgen.store.joint_tree import JointTree, joint_tree
from mocapgen.store.matching import MatchedPrediction, PredictionMatches, matched_prediction
from mocapgen.store.predictions import PredictionRow, Predictions
from mocapgen.store.reader import Dataset
from mocapgen.view.moving import sequence_motion


@dataclass(frozen=True, eq=False)
class PlayerSequence:
    """One sequence to play.

    Parameters
    ----------
    number : int
        Row of ``/sequences``: what ``#sequence=`` in the page's address means.
    clip : dict
        What is known of the clip: ``id``, ``actor``, ``action``, ``file``, ...; anything JSON can hold.
    avatar : str
    camera : Camera
    fps : float
        Frames per second.
    tree : JointTree
        The J joints.
    positions : (T, J, 3) float, metres, camera frame
    pixels : (T, J, 2) float, pixels
    prediction : MatchedPrediction, optional
    floor_known : bool
        Whether y = 0 of the world is the floor; otherwise the floor is drawn where the lowest joints are.
    motion : callable, optional
        Returns the motion in the world that the page's buttons save as BVH and glTF, or None if there is none.
    """

    number: int
    clip: dict[str, Any]
    avatar: str
    camera: Camera
    fps: float
    tree: JointTree
    positions: NDArray[Any]
    pixels: NDArray[Any]
    prediction: MatchedPrediction | None = field(default=None)
    floor_known: bool = True
    motion: Callable[[], Motion | None] | None = None


def player_sequences(
    data: Dataset | Predictions, numbers: Sequence[int], matches: PredictionMatches | None = None, *, motions: bool = False
) -> Iterator[PlayerSequence]:
    """Read sequences of a file, one at a time.

    Parameters
    ----------
    data : Dataset or Predictions
    numbers : sequence of int
        Rows of ``/sequences``.
    matches : PredictionMatches, optional
        Predictions to show over them.
    motions : bool
        Whether the page is to have buttons that save the motion.

    Yields
    ------
    PlayerSequence

    Raises
    ------
    DatasetError
        If frames of the file are damaged, or a joint set refers to what is not there.
    """
    trees: dict[str, JointTree] = {}
    for number in numbers:
        row = data[number]
        if row.avatar not in trees:
            trees[row.avatar] = joint_tree(data, row.avatar)
        known = not (isinstance(row, PredictionRow) and row.camera.rig == "assumed")
        predicted = None if matches is None else matches.of(number)
        yield PlayerSequence(
            number=number,
            clip={name: _plain(value) for name, value in row.clip.items()},
            avatar=row.avatar,
            camera=row.camera,
            fps=data.fps,
            tree=trees[row.avatar],
            positions=row["positions_3d"],
            pixels=row["positions_2d"],
            prediction=None if matches is None or predicted is None else matched_prediction(matches.predictions, predicted, data, row.avatar),
            floor_known=known,
            motion=partial(sequence_motion, data, row) if motions else None,
        )


def _plain(value: Any) -> Any:
    """Return a value of NumPy as one of Python; numbers that are none as None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
