"""Predictions as checks see them: the sequences of a predictions file, each with what is derived from its arrays on request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.contact import ANKLES, SOLES, averaged, planted
from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.vectors import norms, unit
from mocapgen.inspect.lenient_reader import InspectableData, InspectedRow
from mocapgen.inspect.sequence_view import SequenceView
from mocapgen.store.predictions import PredictionRow, Predictions
from schemas.errors import DatasetError
from schemas.inspection import Finding
from schemas.predictions import ASSUMED

UNKNOWN_FLOOR = ASSUMED
"""Rig of a camera that was not found but assumed: where the floor is, nobody knows."""
LIMBS = tuple(side + part for side in ("Left", "Right") for part in ("LowerLeg", "Foot", "LowerArm", "Hand"))
"""Far ends of thighs, shanks, upper arms and forearms."""
_STANDING = 0.3
"""m/s: slower than this is the hips' averaged path of a person who stands."""


class InspectedPredictions(Predictions):
    """A predictions file with the tables of a dataset: each sequence is a clip of its own, on a skeleton without a rest pose."""

    @cached_property
    def sequences(self) -> dict[str, NDArray[Any]]:
        """The table of sequences, by column; ``clip`` is a row of :attr:`clips`."""
        table = self.table("sequences")
        count = len(table["start"])
        return {**table, "clip": np.arange(count), "avatar": np.full(count, "", dtype=object)}

    @cached_property
    def clips(self) -> dict[str, NDArray[Any]]:
        """A row for each sequence: ``id`` is its name, ``file`` the clip it is of."""
        table = self.table("sequences")
        return {"id": table["name"], "source": np.full(len(table["name"]), "", dtype=object), "file": table["clip"], **_labels(table)}

    @cached_property
    def skeletons(self) -> dict[str, Skeleton]:
        """The joints as a skeleton, under the name of no avatar.

        Raises
        ------
        DatasetError
            If the joint set is none of this project, or its joints do not come after their parents.
        """
        try:
            return {"": Skeleton(self.joints, self.joint_parents, np.zeros((len(self.joints), 3)))}
        except ValueError as error:
            raise DatasetError(f"{self.path}: /joint_sets/{self.joint_set}: {error}") from None

    def __getitem__(self, number: int) -> PredictionRow:
        number = self.row(number)
        row = {key: column[number] for key, column in self.sequences.items()}
        clip = {key: str(column[number]) for key, column in self.clips.items()}
        return PredictionRow(number, int(row["start"]), int(row["length"]), "", clip, self.cameras[row["camera"]], self.reader, clip["id"])


def _labels(table: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: table[name] for name in ("actor", "action")}


@dataclass(frozen=True, eq=False)
class PredictedRow(InspectedRow):
    """A row of predictions: pixels may be missing where a joint was not seen."""

    def not_finite(self, name: str) -> NDArray[np.bool_]:
        """Return where numbers are missing that should be there."""
        wrong = np.asarray(~np.isfinite(self[name]))
        return wrong & (self["confidence"] > 0.0)[..., None] if name == "positions_2d" else wrong


def inspectable(data: InspectedPredictions) -> InspectableData:
    """Return what of an open predictions file can be inspected: all of it, as its structure was checked when it was opened."""
    return InspectableData(data, data.skeletons, np.arange(len(data), dtype=np.int64), row_type=PredictedRow)


class PredictionView(SequenceView):
    """A predicted sequence.

    Parameters
    ----------
    row : PredictedRow
    skeleton : Skeleton
        The joints by the avatars' names, without a rest pose.
    fps : float
    names : tuple of str
        What the file calls the joints: findings use these names.
    """

    def __init__(self, row: InspectedRow, skeleton: Skeleton, fps: float, names: tuple[str, ...]) -> None:
        super().__init__(row, skeleton, fps)
        self.names = dict(zip(skeleton.names, names, strict=True))

    @property
    def floor_known(self) -> bool:
        """Whether y = 0 of the world is the floor."""
        return self.row.camera.rig != UNKNOWN_FLOOR

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """(T, J) bool: joints that the detector saw."""
        return np.asarray(self.row["confidence"] > 0.0)

    @property
    def has_pixels(self) -> NDArray[np.bool_]:
        """(T, J) bool: as :attr:`seen`."""
        return self.seen

    @cached_property
    def soles(self) -> dict[str, float]:
        """The joints that touch the floor, each with its height above it when it does, metres."""
        return {name: height for name, height in (SOLES if self.has(*SOLES) else ANKLES).items() if self.has(name)}

    @property
    def on_tiptoe(self) -> float:
        """How much higher the lower sole may be while the person stands on it, metres: ankles rise on tiptoe, toes do not."""
        return 0.0 if self.has(*SOLES) else 0.06

    @cached_property
    def clearance(self) -> Array:
        """(T, S) metres: how high each sole is above where it is when it stands on y = 0."""
        return self.world[:, [self.joint(name) for name in self.soles], 1] - np.array(list(self.soles.values()))

    @cached_property
    def planted(self) -> NDArray[np.bool_]:
        """(T - 1, S) bool: from which frames to the next each sole is planted: slow on average, and low where the floor is known."""
        return planted(self.world[:, [self.joint(name) for name in self.soles]], self.clearance if self.floor_known else None, self.fps)

    @cached_property
    def slides(self) -> Array:
        """(T - 1, S) m/s: how fast planted soles move over the floor; NaN where they are not planted."""
        paths = self.velocities[:, [self.joint(name) for name in self.soles]]
        return np.where(self.planted, norms(paths * (1.0, 0.0, 1.0)), np.nan)

    @cached_property
    def standing(self) -> NDArray[np.bool_]:
        """(T - 2,) bool: frames from 1 on in which the person stands: the hips' averaged path is slow."""
        return np.asarray((norms(np.diff(averaged(self.world[:, 0], self.fps), axis=0)) * self.fps < _STANDING)[1:])

    @cached_property
    def limb_turns(self) -> Array:
        """(T - 1, L) °/s: how fast thighs, shanks, upper arms and forearms turn in the world."""
        ends = [self.joint(name) for name in self.limbs]
        bones = unit(self.world[:, ends] - self.world[:, [self.skeleton.parents[end] for end in ends]])
        chord = norms(np.diff(bones, axis=0))  # of the unit sphere: exact for small angles as for large ones
        return np.degrees(2.0 * np.arcsin(np.clip(0.5 * chord, 0.0, 1.0))) * self.fps

    @cached_property
    def limbs(self) -> tuple[str, ...]:
        """Those of :data:`LIMBS` that there are."""
        return tuple(name for name in LIMBS if self.has(name))

    @cached_property
    def size_in_image(self) -> Array:
        """(T,) pixels: the height or, if that is more, the width of the person as seen; NaN where fewer than two joints are."""
        known = self.seen[..., None] & np.isfinite(self.pixels)
        high = np.where(known, self.pixels, -np.inf).max(axis=1)
        low = np.where(known, self.pixels, np.inf).min(axis=1)
        extent = np.where(np.isfinite(high - low), high - low, np.nan)
        return np.where((extent > 0.0).any(axis=1), extent.max(axis=1), np.nan)

    @cached_property
    def reprojection(self) -> Array:
        """(T, J) % of the person's size: how far each joint is, in the image, from where it was seen; NaN where it was not."""
        off = norms(self.row.camera.project(self.positions) - self.pixels)
        return np.where(self.seen, 100.0 * off / self.size_in_image[:, None], np.nan)

    def finding(self, message: str, *, frame: int | None = None, joint: str = "", value: float | None = None, where: str = "") -> Finding:
        """Return a finding in this sequence, its joints by the file's names."""
        named = re.sub("|".join(rf"\b{name}\b" for name in sorted(self.names, key=len, reverse=True)), lambda match: self.names[match[0]], message)
        return super().finding(named, frame=frame, joint=self.names.get(joint, joint), value=value, where=where)
