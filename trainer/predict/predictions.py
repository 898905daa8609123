"""Write a predictions file (``schemas/predictions.py``, ``docs/predictions.md``), atomically, and with the same bytes for the same content."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import write_file
from mocapgen.shared.hdf5 import FRAME_FILTERS, create_file, write_array
from schemas.conventions import H36M17, file_conventions
from schemas.dataset import CHUNK_FRAMES
from schemas.detectors import DETECTOR_SET
from schemas.predictions import CONVENTIONS, PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT, PREDICTIONS_VERSION, PredictionAttributes
from schemas.train import ModelCard
from trainer.runs.card import versions


@dataclass(frozen=True, eq=False)
class PredictionArrays:
    """What a predictions file holds.

    Parameters
    ----------
    card : ModelCard
        Of the model; gives frame rate, joints and camera frame.
    positions_3d : (F, J, 3) float, metres, camera frame
    positions_2d : (F, J, 2) float, pixels
    confidence : (F, J) float
    sequences : dict
        A column of S values per array of ``/sequences``.
    cameras : dict
        A column of M values per array of ``/cameras``.
    source : dict
        What it was made from; anything that JSON can hold.
    notes : tuple of str
        What a person should know before using it, a line each; not stored.
    """

    card: ModelCard
    positions_3d: NDArray[Any]
    positions_2d: NDArray[Any]
    confidence: NDArray[Any]
    sequences: Mapping[str, Any]
    cameras: Mapping[str, Any]
    source: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())

    def describe(self) -> str:
        """Return in one line what there is."""
        count, frames, joints = len(self.sequences["start"]), int(np.sum(self.sequences["length"])), len(self.card.joints)
        root = "path predicted" if self.card.target == "absolute" else "placed over the keypoints"
        return f"{count:,} {'sequence' if count == 1 else 'sequences'}, {frames:,} frames at {self.card.fps:g} fps, {joints} joints; {root}"

    def columns(self) -> dict[str, Any]:
        """Return what stands in the file, by the path of its array in the layout; joint sets by their names."""
        frames = {name: getattr(self, name) for name in ("positions_3d", "positions_2d", "confidence")}
        groups = {"/frames": frames, "/sequences": self.sequences, "/cameras": self.cameras}
        groups |= {f"/joint_sets/{name}": columns for name, columns in _joint_sets(self.card).items()}
        return {f"{group}/{name}": values for group, columns in groups.items() for name, values in columns.items()}


def _joint_sets(card: ModelCard) -> dict[str, dict[str, Any]]:
    """Return the model's joints as a set, and, where its set is ``detector``, the 17 of ``h36m17`` among them as another."""
    columns = {
        "names": card.joints,
        "joints": range(len(card.joints)),
        "parents": card.parents,
        "symmetric_pairs": card.symmetric_pairs,
        "groups": card.groups,
    }
    sets = {card.joint_set: columns}
    if card.joint_set == DETECTOR_SET and set(H36M17) <= set(card.joints):
        places = [card.joints.index(name) for name in H36M17]
        among = {place: index for index, place in enumerate(places)} | {-1: -1}
        sets["h36m17"] = {
            "names": tuple(H36M17),
            "joints": places,
            "parents": [among[card.parents[place]] for place in places],
            "symmetric_pairs": [[among[left], among[right]] for left, right in card.symmetric_pairs if left in among and right in among],
            "groups": [card.groups[place] for place in places],
        }
    return sets


def write(path: Path, predictions: PredictionArrays, overwrite: bool = True) -> None:
    """Write a predictions file, whole or not at all.

    Raises
    ------
    DatasetError
        If the disk refuses.
    """
    memory = io.BytesIO()
    columns = predictions.columns()
    with create_file(memory) as file:
        file.attrs.update(_attributes(predictions).model_dump())
        for array in PREDICTIONS_LAYOUT.arrays:
            for name in _joint_sets(predictions.card) if "<name>" in array.path else ("",):
                values = np.asarray(columns[array.path.replace("<name>", name)])
                storage = (
                    {"chunks": (min(CHUNK_FRAMES, len(values)), *values.shape[1:]), **FRAME_FILTERS} if array.path.startswith("/frames/") else {}
                )
                write_array(file, array, values, name, **storage)
    write_file(path, memory.getvalue(), overwrite)


def _attributes(predictions: PredictionArrays) -> PredictionAttributes:
    card = predictions.card
    said = file_conventions(card.camera_frame)
    return PredictionAttributes(
        format=PREDICTIONS_FORMAT,
        schema_version=PREDICTIONS_VERSION,
        generator=f"trainer {versions()['mocapgen']}",
        fps=card.fps,
        conventions=json.dumps({name: said[name] for name in CONVENTIONS}),
        model=card.model_dump_json(),
        root="predicted" if card.target == "absolute" else "placed",
        source=json.dumps(predictions.source),
    )
