"""Put sequences into the tables and blocks that the player reads, within a given number of bytes."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.contact import foot_contacts
from mocapgen.cameras.camera import Camera
from mocapgen.store.joint_tree import JointTree
from mocapgen.view.body_roles import body_roles
from mocapgen.view.codec import dequantise, encode, quantise
from mocapgen.view.moving import STEP_ROOT, STEP_ROTATION, packed_motion
from mocapgen.view.player_sequence import PlayerSequence
from schemas.inspection import SEVERITIES, Finding

STEP_3D = 0.001
"""Metres: positions are stored to a millimetre, hence within half of one along each axis."""
STEP_2D = 0.125
"""Pixels, where pixels have to be stored."""
STEP_ERROR = 0.0001
"""Metres: errors of predictions are those of the unrounded positions."""
CLOSE = 0.5
"""Pixels: where the projection of the stored positions is as close as this to the file's pixels, they need not be stored."""
SHOWN_FINDINGS = 100
"""Findings that one sequence is marked with at most, the worst first."""

MOTION_BYTES = 2_000_000
"""What the motions for the buttons BVH and GLB may take of a page: about 18,000 frames, the first ones."""
_REMEMBERED = 16  # motions that further cameras may share
_LEVEL = {"unity": np.diag([1.0, 1.0, -1.0]), "opencv": np.diag([1.0, -1.0, -1.0])}
"""World to camera of a level camera that looks along the world's -z."""


def to_json(value: Any) -> str:
    """Return compact JSON that may stand inside a ``script`` element: it holds no ``<``."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=True).replace("<", "\\u003c")


@dataclass(frozen=True, eq=False)
class _Entry:
    """What one sequence would add to a pack."""

    row: dict[str, Any]
    """Its row; where it refers to tables, their entries are still to be numbered."""
    figures: tuple[str, ...]
    """JSON of the figures: its own, and that of the prediction."""
    clip: str
    camera: str
    blocks: tuple[str, ...]
    marks: list[dict[str, Any]]
    whole: NDArray[np.int32]
    """The stored positions, in steps."""


class Pack:
    """What goes into a page: tables for the header, and blocks of numbers.

    Parameters
    ----------
    max_bytes : int, optional
        What header and blocks may take together; by default there is no limit.
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._tables: dict[str, dict[str, int]] = {"figures": {}, "clips": {}, "cameras": {}}
        self._sequences: list[dict[str, Any]] = []
        self._findings: list[dict[str, Any]] = []
        self._blocks: list[str] = []
        self._motions: OrderedDict[tuple[str, str], tuple[int, NDArray[np.int32]]] = OrderedDict()
        self._skeletons: dict[str, int] = {}
        self._moving: dict[int, dict[str, Any]] = {}  # what a row says of its motion, by the block of its positions
        self._motion_room = MOTION_BYTES
        self._size = len(to_json(self.header("", [])))
        self.frames = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """Rows of the sequences that are in, ascending."""
        return tuple(sorted(row["number"] for row in self._sequences))

    @property
    def text(self) -> str:
        """All blocks, one after the other."""
        return "".join(self._blocks)

    def add(self, sequence: PlayerSequence, findings: Sequence[Finding] = ()) -> bool:
        """Add a sequence with its findings; return False, and add nothing, if it does not fit."""
        entry = self._entry(sequence, findings)
        size = self._size + self._more(entry)
        if self._max_bytes is not None and size > self._max_bytes:
            return False
        self._size = size
        figures = [self._number("figures", figure) for figure in entry.figures]
        row = entry.row | {"clip": self._number("clips", entry.clip), "camera": self._number("cameras", entry.camera), "figure": figures[0]}
        if "predicted" in row:
            row["predicted"] = row["predicted"] | {"figure": figures[1]}
        self._sequences.append(row)
        self._findings += entry.marks
        self._blocks += entry.blocks
        row |= self._motion(sequence, row["world"])
        self.frames += len(entry.whole)
        self._motions[entry.clip, sequence.avatar] = row["world"], entry.whole
        while len(self._motions) > _REMEMBERED:
            self._motions.popitem(last=False)
        return True

    def header(self, title: str, notes: Sequence[str], start: dict[str, Any] | None = None, chosen: int = 0) -> dict[str, Any]:
        """Return everything but the blocks, ready for :func:`to_json`; `chosen` is how many sequences should be in it, 0 for those that are."""
        return {
            "title": title,
            "notes": list(notes),
            "start": start,
            "chosen": chosen,
            "step_3d": STEP_3D,
            "step_2d": STEP_2D,
            "step_error": STEP_ERROR,
            **{name: [json.loads(entry) for entry in table] for name, table in self._tables.items()},
            "step_rotation": STEP_ROTATION,
            "step_root": STEP_ROOT,
            "skeletons": [json.loads(entry) for entry in self._skeletons],
            "sequences": sorted(self._sequences, key=lambda row: row["number"]),
            "findings": self._findings,
            "blocks": [len(block) for block in self._blocks],
        }

    def _entry(self, sequence: PlayerSequence, findings: Sequence[Finding]) -> _Entry:
        camera, note = _placed(sequence.camera)
        clip, parents = to_json(sequence.clip), sequence.tree.parents
        whole = quantise(_world(camera, sequence.positions), STEP_3D)
        blocks: list[str] = []

        def stored(values: NDArray[np.int32], parents: Sequence[int]) -> int:
            blocks.append(encode(values, parents))
            return len(self._blocks) + len(blocks) - 1

        seen = self._motions.get((clip, sequence.avatar))  # by another camera
        if seen is not None and _same(seen[1], whole):
            block, whole = seen
        else:
            block = stored(whole, parents)
        row = {"number": sequence.number, "avatar": sequence.avatar, "frames": len(whole), "fps": sequence.fps, "world": block}
        row |= {"note": note} if note else {}
        floor_known = sequence.floor_known and not note
        row |= {} if floor_known else {"floor": _floor(whole)}
        contacts = foot_contacts(dequantise(whole, STEP_3D), sequence.tree.names, sequence.fps, 0.0 if floor_known else None)
        row |= {"contacts": {foot: [frame for span in spans for frame in span] for foot, spans in contacts.items()}}
        if not _agrees(camera, whole, sequence.pixels):
            row["pixels"] = stored(quantise(sequence.pixels, STEP_2D), parents)
        figures = [sequence.tree]
        if sequence.prediction is not None:
            predicted = sequence.prediction
            figures.append(predicted.tree)
            guess = quantise(_world(camera, predicted.positions), STEP_3D)
            errors = quantise(predicted.errors(sequence.positions), STEP_ERROR)[:, None, None]
            row["predicted"] = {"world": stored(guess, predicted.tree.parents), "errors": stored(errors, (-1,)), "same": predicted.same}
        marks = [_finding(finding) for finding in worst_first(findings)[:SHOWN_FINDINGS]]
        described = tuple(to_json(_figure(figure)) for figure in figures)
        return _Entry(row, described, clip, to_json(_camera(camera)), tuple(blocks), marks, whole)

    def _motion(self, sequence: PlayerSequence, world: int) -> dict[str, Any]:
        """Add the motion for the buttons, unless another camera's sequence has it already; return what the row says of it."""
        if world in self._moving or sequence.motion is None or self._motion_room <= 0:
            return self._moving.get(world, {})
        motion = sequence.motion()
        if motion is None:
            return {}
        packed = packed_motion(motion)
        skeleton = to_json(packed.skeleton)
        size = len(packed.rotations) + len(packed.root) + 12 * len(packed.turning) + 100 + (0 if skeleton in self._skeletons else len(skeleton) + 1)
        if size > self._motion_room or (self._max_bytes is not None and self._size + size > self._max_bytes):
            self._motion_room = 0
            return {}
        self._size += size
        self._motion_room -= size
        place, number = len(self._blocks), self._skeletons.setdefault(skeleton, len(self._skeletons))
        self._blocks += [packed.rotations, packed.root]
        self._moving[world] = {"motion": {"skeleton": number, "turning": packed.turning, "rotations": place, "root": place + 1}}
        return self._moving[world]

    def _more(self, entry: _Entry) -> int:
        """Return the bytes that an entry adds, rounded up."""
        tables = {"figures": set(entry.figures), "clips": {entry.clip}, "cameras": {entry.camera}}
        texts = [text for name, those in tables.items() for text in those if text not in self._tables[name]]
        blocks = sum(len(block) + 12 for block in entry.blocks)
        return sum(len(text) + 1 for text in texts) + blocks + len(to_json([entry.row, *entry.marks])) + 80  # numbers of tables' entries

    def _number(self, table: str, entry: str) -> int:
        """Return the place of an entry in a table, entering it if it is new."""
        return self._tables[table].setdefault(entry, len(self._tables[table]))


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings by severity, otherwise in their order."""
    return sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in ("sequence", "frame", "joint", "check", "message", "severity")}


def _figure(tree: JointTree) -> dict[str, Any]:
    return {"names": tree.names, "parents": tree.parents, "sides": tree.sides, "roles": body_roles(tree)}


def _camera(camera: Camera) -> dict[str, Any]:
    numbers = {name: [float(value) if np.isfinite(value) else None for value in np.ravel(getattr(camera, name))] for name in ("K", "R", "t")}
    return {"rig": camera.rig, "width": camera.width, "height": camera.height, **numbers}


def _placed(camera: Camera) -> tuple[Camera, str]:
    """Return the camera as it is stored, and a note if it is not the file's.

    Where the file's R and t are no place to stand, the sequence is shown as a level camera at the origin would see it.
    """
    K, R, t = np.round(camera.K, 6), np.round(camera.R, 9), np.round(camera.t, 9)
    if np.isfinite(R).all() and np.isfinite(t).all() and np.abs(R @ R.T - np.eye(3)).max() < 1e-3:
        return replace(camera, K=K, R=R, t=t), ""
    return replace(camera, K=K, R=_LEVEL[camera.frame], t=np.zeros(3)), "the camera's R and t are no rotation and place: shown from a level camera"


def _world(camera: Camera, positions: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", over="ignore"):
        return (np.asarray(positions, dtype=np.float64) - camera.t) @ camera.R


def _same(one: NDArray[np.int32], other: NDArray[np.int32]) -> bool:
    """Return whether two motions are the same but for rounding."""
    return one.shape == other.shape and int(np.abs(one.astype(np.int64) - other).max(initial=0)) <= 1


def _agrees(camera: Camera, whole: NDArray[np.int32], pixels: NDArray[Any]) -> bool:
    """Return whether what the player would project is what the file holds, NaN where it holds NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        projected = camera.project(camera.to_camera(dequantise(whole, STEP_3D)))
        missing = ~np.isfinite(projected)
        return bool(np.array_equal(missing, ~np.isfinite(pixels)) and (missing | (np.abs(projected - pixels) <= CLOSE)).all())


def _floor(whole: NDArray[np.int32]) -> float:
    """Return where the lowest joints usually are, metres: the median over the frames; 0 if there are none."""
    heights = dequantise(whole[..., 1], STEP_3D)
    lowest = [frame[np.isfinite(frame)].min() for frame in heights if np.isfinite(frame).any()]
    return float(np.round(np.median(lowest), 3)) if lowest else 0.0
