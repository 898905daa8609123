"""Arrays of Python objects without the dangers of pickle: nothing can be called but what makes arrays, dictionaries, lists, texts and numbers."""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DatasetError

_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_PLAIN = re.compile(r"[<>=|]?([?bBhHiIlLqQefdO]|[iufb][1248]|f16|[SUa]\d{1,6}|O8)")
_MOST_VALUES = 500_000_000


class _Type:
    """Stands for a NumPy type while a pickle is read: a plain one, of numbers, texts or objects."""

    def __init__(self, code: Any, *_: object) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not _PLAIN.fullmatch(code):
            raise pickle.UnpicklingError(f"an array of {str(code)[:20]}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("an array of records")
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for a NumPy array while a pickle is read."""

    def __init__(self, *_: object) -> None:
        self.shape: tuple[int, ...] = (0,)
        self.values: Any = []

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.shape = _shape(shape)
        if kind.dtype.hasobject:
            if not isinstance(data, list) or len(data) != int(np.prod(self.shape)):
                raise pickle.UnpicklingError("an array of another size than it says")
            self.values = data
            return
        self.values = _numbers(data, kind, self.shape, bool(fortran))


def _shape(shape: Any) -> tuple[int, ...]:
    if (
        not isinstance(shape, tuple)
        or not all(isinstance(size, int) and size >= 0 for size in shape)
        or int(np.prod(shape, dtype=object)) > _MOST_VALUES
    ):
        raise pickle.UnpicklingError("an array without a shape")
    return shape


def _numbers(data: Any, kind: _Type, shape: tuple[int, ...], fortran: bool) -> NDArray[Any]:
    """Return an array of its bytes."""
    raw = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(raw, bytes | bytearray | memoryview) or len(raw) != int(np.prod(shape)) * kind.dtype.itemsize:
        raise pickle.UnpicklingError("an array of another size than it says")
    return np.frombuffer(raw, dtype=kind.dtype).reshape(shape, order="F" if fortran else "C")


def _from_buffer(data: Any, kind: Any, shape: Any, order: Any = "C", *_: object) -> Any:
    return _numbers(data, kind, _shape(shape), order == "F")


def _scalar(kind: Any, data: Any = b"") -> Any:
    """Return one number."""
    if not isinstance(kind, _Type) or kind.dtype.hasobject:
        raise pickle.UnpicklingError("a number of no type")
    return _numbers(data, kind, (), False)[()]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "ascii", "utf-8"):
        raise pickle.UnpicklingError("text in another encoding")
    return text.encode(encoding)


_ALLOWED: dict[tuple[str, str], Any] = {
    **{(module, "_reconstruct"): _Array for module in _MODULES},
    **{(module, "scalar"): _scalar for module in _MODULES},
    **{(module, "_frombuffer"): _from_buffer for module in _NUMERIC},
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): dict,
}


class _Restricted(pickle.Unpickler):
    """Refuses every name but the few above."""

    def find_class(self, module: str, name: str) -> Any:
        found = _ALLOWED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"a Python object ({module}.{name}), which could run a program")
        return found


def load_pickle(data: bytes, path: Path) -> Any:
    """Return what a pickle holds, if it is nothing but arrays, dictionaries, lists, texts and numbers.

    Raises
    ------
    DatasetError
        If it holds anything else, or is damaged.
    """
    try:
        return _resolved(_Restricted(io.BytesIO(data), encoding="latin1").load(), 0)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # pickles raise whatever their damage leads to
        found = " ".join(str(error).split())[:100] or type(error).__name__
        raise DatasetError(f"{path}: expected arrays, dictionaries, lists, texts and numbers, found {found}; save plain arrays") from None


def _resolved(item: Any, depth: int) -> Any:
    """Return an object with arrays in place of what stood for them."""
    if depth > 8:
        raise pickle.UnpicklingError("lists in lists without an end")
    if isinstance(item, dict):
        return {_resolved(key, depth + 1): _resolved(value, depth + 1) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(_resolved(value, depth + 1) if isinstance(value, list | tuple | dict | _Array) else value for value in item)
    if not isinstance(item, _Array):
        return item
    if not isinstance(item.values, list):
        return item.values
    out = np.empty(len(item.values), dtype=object)
    for place, value in enumerate(item.values):
        out[place] = _resolved(value, depth + 1)
    return out.reshape(item.shape)


def load_npy(data: bytes, path: Path) -> Any:
    """Return an npy file's array, or the object that an array of objects without dimensions holds.

    Raises
    ------
    DatasetError
        If it is damaged, or holds objects of other kinds.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except (ValueError, EOFError) as error:
        raise DatasetError(f"{path}: expected an array, found: {' '.join(str(error).split())[:100]}") from None
    if not dtype.hasobject:
        count = int(np.prod(shape, dtype=np.int64))
        if count < 0 or count * dtype.itemsize > len(data) - file.tell():
            raise DatasetError(f"{path}: expected {shape} numbers, found the file cut off")
        values = np.frombuffer(data, dtype=dtype, count=count, offset=file.tell())
        return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)
    found = load_pickle(data[file.tell() :], path)
    return found.item() if isinstance(found, np.ndarray) and found.ndim == 0 else found
