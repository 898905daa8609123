"""What a build reports: to the terminal, to ``/skipped`` in the file, and to whoever calls ``build``."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from schemas.base import Model

SkipReason = Literal["too short", "too long", "unreadable", "duplicate", "not selected", "no skeleton", "not a clip", "cannot retarget"]
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


class BuildReport(Model):
    """What a build did, or with ``dry_run`` would do."""

    clips_found: int
    """Clips the source holds, those that were skipped included."""
    clips_used: int
    """Clips that have at least one sequence in the file."""
    sequences: int
    """Clips (or their windows) times avatars times cameras."""
    frames: int
    """Rows of the frame block."""
    skipped: tuple[Skip, ...]
    """What was found and not used, in file order."""
    bytes: int
    """Size of the file; 0 for a dry run."""
    seconds: float
    """Wall time."""

    def skipped_by_reason(self) -> dict[str, int]:
        """Return how many clips were skipped for each reason, most frequent first."""
        return dict(Counter(skip.reason for skip in self.skipped).most_common())
