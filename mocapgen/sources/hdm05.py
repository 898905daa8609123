"""HDM05: the motion-capture database of Bonn, as ASF/AMC, in a folder or in the official zip.

Mueller, Roeder, Clausen, Eberhardt, Krueger, Weber: Documentation Mocap Database HDM05, technical report CG-2007-2,
Universitaet Bonn, 2007; resources.mpi-inf.mpg.de/HDM05.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from mocapgen.formats.asf import Asf, parse_asf
from mocapgen.formats.asf_amc import DEFAULT_FPS, parse_amc
from mocapgen.sources.base import Clip, Listing, Source, SourceMotion
from mocapgen.tree import Contents, Entry, Tree, open_tree, printable
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError, SourceError
from schemas.report import Skip

VARIABLE = "MOCAPGEN_HDM05"
"""Environment variable with the folder or zip, for when ``--root`` is not given."""
PATTERN = "HDM_<actor>_<action>_<take>_<fps>.amc"
"""How clips are named. Cuts: ``HDM_bd_squat1Reps_001_120.amc``; full takes, whose action is scene-part: ``HDM_dg_06-03_03_120.amc``."""

_NAME = re.compile(r"HDM_(?P<actor>[^_]+)_(?P<action>.+)_(?P<take>[0-9]+)_(?P<fps>[0-9]{1,4}(\.[0-9]{1,6})?)\.amc", re.IGNORECASE)
_SKELETONS = 64  # parsed skeletons kept by each process; HDM05 has five
_Index = dict[tuple[str, str], str]


class Hdm05(Source):
    """The HDM05 database.

    Parameters
    ----------
    config : BuildConfig
        Its ``root`` and ``format``.

    Raises
    ------
    SourceError
        If the data is not there.
    ConfigError
        If it is asked for in a format other than AMC.
    """

    name = "hdm05"
    title = "HDM05 motion-capture database (ASF/AMC), a folder or zip"

    def __init__(self, config: BuildConfig) -> None:
        if config.format not in (None, "amc"):
            raise ConfigError(f"--format: expected amc with --source hdm05, found {config.format}; this version reads HDM05 from ASF/AMC only")
        self._tree = open_tree(_find_root(config.root))
        self._asf_index: _Index | None = None

    def list(self) -> Listing:
        """Return all clips, sorted by id; their motion data is read only where two files of one size must be compared.

        Clips without a skeleton or with a broken one carry the fault.

        Raises
        ------
        SourceError
            If there is no clip; says what there is instead.
        """
        with self._tree as tree:
            contents = tree.contents()
            self._asf_index = _index_skeletons(contents)
            entries = [entry for entry in contents.files if _suffix(entry.path) == ".amc"]
            clips = {entry.path: clip for entry in entries if (clip := parse_name(entry.path)) is not None}
            if not clips:
                raise _nothing_there(tree, contents, entries)
            digests = _digests(tree, [entry for entry in entries if entry.path in clips])
            faults = self._faults(tuple(clips.values()))
            checked = (replace(clip, sha256=digests.get(path), fault=faults.get(path)) for path, clip in clips.items())
            return Listing(tuple(sorted(checked)), _no_clips(contents, entries, set(clips)))

    def read(self, clip: Clip) -> SourceMotion:
        """Read one clip of :meth:`list`.

        Raises
        ------
        FormatError
            If its file or its skeleton is missing or damaged.
        """
        if self._asf_index is None:
            self._asf_index = _index_skeletons(self._tree.contents())
        skeleton = _skeleton_of(clip, self._asf_index)
        if skeleton is None:
            raise FormatError(_no_skeleton(clip, self._asf_index).detail)
        asf = _read_asf(self._tree, skeleton)
        data = self._tree.read(clip.file)
        motion = parse_amc(data, asf, clip.file, clip.fps or DEFAULT_FPS, clip.id)
        return SourceMotion(motion, hashlib.sha256(data).hexdigest())

    def _faults(self, clips: tuple[Clip, ...]) -> dict[str, Skip]:
        """Return what is wrong with the skeletons of clips, by the clips' files."""
        index = self._asf_index or {}
        broken: dict[str, str] = {}
        for skeleton in sorted({path for clip in clips if (path := _skeleton_of(clip, index)) is not None}):
            try:
                _read_asf(self._tree, skeleton)
            except FormatError as error:
                broken[skeleton] = str(error)
        faults = {}
        for clip in clips:
            path = _skeleton_of(clip, index)
            if path is None:
                faults[clip.file] = _no_skeleton(clip, index)
            elif path in broken:
                faults[clip.file] = Skip(file=clip.file, reason="unreadable", detail=f"its skeleton is damaged: {broken[path]}")
        return faults


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
    return Clip(f"HDM_{actor}_{action}_{take}_{fps}", path, actor, action, take, float(fps))


# Where the data is --------------------------------------------------------------------------------


def _find_root(given: Path | None) -> Path:
    """Return ``--root``, else what the environment variable says, else the fetch folder."""
    variable = os.environ.get(VARIABLE)
    root = given or (Path(variable) if variable else None)
    if root is not None:
        try:
            root = root.expanduser()
            if root.exists():
                return root
        except (OSError, RuntimeError, ValueError):  # too long, no such user, a null character
            pass
        option = "--root" if given else f"${VARIABLE}"
        raise SourceError(f"{option}: expected a folder or zip with HDM05's ASF/AMC files, found nothing at {str(root)!r}; check the path")
    import platformdirs

    fetched = platformdirs.user_data_path("mocapgen") / "hdm05"
    if fetched.is_dir():
        return fetched
    raise SourceError(
        f"hdm05: expected HDM05's ASF/AMC files, found no --root, no ${VARIABLE} and nothing in {fetched}; "
        f"give --root PATH (folder or zip, from resources.mpi-inf.mpg.de/HDM05), set ${VARIABLE}, or use --source sample, which needs no download"
    )


def _nothing_there(tree: Tree, contents: Contents, amc: list[Entry]) -> SourceError:
    """Return the error for a root without a single clip."""
    root = printable(tree.root)
    if amc:
        return SourceError(f"{root}: expected clips named {PATTERN}, found {len(amc)} .amc files named otherwise, such as {amc[0].path}")
    kinds = Counter(_suffix(entry.path) or "no suffix" for entry in contents.files)
    found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5)) or "no files"
    hint = "name the folder or zip that holds the .amc files"
    if zips := [entry.path for entry in contents.files if _suffix(entry.path) == ".zip"]:
        hint = f"a zip is read in place: --root {printable(tree.root / zips[0])}"
    elif kinds[".c3d"]:
        hint = "this version does not read HDM05's C3D files yet, only its ASF/AMC files"
    elif contents.problems:
        hint = f"also found: {contents.problems[0].detail}"
    return SourceError(f"{root}: expected HDM05's .amc files, found {found}; {hint}")


def _no_clips(contents: Contents, entries: list[Entry], clips: set[str]) -> tuple[Skip, ...]:
    """Return what looks like a clip, a skeleton or a folder of them, and is none."""
    skipped = [skip for skip in contents.problems if skip.file.endswith("/") or _suffix(skip.file) in (".amc", ".asf")]
    others = [(entry.path, f"expected a file name like {PATTERN}") for entry in entries if entry.path not in clips]
    others += [(folder, "expected a file, found a folder") for folder in contents.folders if _suffix(folder) == ".amc"]
    others += [(entry.path, "a zip inside the root is not opened; name it as --root") for entry in contents.files if _suffix(entry.path) == ".zip"]
    skipped += [Skip(file=path, reason="not a clip", detail=detail) for path, detail in others]
    return tuple(sorted(skipped, key=lambda skip: (skip.file, skip.detail)))


def _digests(tree: Tree, entries: list[Entry]) -> dict[str, str]:
    """Return the digests of the files that may be equal: the same size, in a zip also the same checksum."""
    common = Counter((entry.size, entry.crc) for entry in entries)
    digests = {}
    for entry in entries:
        # Empty files are damaged, each for itself, rather than copies of each other.
        if entry.size and common[entry.size, entry.crc] > 1:
            try:
                digests[entry.path] = hashlib.sha256(tree.read(entry.path)).hexdigest()
            except FormatError:
                continue  # found again, and reported, when the clip is read
    return digests


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


# Skeletons ----------------------------------------------------------------------------------------


def _index_skeletons(contents: Contents) -> _Index:
    """Return the ASF files by folder and name, both as in the tree, the name in lower case."""
    index: _Index = {}
    for entry in contents.files:
        if _suffix(entry.path) == ".asf":
            path = PurePosixPath(entry.path)
            index.setdefault((str(path.parent), path.name.lower()), entry.path)
    return index


def _skeleton_of(clip: Clip, index: _Index) -> str | None:
    """Return the ASF file of a clip's actor in the clip's folder or the nearest one above it."""
    name = f"hdm_{clip.actor}.asf"
    return next((index[str(folder), name] for folder in PurePosixPath(clip.file).parents if (str(folder), name) in index), None)


def _no_skeleton(clip: Clip, index: _Index) -> Skip:
    folders = [str(folder) for folder in PurePosixPath(clip.file).parents]
    beside = [PurePosixPath(path).name for (folder, _), path in index.items() if folder == folders[0]]
    detail = (
        f"expected its skeleton HDM_{clip.actor}.asf (any case) in {' or '.join(folders)} (. is the root), "
        f"found {', '.join(beside[:5]) or 'no .asf file'} beside it; copy the skeleton there"
    )
    return Skip(file=clip.file, reason="no skeleton", detail=detail)


def _read_asf(tree: Tree, path: str) -> Asf:
    data = tree.read(path)
    try:
        return _parse_asf(data)
    except FormatError:
        return parse_asf(data, path)  # the same error, with the name of this file


@lru_cache(maxsize=_SKELETONS)
def _parse_asf(data: bytes) -> Asf:
    """Parse a skeleton, once for all files with the same bytes."""
    return parse_asf(data, "skeleton")
