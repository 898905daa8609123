"""HDM05: the motion-capture database of Bonn, as ASF/AMC or C3D, in a folder or in the official zips.

Mueller, Roeder, Clausen, Eberhardt, Krueger, Weber: Documentation Mocap Database HDM05, technical report CG-2007-2,
Universitaet Bonn, 2007; resources.mpi-inf.mpg.de/HDM05.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from mocapgen.shared.text import printable
from mocapgen.sources.base import Clip
from mocapgen.sources.file_tree import Contents
from mocapgen.sources.files import FileSource, Format, Named, Skeletons, find_root, format_of, what_is_there, what_to_do
from schemas.config import BuildConfig
from schemas.errors import ConfigError, SourceError
from schemas.report import Skip

VARIABLE = "MOCAPGEN_HDM05"
"""Environment variable with the folder or zip, for when ``--root`` is not given."""
PATTERN = "HDM_<actor>_<action>_<take>_<fps>"
"""How clips are named. Cuts: ``HDM_bd_squat1Reps_001_120.amc``; full takes, whose action is scene-part: ``HDM_dg_06-03_03_120.amc``."""

_NAME = re.compile(r"HDM_(?P<actor>[^_]+)_(?P<action>.+)_(?P<take>[0-9]+)_(?P<fps>[0-9]{1,4}(\.[0-9]{1,6})?)\.(amc|c3d)", re.IGNORECASE)


class Hdm05(FileSource):
    """The HDM05 database.

    Parameters
    ----------
    config : BuildConfig
        Its ``root`` and ``format`` (``amc``, the default, or ``c3d``).

    Raises
    ------
    SourceError
        If the data is not there.
    ConfigError
        If it is asked for in a format in which it does not exist.
    """

    name = "hdm05"
    title = "HDM05 motion-capture database (ASF/AMC or C3D), a folder or zip"
    levels_floor = False  # y = 0 within 3 cm in all of it

    def __init__(self, config: BuildConfig) -> None:
        if config.format not in (None, "amc", "c3d"):
            raise ConfigError(f"format: expected amc or c3d with source='hdm05', found {config.format}")
        self._format: Format = config.format or "amc"
        root = find_root(self.name, config.root, VARIABLE, self._format, f"HDM05's .{self._format} files", "resources.mpi-inf.mpg.de/HDM05")
        super().__init__(config, root, [self._format])

    def name_clips(self, paths: Sequence[str]) -> Named:
        """Return the clips by their names: see :data:`PATTERN`."""
        clips = {path: clip for path in paths if (clip := parse_name(path)) is not None}
        detail = f"expected a file name like {PATTERN}.{self._format}"
        return Named(clips, tuple(Skip(file=path, reason="not a clip", detail=detail) for path in paths if path not in clips))

    def nothing_there(self, contents: Contents, named: Named) -> SourceError:
        """Return the error for a root without a single clip."""
        root, kind = printable(self._tree.root), f".{self._format}"
        if named.skipped:
            found = f"{len(named.skipped)} {kind} files named otherwise, such as {named.skipped[0].file}"
            return SourceError(f"{root}: expected clips named {PATTERN}{kind}, found {found}")
        readable = [self._format, "bvh"]  # HDM05 does not exist as BVH
        return SourceError(f"{root}: expected HDM05's {kind} files, found {what_is_there(contents)}; {what_to_do(self._tree, contents, readable)}")

    def skeleton_of(self, clip: Clip, skeletons: Skeletons) -> str | None:
        """Return the ASF file of a clip's actor in the clip's folder or the nearest one above it."""
        return skeletons.nearest(clip.file, lambda stem: stem == f"hdm_{clip.actor}")

    def no_skeleton(self, clip: Clip, skeletons: Skeletons) -> Skip:
        """Return the report on a clip without a skeleton."""
        return skeletons.missing(clip.file, f"HDM_{clip.actor}.asf")


SOURCE = Hdm05


def parse_name(path: str) -> Clip | None:
    """Return the clip that a file name speaks of, or None if it is not named like :data:`PATTERN`.

    Parameters
    ----------
    path : str
        Relative to the root, forward slashes. Case of the prefix, the actor and the suffix does not matter.
    """
    # Some file systems store accents as separate characters; ids must not depend on that.
    match = _NAME.fullmatch(unicodedata.normalize("NFC", PurePosixPath(path).name))
    if match is None or not 0 < float(match["fps"]) <= 1000:
        return None
    actor, action, take, fps = match["actor"].lower(), match["action"], match["take"], match["fps"]
    return Clip(f"HDM_{actor}_{action}_{take}_{fps}", path, actor, action, take, float(fps) if format_of(path) == "amc" else None)
