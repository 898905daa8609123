"""Read-only file trees: a folder, or a zip read in place, behind one interface.

A tree never follows a symbolic link back into a folder it is in, never opens what is not a regular file, and never
unpacks a zip. Names that begin with a dot and the folder ``__MACOSX`` are no data and are passed over.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from mocapgen.formats.limits import MAX_BYTES
from mocapgen.shared.inputs import open_regular, read_bytes
from mocapgen.shared.text import format_size, one_line, printable
from mocapgen.shared.zips import FAULTS, is_folder, members, unpack, unpack_head
from schemas.errors import FormatError, SourceError
from schemas.report import Skip, SkipReason

MAX_ENTRIES = 1_000_000
"""Most files and folders of a tree: far beyond any motion-capture database."""

_CLIP = "a motion-capture file"
_MOST_UNPACKED = 64 * 2**20
_MOST_RATIO = 20
"""Bytes that a member of a zip may unpack to: so many, and so many for each of its bytes as packed; motion capture shrinks to a quarter or so."""
_LONGEST_PATH = 1000
"""Characters of a path in a zip."""
_DEEPEST = 32
"""Folders that a file of a zip lies in: there could be one for every second character."""
_Identity = tuple[int, int]


@dataclass(frozen=True, order=True)
class Entry:
    """A regular file of a tree."""

    path: str
    """Relative to the root, forward slashes."""
    size: int
    """Bytes, unpacked."""
    crc: int | None = None
    """CRC-32 of the content where the tree holds it (a zip does)."""


@dataclass(frozen=True)
class Contents:
    """What a tree holds, each sorted by path."""

    files: tuple[Entry, ...]
    folders: tuple[str, ...]
    problems: tuple[Skip, ...]
    """What could not be listed; folders end with a slash."""


@dataclass
class _Found:
    """What a walk has met so far."""

    files: dict[str, Entry] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    problems: list[Skip] = field(default_factory=list)

    def problem(self, path: str, reason: SkipReason, message: str) -> None:
        self.problems.append(Skip(file=printable(path), reason=reason, detail=one_line(path, message)))

    def is_nameable(self, path: str) -> bool:
        """Tell whether a name can be written down; note it as a problem if not."""
        if printable(path) != path:
            self.problem(path, "unreadable", "expected a name in UTF-8 without control characters; rename it")
            return False
        return True

    def contents(self) -> Contents:
        problems = sorted(self.problems, key=lambda problem: (problem.file, problem.detail))
        return Contents(tuple(sorted(self.files.values())), tuple(sorted(self.folders)), tuple(problems))


class Tree(ABC):
    """A read-only tree of files.

    Instances hold the path only, so they can be pickled; whatever has to be opened is opened at first use in each process.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def contents(self) -> Contents:
        """Return everything below the root, independent of the order in which the system lists it.

        Raises
        ------
        SourceError
            If the root cannot be read, or holds more than :data:`MAX_ENTRIES` files and folders.
        """

    @abstractmethod
    def place(self, path: str) -> Path:
        """Return which file of the system holds a file of the tree."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Parameters
        ----------
        path : str
            As in :meth:`contents`.

        Raises
        ------
        FormatError
            If the file is gone, damaged, locked away or larger than :data:`MAX_BYTES`.
        """

    @abstractmethod
    def read_head(self, path: str, size: int) -> bytes:
        """Return the first bytes of a file: as many, or all of a shorter file.

        Raises
        ------
        FormatError
            If the file is gone, damaged or locked away.
        """

    @abstractmethod
    def open(self, path: str) -> BinaryIO:
        """Return a file to read from at any place.

        Raises
        ------
        FormatError
            As of :meth:`read`.
        """

    def close(self) -> None:  # noqa: B027 (a folder holds nothing open)
        """Let go of whatever is open; the tree can still be used."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


SINGLE_FILES = (".amc", ".bvh", ".c3d", ".npz")
"""Suffixes of files that are a root by themselves."""


def open_tree(root: Path) -> Tree:
    """Return the tree of a folder, a zip file or a single motion-capture file.

    Raises
    ------
    SourceError
        If `root` is none of them.
    """
    if os.path.isdir(root):  # noqa: PTH112 (unlike `Path.is_dir`, it raises nothing)
        return FolderTree(root)
    with open_regular(root, "a folder or a zip file", error=SourceError) as file:
        start = file.read(4)
    if root.suffix.lower() in SINGLE_FILES:
        return FileTree(root)
    if start[:2] != b"PK" and root.suffix.lower() != ".zip":
        expected = "expected a folder, a zip file or a motion-capture file, found another kind of file; name the folder that holds it"
        raise SourceError(one_line(str(root), expected))
    return ZipTree(root)


class FolderTree(Tree):
    """A folder of the file system; symbolic links are followed."""

    def contents(self) -> Contents:  # noqa: D102
        found = _Found()
        # Each pending folder carries the identities of the folders it lies in: meeting one of them again is a loop.
        pending: list[tuple[str, tuple[_Identity, ...]]] = [("", ())]
        while pending:
            prefix, ancestors = pending.pop()
            try:
                ancestors = (*ancestors, _identity(self.root / prefix))
                with os.scandir(self.root / prefix) as children:
                    inner = [folder for child in children if (folder := _look_at(child, prefix + child.name, ancestors, found))]
            except OSError as error:
                if not prefix:
                    raise _closed(self.root, error) from None
                found.problem(prefix, "unreadable", f"expected a readable folder, found: {_reason(error)}; check its permissions")
                continue
            pending += [(folder + "/", ancestors) for folder in inner]
            found.folders.update(inner)
            _check_count(self.root, len(found.files) + len(found.folders))
        return found.contents()

    def place(self, path: str) -> Path:  # noqa: D102
        return self.root / path

    def read(self, path: str) -> bytes:  # noqa: D102
        return read_bytes(self.root / path, _CLIP, MAX_BYTES, path, FormatError)

    def open(self, path: str) -> BinaryIO:  # noqa: D102
        return open_regular(self.root / path, _CLIP, path, FormatError)

    def read_head(self, path: str, size: int) -> bytes:  # noqa: D102
        try:
            with open_regular(self.root / path, _CLIP, path, FormatError) as file:
                return file.read(size)
        except OSError as error:
            raise FormatError(one_line(path, f"expected {_CLIP}, found one that cannot be read: {_reason(error)}")) from None


class FileTree(FolderTree):
    """A single motion-capture file, and the skeletons (ASF) in its folder."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.parent)
        self.file = file.name

    def contents(self) -> Contents:  # noqa: D102
        found = _Found()
        try:
            children = list(os.scandir(self.root))
        except OSError as error:
            raise _closed(self.root, error) from None
        for child in children:
            if child.name == self.file or (child.name.lower().endswith(".asf") and self.file.lower().endswith(".amc")):
                _look_at(child, child.name, (), found)
        return found.contents()


@dataclass(frozen=True)
class _Handle:
    """An open zip."""

    process: int
    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]


class ZipTree(Tree):
    """A zip file, read in place."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._handle: _Handle | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None}

    def contents(self) -> Contents:  # noqa: D102
        found = _Found()
        listed = self._open().archive.infolist()
        _check_count(self.root, len(listed))
        for info in listed:
            path = _member_path(info)
            if not path:
                continue
            if len(path) > _LONGEST_PATH or path.count("/") > _DEEPEST:
                found.problem(path[:80], "unreadable", f"expected a path of at most {_LONGEST_PATH} characters and {_DEEPEST} folders")
                continue
            parts = path.split("/")
            if any(_is_hidden(part) for part in parts) or not found.is_nameable(path):
                continue
            found.folders.update("/".join(parts[:depth]) for depth in range(1, len(parts) + is_folder(info)))
            if is_folder(info):
                continue
            if stat.S_ISLNK(info.external_attr >> 16):
                found.problem(path, "not a clip", "expected a regular file, found a symbolic link inside a zip")
                continue
            if path in found.files:
                found.problem(path, "duplicate", "stands twice in the zip; the later one counts, as when unpacking")
            found.files[path] = Entry(path, info.file_size, info.CRC)
        return found.contents()

    def place(self, path: str) -> Path:  # noqa: D102
        return self.root

    def read(self, path: str) -> bytes:  # noqa: D102
        handle = self._open()
        info = handle.members.get(path)
        if info is None:
            raise FormatError(one_line(path, "expected a member of the zip, found none of that name"))
        if info.flag_bits & 1:
            raise FormatError(one_line(path, "expected a member without a password, found an encrypted one; unpack the zip and give the folder"))
        if info.file_size > MAX_BYTES:
            raise _too_large(path, info.file_size)
        if info.file_size > _MOST_UNPACKED + _MOST_RATIO * info.compress_size:
            times = info.file_size // max(info.compress_size, 1)
            raise FormatError(one_line(path, f"expected {_CLIP}, found one that grows {times:,} times in unpacking; if it is one, unpack the zip"))
        try:
            return unpack(handle.archive, info)
        except FAULTS as error:
            raise FormatError(one_line(path, f"expected a whole member of the zip, found: {_reason(error)}; fetch the zip again")) from None

    def open(self, path: str) -> BinaryIO:  # noqa: D102
        return io.BytesIO(self.read(path))

    def read_head(self, path: str, size: int) -> bytes:  # noqa: D102
        handle = self._open()
        try:
            return unpack_head(handle.archive, handle.members[path], size)
        except (KeyError, *FAULTS) as error:
            raise FormatError(one_line(path, f"expected a whole member of the zip, found: {_reason(error)}; fetch the zip again")) from None

    def close(self) -> None:  # noqa: D102
        if self._handle is not None:
            self._handle.archive.close()
            self._handle = None

    def _open(self) -> _Handle:
        # Forked processes share the position in an open file, hence one handle for each process.
        if self._handle is None or self._handle.process != os.getpid():
            try:
                archive = zipfile.ZipFile(self.root)
            except FAULTS as error:
                raise SourceError(
                    f"{printable(self.root)}: expected a zip file, found a broken one: {_reason(error)}; fetch it again or give a folder"
                ) from None
            self._handle = _Handle(os.getpid(), archive, {_member_path(info): info for info in members(archive)})
        return self._handle


def _identity(folder: Path) -> _Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _look_at(child: os.DirEntry[str], path: str, ancestors: tuple[_Identity, ...], found: _Found) -> str | None:
    """Note what a directory entry is; return its path if it is a folder to look into."""
    if _is_hidden(child.name) or not found.is_nameable(path):
        return None
    try:
        status = child.stat()
        if stat.S_ISDIR(status.st_mode):
            if _identity(Path(child.path)) not in ancestors:
                return path
            found.problem(path + "/", "not a clip", "a link back to a folder it lies in; not followed")
        elif stat.S_ISREG(status.st_mode):
            found.files[path] = Entry(path, status.st_size)
        else:
            found.problem(path, "not a clip", "expected a regular file, found a device or pipe")
    except OSError as error:
        broken = " (a broken symbolic link)" if child.is_symlink() else ""
        found.problem(path, "unreadable", f"expected a readable file, found: {_reason(error)}{broken}")
    return None


def _member_path(info: zipfile.ZipInfo) -> str:
    """Return a member's path; some packers write backslashes, absolute names or a leading ``./``."""
    return "/".join(part for part in info.filename.replace("\\", "/").split("/") if part not in ("", "."))


def _is_hidden(name: str) -> bool:
    return (name.startswith(".") and name != "..") or name == "__MACOSX"


def _reason(error: Exception) -> str:
    """Return what went wrong without the path, in one line."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return printable(text)


def _closed(root: Path, error: OSError) -> SourceError:
    return SourceError(one_line(str(root), f"expected a readable folder, found: {_reason(error)}; check its permissions"))


def _too_large(path: str, size: int) -> FormatError:
    return FormatError(one_line(path, f"expected {_CLIP} of at most {format_size(MAX_BYTES)}, found {format_size(size)}"))


def _check_count(root: Path, count: int) -> None:
    if count > MAX_ENTRIES:
        raise SourceError(one_line(str(root), f"expected at most {MAX_ENTRIES} files and folders, found more; name the folder that holds the clips"))
