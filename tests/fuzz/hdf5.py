"""Damage to HDF5 files by h5py itself: sizes that lie, other types, missing and odd entries, links that lead elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np

TEXTS = (
    *(
        "",
        " ",
        "x",
        "nan",
        "1",
        "null",
        "[]",
        "{}",
        "\x1b[31mred",
        "<script>alert(1)</script>",
        "a\nb",
        "\u202e",
        "../../x",
        "/etc/passwd",
        "a" * 300,
    ),
    *("b" * 60_000, "[" * 20_000, '{"a": NaN}', '{"a": 1e400}', "9" * 5000, '["x"]', "1.0.0", "99", "'quoted\"", "| a | b |", "a,b"),
)
VALUES: tuple[Any, ...] = (
    *(
        0,
        -1,
        1,
        2**31,
        2**63 - 1,
        0.0,
        -1.0,
        0.5,
        1e300,
        -1e300,
        1e-300,
        float("nan"),
        float("inf"),
        True,
        1 + 2j,
        np.float16(1),
        np.uint64(2**64 - 1),
    ),
    *(
        np.zeros(0),
        np.zeros((2, 2)),
        np.arange(5),
        np.array([np.nan, 1]),
        np.bytes_(b"\xff\xfe"),
        np.bytes_(b""),
        np.zeros((), "V4"),
        np.zeros(1, "S0"),
    ),
    *([b"a", b"b"], np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), h5py.Empty("f8"), h5py.Empty("S5"), np.longdouble(1)),
)


def damage_hdf5(data: bytes, random: Random) -> bytes | None:
    """Return an HDF5 file after one change that h5py made to it; None if h5py does not open it."""
    stream = io.BytesIO(data)
    try:
        with h5py.File(stream, "r+") as file:
            names = _names(file)
            random.choice(CHANGES)(file, names, random)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError):  # what h5py raises for damaged files, and for changes it cannot make
        return None
    return stream.getvalue()


def _names(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visit(names.append)
    return sorted(names)


def _attribute(file: h5py.File, names: list[str], random: Random) -> None:
    """Give an attribute another value."""
    holder = file if random.random() < 0.6 or not names else file[random.choice(names)]
    known = sorted(holder.attrs) or sorted(file.attrs)
    if not known:
        return
    holder.attrs[random.choice(known)] = random.choice(TEXTS) if random.random() < 0.5 else random.choice(VALUES)


def _remove(file: h5py.File, names: list[str], random: Random) -> None:
    if random.random() < 0.4 and len(file.attrs):
        del file.attrs[random.choice(sorted(file.attrs))]
    elif names:
        del file[random.choice(names)]


def _values(file: h5py.File, names: list[str], random: Random) -> None:
    """Write odd values into a dataset."""
    data = _dataset(file, names, random)
    if data is None or not data.size:
        return
    place = tuple(random.randrange(size) for size in data.shape)
    where: Any = place[:-1] if place and random.random() < 0.3 else place if random.random() < 0.7 else ...
    kind = data.dtype.kind
    if kind in "OS":
        data[where] = random.choice(TEXTS)
    elif kind == "V":
        row = data[place]
        field = random.choice(data.dtype.names)
        row[field] = random.choice(TEXTS) if data.dtype[field].kind in "OS" else random.choice((0, -1, 1, 2**31 - 1))
        data[place] = row
    elif kind == "f":
        data[where] = random.choice((np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, 1e-30, 65504.0))
    else:
        info = np.iinfo(data.dtype) if kind in "iu" else None
        data[where] = random.choice((0, 1, info.max, info.min, info.max // 2)) if info else True


def _replace(file: h5py.File, names: list[str], random: Random) -> None:
    """Put a dataset of another shape, type or layout in place of one."""
    data = _dataset(file, names, random)
    if data is None:
        return
    name, shape, dtype, attributes = data.name, data.shape, data.dtype, dict(data.attrs)
    content = data[()] if data.shape is not None else 0.0
    del file[name]
    kind = random.randrange(9)
    if kind == 0:
        huge = random.choice((10**9, 2**31, 2**40, 2**62 // 1000))
        new = file.create_dataset(name, (huge, *shape[1:]), dtype, chunks=(1024, *(max(size, 1) for size in shape[1:])))
    elif kind == 1:
        new = (
            file.create_dataset(name, (*shape[:-1], 10**7), dtype, chunks=(*(1 for _ in shape[:-1]), 1024))
            if shape
            else file.create_dataset(name, (1,), dtype)
        )
    elif kind == 2:
        new = file.create_dataset(name, random.choice(((), (0,), (1,), (3,), (0, 0), (*shape, 1), shape[:-1], shape[::-1], (1,) * 10)), dtype)
    elif kind == 3:
        new = file.create_dataset(name, data=random.choice(VALUES))
    elif kind == 4:
        new = file.create_dataset(
            name, shape, random.choice(("f2", "f8", "i1", "u8", "S3", "c8", "?", ">f4", "V3", h5py.string_dtype(), h5py.ref_dtype))
        )
    elif kind == 5:
        new = (
            file.create_dataset(name, data=content, dtype=dtype, **random.choice(({"compression": "gzip"}, {"fletcher32": True}, {"shuffle": True})))
            if shape
            else None
        )
    elif kind == 6:
        new = file.create_dataset(name, shape, dtype, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
    elif kind == 7:
        layout = h5py.VirtualLayout(shape or (1,), dtype)
        layout[...] = h5py.VirtualSource("/etc/passwd", "x", shape or (1,), dtype)
        new = file.create_virtual_dataset(name, layout)
    else:
        more = np.repeat(content, random.choice((2, 50)), axis=0)[: 10**6] if shape else content
        new = file.create_dataset(name, data=more, dtype=dtype)
    if new is not None:
        for key, value in attributes.items():
            new.attrs[key] = value


def _link(file: h5py.File, names: list[str], random: Random) -> None:
    """Put a link in place of an entry, or a group in place of a dataset."""
    name = random.choice(names)
    kind = random.randrange(7)
    target = random.choice(names)
    old = file[target] if kind == 4 else None
    del file[name]
    if kind == 0:
        file[name] = h5py.SoftLink("/" + target)
    elif kind == 1:
        file[name] = h5py.SoftLink("/" + name)
    elif kind == 2:
        file[name] = h5py.ExternalLink(random.choice(("/etc/passwd", "data.h5", "", "x" * 300)), "/" + target)
    elif kind == 3:
        file.create_group(name)
    elif kind == 4 and old is not None:
        file[name] = old
    elif kind == 5:
        file[name] = np.dtype(random.choice(("f4", "S3", "i8")))
    else:
        file[name] = file["/"]  # a circle


def _more(file: h5py.File, names: list[str], random: Random) -> None:
    """Put in what nobody asked for."""
    kind = random.randrange(4)
    name = random.choice(("x", "\x1b[31m", "<b>", "a b", "é", "n" * 500))
    parent = random.choice(["", *names])
    group = file if not parent or not isinstance(file[parent], h5py.Group) else file[parent]
    if kind == 0:
        group[name] = random.choice(VALUES)
    elif kind == 1:
        file.create_group("/".join(["d"] * random.choice((3, 40, 400))))
    elif kind == 2:
        for number in range(random.choice((3, 300))):
            group.create_group(f"{name}{number}")
    else:
        group.attrs[name] = random.choice(TEXTS)


def _dataset(file: h5py.File, names: list[str], random: Random) -> h5py.Dataset | None:
    found = [name for name in names if isinstance(file.get(name), h5py.Dataset)]
    return file[random.choice(found)] if found else None


CHANGES: tuple[Callable[[h5py.File, list[str], Random], None], ...] = (
    _attribute,
    _attribute,
    _remove,
    _values,
    _values,
    _replace,
    _replace,
    _link,
    _more,
)
