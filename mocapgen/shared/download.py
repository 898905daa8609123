"""Download a file: resumable, bounded in size and time, by https unless asked, and never through a link that somebody else put there.

A downloader for pooch, which verifies the checksum and gives the finished file its name. What has arrived lies in
``.NAME.partial``, beside it what the server said of the file (RFC 9110, sections 13.1.5 and 14), so that a second call asks
for the rest, and for the whole if the file has changed meanwhile. Nothing that the server says is believed: the body may be no longer than
it announced, nor than the caller allows, and has to arrive in time.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import stat
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from mocapgen.shared.progress import Progress
from mocapgen.shared.text import format_size, one_line
from schemas.errors import SourceError

TIMEOUT = (20.0, 60.0)
"""Seconds to wait for the connection, and for the next bytes."""
PATIENCE = 90.0
"""Seconds to wait for an answer, and for each block of it: a server that sends a byte now and then holds nobody for days."""
MOST_REDIRECTS = 10
ELSEWHERE = "check the address, or name a mirror with url=..."
_CHUNK = 2**15  # what is lost at most when a connection breaks
_MOST_STATE = 10_000  # bytes of what was written down of a partial download
_MOST_DIGITS = 18  # of a length that is believed


def is_address(url: str, schemes: tuple[str, ...] = ("http", "https")) -> bool:
    """Return whether a text is an address on the web."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # brackets or a port that are none
        return False


def without_password(url: str) -> str:
    """Return an address as it may be shown and written down."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url


class Download:
    """A downloader for pooch that goes on where an earlier one ended.

    Parameters
    ----------
    target : Path
        Where the file will be; the partial download is beside it.
    what, kind : str
        What is fetched, and what kind of file that is, for messages: ``archive`` and ``a zip``.
    most : int
        Bytes; a longer file is refused.
    plain : bool
        Whether http will do, where anybody on the way can read and change what is sent.
    check : callable, optional
        Called with the complete file; raises a SourceError if it is not what it should be, and nothing is kept then.
    progress : callable, optional
        Called with (bytes done, bytes in all or 0, name of the file).
    """

    def __init__(
        self,
        target: Path,
        what: str,
        kind: str,
        most: int,
        plain: bool = False,
        check: Callable[[Path], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._name, self._what, self._kind, self._most = target.name, what, kind, most
        self._partial = target.with_name(f".{target.name}.partial")
        self._state = target.with_name(f".{target.name}.partial.json")
        self._schemes = ("http", "https") if plain else ("https",)
        self._check = check
        self._progress = progress

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download to `output_file`, which receives a complete file or nothing."""
        import requests
        import urllib3

        if not is_address(url, self._schemes):
            raise self._error(url, f"expected an address that begins with {' or '.join(self._schemes)}, found another one; {ELSEWHERE}")
        try:
            self._complete(url)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._error(url, f"{_explain(error)}; {self._what_to_do(url)}") from error
        except ValueError as error:  # a host's name that cannot be one
            raise self._error(url, f"expected an address, found that {' '.join(str(error).split())[:100]}; {ELSEWHERE}") from error
        if self._check:
            try:
                self._check(self._partial)
            except SourceError:
                self._forget()
                raise
        self._partial.replace(output_file)
        self._forget()

    def _complete(self, url: str) -> None:
        """Bring the partial file to its full length."""
        have, validator, total = self._so_far(url)
        if have and have == total:
            return  # an earlier call was stopped while checking
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        with contextlib.closing(_in_time(self._answer(url, headers))) as answer:
            response = next(answer)
            if have and (response.status_code == 416 or (response.status_code == 206 and not _continues(response, have, total))):
                self._forget()  # what we have does not fit the file any more
            else:
                self._receive(response, answer, url, have)
                return
        self._complete(url)

    def _answer(self, url: str, headers: dict[str, str]) -> Generator[Any, None, None]:
        """Yield the response, then its content in blocks."""
        import requests

        for _ in range(MOST_REDIRECTS + 1):
            try:
                response = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT, hooks={"response": _stop_at_redirect})
            except _RedirectError as redirect:
                url = self._redirected(url, redirect.location)
                continue
            with response:
                yield response
                while block := response.raw.read(_CHUNK, decode_content=False):
                    yield block
            return
        raise self._error(url, f"expected at most {MOST_REDIRECTS} redirects, found more; {ELSEWHERE}")

    def _redirected(self, url: str, location: str) -> str:
        """Return where a redirect leads to, if it may be followed."""
        try:
            target = urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
        except ValueError:  # brackets that are none
            target = location
        if not is_address(target):
            raise self._error(url, f"expected a redirect to an address, found {target[:80]!r}; {ELSEWHERE}")
        if not is_address(target, self._schemes):
            advice = "anybody on the way could change what is sent; name another mirror with url=..., or accept it with insecure=True"
            raise self._error(url, f"expected https all the way, found a redirect to {without_password(target)[:80]}: {advice}")
        return target

    def _receive(self, response: Any, blocks: Iterator[bytes], url: str, have: int) -> None:
        """Write a response to the partial file, from byte `have` on if it is the rest, else from the start."""
        if response.status_code not in (200, 206) or (response.status_code == 206 and not have):
            raise self._error(url, f"expected the {self._what}, found HTTP {response.status_code} {str(response.reason)[:60]}; {ELSEWHERE}")
        if "html" in (kind := response.headers.get("Content-Type", "")):
            raise self._error(url, f"expected {self._kind}, found a web page ({kind[:60]}); {ELSEWHERE}")
        if (coding := response.headers.get("Content-Encoding", "identity")) != "identity":
            raise self._error(url, f"expected the file as it is, found it encoded as {coding[:40]!r}; {ELSEWHERE}")
        have = have if response.status_code == 206 else 0
        announced = _number(response.headers.get("Content-Length", ""))
        total = have + announced if announced else 0
        if total > self._most:
            raise self._error(url, f"expected at most {format_size(self._most)}, found that {format_size(total)} are announced; {ELSEWHERE}")
        folder = self._partial.parent
        if announced > shutil.disk_usage(folder).free:
            raise SourceError(one_line(str(folder), f"expected {format_size(announced)} of free space, found less; make room or choose to=..."))
        state = {"url": without_password(url), "validator": _validator(response), "total": total}
        write_in_place_of(self._state, json.dumps(state))
        limit = total or self._most
        with self._open(have) as file:
            for block in blocks:
                have += len(block)
                if have > limit:
                    raise self._too_long(url, total)
                file.write(block)
                if self._progress:
                    self._progress(have, total, self._name)
            file.flush()
            os.fsync(file.fileno())
        if total and have != total:
            raise self._error(url, f"expected {total:,} bytes, found the end after {have:,}; {self._what_to_do(url)}")

    def _too_long(self, url: str, total: int) -> SourceError:
        self._forget()
        expected = f"the {total:,} bytes that were announced" if total else f"at most {format_size(self._most)}"
        return self._error(url, f"expected {expected}, found more; {ELSEWHERE}")

    def _open(self, have: int) -> BinaryIO:
        """Open the partial file behind what is there of it; a new one is made rather than found."""
        if have:
            return os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_APPEND | _NO_LINK), "ab")
        return _new(self._partial)

    def _so_far(self, url: str) -> tuple[int, str, int]:
        """Return how many bytes have arrived, what proves which file they are of, and its length; zero bytes mean to start anew."""
        try:
            state, size = json.loads(_ours(self._state, _MOST_STATE)), _size_of_ours(self._partial)
            validator, total = state["validator"], state["total"]
            proof = isinstance(validator, str) and validator.isprintable() and validator != ""
            if state["url"] == without_password(url) and proof and type(total) is int and 0 <= total <= self._most >= size:
                return size, validator, total
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return 0, "", 0

    def _what_to_do(self, url: str) -> str:
        if not self._state.is_file():
            return ELSEWHERE
        have, _, total = self._so_far(url)
        of = f" of {format_size(total)}" if total else ""
        return f"{format_size(have)}{of} are kept: the same command goes on from there" if have else "try again"

    def _forget(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    @staticmethod
    def _error(url: str, message: str) -> SourceError:
        return SourceError(one_line(without_password(url), message))


# Files that others may have put there --------------------------------------------------------------

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def write_in_place_of(path: Path, text: str) -> None:
    """Write a small file of ours in place of whatever has its name: a link that somebody put there is replaced, not followed."""
    draft = path.with_name(f".{path.name}.new")
    with _new(draft) as file:
        file.write(text.encode())
    draft.replace(path)


def _new(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o666), "wb")


def _size_of_ours(path: Path) -> int:
    """Return the size of a file that this user made.

    Raises
    ------
    OSError
        If it is none, such as a link: whoever put it there would have us write into another file.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
        raise FileNotFoundError(path)
    return found.st_size


def _ours(path: Path, most: int) -> bytes:
    """Return the beginning of a file that this user made."""
    _size_of_ours(path)
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_LINK), "rb") as file:
        return file.read(most)


# What a server says -------------------------------------------------------------------------------


class _RedirectError(Exception):
    """A server sends us elsewhere."""

    def __init__(self, location: str) -> None:
        self.location = location


def _stop_at_redirect(response: Any, **_: Any) -> None:
    """Keep `requests` from following a redirect unasked, and from reading what a server says beside it, however long that is."""
    if response.is_redirect:
        response.close()
        raise _RedirectError(response.headers["Location"])


def _number(text: str) -> int:
    """Return a length; 0 for none that is to be believed."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def _validator(response: Any) -> str:
    """Return what proves to the server that we mean the same file: a strong ETag, else the date of its last change (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return (tag if tag.startswith('"') else response.headers.get("Last-Modified", ""))[:500]


def _continues(response: Any, have: int, total: int) -> bool:
    """Return whether a partial response goes on behind byte `have` of the same file: ``Content-Range: bytes 500-999/1000``."""
    unit, _, extent = response.headers.get("Content-Range", "").partition(" ")
    part, _, length = extent.partition("/")
    start, _, end = part.partition("-")
    if unit != "bytes" or not start.isdecimal() or _number(start) != have:
        return False
    whole = _number(length) or total
    return not total or (whole == total and _number(end) == total - 1)


def _in_time(answer: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """Yield what another thread waits for, but wait for none of it longer than :data:`PATIENCE`.

    Time-outs of a socket count from one byte to the next only; nothing limits how long headers or a block may take.
    """
    ready: queue.Queue[Any] = queue.Queue(maxsize=16)
    stopped, end = threading.Event(), object()

    def hand_over(item: Any) -> bool:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=0.2)
                return True
        return False

    def work() -> None:
        try:
            with contextlib.closing(answer):
                for item in answer:
                    if not hand_over(item):
                        return
            hand_over(end)
        except Exception as error:  # raised again where it is waited for
            hand_over(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            try:
                item = ready.get(timeout=PATIENCE)
            except queue.Empty:
                import requests

                raise requests.exceptions.ReadTimeout(f"less than {format_size(_CHUNK)} within {PATIENCE:g} s") from None
            if item is end:
                return
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stopped.set()


def _explain(error: Exception) -> str:
    """Return what went wrong on the way, in a few words."""
    import requests

    text, found = " ".join(str(error).split())[:150], requests.exceptions
    if isinstance(error, found.SSLError):
        return f"expected a trusted certificate, found: {str(error).rpartition('failed: ')[2][:80]}"
    if isinstance(error, found.ConnectTimeout):
        return f"expected a connection, found none within {TIMEOUT[0]:g} s"
    if text.startswith("less than "):
        return f"expected a faster server, found {text}"
    if isinstance(error, found.Timeout) or "timed out" in str(error):
        return f"expected more data, found none within {TIMEOUT[1]:g} s"
    if isinstance(error, found.ChunkedEncodingError) or any(sign in str(error) for sign in ("Connection aborted", "IncompleteRead", "broken")):
        return "expected the whole file, found the connection closed before its end"
    if isinstance(error, found.ConnectionError):
        return "expected a server that answers, found no connection (no network, or no such host)"
    return f"expected an answer, found {type(error).__name__}: {text}"
