"""Open a file that is to be inspected, of whatever kind: a dataset in whatever state it is, or predictions of a sound structure."""

from __future__ import annotations

from pathlib import Path

import h5py

from mocapgen.inspect.lenient_reader import InspectableData, open_leniently
from mocapgen.inspect.lenient_reader import check_kind as check_dataset_kind
from mocapgen.inspect.prediction_view import InspectedPredictions, PredictionView, inspectable
from mocapgen.inspect.registry import Kind
from mocapgen.inspect.sequence_view import SequenceView
from mocapgen.shared.hdf5 import open_checked, open_untrusted, text_attribute
from mocapgen.shared.layout import check_predictions
from schemas.predictions import PREDICTIONS_FORMAT

_KINDS = "a dataset or predictions file; `mocapgen build` and `trainer predict` write them"


def kind_of(file: h5py.File) -> Kind:
    """Return what kind of file this is; a dataset, unless it says that it holds predictions."""
    return "predictions" if text_attribute(file, "format") == PREDICTIONS_FORMAT else "dataset"


def open_file(path: Path) -> h5py.File:
    """Open a file of this project: a dataset in whatever state it is, or predictions.

    Raises
    ------
    DatasetError
        If it is missing, no HDF5 file, no dataset or predictions of this project, of a newer schema, or if predictions are incomplete.
    """
    return open_checked(path, _check, _KINDS, damaged=True)


def _check(path: Path, file: h5py.File) -> None:
    if kind_of(file) == "predictions":
        open_untrusted(path, _KINDS).close()  # damaged ones are refused: nothing is read leniently of them
        check_predictions(path, file)
    else:
        check_dataset_kind(path, file)


def open_contents(path: Path, file: h5py.File) -> InspectableData:
    """Return what of an open file can be inspected.

    Raises
    ------
    DatasetError
        If the joints of predictions are none of this project.
    """
    return inspectable(InspectedPredictions(path, file)) if kind_of(file) == "predictions" else open_leniently(path, file)


def view_of(opened: InspectableData, number: int, offset: int = 0, length: int | None = None) -> SequenceView:
    """Return a sequence, or the part of it that starts at frame `offset` and has `length` frames, as checks see it."""
    row, data = opened.row(number, offset, length), opened.data
    assert data is not None
    skeleton = opened.skeletons[row.avatar]
    if isinstance(data, InspectedPredictions):
        return PredictionView(row, skeleton, data.fps, data.joint_names)
    return SequenceView(row, skeleton, data.fps)
