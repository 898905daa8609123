"""Datasets that are lopsided, incomplete or hold copies, and splits of them that leak."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.inspect.defects import Array, Defect, rewrite


def column(file: h5py.File, path: str) -> list[Any]:
    text = h5py.check_string_dtype(file[path].dtype) is not None
    return list(file[path].asstr()[:] if text else file[path][()])


def renamed(what: str, shorten: int | None = None) -> Callable[[h5py.File], None]:
    """Give every clip but the shortest the same actor or action; the shortest may lose frames, too."""

    def plant(file: h5py.File) -> None:
        clips, length = np.array(column(file, "/sequences/clip")), np.array(column(file, "/sequences/length"))
        shortest = int(clips[np.argmin(length)])
        for clip in range(len(file[f"/clips/{what}"])):
            file[f"/clips/{what}"][clip] = "rare" if clip == shortest else "usual"
        if shorten is not None:
            for row in np.flatnonzero(clips == shortest):
                file["/sequences/length"][row] = shorten

    return plant


def one_avatar_more(file: h5py.File) -> None:
    for row in range(8):
        file["/sequences/avatar"][row] = "average_man"


def keep_sequences(wanted: Callable[[int, int], bool]) -> Callable[[h5py.File], None]:
    """Leave out rows of /sequences; `wanted` is asked by row and clip."""

    def plant(file: h5py.File) -> None:
        rows = [row for row, clip in enumerate(column(file, "/sequences/clip")) if wanted(row, int(clip))]
        for name in list(file["/sequences"]):
            rewrite(file, f"/sequences/{name}", [column(file, f"/sequences/{name}")[row] for row in rows])

    return plant


def copied(clip: int, first_frame: int = 0, noise: float = 0.0) -> Callable[[h5py.File], None]:
    """Append a clip's sequences once more, under another name and another file's."""

    def plant(file: h5py.File) -> None:
        random = np.random.default_rng(0)
        rows = [row for row, found in enumerate(column(file, "/sequences/clip")) if found == clip]
        table = {name: column(file, f"/sequences/{name}") for name in file["/sequences"]}
        for row in rows:
            begin, end = table["start"][row] + first_frame, table["start"][row] + table["length"][row]
            start = len(file["/frames/positions_3d"])
            for name, dataset in file["/frames"].items():
                block: Array = dataset[begin:end]
                if noise and name == "positions_3d":
                    block = block + random.normal(0.0, noise, block.shape).astype(block.dtype)
                dataset.resize(start + len(block), axis=0)
                dataset[start:] = block
            added = {"start": start, "length": end - begin, "clip": len(file["/clips/id"]), "camera": table["camera"][row]}
            for name in table:
                table[name] = [*table[name], added.get(name, table[name][row])]
        for name, values in table.items():
            rewrite(file, f"/sequences/{name}", values)
        for name in list(file["/clips"]):
            values = column(file, f"/clips/{name}")
            own = {"id": "a copy", "file": "copy.amc"}
            rewrite(file, f"/clips/{name}", [*values, own.get(name, values[clip])])

    return plant


def shortened(file: h5py.File) -> None:
    file["/sequences/length"][4] = 30


def nothing(file: h5py.File) -> None:
    """Leave the file as it is: the split is wrong."""


def split(sides: Callable[[list[str]], Mapping[str, list[str]]]) -> Callable[[Path], Path]:
    """Return a function that writes a split of a file beside it; `sides` divides the names of its sequences."""

    def write(path: Path) -> Path:
        with h5py.File(path) as file:
            ids, rigs = column(file, "/clips/id"), column(file, "/cameras/rig")
            rows = zip(*(column(file, f"/sequences/{name}") for name in ("clip", "avatar", "camera")), strict=True)
            names = [f"{ids[clip]} / {avatar} / {rigs[camera]}" for clip, avatar, camera in rows]
        out = path.with_name("split.json")
        out.write_text(json.dumps({"spec": "test", "note": "", "train": [], "validation": [], "test": [], **sides(names)}), encoding="utf-8")
        return out

    return write


def by_avatar(names: list[str]) -> dict[str, list[str]]:
    return {"train": [name for name in names if "average_man" in name], "test": [name for name in names if "average_man" not in name]}


def copies_apart(names: list[str]) -> dict[str, list[str]]:
    return {"train": [name for name in names if not name.startswith("a copy")], "test": [name for name in names if name.startswith("a copy")]}


def by_clip(names: list[str]) -> dict[str, list[str]]:
    return {"train": names[:8], "validation": names[8:12], "test": names[12:]}


DEFECTS = (
    Defect("one actor alone", "dataset.actor_balance", renamed("actor")),
    Defect("hardly any of one action", "dataset.action_balance", renamed("action", shorten=20)),
    Defect("mostly one avatar", "dataset.avatar_balance", one_avatar_more),
    Defect("a clip without one avatar", "dataset.missing_avatars", keep_sequences(lambda row, clip: row != 5)),
    Defect("a clip without sequences", "dataset.unused", keep_sequences(lambda row, clip: clip != 3)),
    Defect("an avatar without sequences", "dataset.unused", keep_sequences(lambda row, clip: row % 2 == 0)),
    Defect("a short sequence", "dataset.lengths", shortened, 4, options={"policy": "training"}),
    Defect("a duplicated clip", "dataset.duplicates", copied(2)),
    Defect("a clip shifted in time", "dataset.near_duplicates", copied(0, first_frame=11)),
    Defect("a noisy copy", "dataset.near_duplicates", copied(3, noise=0.0002)),
    Defect("a split by avatar", "dataset.split_leak", nothing, options={"split": split(by_avatar)}),
    Defect("a near-copy on the other side", "dataset.split_leak", copied(1, first_frame=5), options={"split": split(copies_apart)}),
    Defect("a split of another file", "dataset.split_names", nothing, options={"split": split(lambda names: {"train": ["x / y / z"]})}),
    Defect("a split that leaves some out", "dataset.split_names", nothing, options={"split": split(lambda names: {"train": names[:6]})}),
)
