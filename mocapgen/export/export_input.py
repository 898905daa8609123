"""The input of exporters: the sequences of a file, named safely, their joints, and which actors are kept for testing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.shared.hdf5 import read_array, text_attribute
from mocapgen.shared.text import matches, no_match
from mocapgen.store.predictions import Predictions
from mocapgen.store.reader import Dataset, SequenceRow
from schemas.base import Model, Settings
from schemas.errors import ConfigError, DatasetError

LONGEST_NAME = 120
_UNSAFE = re.compile(r"[^\w.+=@-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class SequenceFilter(Settings):
    """Which sequences are exported: those that pass every condition given."""

    clips: tuple[str, ...] = ()
    """Only these clips: ids or wildcards."""
    actors: tuple[str, ...] = ()
    """Only these actors: names or wildcards."""
    actions: tuple[str, ...] = ()
    """Only these actions: names or wildcards."""
    avatars: tuple[str, ...] = ()
    """Only these avatars: names or wildcards."""
    camera: int | None = None
    """Only the camera of this number in each rig, from 0; by default all."""


@dataclass(frozen=True, eq=False)
class Item:
    """A sequence to export.

    Parameters
    ----------
    row : SequenceRow
    name : str
        Unique among those exported, in any case; fit for a file name on every system.
    """

    row: SequenceRow
    name: str

    @property
    def clip(self) -> str:
        """Id of the clip."""
        return str(self.row.clip["id"])

    @property
    def actor(self) -> str:
        """Who was recorded; empty if unknown."""
        return str(self.row.clip["actor"])

    @property
    def action(self) -> str:
        """Motion class; empty if unknown."""
        return str(self.row.clip["action"])

    @property
    def camera(self) -> int:
        """Number of the camera in its rig."""
        return camera_number(self.row.camera.rig)


@dataclass(frozen=True, eq=False)
class Joints:
    """A joint set as it is exported.

    Parameters
    ----------
    set : str
        ``h36m17`` or ``all``.
    names : tuple of str
        In the order of what is exported.
    index : (N,) int
        Place of each in the file's arrays.
    parents : tuple of int
        Parent of each among `names`; -1 for the root.
    """

    set: str
    names: tuple[str, ...]
    index: NDArray[np.intp]
    parents: tuple[int, ...]


class ExportInput:
    """An opened dataset or predictions file.

    Parameters
    ----------
    data : Dataset or Predictions

    Raises
    ------
    DatasetError
        If a camera's R is no rotation, with or without a mirror as its frame wants.
    """

    def __init__(self, data: Dataset | Predictions) -> None:
        self.data = data
        self._fps = data.fps
        handed = -1.0 if data.camera_frame == "unity" else 1.0
        for number, camera in enumerate(data.cameras):
            found = np.concatenate([(camera.R @ camera.R.T - np.eye(3)).ravel(), [np.linalg.det(camera.R) - handed], np.zeros(3) * camera.t])
            if not np.abs(found).max() < 1e-5:
                wanted = f"an orthogonal matrix of determinant {handed:+.0f} and a finite t"
                raise DatasetError(f"{data.path}: /cameras/R: expected {wanted} for {data.camera_frame} files, found another in row {number}")

    @property
    def path(self) -> Path:
        """The file."""
        return self.data.path

    @property
    def predicted(self) -> bool:
        """Whether it is a predictions file: positions only."""
        return isinstance(self.data, Predictions)

    @property
    def origin(self) -> dict[str, Any]:
        """What the file is and how it was made, for what is written about an export."""
        data = self.data
        made = {"model": data.model, "root": data.root, "source": data.source} if isinstance(data, Predictions) else {"config": data.config}
        return {"file": data.path.name, "kind": text_attribute(data.file, "format"), "generator": data.generator, **made}

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self._fps

    @property
    def bones(self) -> tuple[str, ...]:
        """The joint of the file schema that each of the J is: ``Hips``, ``RightUpperLeg``, ..."""
        return self.data.joints if isinstance(self.data, Predictions) else self.data.joint_names

    def joints(self, wanted: str | None) -> Joints:
        """Return a joint set; by default all joints that there are.

        Raises
        ------
        ConfigError
            If the file does not have it.
        """
        data = self.data
        name = data.joint_set if isinstance(data, Predictions) else "all"
        wanted = wanted or name
        if wanted not in data.file["/joint_sets"]:
            raise ConfigError(f"joints: expected one of {', '.join(data.file['/joint_sets'])}, which {data.path} has, found {wanted!r}")
        group = f"/joint_sets/{wanted}"
        names, index, parents = (read_array(data.file, f"{group}/{column}") for column in ("names", "joints", "parents"))
        return Joints(wanted, tuple(map(str, names)), index.astype(np.intp), tuple(int(parent) for parent in parents))

    def positions(self, item: Item) -> Array:
        """Return where the joints of a sequence are, (T, J, 3) float64, metres, in the file's camera frame.

        Raises
        ------
        DatasetError
            If a position is not finite, or the frames are damaged.
        """
        return self.stored(item, "positions_3d").astype(np.float64)

    def world(self, item: Item) -> Array:
        """Return where the joints of a sequence are, (T, J, 3) float64, metres, in the world: y up."""
        return item.row.camera.to_world(self.positions(item))

    def rotations(self, item: Item) -> Array:
        """Return the local rotations of a sequence of a dataset file as stored, (T, J, 4) float64, of unit length."""
        found = self.stored(item, "quaternions").astype(np.float64)
        norms = np.linalg.norm(found, axis=-1, keepdims=True)
        if np.abs(norms - 1.0).max() > 1e-3:
            odd = norms.flat[np.abs(norms - 1.0).argmax()]
            raise DatasetError(f"{self.path}: /frames/quaternions: expected unit quaternions, found a norm of {odd:.6g} in {item.clip}")
        return found / norms

    def seen(self, item: Item) -> NDArray[np.bool_]:
        """Return which joints are in the image, or were seen by the detector: (T, J) bool."""
        return item.row["confidence"] > 0 if self.predicted else item.row["in_view"].astype(bool)

    def stored(self, item: Item, name: str) -> NDArray[Any]:
        """Return an array of a sequence as it is stored; of all but pixels, which may be missing, numbers have to be finite.

        Raises
        ------
        DatasetError
            If a number is not finite, or the frames are damaged.
        """
        found = item.row[name]
        if name != "positions_2d" and not np.isfinite(found).all():
            frame, joint = np.argwhere(~np.isfinite(found.reshape(*found.shape[:2], -1)).all(axis=-1))[0]
            where = f"frame {frame} of {item.clip}, joint {self.data.joint_names[joint]}"
            raise DatasetError(f"{self.path}: /frames/{name}: expected finite numbers, found {found[frame, joint]} in {where}")
        return found

    def select(self, selection: SequenceFilter) -> tuple[Item, ...]:
        """Return the sequences that pass, in the order of the file.

        Raises
        ------
        ConfigError
            If a pattern matches nothing (with what there is), or no sequence passes all conditions.
        """
        rows: list[SequenceRow] = [self.data[number] for number in range(len(self.data))]
        if not rows:
            raise DatasetError(f"{self.path}: expected at least one sequence, found none")
        kept = rows
        rules: tuple[tuple[str, str, Sequence[str], Callable[[SequenceRow], str]], ...] = (
            ("clips", "a pattern that matches the id of a clip", selection.clips, lambda row: str(row.clip["id"])),
            ("actors", "a pattern that matches an actor", selection.actors, lambda row: str(row.clip["actor"])),
            ("actions", "a pattern that matches an action", selection.actions, lambda row: str(row.clip["action"])),
            ("avatars", "a pattern that matches an avatar", selection.avatars, lambda row: row.avatar),
        )
        for option, wanted, patterns, name in rules:
            names = sorted({name(row) for row in rows} - {""})
            for pattern in patterns:
                if not any(matches(known, pattern) for known in names):
                    raise no_match(option, wanted, pattern, names)
            kept = [row for row in kept if not patterns or any(name(row) and matches(name(row), pattern) for pattern in patterns)]
        numbers = sorted({camera_number(row.camera.rig) for row in rows})
        if selection.camera is not None:
            if selection.camera not in numbers:
                raise ConfigError(f"camera: expected one of {', '.join(map(str, numbers))}, found {selection.camera}")
            kept = [row for row in kept if camera_number(row.camera.rig) == selection.camera]
        if not kept:
            raise ConfigError("the selection: expected sequences that match all of it, found none; loosen one of the options")
        return named(kept, several=len(numbers) > 1)


def camera_number(rig: str) -> int:
    """Return the number of a camera in its rig: 3 for ``orbit:8/3``, 0 for ``front``."""
    number = rig.rpartition("/")[2]
    return int(number) if number.isascii() and number.isdecimal() else 0


def named(rows: Sequence[SequenceRow], several: bool) -> tuple[Item, ...]:
    """Give each sequence a name: clip and avatar, and the camera if there are `several`; or the name that it has."""
    taken: set[str] = set()
    items = []
    for row in rows:
        parts = [str(row.clip["id"]), row.avatar, f"camera{camera_number(row.camera.rig)}" if several else ""]
        own: Any = getattr(row, "name", "")
        items.append(Item(row, _unique(safe_name(own or "-".join(part for part in parts if part)), taken)))
    return tuple(items)


def safe_name(text: str) -> str:
    """Return a text as a file name that every system takes: letters, digits and ``.+=@-_``; never hidden, never empty."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip("._")[:LONGEST_NAME].rstrip("._")
    while len(name.encode()) > 2 * LONGEST_NAME:  # file systems count bytes
        name = name[:-1]
    return f"_{name}" if not name or name.startswith("-") or _RESERVED.match(name) else name  # nor an option of a program


def _unique(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, in any case, and take it."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.casefold())
    return found


class HeldOut(Model):
    """Settings of such formats."""

    test_actors: tuple[str, ...] = ()
    """Actors of the test side: names or wildcards; by default the last by name, if there are several."""


def split_actors(items: Sequence[Item], options: HeldOut) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the actors for training and those for testing, by name.

    Raises
    ------
    ConfigError
        If a pattern matches no actor.
    """
    actors = sorted({item.actor for item in items})
    for pattern in options.test_actors:
        if not any(matches(actor, pattern) for actor in actors):
            raise no_match("test_actors", "a pattern that matches an actor", pattern, [actor for actor in actors if actor])
    test = [actor for actor in actors if any(matches(actor, pattern) for pattern in options.test_actors)]
    if not options.test_actors and len(actors) > 1:
        test = actors[-1:]
    return tuple(actor for actor in actors if actor not in test), tuple(test)
