"""Fetch the official archives: resumable, checked, all or nothing.

pooch keeps the books: it verifies the checksum and gives the finished file its name. Resuming is ours: what has arrived
lies in ``.NAME.partial``, beside it what the server said of the file (RFC 9110, sections 13.1.5 and 14), so that a second
call asks for the rest, and for the whole if the file has changed meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mocapgen.shared.progress import Progress
from mocapgen.shared.text import format_size
from mocapgen.sources.archives import Archive, fetch_folder
from schemas.errors import ConfigError, SourceError

TIMEOUT = (20.0, 60.0)
"""Seconds to wait for the connection, and for the next bytes."""
MAX_UNPACKED = 100 * 2**30
"""Largest content believed: ten times the largest of the archives."""
_CHUNK = 2**15  # what is lost at most when a connection breaks
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
) -> Fetched:
    """Download an archive, or make sure that it is there and undamaged.

    Parameters
    ----------
    archive : Archive
    url : str, optional
        A mirror; by default where the archive is published.
    to : Path, optional
        Folder; by default the one that a build looks in.
    force : bool
        Download again, and accept another content than the first time.
    progress : callable, optional
        Called with (bytes done, bytes in all or 0, what is being done).

    Returns
    -------
    Fetched
        The checksum is recorded in ``NAME.json`` beside the archive when it is downloaded first, and held against the file
        every time after.

    Raises
    ------
    ConfigError
        If the address is none, or pooch is not installed.
    SourceError
        If the download fails, is no zip, or the file is not what it was: nothing gets the archive's name then. What has
        arrived of an interrupted download is kept, and completed by the next call.
    """
    folder = fetch_folder(archive.source) if to is None else to.expanduser()
    url = archive.url if url is None else url
    if not _is_address(url):
        raise ConfigError(f"url: expected an address that begins with http:// or https://, found {url[:200]!r}")
    target = folder / archive.file
    with _disk_errors(folder):
        recorded = _read_record(target) if not force else None
        if not force and target.is_file():
            return _verified(target, recorded, progress)
        pooch = _pooch()
        folder.mkdir(parents=True, exist_ok=True)
        known = recorded["sha256"] if recorded else None
        _retrieve(pooch, url, target, known, progress)
        return _record(target, url, known, True, progress)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # brackets or a port that are none
        return False


def _pooch() -> Any:
    try:
        import pooch
    except ImportError:
        raise ConfigError("fetch needs the package pooch, found none; install it with: pip install 'mocapgen[fetch]'") from None
    pooch.get_logger().setLevel("WARNING")  # what it has to say is said by the command
    return pooch


def _retrieve(pooch: Any, url: str, target: Path, known: str | None, progress: Progress | None) -> None:
    """Have pooch call our downloader, check the hash and move the file to its name."""
    finished = target.with_name(f".{target.name}.new")  # an older target stays until this is complete
    finished.unlink(missing_ok=True)
    try:
        pooch.retrieve(url, known_hash=known, fname=finished.name, path=target.parent, downloader=_Download(target, progress))
    except ValueError as error:  # pooch's answer to another hash
        raise SourceError(
            f"{url}: expected the file that was downloaded first (sha256 {str(known)[:12]}..., see {target}.json), found another one; "
            "if it was published anew, accept it with force=True"
        ) from error
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
        record = json.loads(path.read_text(encoding="utf-8"))
        if len(record["sha256"]) == 64 and int(record["sha256"], 16) >= 0 and isinstance(record["size"], int):
            return record
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise SourceError(f"{path}: expected the checksum of {target.name}, found something else; delete it, or download again with force=True")


def _record(target: Path, url: str, known: str | None, downloaded: bool, progress: Progress | None) -> Fetched:
    """Write the checksum down."""
    digest = known or _sha256(target, progress)
    found = Fetched(target, digest, target.stat().st_size, downloaded)
    text = json.dumps({"file": target.name, "url": url, "size": found.size, "sha256": digest}, indent=2)
    _write_text(Path(f"{target}.json"), text + "\n")
    return found


def _verified(target: Path, record: dict[str, Any] | None, progress: Progress | None) -> Fetched:
    """Hold the file against its record; of a file that the user put there, make one."""
    if record is None:
        _check_zip(target, str(target), progress)
        return _record(target, "", None, False, progress)
    size = target.stat().st_size
    digest = _sha256(target, progress) if size == record["size"] else ""
    if digest != record["sha256"]:
        found = f"another content (sha256 {digest[:12]}...)" if digest else f"{size:,} bytes"
        expected = f"the {record['size']:,} bytes that were downloaded (sha256 {record['sha256'][:12]}...)"
        raise SourceError(f"{target}: expected {expected}, found {found}: changed or damaged; download it again with force=True")
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


def _write_text(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.new")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


# The download -------------------------------------------------------------------------------------


class _Download:
    """A downloader for pooch that goes on where an earlier one ended.

    Parameters
    ----------
    target : Path
        Where the archive will be; the partial download is beside it.
    progress : callable, optional
    """

    def __init__(self, target: Path, progress: Progress | None) -> None:
        self._name = target.name
        self._partial = target.with_name(f".{target.name}.partial")
        self._state = target.with_name(f".{target.name}.partial.json")
        self._progress = progress

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download to `output_file`, which receives a complete, readable zip or nothing."""
        import requests

        try:
            self._complete(requests, url)
        except requests.RequestException as error:
            raise SourceError(f"{url}: {_explain(requests, error)}; {self._what_to_do()}") from error
        except ValueError as error:  # a host's name that cannot be one
            raise SourceError(f"{url}: expected an address, found that {' '.join(str(error).split())[:100]}; {_ELSEWHERE}") from error
        try:
            _check_zip(self._partial, url, self._progress)
        except SourceError:
            self._forget()
            raise
        self._partial.replace(output_file)
        self._forget()

    def _complete(self, requests: Any, url: str) -> None:
        """Bring the partial file to its full length."""
        have, validator, total = self._so_far(url)
        if have and have == total:
            return  # an earlier call was stopped while checking
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if have and (response.status_code == 416 or (response.status_code == 206 and _range_start(response) != have)):
                self._forget()  # what we have does not fit the file any more
                self._complete(requests, url)
                return
            if response.status_code not in (200, 206) or (response.status_code == 206 and not have):
                raise SourceError(f"{url}: expected the archive, found HTTP {response.status_code} {response.reason}; {_ELSEWHERE}")
            if "html" in response.headers.get("Content-Type", ""):
                raise SourceError(f"{url}: expected a zip, found a web page ({response.headers['Content-Type']}); {_ELSEWHERE}")
            self._receive(response, url, have if response.status_code == 206 else 0)

    def _receive(self, response: Any, url: str, have: int) -> None:
        """Write a response to the partial file, from byte `have` on."""
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() and "Content-Encoding" not in response.headers else 0
        if total and total - have > shutil.disk_usage(self._partial.parent).free:
            raise SourceError(f"{self._partial.parent}: expected {format_size(total - have)} of free space, found less; make room or choose to=...")
        _write_text(self._state, json.dumps({"url": url, "validator": _validator(response), "total": total}))
        with self._partial.open("ab" if have else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                if self._progress:
                    self._progress(have, total, self._name)
            file.flush()
            os.fsync(file.fileno())
        if total and have != total:
            raise SourceError(f"{url}: expected {total:,} bytes, found the end after {have:,}; {self._what_to_do()}")

    def _so_far(self, url: str) -> tuple[int, str, int]:
        """Return how many bytes have arrived, what proves which file they are of, and its length; zero bytes mean to start anew."""
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            if state["url"] == url and isinstance(state["validator"], str) and state["validator"]:
                return self._partial.stat().st_size, state["validator"], int(state["total"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return 0, "", 0

    def _what_to_do(self) -> str:
        try:
            state, have = json.loads(self._state.read_text(encoding="utf-8")), self._partial.stat().st_size
        except (OSError, ValueError):
            return _ELSEWHERE
        if not have or not state["validator"]:
            return "try again"
        of = f" of {format_size(state['total'])}" if state["total"] else ""
        return f"{format_size(have)}{of} are kept: the same command goes on from there"

    def _forget(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)


_ELSEWHERE = "check the address, or name a mirror with url=..."


def _validator(response: Any) -> str:
    """Return what proves to the server that we mean the same file: a strong ETag, else the date of its last change (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _range_start(response: Any) -> int | None:
    """Return the first byte of a partial response: ``Content-Range: bytes 500-999/1000``."""
    unit, _, extent = response.headers.get("Content-Range", "").partition(" ")
    start = extent.partition("-")[0]
    return int(start) if unit == "bytes" and start.isdecimal() else None


def _explain(requests: Any, error: Exception) -> str:
    """Return what went wrong on the way, in a few words."""
    if isinstance(error, requests.exceptions.SSLError):
        return "expected a trusted certificate, found: " + " ".join(str(error).split())[:150]
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"expected a connection, found none within {TIMEOUT[0]:g} s"
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error):
        return f"expected more data, found none within {TIMEOUT[1]:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "Connection aborted" in str(error) or "IncompleteRead" in str(error):
        return "expected the whole archive, found the connection closed before its end"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "expected a server that answers, found no connection (no network, or no such host)"
    return f"expected an answer, found {type(error).__name__}: {' '.join(str(error).split())[:150]}"


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
                raise SourceError(f"{where}: expected a zip of up to {format_size(MAX_UNPACKED)}, found {len(members)} files of {format_size(total)}")
            done = 0
            for member in members:
                with archive.open(member) as file:
                    while block := file.read(2**20):  # the end of a member is where its checksum is verified
                        done += len(block)
                        if progress:
                            progress(done, total, f"{path.name}: checking")
    except (*_ZIP_FAULTS, zlib.error) as error:
        found = "a web page" if start[:1] == b"<" else f"{size:,} bytes that are none ({' '.join(str(error).split())[:100]})"
        raise SourceError(f"{where}: expected a zip, found {found}; {_ELSEWHERE}") from error
