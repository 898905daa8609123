"""What the player shows: sequences with their cameras, and predictions of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.cameras.camera import Camera
from mocapgen.store.matching import PredictionMatches
from mocapgen.store.predictions import PredictionRow, Predictions
from mocapgen.store.reader import Dataset

_LEFT = re.compile(r"(?:^|:)(?:[Ll]eft|LEFT|[Ll](?=[A-Z_ .-]))|[_ .-](?:[Ll]eft|[Ll])$")
_RIGHT = re.compile(r"(?:^|:)(?:[Rr]ight|RIGHT|[Rr](?=[A-Z_ .-]))|[_ .-](?:[Rr]ight|[Rr])$")


@dataclass(frozen=True)
class Figure:
    """The stick figure that joints make: names, and the tree that says between which of them a bone is drawn.

    Parameters
    ----------
    names : tuple of str
    parents : tuple of int
        Index of each joint's parent; below 0 for roots.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]

    def sides(self) -> str:
        """Return a letter for each joint: ``l`` left, ``r`` right, ``c`` neither, by its name."""
        return "".join("l" if _LEFT.search(name) else "r" if _RIGHT.search(name) else "c" for name in self.names)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model made of a sequence.

    Parameters
    ----------
    figure : Figure
        Its N joints.
    same : tuple of int
        Which joint of the sequence each of them is; -1 for none.
    positions : (T, N, 3) float, metres
        In the camera frame of the sequence.
    """

    figure: Figure
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
        root = next((place for place in shared if self.figure.parents[place] < 0), None)
        if root is None:
            return np.full(len(truth), np.nan)
        guess = self.positions.astype(np.float64)
        true = truth[:, [self.same[place] for place in shared]].astype(np.float64) - truth[:, [self.same[root]]]
        distances = np.linalg.norm(guess[:, shared] - guess[:, [root]] - true, axis=-1)
        return np.asarray(distances.mean(axis=1))


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
    figure : Figure
        The J joints.
    positions : (T, J, 3) float, metres, camera frame
    pixels : (T, J, 2) float, pixels
    prediction : Prediction, optional
    floor_known : bool
        Whether y = 0 of the world is the floor; otherwise the floor is drawn where the lowest joints are.
    """

    number: int
    clip: dict[str, Any]
    avatar: str
    camera: Camera
    fps: float
    figure: Figure
    positions: NDArray[Any]
    pixels: NDArray[Any]
    prediction: Prediction | None = field(default=None)
    floor_known: bool = True


def player_sequences(data: Dataset | Predictions, numbers: Sequence[int], matches: PredictionMatches | None = None) -> Iterator[PlayerSequence]:
    """Read sequences of a file, one at a time.

    Parameters
    ----------
    data : Dataset or Predictions
    numbers : sequence of int
        Rows of ``/sequences``.
    matches : PredictionMatches, optional
        Predictions to show over them.

    Yields
    ------
    PlayerSequence

    Raises
    ------
    DatasetError
        If frames of the file are damaged, or a joint set refers to what is not there.
    """
    for number in numbers:
        row = data[number]
        known = not (isinstance(row, PredictionRow) and row.camera.rig == "assumed")
        predicted = None if matches is None else matches.of(number)
        yield PlayerSequence(
            number=number,
            clip={name: _plain(value) for name, value in row.clip.items()},
            avatar=row.avatar,
            camera=row.camera,
            fps=data.fps,
            figure=figure_of(data, row.avatar),
            positions=row["positions_3d"],
            pixels=row["positions_2d"],
            prediction=None if matches is None or predicted is None else prediction_of(matches.predictions, predicted, data, row.avatar),
            floor_known=known,
        )


def figure_of(data: Dataset | Predictions, avatar: str) -> Figure:
    """Return the joints of a file's frames: those of the avatar's skeleton, or of the predictions' joint set."""
    if isinstance(data, Predictions):
        return Figure(data.joint_names, data.joint_parents)
    skeleton = data.skeletons[avatar]
    return Figure(skeleton.names, skeleton.parents)


def prediction_of(predictions: Predictions, row: PredictionRow, data: Dataset | Predictions, avatar: str) -> Prediction:
    """Return a predicted sequence in the camera frame of `data`, its joints found again among those of the avatar."""
    positions = row["positions_3d"]
    if predictions.camera_frame != data.camera_frame:
        positions = positions * np.array([1.0, -1.0, 1.0])
    names = figure_of(data, avatar).names
    place = {name: index for index, name in enumerate(names)}
    shared = predictions.joint_names if set(predictions.joint_names) <= set(names) else predictions.joints
    figure = Figure(predictions.joint_names, predictions.joint_parents)
    return Prediction(figure, tuple(place.get(name, -1) for name in shared), positions)


def _plain(value: Any) -> Any:
    """Return a value of NumPy as one of Python; numbers that are none as None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
