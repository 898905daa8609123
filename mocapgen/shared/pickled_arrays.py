"""Arrays of Python objects without the dangers of pickle: nothing can be called but what makes arrays, dictionaries, lists, texts and numbers."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.room import Room
from mocapgen.shared.text import quoted
from schemas.errors import DatasetError

_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_PLAIN = re.compile(r"[<>=|]?([?bBhHiIlLqQefdO]|[iufb][1248]|f16|[SUa]\d{1,6}|O8)")
StandIns = Mapping[tuple[str, str], Any]
_MOST_VALUES = 500_000_000
_MOST_DIMENSIONS = 8
_MAKERS = (b"]", b"}", b"l", b"d", b"\x8f", b"\x91", b"R", b"\x81")
"""Codes by which pickles make lists, dictionaries, sets and objects; in the numbers of arrays they stand, too, but rarely."""


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

    __slots__ = ("shape", "values")

    def __init__(self, *_: object) -> None:
        self.shape: tuple[int, ...] = (0,)
        self.values: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.shape = _shape(shape)
        if kind.dtype.hasobject:
            if not isinstance(data, list) or len(data) != math.prod(self.shape):
                raise pickle.UnpicklingError("an array of another size than it says")
            self.values = data
            return
        self.values = _numbers(data, kind, self.shape, bool(fortran))


def _shape(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or not all(isinstance(size, int) and size >= 0 for size in shape) or math.prod(shape) > _MOST_VALUES:
        raise pickle.UnpicklingError("an array without a shape")
    return shape


def _numbers(data: Any, kind: _Type, shape: tuple[int, ...], fortran: bool) -> NDArray[Any]:
    """Return an array of its bytes."""
    raw = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(raw, bytes | bytearray | memoryview) or len(raw) != math.prod(shape) * kind.dtype.itemsize:
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
    """Refuses every name but the few above, and what the caller has a stand-in for."""

    def __init__(self, data: bytes, stand_ins: StandIns) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._known = {**_ALLOWED, **stand_ins}

    def find_class(self, module: str, name: str) -> Any:
        found = self._known.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"a Python object ({module}.{name}), which could run a program")
        return found


def load_pickle(data: bytes, room: Room, stand_ins: StandIns | None = None) -> Any:
    """Return what a pickle holds, if it is nothing but arrays, dictionaries, lists, texts and numbers.

    Parameters
    ----------
    data : bytes
    room : Room
        What a file of its size may hold.
    stand_ins : mapping of module and name to callable, optional
        What is made in place of objects of other kinds: dictionaries and what becomes one.

    Raises
    ------
    DatasetError
        If it holds anything else, is damaged, or unfolds to more than a file of its size can hold.
    """
    room.require("lists and objects", sum(map(data.count, _MAKERS)), room.lists)
    try:
        _require_memo(data)
        found, count = _resolved(_Restricted(data, stand_ins or {}).load(), 0, {})
    except MemoryError:
        raise
    except Exception as error:  # pickles raise whatever their damage leads to
        said = str(error) or type(error).__name__
        raise DatasetError(f"{room.path}: expected arrays, dictionaries, lists, texts and numbers, found {said}; save plain arrays") from None
    room.require("numbers", count, room.numbers)
    return found


def _require_memo(data: bytes) -> None:
    """Refuse numbers of the memo beyond the pickle's length: Python makes room for as many objects."""
    codes = np.frombuffer(data, dtype=np.uint8)
    places = np.flatnonzero(codes[: max(len(codes) - 4, 0)] == ord("r"))[:, None] + np.arange(1, 5)
    numbers = codes[places].astype(np.int64) @ (1 << np.arange(0, 32, 8))
    if (numbers > len(data)).any() or re.search(rb"p\d{8}", data):  # or so it looks: it may stand in the numbers of an array
        for opcode, number, _ in pickletools.genops(data):
            if opcode.name in ("LONG_BINPUT", "PUT") and int(number or 0) > len(data):
                raise pickle.UnpicklingError(f"a memo of {number} objects")


def _resolved(item: Any, depth: int, done: dict[int, tuple[Any, int]]) -> tuple[Any, int]:
    """Return an object with arrays in place of what stood for them, and how many numbers it unfolds to.

    What is referred to often is made once, as pickles do, but counts each time.
    """
    if depth > 8:
        raise pickle.UnpicklingError("lists in lists without an end")
    if id(item) in done:
        return done[id(item)]
    if isinstance(item, dict):
        pairs = [(_resolved(key, depth + 1, done), _resolved(value, depth + 1, done)) for key, value in item.items()]
        out: tuple[Any, int] = {key: value for (key, _), (value, _) in pairs}, sum(count for _, (_, count) in pairs)
    elif isinstance(item, list | tuple):
        if not any(isinstance(value, list | tuple | dict | _Array) for value in item):
            return item, len(item)
        parts = [_resolved(value, depth + 1, done) for value in item]
        out = type(item)([part for part, _ in parts]), sum(count for _, count in parts)
    elif isinstance(item, _Array):
        out = _array(item, depth, done)
    else:
        return item, 1
    done[id(item)] = out
    return out


def _array(item: _Array, depth: int, done: dict[int, tuple[Any, int]]) -> tuple[NDArray[Any], int]:
    if not isinstance(item.values, list):
        return (np.empty(0) if item.values is None else item.values), math.prod(item.shape)
    parts = [_resolved(value, depth + 1, done) for value in item.values]
    out = np.empty(len(parts), dtype=object)
    for place, (part, _) in enumerate(parts):
        out[place] = part
    return out.reshape(item.shape), sum(count for _, count in parts)


def load_npy(data: bytes, room: Room) -> Any:
    """Return an npy file's array, or the object that an array of objects without dimensions holds.

    Raises
    ------
    DatasetError
        If it is damaged, holds objects of other kinds, or more than a file of its size can hold.
    """
    file = io.BytesIO(data)
    shape, fortran, dtype = _header(file, room)
    count, start = math.prod(shape), file.tell()
    if dtype.hasobject:
        found = load_pickle(data[start:], room)
        return found.item() if isinstance(found, np.ndarray) and found.size == 1 and found.ndim == 0 else found
    if count * dtype.itemsize > len(data) - start:
        raise DatasetError(f"{room.path}: expected {shape} numbers, found the file cut off")
    room.require("numbers", count, room.numbers)
    values = np.frombuffer(data, dtype=dtype, count=count, offset=start)
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)


def _header(file: io.BytesIO, room: Room) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type of an npy file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python 2
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(file)
    except Exception as error:  # NumPy reads the header as Python, and raises whatever Python's tokenizer and parser raise
        raise DatasetError(f"{room.path}: expected an array, found: {error}") from None
    if not all(type(size) is int and size >= 0 for size in shape) or len(shape) > _MOST_DIMENSIONS:
        raise DatasetError(f"{room.path}: expected an array of at most {_MOST_DIMENSIONS} dimensions, found the shape {quoted(shape)}")
    if dtype.kind not in "biufUSO" or dtype.itemsize == 0:
        raise DatasetError(f"{room.path}: expected an array of numbers, found one of {quoted(dtype)}")
    return shape, fortran, dtype
