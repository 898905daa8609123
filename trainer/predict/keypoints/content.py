"""What a file or folder holds, by its content: JSON, a table, arrays, HDF5; and what it is if it holds no keypoints."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mocapgen.shared.inputs import read_bytes
from mocapgen.shared.kinds import kind_of_bytes
from mocapgen.shared.pickled_arrays import load_npy, load_pickle
from mocapgen.shared.room import MOST_BYTES, Room
from mocapgen.shared.text import format_size
from mocapgen.shared.zips import FAULTS, members, unpack
from schemas.errors import DatasetError
from trainer.predict.keypoints.json_text import parse

_FILE = "a file of keypoints"


@dataclass(frozen=True)
class Json:
    """What JSON holds."""

    value: Any
    room: Room


@dataclass(frozen=True)
class Folder:
    """The files of a folder or archive that belong together: names and contents, JSON or text."""

    files: list[tuple[str, Any]]
    suffix: str
    room: Room


@dataclass(frozen=True)
class Archive:
    """The arrays of an npz file, or the one of an npy file by the name of ``keypoints``; or what a pickle holds."""

    arrays: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """The text of a file of comma-separated values."""

    text: str


@dataclass(frozen=True)
class Hdf5:
    """An HDF5 file."""

    path: Path


_VIDEO = "; `trainer predict RUN VIDEO` finds the keypoints in videos with the extra: pip install 'mocapgen[video]'"
_MOCAP = "; it is 3D already: `mocapgen convert` and `mocapgen build` read it"


def refusal(path: Path, kind: str) -> DatasetError:
    """Return the error that says what a file is, and what to do with it."""
    advice = _VIDEO if "video" in kind else _MOCAP if "capture" in kind else "; give the video, or its keypoints" if "picture" in kind else ""
    return DatasetError(f"{path}: expected keypoints, found {kind}{advice}")


def is_pattern(path: Path) -> bool:
    """Return whether a path names files by a pattern, and is not the name of one."""
    return "*" in path.name and path.parent.is_dir() and not path.exists()


def files_of(pattern: Path) -> list[Path]:
    """Return the files of a folder whose names match."""
    return [file for file in pattern.parent.iterdir() if fnmatchcase(file.name, pattern.name) and file.is_file()]


def load(path: Path) -> Any:
    """Return the content of a file, folder, archive, or of the files that a pattern such as ``folder/clip1_*`` matches.

    Raises
    ------
    DatasetError
        If it is none that holds keypoints, with what it is.
    OSError, ValueError
        If it cannot be read.
    """
    if is_pattern(path):
        return _folder(path, files_of(path))
    if path.is_dir():
        inside = [file for file in path.iterdir() if not file.name.startswith(".")]
        files = [file for file in inside if file.is_file()]
        if not any(file.suffix.lower() in (".json", ".txt") for file in files):
            folders = [folder for folder in inside if folder.is_dir() and (any(folder.glob("*.json")) or any(folder.glob("*.txt")))]
            if len(folders) == 1:
                files = [file for file in folders[0].iterdir() if file.is_file()]
            elif folders:
                names = ", ".join(sorted(folder.name for folder in folders)[:5])
                raise DatasetError(f"{path}: expected the files of one video, found {len(folders)} folders: {names}; give one of them")
        return _folder(path, files)
    data = read_bytes(path, _FILE, MOST_BYTES)
    return of_bytes(data, path.name, Room(path, len(data)))


def of_bytes(data: bytes, name: str, room: Room) -> Any:
    """Return the content of a file by its bytes."""
    path = room.path
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        if room.depth:
            raise DatasetError(f"{path}: expected keypoints, found a packed HDF5 file; unpack it")
        return Hdf5(path)
    if data[:2] == b"\x1f\x8b":
        return of_bytes(_gunzipped(data, room), name.removesuffix(".gz"), room.inside())
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(data, room)
    if data[:6] == b"\x93NUMPY":
        return Archive({"keypoints": load_npy(data, room)})
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        found = load_pickle(data, room)
        return Archive(found) if isinstance(found, dict) else Archive({"keypoints": found}) if isinstance(found, np.ndarray) else Json(found, room)
    kind = kind_of_bytes(data[:64])
    if kind:
        raise refusal(path, kind)
    text = _text(data, path)
    if text.lstrip()[:1] in ("{", "[", '"'):
        return Json(parse(text, room), room)
    if PurePosixPath(name).suffix.lower() == ".txt" and re.fullmatch(r"[-+.eE\d\s]+", text[:2000]):
        return Folder([(name, text)], ".txt", room)
    if _tabular(text):
        return Table(text)
    return Json(parse(text, room), room)


def _gunzipped(data: bytes, room: Room) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            inner = file.read(room.unpacked + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{room.path}: expected a whole archive, found: {error}") from None
    room.require_unpacked(len(inner))
    return inner


def _text(data: bytes, path: Path) -> str:
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in marks.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: expected JSON, found: {' '.join(str(error).split())[:120]}") from None


def _tabular(text: str) -> bool:
    """Return whether the first lines have the same number of several cells."""
    lines = [line for line in text[:20_000].splitlines()[:5] if line.strip()]
    return any(min(line.count(mark) for line in lines) >= 3 for mark in (",", ";", "\t")) if len(lines) > 1 else False


def _folder(path: Path, files: list[Path]) -> Any:
    for suffix in (".json", ".txt"):
        chosen = [file for file in files if file.suffix.lower() == suffix]
        if not chosen:
            continue
        texts = _texts(sorted(chosen), path)
        room = Room(path, sum(len(text) for _, text in texts))
        if suffix == ".txt":
            return Folder([(file.name, text) for file, text in texts], suffix, room)
        contents = [(file.name, parse(text, replace(room, path=file))) for file, text in texts]
        alone = len(contents) == 1 and not (isinstance(contents[0][1], dict) and "people" in contents[0][1])
        return Json(contents[0][1], room) if alone else Folder(contents, suffix, room)
    kinds = sorted({file.suffix.lower() or file.name for file in files})[:4]
    found = f"{len(files)} files ({', '.join(kinds)})" if files else "nothing"
    pictures = "; these are pictures: run a 2D detector on them first" if set(kinds) & {".png", ".jpg", ".jpeg"} else ""
    raise DatasetError(f"{path}: expected OpenPose's JSON files, one a frame, found no .json file but {found}{pictures}")


def _texts(files: list[Path], path: Path) -> list[tuple[Path, str]]:
    """Return the texts of the files of a folder."""
    out, left = [], MOST_BYTES
    for file in files:
        data = read_bytes(file, _FILE, MOST_BYTES)
        left -= len(data)
        if left < 0:
            raise DatasetError(f"{path}: expected files of at most {format_size(MOST_BYTES)} together, found more; give those of one video")
        out.append((file, _text(data, file)))
    return out


def _zip(data: bytes, room: Room) -> Any:
    """Return the arrays of an npz archive, or the files of a zipped folder."""
    path = room.path
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except FAULTS as error:
        raise DatasetError(f"{path}: expected a whole archive, found: {error}") from None
    with archive:
        found = [item for item in members(archive) if "__MACOSX" not in item.filename]
        room.require_unpacked(sum(item.file_size for item in found))
        name, count = Counter(item.filename for item in found).most_common(1)[0] if found else ("", 0)
        if count > 1:
            raise DatasetError(f"{path}: expected each file once in an archive, found {name} {count} times")
        by_suffix: dict[str, list[zipfile.ZipInfo]] = {}
        for item in found:
            by_suffix.setdefault(PurePosixPath(item.filename).suffix.lower(), []).append(item)
        if ".npy" in by_suffix:
            return Archive({item.filename.removesuffix(".npy"): load_npy(_member(archive, item, path), room) for item in by_suffix[".npy"]})
        for suffix in (".json", ".txt"):
            if suffix in by_suffix:
                return _zipped(archive, by_suffix[suffix], suffix, room.inside())
        if len(found) == 1:
            return of_bytes(_member(archive, found[0], path), PurePosixPath(found[0].filename).name, room.inside())
    raise DatasetError(f"{path}: expected keypoints in the archive, found {', '.join(item.filename for item in found[:4]) or 'nothing'}")


def _member(archive: zipfile.ZipFile, item: zipfile.ZipInfo, path: Path) -> bytes:
    try:
        return unpack(archive, item)
    except FAULTS as error:
        raise DatasetError(f"{path}: expected a whole archive, found: {error}") from None


def _zipped(archive: zipfile.ZipFile, items: list[zipfile.ZipInfo], suffix: str, room: Room) -> Any:
    path = room.path
    folders = sorted({str(PurePosixPath(item.filename).parent) for item in items})
    if len(folders) > 1:
        raise DatasetError(
            f"{path}: expected the files of one video, found {len(folders)} folders: {', '.join(folders[:4])}; unpack it and give one of them"
        )
    items = sorted(items, key=lambda item: item.filename)
    texts = [(PurePosixPath(item.filename).name, _text(_member(archive, item, path), path)) for item in items]
    if suffix == ".txt":
        return Folder(texts, suffix, room)
    if len(texts) == 1:
        return Json(parse(texts[0][1], room), room)
    return Folder([(name, parse(text, room)) for name, text in texts], suffix, room)
