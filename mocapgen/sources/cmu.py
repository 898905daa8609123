"""CMU: the motion-capture database of Carnegie Mellon University, as ASF/AMC, as BVH of any flavour, or as C3D.

The data was obtained from mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from mocapgen.shared.text import printable
from mocapgen.sources.base import READING_SETTINGS, Clip, Listing, SourceMotion
from mocapgen.sources.cmu_index import Trial, categories, trials
from mocapgen.sources.file_tree import Contents
from mocapgen.sources.files import DATABASE_FORMATS, FileSource, Named, Skeletons, find_root, format_of, what_is_there, what_to_do
from schemas.config import BuildConfig
from schemas.errors import SourceError
from schemas.report import Skip

VARIABLE = "MOCAPGEN_CMU"
"""Environment variable with the folder or zip, for when ``--root`` is not given."""
PATTERN = "<subject>_<trial>"
"""How clips are named, with any number of leading zeros: ``01_01.amc``, ``006_02.bvh``, ``85_12.c3d``."""
FRAME_FOR_FRAME = frozenset({"cgspeed"})
"""BVH flavours that hold every captured frame under one frame time for the whole database, so that the index knows better how fast they are."""

_NAME = re.compile(r"(?P<subject>[0-9]{1,4})_(?P<trial>[0-9]{1,4})\.(amc|bvh|c3d)", re.IGNORECASE)


class Cmu(FileSource):
    """The CMU database. The actor is the subject, the action the trial's description, the take the trial.

    A trial that is there several times is used once: as AMC, else BVH, else C3D; of several BVH flavours as the one whose path comes first.

    Parameters
    ----------
    config : BuildConfig
        Its ``root``, ``format`` and what it says of BVH files.

    Raises
    ------
    SourceError
        If the data is not there.
    """

    name = "cmu"
    title = "CMU motion-capture database (ASF/AMC, BVH or C3D), a folder or zip"
    default_select = "all"
    supported = READING_SETTINGS | {"categories"}

    def __init__(self, config: BuildConfig) -> None:
        root = find_root(self.name, config.root, VARIABLE, config.format, "CMU's .amc, .bvh or .c3d files", "mocap.cs.cmu.edu")
        super().__init__(config, root)

    def list(self) -> Listing:
        """Return all clips, sorted by id, and which kinds of motion there are."""
        return replace(super().list(), categories=tuple(categories()))

    def name_clips(self, paths: Sequence[str]) -> Named:
        """Return the clips by their names: see :data:`PATTERN`."""
        clips = {path: clip for path in paths if (clip := parse_name(path)) is not None}
        detail = f"expected a file name like {PATTERN} with CMU's numbers"
        return Named(clips, tuple(Skip(file=path, reason="not a clip", detail=detail) for path in paths if path not in clips))

    def nothing_there(self, contents: Contents, named: Named) -> SourceError:
        """Return the error for a root without a single clip."""
        root, kinds = printable(self._tree.root), ", ".join(f".{known}" for known in self._formats)
        if named.skipped:
            found = f"{len(named.skipped)} {kinds} files named otherwise, such as {named.skipped[0].file}; source='folder' takes any names"
            return SourceError(f"{root}: expected clips named {PATTERN}, found {found}")
        hint = what_to_do(self._tree, contents, self._formats)
        return SourceError(f"{root}: expected CMU's {kinds} files, found {what_is_there(contents)}; {hint}")

    def skeleton_of(self, clip: Clip, skeletons: Skeletons) -> str | None:
        """Return the ASF file of a clip's subject, with any number of leading zeros, in the clip's folder or the nearest one above it."""
        return skeletons.nearest(clip.file, lambda stem: stem.isdecimal() and int(stem) == int(clip.actor))

    def no_skeleton(self, clip: Clip, skeletons: Skeletons) -> Skip:
        """Return the report on a clip without a skeleton."""
        return skeletons.missing(clip.file, f"{clip.actor}.asf")

    def read(self, clip: Clip) -> SourceMotion:
        """Read one clip of :meth:`list`, at the rate of the index where its file does not know it."""
        read = super().read(clip)
        trial = _trial(clip)
        if read.detection is None:
            return read
        notes = read.detection.notes
        motion, fps = read.motion, read.motion.fps
        if trial is None:
            notes += ("this trial is not in the index of CMU's trials: its description is not known",)
        elif trial.fps != fps and read.detection.profile in FRAME_FOR_FRAME:
            notes += (f"captured at {trial.fps:g} frames per second by the index, not at the file's {fps:g}",)
            motion = replace(motion, fps=trial.fps)
        elif trial.fps != fps and format_of(clip.file) == "c3d":
            notes += (f"the index says that it was captured at {trial.fps:g} frames per second; the file's {fps:g} is taken",)
        return replace(read, motion=motion, detection=read.detection.model_copy(update={"notes": notes, "fps": motion.fps}))


SOURCE = Cmu


def parse_name(path: str) -> Clip | None:
    """Return the clip that a file name speaks of, or None if it is not named like :data:`PATTERN`.

    Parameters
    ----------
    path : str
        Relative to the root, forward slashes.

    Returns
    -------
    Clip or None
        Its ``id`` is spelt as CMU does (``06_02``), whatever the file is called. ``fps`` is set for AMC, which does not say it itself.
        The action of a trial without a description is ``unknown``, with the id: two of them need not be the same.
    """
    match = _NAME.fullmatch(PurePosixPath(path).name)
    if match is None or int(match["subject"]) == 0:
        return None
    actor, take = (f"{int(match[part]):02d}" for part in ("subject", "trial"))
    trial = trials().get((int(actor), int(take)))
    action = (trial and trial.description) or f"unknown {actor}_{take}"
    fps = trial.fps if trial is not None and format_of(path) == DATABASE_FORMATS[0] else None
    return Clip(f"{actor}_{take}", path, actor, action, take, fps, categories=trial.categories if trial else ())


def _trial(clip: Clip) -> Trial | None:
    return trials().get((int(clip.actor), int(clip.take)))
