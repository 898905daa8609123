"""What a build reports: to the terminal, to ``/skipped`` in the file, and to the caller of ``build``."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import Field

from schemas.base import Model

SkipReason = Literal["too short", "too long", "unreadable", "duplicate", "not selected", "no skeleton", "not a clip", "cannot retarget", "not seen"]
FAULTS: frozenset[str] = frozenset({"unreadable", "no skeleton", "cannot retarget"})
"""Reasons that say something is wrong with the data; with ``--strict`` they end the build."""


class Skip(Model):
    """Something that was found and not used."""

    file: str
    """Path relative to the source's root, forward slashes."""
    reason: SkipReason
    """Kind of reason, for counting."""
    detail: str
    """The whole reason in one line."""
    frames: int | None = None
    """Frames at the rate of the dataset, of a clip that is too short or too long; not recorded in the file."""


class Vanished(Model):
    """An action or an actor of which clips were asked for, and none is used."""

    kind: Literal["action", "actor"]
    """What it is."""
    name: str
    """Its name."""
    clips: int
    """Clips of it, none of which is used."""
    reasons: dict[SkipReason, int]
    """Of how many of its clips each reason is one."""
    frames: tuple[int, int] | None = None
    """Frames of the shortest and the longest of its clips that are too short or too long, at the rate of the dataset."""


class Detection(Model):
    """How a motion file was understood."""

    file: str
    """Path relative to the source's root, forward slashes."""
    format: Literal["amc", "bvh", "c3d", "npz"]
    """File format."""
    profile: str
    """What its joints or markers were understood by: a source profile or marker set, or `inferred`."""
    confidence: float = Field(ge=0, le=1)
    """How sure that is; 1 where the names are known."""
    metres_per_unit: float
    """Length of one unit of the file."""
    up: str
    """The file's axis that points up."""
    fps: float
    """Frames per second of the recording."""
    frames: int
    """Frames of the recording."""
    actor: str
    """Who was recorded."""
    action: str
    """Motion class."""
    notes: tuple[str, ...] = ()
    """What had to be decided, one line each."""
    warnings: tuple[str, ...] = ()
    """Those of the notes that need checking."""


class BuildReport(Model):
    """What a build did, or with ``dry_run`` would do."""

    clips_found: int
    """Clips the source holds, those that were skipped included; files that are no clips are not."""
    clips_used: int
    """Clips that have at least one sequence in the file."""
    sequences: int
    """Clips (or their windows) times avatars times cameras."""
    frames: int
    """Rows of the frame block."""
    skipped: tuple[Skip, ...]
    """What was found and not used, in file order."""
    detections: tuple[Detection, ...] = ()
    """How the files that are used were understood, in the order of the clips."""
    vanished: tuple[Vanished, ...] = ()
    """Actions and actors that were asked for and of which nothing is left."""
    bytes: int
    """Size of the file; 0 for a dry run."""
    seconds: float
    """Wall time."""

    def __repr__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.skipped_by_reason().items())
        return (
            f"<BuildReport: {self.clips_used} of {self.clips_found} clips used, {self.sequences:,} sequences, {self.frames:,} frames, "
            f"{self.bytes:,} bytes, {self.seconds:.1f} s{'; skipped: ' + reasons if reasons else ''}>"
        )

    __str__ = __repr__

    def skipped_by_reason(self) -> dict[str, int]:
        """Return how many clips were skipped for each reason, most frequent first."""
        return dict(Counter(skip.reason for skip in self.skipped).most_common())


class SubsetReport(Model):
    """What ``merge`` or ``select`` wrote, or without an output would write."""

    inputs: tuple[str, ...]
    """The files read."""
    sequences_found: int
    """Sequences in the files read."""
    sequences: int
    """Sequences in the file written."""
    frames: int
    """Frames of these sequences."""
    fps: float
    """Frames per second."""
    clips: int
    """Clips that have at least one of these sequences."""
    cameras: int
    """Cameras that see at least one of these sequences."""
    actors: tuple[str, ...]
    """Actors, sorted."""
    actions: tuple[str, ...]
    """Actions, sorted."""
    avatars: tuple[str, ...]
    """Avatars, sorted."""
    lengths: tuple[int, int]
    """Frames of the shortest and the longest sequence."""
    notes: tuple[str, ...] = ()
    """What had to be decided, one line each."""
    bytes: int
    """Size of the file; 0 if nothing was to be written."""

    def __repr__(self) -> str:
        return (
            f"<SubsetReport: {self.sequences:,} of {self.sequences_found:,} sequences, {self.clips:,} clips, "
            f"{self.frames:,} frames at {self.fps:g} fps, {self.bytes:,} bytes>"
        )

    __str__ = __repr__
