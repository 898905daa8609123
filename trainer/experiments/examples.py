"""Frames of the worst and the best sequence of an evaluation, stored so that they can be drawn later without the model."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import write_file
from schemas.errors import DatasetError
from schemas.train import Evaluation
from trainer.data.dataset import PoseData
from trainer.model.metrics import MILLIMETRES, joint_errors, root_relative

EXAMPLE_FRAMES = 5
"""Frames of each sequence: evenly spaced ones, and the one with the largest error."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Frames of E sequences, M frames of each.

    Parameters
    ----------
    side : str
        The evaluated side: test, basketball, ...
    names, kinds : (E,) str
        Clip, avatar, camera; ``worst`` or ``best``.
    errors_mm : (E,) float
        MPJPE of the whole sequence.
    seconds, moment_errors_mm : (E, M) float
    pixels : (E, M, J, 2) float
    predicted, true : (E, M, J, 3) float, metres, root-relative, camera frame
    parents : (J,) int
    sides : (J,) int
        1 for left joints, -1 for right ones, else 0.
    y_up : bool
        Whether y points up in the camera frame.
    """

    side: str
    names: NDArray[np.str_]
    kinds: NDArray[np.str_]
    errors_mm: NDArray[Any]
    seconds: NDArray[Any]
    moment_errors_mm: NDArray[Any]
    pixels: NDArray[Any]
    predicted: NDArray[Any]
    true: NDArray[Any]
    parents: NDArray[Any]
    sides: NDArray[Any]
    y_up: bool

    @classmethod
    def pick(cls, side: str, predicted: NDArray[Any], data: PoseData, sequences: NDArray[np.int64], evaluation: Evaluation) -> Examples:
        """Return frames of the sequences with the largest and the smallest error.

        Parameters
        ----------
        side : str
        predicted : (F, J, 3) float, metres
            In the order of ``data.rows(sequences)``.
        data : PoseData
        sequences : (n,) int64
        evaluation : Evaluation
            Of these predictions.
        """
        root = data.joints.root
        true = root_relative(data.positions_3d[data.rows(sequences)], root)
        relative = root_relative(predicted, root)
        errors = MILLIMETRES * joint_errors(relative, true).mean(axis=1)
        names = list(evaluation.by_sequence)  # worst first
        chosen = [("worst", names[0])] + ([("best", names[-1])] if len(names) > 1 else [])
        first = np.cumsum(data.length[sequences]) - data.length[sequences]
        index_of = {data.names[sequence]: index for index, sequence in enumerate(sequences)}
        rows = np.stack([_example_frames(errors, int(first[index_of[name]]), int(data.length[sequences[index_of[name]]])) for _, name in chosen])
        lateral = np.zeros(len(data.joints.joints), dtype=np.int64)
        for left, right in data.joints.pairs:
            lateral[[left, right]] = 1, -1
        return cls(
            side=side,
            names=np.array([name for _, name in chosen], dtype=np.str_),
            kinds=np.array([kind for kind, _ in chosen], dtype=np.str_),
            errors_mm=np.array([evaluation.by_sequence[name].mpjpe_mm for _, name in chosen]),
            seconds=(rows - first[[index_of[name] for _, name in chosen]][:, None]) / data.fps,
            moment_errors_mm=errors[rows],
            pixels=data.positions_2d[data.rows(sequences)][rows].astype(np.float32),
            predicted=relative[rows].astype(np.float32),
            true=true[rows].astype(np.float32),
            parents=np.array(data.joints.parents),
            sides=lateral,
            y_up=data.camera_frame == "unity",
        )


def _example_frames(errors: NDArray[Any], first: int, length: int) -> NDArray[np.int64]:
    """Return evenly spaced frames of a sequence, the nearest one replaced by the worst, as rows."""
    even = np.linspace(0, length - 1, EXAMPLE_FRAMES + 1).round().astype(np.int64)[:EXAMPLE_FRAMES]
    even += (length - 1 - even[-1]) // 2  # as much left out before the first as after the last
    worst = int(errors[first : first + length].argmax())
    even[np.abs(even - worst).argmin()] = worst
    return first + even


def write_examples(path: Path, examples: Sequence[Examples]) -> None:
    """Write the examples of a run as a NumPy archive."""
    arrays = {f"{index}/{item.name}": np.asarray(getattr(found, item.name)) for index, found in enumerate(examples) for item in fields(Examples)}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type] # the stubs take them for its option
    write_file(path, stream.getvalue())


def read_examples(path: Path) -> list[Examples]:
    """Read the examples of a run.

    Raises
    ------
    DatasetError
        If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        count = len({name.partition("/")[0] for name in arrays})
        found = [{item.name: arrays[f"{index}/{item.name}"] for item in fields(Examples)} for index in range(count)]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DatasetError(f"{path}: expected the examples of a run, found none ({type(error).__name__})") from None
    return [Examples(**{**values, "side": str(values["side"]), "y_up": bool(values["y_up"])}) for values in found]
