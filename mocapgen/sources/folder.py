"""A user's own files: any mix of BVH, AMC with ASF, C3D and AMASS's npz below a folder or in a zip."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from mocapgen.shared.text import printable
from mocapgen.sources import hdm05
from mocapgen.sources.amass_files import no_motion, said_by
from mocapgen.sources.base import READING_SETTINGS, Clip
from mocapgen.sources.file_tree import Contents, Tree
from mocapgen.sources.files import FORMATS, UNKNOWN, FileSource, Named, format_of, what_is_there, what_to_do
from mocapgen.sources.naming import ClipTableRow, NamePattern, check_fps, read_table
from schemas.config import BuildConfig
from schemas.errors import ConfigError, SourceError
from schemas.report import Skip

_FORMAT_WORDS = re.compile(r"(?i)(?:^|[^a-z])(?:asf|amc|asfamc|bvh|bvhs|c3d|c3ds)(?:$|[^a-z])")
"""Names of folders that name a format, such as ``asfamc`` or ``bvh-iclone``: they name neither an actor nor an action."""
_TRAILING_NUMBER = re.compile(r"[ _.-]*\(?[0-9]+\)?$")


class Folder(FileSource):
    """Motion files of any kind.

    Who does what in a file is said by the first of these that speaks of it:

    - ``--table``: a CSV with the columns file, actor, action, take and fps. Files that it does not name are left out.
    - ``--pattern``: how names are built, such as ``{actor}_{action}_{take}``. Files that are named otherwise are left out.
    - the name, if it is one of HDM05's (``HDM_<actor>_<action>_<take>_<fps>``),
    - of AMASS, dataset, subject and name (:func:`~mocapgen.sources.amass_files.said_by`),
    - the folders: ``actor/action/take.bvh``. The folder that a file lies in is the action and the one above it the actor, which is
      ``unknown`` if there is none; folders that name a format (``bvh-iclone``) are passed over. The action of a file directly in the
      root is its name without the number at its end.

    A motion that is there in several formats (one name, in one folder) is used once: as AMC, else BVH, else npz, else C3D.

    Parameters
    ----------
    config : BuildConfig
        Its ``root``, ``format``, ``pattern``, ``table`` and what it says of BVH files.

    Raises
    ------
    SourceError
        If there is no such folder or zip.
    ConfigError
        If it is not said which, or pattern, table or profile are not valid.
    """

    name = "folder"
    title = "your own BVH, ASF/AMC, C3D and AMASS files: a folder, a zip or a single file"
    default_select = "all"
    supported = READING_SETTINGS | {"pattern", "table", "body_model"}

    def __init__(self, config: BuildConfig) -> None:
        if config.root is None:
            raise ConfigError("root: expected the folder, zip or file with your motion, found none; give root=PATH")
        if config.pattern is not None and config.table is not None:
            raise ConfigError("pattern and table: expected one of them, found both; a table says everything by itself")
        self._pattern = None if config.pattern is None else NamePattern(config.pattern)
        self._table = None if config.table is None else read_table(config.table)
        self._table_path = config.table
        super().__init__(config, _expanded(config.root), FORMATS)

    def no_motions(self, tree: Tree, paths: Sequence[str]) -> dict[str, Skip]:
        """Return the npz files that hold something else, such as AMASS's shapes of people."""
        found = {path: no_motion(tree, path) for path in paths if format_of(path) == "npz"}
        detail = "expected a motion of AMASS, found"
        return {path: Skip(file=path, reason="not a clip", detail=f"{detail} {other}") for path, other in found.items() if other is not None}

    def name_clips(self, paths: Sequence[str]) -> Named:
        """Return the clips: by the table, the pattern, their names or their folders.

        Raises
        ------
        ConfigError
            If the table names a file that is not there.
        """
        if self._table is not None and paths:
            self._check_table(self._table, paths)
        clips, skipped = {}, []
        ids = _unique_ids(paths)
        for path in paths:
            said = self._said(path)
            if isinstance(said, Skip):
                skipped.append(said)
            else:
                clips[path] = _clip(ids[path], path, said, self._table is not None or self._pattern is not None)
        return Named(clips, tuple(skipped))

    def _said(self, path: str) -> Mapping[str, str] | Skip:
        """Return what the user or the name says about a file, or why it is none of the clips."""
        plain = unicodedata.normalize("NFC", path)  # some file systems store accents as separate characters
        if self._table is not None:
            row = self._table.get(plain)
            return row.fields if row else Skip(file=path, reason="not selected", detail="the table does not name it")
        if self._pattern is not None:
            fields = self._pattern.match(plain)
            if fields is None:
                return Skip(file=path, reason="not a clip", detail=f"its name is not built like --pattern {self._pattern.text}")
            if "fps" in fields:
                check_fps(fields["fps"], f"pattern: {path}")
            return fields
        if format_of(path) == "npz":
            return said_by(plain)
        known = hdm05.parse_name(path)
        if known is None:
            return {}
        return {"actor": known.actor, "action": known.action, "take": known.take} | ({"fps": str(known.fps)} if known.fps else {})

    def _check_table(self, table: Mapping[str, ClipTableRow], paths: Sequence[str]) -> None:
        """Refuse a table that speaks of files that are not there: more likely a slip than meant."""
        there = {unicodedata.normalize("NFC", path) for path in paths}
        absent = [(file, row.line) for file, row in table.items() if file not in there]
        if absent:
            file, line = absent[0]
            near = difflib.get_close_matches(file, paths, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; files are named relative to the root"
            more = f" (nor those of {len(absent) - 1} more lines)" if len(absent) > 1 else ""
            kinds = ", ".join(f".{known}" for known in self._formats)
            raise ConfigError(f"table: {self._table_path}:{line}: expected a {kinds} file below the root, found none named {file}{more}{hint}")

    def nothing_there(self, contents: Contents, named: Named) -> SourceError:
        """Return the error for a root without a single clip."""
        root, kinds = printable(self._tree.root), ", ".join(f".{known}" for known in self._formats)
        if named.skipped and self._pattern is not None:
            found = f"{len(named.skipped)} {kinds} files named otherwise, such as {named.skipped[0].file}"
            return SourceError(f"{root}: expected files named like pattern={self._pattern.text}, found {found}")
        if named.skipped and self._table is None:
            odd = named.skipped[0]
            return SourceError(f"{root}: expected {kinds} files with motions, found {what_is_there(contents)}; {odd.file}: {odd.detail}")
        hint = what_to_do(self._tree, contents, self._formats)
        return SourceError(f"{root}: expected {kinds} files, found {what_is_there(contents)}; {hint}")


SOURCE = Folder


def _expanded(root: Path) -> Path:
    try:
        return root.expanduser()
    except RuntimeError:  # no such user
        return root


def _unique_ids(paths: Sequence[str]) -> dict[str, str]:
    """Return an id for each file: its path without the suffix, but with it where a window of a longer clip could be called the same."""
    plain = {path: unicodedata.normalize("NFC", str(PurePosixPath(path).with_suffix(""))) for path in paths}
    taken = {name.casefold() for name in plain.values()}
    windows = {path for path, name in plain.items() if PurePosixPath(name).name.isdecimal() and str(PurePosixPath(name).parent).casefold() in taken}
    return {path: path if path in windows else name for path, name in plain.items()}


def _clip(name: str, path: str, said: Mapping[str, str], by_user: bool) -> Clip:
    """Return the clip of a file, of which the user or its name says something; the rest comes from its folders."""
    place = PurePosixPath(unicodedata.normalize("NFC", path))
    folders = [folder for folder in place.parent.parts if not _FORMAT_WORDS.search(folder)]
    action = folders[-1] if folders else _TRAILING_NUMBER.sub("", place.stem) or place.stem
    actor = folders[-2] if len(folders) > 1 else UNKNOWN
    fps = float(said["fps"]) if "fps" in said else None
    return Clip(
        name, path, said.get("actor", actor), said.get("action", action), said.get("take", place.stem), fps, fps_given=by_user and fps is not None
    )
