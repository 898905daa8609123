"""Fetch the official archives: resumable, checked, all or nothing.

pooch keeps the books: it verifies the checksum and gives the finished file its name. :mod:`mocapgen.shared.download` brings it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mocapgen.shared.download import ELSEWHERE, Download, is_address, without_password, write_in_place_of
from mocapgen.shared.files import in_home
from mocapgen.shared.inputs import read_bytes
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import format_size, one_line, quoted
from mocapgen.sources.archives import Archive, fetch_folder, shipped_checksum
from schemas.errors import ConfigError, SourceError

MAX_UNPACKED = 20 * 10**9
"""Largest content believed, in bytes."""
_MOST_RECORD = 10_000  # bytes
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of the others, 4 kB may unfold to gigabytes in one step
_ZIP_FAULTS = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Fetched:
    """What a fetch left."""

    path: Path
    sha256: str
    size: int
    """Bytes."""
    downloaded: bool
    """False if the file was there already, and is what it was."""


def fetch(
    archive: Archive,
    url: str | None = None,
    to: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    insecure: bool = False,
) -> Fetched:
    """Download an archive, or make sure that it is there and undamaged.

    Parameters
    ----------
    archive : Archive
    url : str, optional
        A mirror; by default where the archive is published. One that begins with http:// is fetched so: who says it, asks for it.
    to : Path, optional
        Folder; by default the one that a build looks in.
    force : bool
        Download again, and accept another content than the first time.
    progress : callable, optional
        Called with (bytes done, bytes in all or 0, what is being done).
    insecure : bool
        Accept what nobody vouches for: http where no checksum ships with mocapgen, redirects from https to http, and another
        content than the one whose checksum ships.

    Returns
    -------
    Fetched
        The checksum is that which ships with mocapgen (``sources/data/checksums.txt``), where it is known; else it is recorded in ``NAME.json``
        beside the archive when it is downloaded first. It is held against the file every time after.

    Raises
    ------
    ConfigError
        If the address is none, or pooch is not installed.
    SourceError
        If the download fails, is no zip, or the file is not what it was: nothing gets the archive's name then. What has
        arrived of an interrupted download is kept, and completed by the next call.
    """
    folder = fetch_folder(archive.source) if to is None else in_home(to, "to")
    shipped = None if insecure else shipped_checksum(archive.file)
    plain = insecure or (url is not None and url.startswith("http://")) or shipped is not None
    url = archive.url if url is None else url
    if not is_address(url):
        raise ConfigError(f"url: expected an address that begins with http:// or https://, found {url[:200]!r}")
    if not plain and not is_address(url, ("https",)):
        raise ConfigError(
            f"url: expected https, found {url}, where anybody on the way could change what is sent, and no checksum of it is known; "
            "name a mirror with url='https://...', or accept it with insecure=True"
        )
    target = folder / archive.file
    with _disk_errors(folder):
        recorded = None if force else _read_record(target)
        if not force and target.is_file():
            return _verified(target, recorded, shipped, progress)
        pooch = _pooch()
        folder.mkdir(parents=True, exist_ok=True)
        known = shipped or (recorded["sha256"] if recorded else None)
        download = Download(
            target, "archive", "a zip", archive.most, plain, partial(_check_zip, where=without_password(url), progress=progress), progress
        )
        try:
            _retrieve(pooch, url, target, known, download)
        except ValueError as error:  # pooch's answer to another hash
            first, advice = ("mocapgen knows", "insecure=True") if shipped else ("was downloaded first", "force=True")
            found = (
                f"expected the file that {first} (sha256 {str(known)[:12]}...), found another one; if it was published anew, accept it with {advice}"
            )
            raise SourceError(one_line(without_password(url), found)) from error
        return _record(target, url, known, True, progress)


def _pooch() -> Any:
    try:
        import pooch
    except ImportError:
        raise ConfigError("fetch needs the package pooch, found none; install it with: pip install 'mocapgen[fetch]'") from None
    pooch.get_logger().setLevel("WARNING")  # what it has to say is said by the command
    return pooch


def _retrieve(pooch: Any, url: str, target: Path, known: str | None, download: Download) -> None:
    """Have pooch call our downloader, check the hash and move the file to its name."""
    finished = target.with_name(f".{target.name}.new")  # an older target stays until this is complete
    finished.unlink(missing_ok=True)
    pooch.retrieve(url, known_hash=known, fname=finished.name, path=target.parent, downloader=download)
    finished.replace(target)


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk says into one line of ours."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str | Path) else folder
        raise SourceError(f"{where}: cannot be written or read: {error.strerror or error}; make room or choose to=...") from error


# The record ---------------------------------------------------------------------------------------


def _read_record(target: Path) -> dict[str, Any] | None:
    """Return what was written down when the archive was first downloaded."""
    path = Path(f"{target}.json")
    try:
        path.lstat()
        record = json.loads(read_bytes(path, "the checksum of an archive", _MOST_RECORD, error=SourceError))
        if len(record["sha256"]) == 64 and int(record["sha256"], 16) >= 0 and isinstance(record["size"], int):
            return dict(record)
    except FileNotFoundError:
        return None
    except (SourceError, ValueError, TypeError, KeyError, RecursionError):
        pass
    advice = "delete it, or download again with force=True"
    raise SourceError(one_line(str(path), f"expected the checksum of {target.name}, found something else; {advice}"))


def _record(target: Path, url: str, known: str | None, downloaded: bool, progress: Progress | None) -> Fetched:
    """Write the checksum down."""
    digest = known or _sha256(target, progress)
    found = Fetched(target, digest, target.stat().st_size, downloaded)
    text = json.dumps({"file": target.name, "url": without_password(url), "size": found.size, "sha256": digest}, indent=2)
    write_in_place_of(Path(f"{target}.json"), text + "\n")
    return found


def _verified(target: Path, record: dict[str, Any] | None, shipped: str | None, progress: Progress | None) -> Fetched:
    """Hold the file against what is known of it; of a file that the user put there, make a record."""
    size = target.stat().st_size
    digest = "" if record and size != record["size"] else _sha256(target, progress)
    expected = shipped or (record["sha256"] if record else digest)
    if digest != expected:
        found = f"another content (sha256 {digest[:12]}...)" if digest else f"{size:,} bytes"
        content = f"the content that {'mocapgen knows' if shipped else 'was downloaded'} (sha256 {expected[:12]}...)"
        raise SourceError(one_line(str(target), f"expected {content}, found {found}: changed or damaged; download it again with force=True"))
    if record is None:
        _check_zip(target, str(target), progress)
        return _record(target, "", digest, False, progress)
    return Fetched(target, digest, size, False)


def _sha256(path: Path, progress: Progress | None) -> str:
    digest, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
            done += len(block)
            if progress:
                progress(done, size, f"{path.name}: checksum")
    return digest.hexdigest()


def _check_zip(path: Path, where: str, progress: Progress | None) -> None:
    """Make sure that a file is a zip all of whose members can be read.

    Raises
    ------
    SourceError
        With what it is instead.
    """
    import zlib

    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(200).lstrip()
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if not members or total > MAX_UNPACKED:
                found = f"{len(members)} files of {format_size(total)}"
                raise SourceError(one_line(where, f"expected a zip of up to {format_size(MAX_UNPACKED)}, found {found}"))
            if odd := next(filter(None, map(_oddity, members)), None):
                raise SourceError(one_line(where, f"expected a zip of motion-capture files, found {odd}; {ELSEWHERE}"))
            done = 0
            for member in members:
                with archive.open(member) as file:
                    while block := file.read(2**20):  # the end of a member is where its checksum is verified
                        done += len(block)
                        if progress:
                            progress(done, total, f"{path.name}: checking")
    except (*_ZIP_FAULTS, zlib.error) as error:
        found = "a web page" if start[:1] == b"<" else f"{size:,} bytes that are none ({' '.join(str(error).split())[:100]})"
        raise SourceError(one_line(where, f"expected a zip, found {found}; {ELSEWHERE}")) from error


def _oddity(member: zipfile.ZipInfo) -> str:
    """Return what no official archive has, and what harms whoever unpacks it; empty if a member is a plain file or folder."""
    name = member.filename
    if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name.partition("/")[0]:
        return f"a member outside of it, {quoted(name)}"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"a link or device, {quoted(name)}"
    return "" if member.compress_type in _COMPRESSIONS else f"a compression other than deflate, of {quoted(name)}"
