"""Look into an HDF5 file of which nothing is believed yet: what cannot be read is None, and nothing here raises."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from schemas.conventions import CAMERA_FRAMES, CameraFrame
from schemas.inspection import Finding

UNREADABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


def found(message: str, where: str = "", value: float | None = None, sequence: int | None = None, clip: str = "", joint: str = "") -> Finding:
    """Return a finding in the file; check id and severity are filled in by whoever runs the check."""
    amount = float(value) if value is not None and np.isfinite(value) else None
    return Finding(check="", severity="info", message=message, where=where, value=amount, sequence=sequence, clip=clip, joint=joint)


def dataset(file: h5py.File, path: str) -> h5py.Dataset | None:
    """Return an array of the file, None if there is none."""
    try:
        node = file.get(path)
    except UNREADABLE:
        return None
    return node if isinstance(node, h5py.Dataset) else None


def column(file: h5py.File, path: str, kinds: str, dimensions: int) -> NDArray[Any] | None:
    """Return a whole array if it can be read, is of one of NumPy's `kinds` of types (``O`` is text) and has so many dimensions; else None."""
    node = dataset(file, path)
    if node is None:
        return None
    try:
        text = h5py.check_string_dtype(node.dtype) is not None
        if len(node.shape or ()) != dimensions or ("O" if text else node.dtype.kind) not in kinds:
            return None
        if text:
            return np.asarray(node.asstr(errors="replace")[()], dtype=object)
        return np.asarray(node[()])
    except UNREADABLE:
        return None


def members(file: h5py.File, group: str) -> list[str]:
    """Return the names in a group, none if there is no such group."""
    try:
        node = file.get(group)
        return [str(name) for name in node] if isinstance(node, h5py.Group) else []
    except UNREADABLE:
        return []


def attribute(node: Any, name: str) -> Any:
    """Return an attribute, None if it is missing or cannot be read; text as str, whoever wrote it."""
    try:
        value = node.attrs.get(name)
    except UNREADABLE:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def camera_frame(file: h5py.File) -> CameraFrame | None:
    """Return the camera frame that the file states, None if it states none that exists."""
    import json

    try:
        stated = json.loads(attribute(file, "conventions"))["camera_frame"]
    except (*UNREADABLE, RecursionError):
        return None
    return next((frame for frame in CAMERA_FRAMES if frame == stated), None)


def frame_count(file: h5py.File) -> int:
    """Return how many frames there are: the rows that most arrays of ``/frames`` have."""
    from collections import Counter

    nodes = (dataset(file, f"/frames/{name}") for name in members(file, "/frames"))
    rows = Counter(node.shape[0] for node in nodes if node is not None and node.shape)
    return int(rows.most_common(1)[0][0]) if rows else 0


def joint_names(file: h5py.File) -> tuple[str, ...] | None:
    """Return the joints of the first skeleton, None if there is none that can be read."""
    for avatar in members(file, "/skeletons"):
        names = column(file, f"/skeletons/{avatar}/names", "O", 1)
        if names is not None:
            return tuple(map(str, names))
    return None
