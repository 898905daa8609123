"""Frames of the worst and the best sequence of an evaluation, stored so that they can be drawn later without the model."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import write_file
from mocapgen.shared.text import one_line
from schemas.errors import DatasetError
from schemas.train import Evaluation
from trainer.data.dataset import PoseData
from trainer.model.metrics import MILLIMETRES, joint_errors, root_relative
from trainer.predict.keypoints.content import Archive
from trainer.predict.keypoints.content import load as load_arrays

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
        content = load_arrays(path)
    except (DatasetError, OSError, ValueError) as error:
        raise DatasetError(one_line(str(path), f"expected the examples of a run, found: {error}")) from None
    arrays = content.arrays if isinstance(content, Archive) else {}
    names = [item.name for item in fields(Examples)]
    count = len(arrays) // len(names)
    found: list[dict[str, Any]] = [{name: arrays.get(f"{index}/{name}") for name in names} for index in range(count)]
    if len(arrays) != count * len(names) or not all(_sound(values) for values in found):
        raise DatasetError(one_line(str(path), "expected the examples of a run, found others; remove the run's folder to train it again"))
    return [Examples(**{**values, "side": str(values["side"]), "y_up": bool(values["y_up"])}) for values in found]


def _sound(values: Mapping[str, Any]) -> bool:
    """Whether arrays that were read are those of :class:`Examples`."""
    if not all(isinstance(array, np.ndarray) for array in values.values()):
        return False
    shape: tuple[int, ...] = values["pixels"].shape
    sequences, moments, joints = shape[:3] if len(shape) == 4 else (0, 0, 0)
    texts, numbers, whole = "U", "f", "i"
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "side": (texts, ()),
        "names": (texts, (sequences,)),
        "kinds": (texts, (sequences,)),
        "errors_mm": (numbers, (sequences,)),
        "seconds": (numbers, (sequences, moments)),
        "moment_errors_mm": (numbers, (sequences, moments)),
        "pixels": (numbers, (sequences, moments, joints, 2)),
        "predicted": (numbers, (sequences, moments, joints, 3)),
        "true": (numbers, (sequences, moments, joints, 3)),
        "parents": (whole, (joints,)),
        "sides": (whole, (joints,)),
        "y_up": ("b", ()),
    }
    if any((values[name].dtype.kind, values[name].shape) != kind_and_shape for name, kind_and_shape in expected.items()):
        return False
    finite = all(np.isfinite(array).all() for array in values.values() if array.dtype.kind == numbers)
    return bool(finite and moments and joints and values["parents"].min() >= -1 and values["parents"].max() < joints)
