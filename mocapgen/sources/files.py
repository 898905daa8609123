"""Shared by the sources that read files: listing them, finding the skeleton of an AMC file, and reading motions."""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar, Literal

from mocapgen.formats.asf import Asf, parse_asf
from mocapgen.formats.asf_amc import DEFAULT_FPS, parse_amc, stated_fps
from mocapgen.reading.understand import ReadOptions, understand
from mocapgen.retarget.floor import level_floor
from mocapgen.shared.text import printable
from mocapgen.sources.archives import fetch_folder, fetched
from mocapgen.sources.base import Clip, Listing, Source, SourceMotion, skip_reason
from mocapgen.sources.file_tree import Contents, Entry, Tree, open_tree
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError, SourceError
from schemas.report import Detection, Skip

if TYPE_CHECKING:
    from mocapgen.core.markers import Markers
    from mocapgen.core.motion import Motion
    from mocapgen.formats.amass import Amass
    from mocapgen.formats.bvh import Bvh

Format = Literal["amc", "bvh", "npz", "c3d"]

DATABASE_FORMATS: tuple[Format, ...] = ("amc", "bvh", "c3d")
"""In order of preference where the same motion is there in several: AMC is what the databases were solved to, BVH was converted
from it, and markers have to be solved anew."""
FORMATS: tuple[Format, ...] = ("amc", "bvh", "npz", "c3d")
"""Likewise of a user's own files; AMASS was solved from markers by people who know how."""

_DATA = frozenset((*(f".{known}" for known in FORMATS), ".asf", ".zip"))
"""Suffixes of files that hold motions or skeletons, whether they are used or not."""

UNKNOWN = "unknown"
"""Actor of files for which none is given."""
_HEAD = 1 << 16  # bytes in which the parameters of a C3D file usually lie
_SKELETONS = 64  # parsed skeletons kept by each process; HDM05 has five, CMU 112 in the order of their clips


def suffix(path: str) -> str:
    """Return what a path ends in, in lower case: ``.amc``."""
    return PurePosixPath(path).suffix.lower()


def format_of(path: str) -> Format | None:
    """Return the format that a file name ends in."""
    return next((known for known in FORMATS if suffix(path) == f".{known}"), None)


def find_root(source: str, given: Path | None, variable: str, format: str | None, what: str, home: str) -> Path:
    """Return where a database is: ``--root``, else what an environment variable says, else what was fetched.

    Parameters
    ----------
    source : str
        Name of the source.
    given : Path or None
        What ``--root`` says.
    variable : str
        Name of the environment variable.
    format : str or None
        Which of several archives is meant.
    what : str
        What should be there, for messages.
    home : str
        Where it can be had.

    Raises
    ------
    SourceError
        If it is nowhere, with the ways out.
    """
    root = given or (Path(os.environ[variable]) if os.environ.get(variable) else None)
    if root is not None:
        try:
            root = root.expanduser()
            if root.exists():
                return root
        except (OSError, RuntimeError, ValueError):  # too long, no such user, a null character
            pass
        option = "root" if given else f"${variable}"
        raise SourceError(f"{option}: expected a folder or zip with {what}, found nothing at {str(root)!r}; check the path")
    if (there := fetched(source, format)) is not None:
        return there
    raise SourceError(
        f"{source}: expected {what}, found no root=..., no ${variable} and nothing in {fetch_folder(source)}; give root=PATH (folder or zip, "
        f"from {home}), set ${variable}, run `mocapgen fetch {source}`, or use source='sample', which needs no download"
    )


# Sources ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """Which files are clips by their names, and which are none."""

    clips: dict[str, Clip]
    """By path."""
    skipped: tuple[Skip, ...] = ()


class FileSource(Source):
    """A source of files in a folder or zip; the subclass interprets their names."""

    levels_floor: ClassVar[bool] = True
    """Whether figures that walk above or below y = 0 are brought to it; not where the floor is known to be there."""

    def __init__(self, config: BuildConfig, root: Path, formats: Sequence[Format] = DATABASE_FORMATS) -> None:
        self._tree = open_tree(root)
        self._formats = tuple(known for known in formats if config.format in (None, known))
        if not self._formats:
            raise ConfigError(f"format: expected {' or '.join(formats)} with source={self.name!r}, found {config.format}")
        self._options = ReadOptions(config.profile, config.lenient, config.scale, config.up, config.subject, config.marker_set, config.body_model)
        self._options.check()
        self._skeletons: Skeletons | None = None

    @abstractmethod
    def name_clips(self, paths: Sequence[str]) -> Named:
        """Return what the names of the files say, given those of the wanted formats."""

    def no_motions(self, tree: Tree, paths: Sequence[str]) -> dict[str, Skip]:
        """Return the files that are no motions by what is in them, where that has to be looked at; none in databases."""
        return {}

    @abstractmethod
    def nothing_there(self, contents: Contents, named: Named) -> SourceError:
        """Return the error for a root without a single clip."""

    def skeleton_of(self, clip: Clip, skeletons: Skeletons) -> str | None:
        """Return the ASF file of an AMC clip."""
        return skeletons.fitting(clip.file)

    def no_skeleton(self, clip: Clip, skeletons: Skeletons) -> Skip:
        """Return the report on an AMC clip without an ASF file."""
        return skeletons.missing(clip.file, f"{PurePosixPath(clip.file).stem.rsplit('_', 1)[0]}.asf")

    def list(self) -> Listing:
        """Return all clips, sorted by id; their motion data is read only where two files of one size must be compared.

        Clips without a skeleton or with a broken one carry the fault. Of clips with the same id, the preferred format comes first.

        Raises
        ------
        SourceError
            If there is no clip; says what there is instead.
        """
        with self._tree as tree:
            contents = tree.contents()
            skeletons = self._skeletons = Skeletons.of(contents)
            entries = [entry for entry in contents.files if format_of(entry.path) in self._formats]
            no_motions = self.no_motions(tree, [entry.path for entry in entries])
            entries = [entry for entry in entries if entry.path not in no_motions]
            named = self.name_clips([entry.path for entry in entries])
            named = replace(named, skipped=(*named.skipped, *no_motions.values()))
            if not named.clips:
                raise self.nothing_there(contents, named)
            digests = _digests(tree, [entry for entry in entries if entry.path in named.clips])
            faults = self._faults(named.clips.values(), skeletons)
            people, others = self._people(named.clips.values())
            clips = [replace(clip, sha256=digests.get(clip.file), fault=faults.get(clip.file)) for clip in people]
            clips.sort(key=lambda clip: (clip.id, self._formats.index(format_of(clip.file) or "amc"), clip))
            files = dict.fromkeys(tree.place(entry.path) for entry in contents.files if suffix(entry.path) in _DATA)
            return Listing(tuple(clips), self._no_clips(contents, (*named.skipped, *others)), files=tuple(files))

    def read(self, clip: Clip) -> SourceMotion:
        """Read one clip of :meth:`list`.

        Raises
        ------
        FormatError
            If its file or its skeleton is missing or damaged, or the file is ambiguous.
        """
        if self._skeletons is None:
            self._skeletons = Skeletons.of(self._tree.contents())
        asf = None
        if format_of(clip.file) == "amc":
            path = self.skeleton_of(clip, self._skeletons)
            if path is None:
                raise FormatError(self.no_skeleton(clip, self._skeletons).detail)
            asf = read_asf(self._tree, path)
        read = read_motion(self._tree.read(clip.file), clip, asf, self._options)
        return on_the_floor(read) if self.levels_floor and read.roles is not None else read

    def _people(self, clips: Iterable[Clip]) -> tuple[tuple[Clip, ...], tuple[Skip, ...]]:
        """Return a clip for each person of C3D files with several; those of one person if that is asked for, and who is left out then."""
        found, skipped = [], []
        wanted = self._options.subject
        for clip in clips:
            names = self._names(clip.file) if format_of(clip.file) == "c3d" else ()
            if wanted is not None and any(names) and wanted not in names:
                detail = f"not among --subject {wanted}: the file holds {', '.join(names[:5])}"
                skipped.append(Skip(file=clip.file, reason="not selected", detail=detail))
            elif wanted in names:
                found.append(_of_person(clip, clip.id, wanted))
            elif len(names) > 1:
                found += [_of_person(clip, f"{clip.id}/{name}", name) for name in names]
            else:
                found.append(clip)
        return tuple(found), tuple(skipped)

    def _names(self, path: str) -> tuple[str, ...]:
        """Return the names of the people in a C3D file; none if it cannot be read, which reading the clip will say."""
        from mocapgen.formats.c3d import people_in_c3d

        try:
            return people_in_c3d(self._tree.read_head(path, _HEAD), path, self._options.marker_set)
        except FormatError:  # damaged, or its parameters are long
            pass
        try:
            return people_in_c3d(self._tree.read(path), path, self._options.marker_set)
        except FormatError:
            return ()

    def _faults(self, clips: Iterable[Clip], skeletons: Skeletons) -> dict[str, Skip]:
        """Return what is wrong with the skeletons of clips, by the clips' files."""
        found = {clip: self.skeleton_of(clip, skeletons) for clip in clips if format_of(clip.file) == "amc"}
        broken: dict[str, str] = {}
        for path in sorted({path for path in found.values() if path is not None}):
            try:
                read_asf(self._tree, path)
            except FormatError as error:
                broken[path] = skip_reason(error)
        faults = {}
        for clip, skeleton in found.items():
            if skeleton is None:
                faults[clip.file] = self.no_skeleton(clip, skeletons)
            elif skeleton in broken:
                faults[clip.file] = Skip(file=clip.file, reason="unreadable", detail=f"its skeleton is damaged: {broken[skeleton]}")
        return faults

    def _no_clips(self, contents: Contents, named: Iterable[Skip]) -> tuple[Skip, ...]:
        """Return what looks like a clip, a skeleton or a folder of them, and is none."""
        suffixes = {f".{known}" for known in self._formats} | {".asf"}
        skipped = [skip for skip in contents.problems if skip.file.endswith("/") or suffix(skip.file) in suffixes]
        others = [(folder, "expected a file, found a folder") for folder in contents.folders if suffix(folder) in suffixes - {".asf"}]
        others += [(path, "a zip inside the root is not opened; name it as --root") for path in zips(contents)]
        skipped += [*named, *(Skip(file=path, reason="not a clip", detail=detail) for path, detail in others)]
        return tuple(sorted(skipped, key=lambda skip: (skip.file, skip.detail)))


def _of_person(clip: Clip, name: str, person: str) -> Clip:
    """Return the clip of one of several people; who it is says who was recorded, unless that is known."""
    return replace(clip, id=name, subject=person, actor=person if clip.actor == UNKNOWN else clip.actor)


def zips(contents: Contents) -> list[str]:
    """Return the zip files of a tree."""
    return [entry.path for entry in contents.files if suffix(entry.path) == ".zip"]


def what_is_there(contents: Contents) -> str:
    """Return the most frequent kinds of files in words: ``3 .c3d, 1 .zip``."""
    kinds = Counter(suffix(entry.path) or "no suffix" for entry in contents.files)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5)) or "no files"


def what_to_do(tree: Tree, contents: Contents, formats: Sequence[str]) -> str:
    """Return the way out if a tree holds no clip: the zip in it, another format, the right folder."""
    if inner := zips(contents):
        return f"a zip is read in place: root={printable(tree.root / inner[0])}"
    others = [known for known in FORMATS if known not in formats and any(format_of(entry.path) == known for entry in contents.files)]
    if others:
        return f"give format={others[0]} to read the .{others[0]} files"
    if contents.problems:
        return f"also found: {contents.problems[0].detail}"
    return f"name the folder or zip that holds the {' or '.join('.' + known for known in formats)} files"


def _digests(tree: Tree, entries: list[Entry]) -> dict[str, str]:
    """Return the digests of the files that may be equal: the same format and size, in a zip also the same checksum."""
    common = Counter((format_of(entry.path), entry.size, entry.crc) for entry in entries)
    digests = {}
    for entry in entries:
        # Empty files are damaged, each for itself, rather than copies of each other.
        if entry.size and common[format_of(entry.path), entry.size, entry.crc] > 1:
            try:
                digests[entry.path] = hashlib.sha256(tree.read(entry.path)).hexdigest()
            except FormatError:
                continue  # found again, and reported, when the clip is read
    return digests


# Skeletons ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Skeletons:
    """The ASF files of a tree: path by folder and lower-case name."""

    folders: dict[str, dict[str, str]]

    @classmethod
    def of(cls, contents: Contents) -> Skeletons:
        """Find them."""
        folders: dict[str, dict[str, str]] = {}
        for entry in contents.files:
            if suffix(entry.path) == ".asf":
                path = PurePosixPath(entry.path)
                folders.setdefault(str(path.parent), {}).setdefault(path.name.lower(), entry.path)
        return cls(folders)

    def nearest(self, file: str, accepts: Callable[[str], bool]) -> str | None:
        """Return the ASF file whose lower-case stem is accepted, in a file's folder or the nearest one above it."""
        for candidates in self._around(file):
            fitting = [path for name, path in sorted(candidates.items()) if accepts(PurePosixPath(name).stem)]
            if fitting:
                return max(fitting, key=lambda path: len(PurePosixPath(path).stem))
        return None

    def fitting(self, file: str) -> str | None:
        """Return the ASF file named like an AMC file or like the beginning of its name (the longest), else the only one beside it."""
        stem = PurePosixPath(file).stem.lower()
        found = self.nearest(file, lambda name: stem == name or stem.startswith(name + "_"))
        beside = list(self.folders.get(str(PurePosixPath(file).parent), {}).values())
        return found or (beside[0] if len(beside) == 1 else None)

    def missing(self, file: str, name: str) -> Skip:
        """Return the report on an AMC file without a skeleton, which is usually called `name`."""
        folders = [str(folder) for folder in PurePosixPath(file).parents]
        beside = [PurePosixPath(path).name for path in self.folders.get(folders[0], {}).values()]
        detail = (
            f"expected its skeleton {name} (any case) in {' or '.join(folders)} (. is the root), "
            f"found {', '.join(beside[:5]) or 'no .asf file'} beside it; copy the skeleton there"
        )
        return Skip(file=file, reason="no skeleton", detail=detail)

    def _around(self, file: str) -> Iterator[dict[str, str]]:
        return (self.folders[str(folder)] for folder in PurePosixPath(file).parents if str(folder) in self.folders)


def read_asf(tree: Tree, path: str) -> Asf:
    """Read a skeleton.

    Raises
    ------
    FormatError
        If it is damaged.
    """
    data = tree.read(path)
    try:
        return _parse_asf(data)
    except FormatError:
        return parse_asf(data, path)  # the same error, with the name of this file


@lru_cache(maxsize=_SKELETONS)
def _parse_asf(data: bytes) -> Asf:
    """Parse a skeleton, once for all files with the same bytes."""
    return parse_asf(data, "skeleton")


# Motions ------------------------------------------------------------------------------------------


def read_motion(data: bytes, clip: Clip, asf: Asf | None = None, options: ReadOptions | None = None) -> SourceMotion:
    """Turn a motion file of any format into a motion whose joints' roles are known.

    Parameters
    ----------
    data : bytes
        The file's content.
    clip : Clip
        Its ``file`` says the format; its ``fps``, if set, overrides what the file says.
    asf : Asf, optional
        Skeleton of an AMC file.
    options : ReadOptions, optional

    Returns
    -------
    SourceMotion
        Metres, world frame, at the recording's frame rate. Without roles and detection if the joints are not understood.

    Raises
    ------
    FormatError
        If the file is damaged or ambiguous.
    """
    found, options = format_of(clip.file) or "amc", options or ReadOptions()
    file, notes = _parsed(found, data, clip, asf, options)
    stated, digest = stated_fps(data) if found == "amc" else None, hashlib.sha256(data).hexdigest()
    del data  # of an hour it is as large as the motion
    understood = understand(file, options)
    del file
    if found == "amc" and asf is not None:
        understood = replace(understood, metres_per_unit=asf.metres_per_unit, notes=notes)
    motion, notes = replace(understood.motion, name=clip.id), understood.notes
    warnings: tuple[str, ...] = ()
    stated = stated if found == "amc" else motion.fps
    if clip.fps is not None and stated is not None and clip.fps != stated:
        if found != "amc" or clip.fps_given:
            warnings = (f"{clip.fps:g} frames per second as table or pattern say, not the {stated:g} of the file",)
            motion = replace(motion, fps=motion.fps * clip.fps / stated)
        else:
            warnings = (f"{stated:g} frames per second as the file states, not the {clip.fps:g} of its name or the index",)
        notes += warnings
    roles = understood.roles
    detection = (
        None
        if roles is None
        else Detection(
            file=clip.file,
            format=found,
            profile=understood.profile,
            confidence=roles.confidence,
            metres_per_unit=understood.metres_per_unit,
            up=understood.up,
            fps=motion.fps,
            frames=len(motion),
            actor=clip.actor,
            action=clip.action,
            notes=tuple(note.removeprefix(f"{clip.file}: ") for note in notes),
            warnings=(*(warning.removeprefix(f"{clip.file}: ") for warning in understood.warnings), *warnings),
        )
    )
    lost = tuple(Skip(file=clip.file, reason="not seen", detail=detail) for detail in understood.lost)
    return SourceMotion(motion, digest, roles, detection, understood.start, lost)


def _parsed(form: Format, data: bytes, clip: Clip, asf: Asf | None, options: ReadOptions) -> tuple[Motion | Bvh | Markers | Amass, tuple[str, ...]]:
    """Return what a file says, and what had to be decided to read it."""
    if form == "bvh":
        from mocapgen.formats.bvh import parse_bvh

        return parse_bvh(data, clip.file, options.lenient), ()
    if form == "c3d":
        from mocapgen.formats.c3d import parse_c3d

        return parse_c3d(data, clip.file, clip.file, subject=clip.subject, marker_set=options.marker_set, lenient=options.lenient), ()
    if form == "npz":
        from mocapgen.formats.amass import parse_amass

        return parse_amass(data, clip.file, clip.fps if clip.fps_given else None), ()
    assert asf is not None
    stated = stated_fps(data)
    notes: list[str] = []
    if stated is None and clip.fps is None:
        notes.append(f"the file does not state its frame rate: {DEFAULT_FPS:g} frames per second assumed")
    return parse_amc(data, asf, clip.file, stated or clip.fps, clip.id, options.lenient, notes), tuple(notes)


def on_the_floor(read: SourceMotion) -> SourceMotion:
    """Return a clip moved up or down so that its feet rest on y = 0, with a note on it (:func:`mocapgen.retarget.floor.level_floor`)."""
    motion, note = level_floor(read.motion, read.roles)
    if not note:
        return read
    assert read.detection is not None
    return replace(read, motion=motion, detection=read.detection.model_copy(update={"notes": (*read.detection.notes, note)}))
