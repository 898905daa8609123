"""Check whether dataset files can be merged: their conventions, joints and frame rate must be the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mocapgen.shared.hdf5 import read_group
from mocapgen.shared.text import one_line
from mocapgen.store.copying import Columns
from mocapgen.store.reader import Dataset

_SETTINGS = ("camera_frame", "fps")
"""Differences that a setting of the build removes."""
_IMPLIED = frozenset({"camera_axes", "body_axes"})
"""Conventions that follow from the camera frame, and differ with it."""


def differences(files: Sequence[Dataset]) -> list[str]:
    """Return what keeps files from being joined, one line for each difference.

    Parameters
    ----------
    files : sequence of Dataset

    Returns
    -------
    list of str
        Each file is held against the first; skeletons and joint sets against the first that has one of the same name.
    """
    first = files[0]
    problems: list[str] = []
    skeletons: dict[str, tuple[Dataset, Columns]] = {}
    joint_sets: dict[str, tuple[Dataset, Columns]] = {}
    for data in files:
        problems += _meaning(first, data)
        tree = _tree(first, data)
        problems += tree
        for group, known in (("skeletons", skeletons), ("joint_sets", joint_sets)):
            for name in data.file[f"/{group}"]:
                columns = read_group(data.file, data.layout, f"/{group}/<name>", name)
                other, wanted = known.setdefault(name, (data, columns))
                if not tree and data.camera_frame == other.camera_frame:
                    problems += _group(f"/{group}/{name}", other, wanted, data, columns)
    return problems


def _meaning(first: Dataset, data: Dataset) -> list[str]:
    """Compare frame rate and conventions."""
    names = [name for name in {**first.conventions, **data.conventions} if first.camera_frame == data.camera_frame or name not in _IMPLIED]
    facts: list[tuple[str, Any, Any]] = [("fps", first.fps, data.fps)]
    facts += [(name, first.conventions.get(name, "nothing"), data.conventions.get(name, "nothing")) for name in names]
    return [
        one_line(str(data.path), f"{name}: expected {_text(wanted)} as in {first.path}, found {_text(found)}", _advice(name, wanted))
        for name, wanted, found in facts
        if wanted != found
    ]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _advice(name: str, wanted: Any) -> str:
    return f"; build it with {name}={_text(wanted)}" if name in _SETTINGS else ""


def _tree(first: Dataset, data: Dataset) -> list[str]:
    """Compare names and parents of the joints."""
    wanted, found = (next(iter(file.skeletons.values())) for file in (first, data))
    if wanted.names != found.names:
        missing = [name for name in wanted.names if name not in found.names]
        surplus = [name for name in found.names if name not in wanted.names]
        parts = [f"{word} {', '.join(names)}" for word, names in (("without", missing), ("also", surplus)) if names]
        detail = ", ".join(parts) or "another order"
        return [one_line(str(data.path), f"joints: expected the {len(wanted.names)} of {first.path}, found {len(found.names)}: {detail}")]
    if wanted.parents != found.parents:
        odd = [name for name, a, b in zip(wanted.names, wanted.parents, found.parents, strict=True) if a != b]
        return [one_line(str(data.path), f"joints: expected the parents that they have in {first.path}, found others for {', '.join(odd)}")]
    return []


def _group(where: str, first: Dataset, wanted: Columns, data: Dataset, found: Columns) -> list[str]:
    """Compare two skeletons, or two joint sets, of the same name."""
    for name, values in wanted.items():
        if np.array_equal(values, found[name]):
            continue
        if name in ("offsets", "rest_positions"):
            apart = np.linalg.norm(values - found[name], axis=-1)
            worst = int(np.nanargmax(apart))
            detail = f"up to {1000.0 * apart[worst]:.3g} mm apart ({wanted['names'][worst]}); give one of the avatars another name and build again"
            return [one_line(str(data.path), f"{where}/{name}: expected the same as in {first.path.name}, found them {detail}")]
        return [one_line(str(data.path), f"{where}/{name}: expected the same as in {first.path.name}, found others")]
    return []
