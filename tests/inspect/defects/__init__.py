"""The seeded-defect suite: what can be wrong with a file, each planted in a clean one and to be found by the check meant for it.

A module per family of checks, named like it, holds ``DEFECTS: tuple[Defect, ...]``; every registered check has at least one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Defect:
    """Something wrong with a file.

    Parameters
    ----------
    name : str
        What it is, in a few words; unique.
    check : str
        Id of the check that must find it.
    plant : callable
        Plants it in a clean file, open for reading and writing.
    sequence, frame, joint : optional
        Where the check must say that it is, if that is known; the frame may be off by one.
    options : mapping
        Of :func:`mocapgen.inspect.run.inspect`, such as ``{"policy": "training"}``; a function is called with the file's path for its value.
    """

    name: str
    check: str
    plant: Callable[[h5py.File], None]
    sequence: int | None = None
    frame: int | None = None
    joint: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def all_defects() -> tuple[Defect, ...]:
    """Return the defects of all families."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return tuple(defect for module in modules for defect in module.DEFECTS)


def rows(file: h5py.File, sequence: int) -> slice:
    """Return the rows of `/frames` that are a sequence."""
    start, length = (int(file[f"/sequences/{name}"][sequence]) for name in ("start", "length"))
    return slice(start, start + length)


def joint(file: h5py.File, name: str) -> int:
    """Return the place of a joint among J."""
    names: list[str] = list(next(iter(file["/skeletons"].values()))["names"].asstr()[:])
    return names.index(name)


def change(file: h5py.File, name: str, sequence: int, edit: Callable[[Array], Array | None]) -> None:
    """Edit an array of `/frames` within one sequence: `edit` changes what it is given, or returns something in its place."""
    place = rows(file, sequence)
    values = file[f"/frames/{name}"][place]
    edited = edit(values)
    file[f"/frames/{name}"][place] = values if edited is None else edited


def rewrite(file: h5py.File, path: str, values: Any, **options: Any) -> None:
    """Put another array in the place of one, whatever its shape and type; attributes stay."""
    attributes = dict(file[path].attrs)
    text = h5py.check_string_dtype(file[path].dtype) is not None
    del file[path]
    array = np.asarray(values)
    dtype = h5py.string_dtype() if text and array.dtype.kind in "OUTS" else array.dtype
    file.create_dataset(path, data=array.astype(object) if array.dtype.kind in "UT" else array, dtype=dtype, **options).attrs.update(attributes)
