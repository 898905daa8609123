"""Counts of a build, for its report and for the file's ``/skipped``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from mocapgen.shared.text import one_line
from mocapgen.sources import Clip, Listing
from mocapgen.sources.selection import ClipSelection
from mocapgen.sources.vanished import vanished
from schemas.config import BuildConfig
from schemas.errors import FormatError, SourceError
from schemas.report import FAULTS, BuildReport, Detection, Skip


class BuildCounts:
    """Counts of a build so far.

    Parameters
    ----------
    config : BuildConfig
    sequences_per_window : int
        Avatars times cameras.
    """

    def __init__(self, config: BuildConfig, sequences_per_window: int) -> None:
        self._began = time.perf_counter()
        self._config = config
        self._per_window = sequences_per_window
        self._found = self._windows = self._frames = 0
        self._wanted: tuple[Clip, ...] = ()
        self._used: list[Clip] = []
        self._skips: list[Skip] = []
        self._detections: list[Detection] = []

    def found(self, listing: Listing, selection: ClipSelection) -> None:
        """Count the clips that the source holds, and what of them is not used.

        Raises
        ------
        FormatError
            See :meth:`skip`.
        """
        self._found = len(listing.clips) + sum(skip.reason != "not a clip" for skip in listing.skipped)
        self._wanted = selection.wanted
        self.skip(selection.skipped)

    def skip(self, skips: Iterable[Skip]) -> None:
        """Count what is not used.

        Raises
        ------
        FormatError
            If something is wrong with one of them and the build is strict.
        """
        for skip in skips:
            if self._config.strict and skip.reason in FAULTS:
                raise FormatError(f"{skip.detail} (strict=True; without it the clip would be left out)")
            self._skips.append(skip)

    def use(self, clip: Clip | None, windows: tuple[int, ...], detection: Detection | None) -> None:
        """Count a clip that is used, by the frames of its windows; None if none of a group is."""
        if clip is not None:
            self._used.append(clip)
        self._windows += len(windows)
        self._frames += sum(windows)
        if detection is not None:
            self._detections.append(detection)

    def require_clips(self) -> None:
        """Check that there is a usable clip.

        Raises
        ------
        SourceError
            With what was found instead.
        """
        if self._used:
            return
        skips = self.sorted_skips()
        reasons = Counter(skip.reason for skip in skips)
        counts = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "no clip at all"
        telling = [skip for skip in skips if skip.reason != "not selected"] or skips
        first = f"; first: {telling[0].detail}" if telling else ""
        source = f"source {self._config.source}"
        short = [skip.frames for skip in skips if skip.reason == "too short" and skip.frames]
        kept = f"; min_frames={min(short)} keeps all that are too short" if short else ""
        subject = source if self._config.root is None else str(self._config.root)
        raise SourceError(one_line(subject, f"expected at least one usable clip of {source}, found {counts}{first}", kept))

    def sorted_skips(self) -> list[Skip]:
        """Return what is not used, in file order."""
        return sorted(self._skips, key=lambda skip: (skip.file, skip.reason, skip.detail))

    def report(self, out: Path | None) -> BuildReport:
        """Return the report of the build.

        Parameters
        ----------
        out : Path, optional
            The file, if one was written.
        """
        return BuildReport(
            clips_found=self._found,
            clips_used=len(self._used),
            sequences=self._windows * self._per_window,
            frames=self._frames * self._per_window,
            skipped=tuple(self.sorted_skips()),
            detections=tuple(self._detections),
            vanished=vanished(self._wanted, self._used, self._skips),
            bytes=0 if out is None else out.stat().st_size,
            seconds=time.perf_counter() - self._began,
        )
