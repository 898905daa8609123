"""Files of pickled objects (``.npz``) whose parts are made when their turn comes, so that only one of them is in memory."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


class Later:
    """Stands for an array, a list or a dict that is made when it is pickled.

    Parameters
    ----------
    make : callable
        Returns it; what it raises ends the writing.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, Later):
            return NotImplemented
        made = value.make()
        if isinstance(made, dict):
            return dict, (), None, None, iter(made.items())
        if isinstance(made, list):
            return list, (), None, iter(made)
        return made.__reduce__()


def save_objects(path: Path, objects: Mapping[str, Any]) -> None:
    """Write objects that ``numpy.load(path, allow_pickle=True)[name].item()`` reads: dicts, lists, texts, numbers, arrays, and :class:`Later`.

    Parameters
    ----------
    path : Path
    objects : mapping
        By name. An object that comes twice is written twice.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in objects.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, {"descr": "|O", "fortran_order": False, "shape": ()})
                pickler = _Pickler(member, protocol=4)
                pickler.fast = True  # remembers no object: it would keep all of them
                pickler.dump(np.array(value, dtype=object))
