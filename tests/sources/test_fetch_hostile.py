"""Fetching from a server that wants to do harm, into a folder in which somebody else has put something."""

import gc
import hashlib
import io
import itertools
import json
import os
import socket
import stat
import threading
import time
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mocapgen.shared import download
from mocapgen.shared.download import Download
from mocapgen.sources import fetch as module
from mocapgen.sources.archives import ARCHIVES, archive_of, shipped_checksum
from mocapgen.sources.fetch import fetch
from schemas.errors import ConfigError, SourceError
from tools.record_checksum import record

HDM05, CMU = archive_of("hdm05"), archive_of("cmu")
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib3 leaves sockets of answers that it refuses


def zipped(*members: zipfile.ZipInfo | str, content: bytes = b"motion", **options) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", **options) as file:
        for member in members or ("a.amc",):
            file.writestr(member, content)
    return data.getvalue()


ZIP = zipped()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n"


def answer(body: bytes = ZIP, *headers: bytes) -> list[bytes]:
    return [OK + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body]


class Server:
    """Says what a test wants it to say, byte by byte."""

    def __init__(self) -> None:
        self.answers = {}
        self.turns = []
        self.requests = []
        self.stopped = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.url = f"http://{self.address}/{HDM05.file}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request and (more := connection.recv(4096)):
                request += more
            self.requests.append(request.decode())
            path = request.split()[1].decode()
            try:
                for part in self.turns.pop(0) if self.turns else self.answers.get(path, self.answers.get("*", ())):
                    if self.stopped.is_set():
                        return
                    connection.sendall(part)
            except OSError:
                pass  # the client has had enough


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    pytest.importorskip("pooch")
    server = Server()
    yield server
    server.stopped.set()
    server.socket.close()


@pytest.fixture
def secure(server, monkeypatch):
    """Make https://safe.example lead to the server; its certificate would be good."""
    import requests

    real = requests.get
    monkeypatch.setattr(requests, "get", lambda url, **options: real(url.replace("https://safe.example", f"http://{server.address}"), **options))
    return "https://safe.example/a.zip"


@pytest.fixture(autouse=True, scope="module")
def sockets():
    """Let what was left be collected here, where it is expected."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "shipped_checksum", lambda file: None)
    monkeypatch.setattr(download, "TIMEOUT", (1.0, 1.0))
    monkeypatch.setattr(download, "PATIENCE", 5.0)  # a busy machine takes its time


@pytest.fixture
def to(tmp_path):
    folder = tmp_path / "to"
    folder.mkdir()
    return folder


def refused(url: str | None, to: Path, pattern: str, archive=HDM05, error=SourceError, **options) -> str:
    """Expect one line, and nothing left."""
    with pytest.raises(error, match=pattern) as raised:
        fetch(archive, url, to, **options)
    text = str(raised.value)
    assert text.isprintable()
    assert len(text) <= 300
    assert not (to / archive.file).exists()
    return text


# Https only, unless asked ---------------------------------------------------------------------------


def test_an_archive_that_is_published_by_http_only_is_not_fetched_unasked(to):
    assert CMU.url.startswith("http://")
    refused(None, to, r"^url: expected https, found http://mocap.* name a mirror with url=.*or accept it with insecure=True", CMU, ConfigError)
    assert not list(to.iterdir())


@pytest.mark.parametrize("how", ["insecure", "checksum"])
def test_it_is_if_asked_or_if_its_checksum_is_known(server, to, monkeypatch, how):
    server.answers["*"] = answer()
    archive = replace(CMU, url=f"http://{server.address}/{CMU.file}")
    if how == "checksum":
        monkeypatch.setattr(module, "shipped_checksum", lambda file: hashlib.sha256(ZIP).hexdigest())
    assert fetch(archive, None, to, insecure=how == "insecure").path.read_bytes() == ZIP


def test_https_does_not_lead_to_http(server, secure, to):
    server.answers["/a.zip"] = [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/b.zip\r\n\r\n"]
    refused(secure, to, "expected https all the way, found a redirect to http://127.0.0.1:9/b.zip: .* or accept it with insecure=True")
    server.answers |= {"/a.zip": [b"HTTP/1.1 302 Found\r\nLocation: " + server.url.encode() + b"\r\n\r\n"], f"/{HDM05.file}": answer()}
    assert fetch(HDM05, secure, to, insecure=True).path.read_bytes() == ZIP


@pytest.mark.parametrize("location", ["https://safe.example/b.zip", "//safe.example/b.zip", "/b.zip", "b.zip"])
def test_https_leads_to_https(server, secure, to, location):
    server.answers = {"/a.zip": [f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n".encode()], "/b.zip": answer()}
    assert fetch(HDM05, secure, to).path.read_bytes() == ZIP


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://a/b", "http://", "http://[", "javascript:x", "\x1b[31m"])
def test_redirects_to_what_is_no_address(server, to, location):
    server.answers["*"] = [f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()]
    refused(server.url, to, "expected (a redirect to an address|at most 10 redirects)")


def test_redirects_without_end(server, to):
    server.answers["*"] = [b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n"]
    refused(server.url, to, "expected at most 10 redirects, found more")


def test_what_stands_beside_a_redirect_is_not_read(server, to):
    endless = itertools.chain([b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n"], itertools.repeat(bytes(10_000)))
    server.answers = {f"/{HDM05.file}": endless, "/b": answer()}
    assert fetch(HDM05, server.url, to).path.read_bytes() == ZIP


def test_a_password_in_the_address_is_neither_shown_nor_written_down(server, to):
    server.answers["*"] = answer()
    url = server.url.replace("http://", "http://me:secret@")
    found = fetch(HDM05, url, to)
    assert json.loads(Path(f"{found.path}.json").read_text())["url"] == server.url
    found.path.unlink()
    server.answers["*"] = [b"HTTP/1.1 404 Gone\r\n\r\n"]
    assert "secret" not in refused(url, to, "found HTTP 404")


# Too much, too slowly, too strange ------------------------------------------------------------------


def test_an_endless_body_ends_at_the_stated_maximum(server, to):
    server.answers["*"] = itertools.chain(answer(b""), itertools.repeat(bytes(10_000)))
    refused(server.url, to, "expected at most 100.0 kB, found more", replace(HDM05, most=100_000))
    assert not list(to.iterdir())


@pytest.mark.parametrize("length", ["100000000000", "99999999999999999", "-5", "1e3", "x" * 5000, "9" * 5000, "5, 6"])
def test_lengths_that_lie(server, to, length):
    server.answers["*"] = answer(bytes(100), b"Content-Length: " + length.encode())
    refused(server.url, to, "are announced|expected a zip|connection closed before its end|InvalidHeader|less than")


def test_more_than_was_announced_is_not_read(server, to):
    server.answers["*"] = answer(ZIP + bytes(10_000), b"Content-Length: " + str(len(ZIP)).encode())
    assert fetch(HDM05, server.url, to).path.read_bytes() == ZIP


def test_two_lengths_that_differ(server, to):
    server.answers["*"] = answer(b"800\r\n" + bytes(0x800) + b"\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Length: 1000")
    refused(server.url, to, "expected the 1,000 bytes that were announced, found more")


@pytest.mark.parametrize("part", [b"0", b"1;" + b"x" * 1000])
def test_a_block_whose_length_has_no_end(server, to, part):
    server.answers["*"] = itertools.chain(answer(b"", b"Transfer-Encoding: chunked"), itertools.repeat(part * 1000))
    refused(server.url, to, "expected .*, found")


def test_an_encoding_that_unfolds(server, to):
    import gzip

    server.answers["*"] = answer(gzip.compress(bytes(10_000_000)), b"Content-Encoding: gzip")
    refused(server.url, to, "expected the file as it is, found it encoded as 'gzip'")


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", OK + b"\r\nPK"])
def test_a_byte_now_and_then(server, to, start, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.5)

    def slowly():
        yield start
        while True:
            time.sleep(0.05)
            yield b"x"

    server.answers["*"] = slowly()
    began = time.monotonic()
    refused(server.url, to, "expected a faster server, found less than 32.8 kB within 0.5 s")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\xff" * 500,
        b"HTTP/1.1 9999999 \x1b[31mred\r\n\r\n",
        b"HTTP/1.1 500 \x1b[31mred\xe2\x80\xae\r\n\r\n",
        OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        OK + b"".join(b"X%d: y\r\n" % number for number in range(500)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html \x1b[31m" + b"x" * 1000 + b"\r\n\r\n",
        b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-5/6\r\n\r\nabcdef",
        b"HTTP/1.1 204 Nothing\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    ],
)
def test_answers_that_are_none(server, to, reply):
    server.answers["*"] = [reply]
    refused(server.url, to, "expected .*, found")


@pytest.mark.parametrize("extent", ["bytes 3-5/6", "bytes 3-9/6", "bytes 3-5/900", "bytes 3-/6", "bytes x", "", "lines 3-5/6", "bytes -1-5/6"])
def test_a_rest_that_does_not_fit_is_not_appended(server, to, extent):
    download_partly(to, server.url, ZIP[:3], total=len(ZIP))
    half = f"HTTP/1.1 206 Part\r\nContent-Range: {extent}\r\n\r\n".encode() + ZIP[3:]
    server.turns = [[half], answer()]
    assert fetch(HDM05, server.url, to).path.read_bytes() == ZIP
    assert len(server.requests) == 2
    assert "Range" not in server.requests[1]


# Folders that others write to -----------------------------------------------------------------------


def download_partly(to: Path, url: str, data: bytes, total: int = 0) -> Path:
    partial = to / f".{HDM05.file}.partial"
    partial.write_bytes(data)
    (to / f".{HDM05.file}.partial.json").write_text(json.dumps({"url": url, "validator": '"one"', "total": total}))
    return partial


@pytest.mark.parametrize("name", [".partial", ".partial.json", ".new", ".json", ""])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_are_not_written_through(server, to, tmp_path, name, link):
    server.answers["*"] = answer()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    download_partly(to, server.url, ZIP[:5], len(ZIP))
    planted = to / (f"{HDM05.file}{name}" if name in (".json", "") else f".{HDM05.file}{name}")
    planted.unlink(missing_ok=True)
    link(victim, planted)
    fetch(HDM05, server.url, to, force=True)
    assert victim.read_text() == "precious"
    assert (to / HDM05.file).read_bytes() == ZIP
    assert not (to / HDM05.file).is_symlink()


@pytest.mark.parametrize("name", [".partial", ".partial.json"])
def test_pipes_do_not_hang(server, to, name):
    server.answers["*"] = answer()
    os.mkfifo(to / f".{HDM05.file}{name}")
    assert fetch(HDM05, server.url, to).path.read_bytes() == ZIP


@pytest.mark.parametrize("name", [".partial", ".partial.json", ".new"])
def test_folders_in_the_way_are_one_line(server, to, name):
    server.answers["*"] = answer()
    (to / f".{HDM05.file}{name}").mkdir()
    with pytest.raises(Exception, match="cannot be written") as error:
        fetch(HDM05, server.url, to)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("total", [[1], "x", -1, 10**30, None, True, 1.5])
@pytest.mark.parametrize("validator", ['"one"', 3, "a\nb", []])
def test_a_note_that_lies_is_not_believed(server, to, total, validator):
    partial = download_partly(to, server.url, ZIP[:3])
    (to / f"{partial.name}.json").write_text(json.dumps({"url": server.url, "validator": validator, "total": total}))
    server.turns = [[], answer()]
    refused(server.url, to, "connection closed|no connection|try again")
    assert fetch(HDM05, server.url, to).path.read_bytes() == ZIP


def test_the_file_is_made_with_the_usual_permissions(server, to):
    server.answers["*"] = answer()
    umask = os.umask(0o027)
    try:
        assert stat.S_IMODE(fetch(HDM05, server.url, to).path.stat().st_mode) == 0o640
    finally:
        os.umask(umask)


def test_an_enormous_record_is_not_read(server, to):
    (to / HDM05.file).write_bytes(ZIP)
    (to / f"{HDM05.file}.json").write_bytes(b'"' + bytes(50_000))
    with pytest.raises(SourceError, match="expected the checksum of"):
        fetch(HDM05, server.url, to)


# What is in the zip ---------------------------------------------------------------------------------


def a_link() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("link.amc")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (zipped("../../evil.amc"), "a member outside of it, '../../evil.amc'"),
        (zipped("/etc/passwd"), "a member outside of it"),
        (zipped("a\\..\\..\\b"), "a member outside of it"),
        (zipped("C:/x.amc"), "a member outside of it"),
        (zipped(a_link()), "a link or device, 'link.amc'"),
        (zipped(compression=zipfile.ZIP_BZIP2), "a compression other than deflate, of 'a.amc'"),
        (zipped(compression=zipfile.ZIP_LZMA), "a compression other than deflate"),
    ],
)
def test_members_that_no_archive_has(server, to, content, found):
    server.answers["*"] = answer(content)
    refused(server.url, to, f"expected a zip of motion-capture files, found {found}")


# Checksums ------------------------------------------------------------------------------------------


def test_a_checksum_that_ships_counts_for_mirrors_and_files_of_the_user(server, to, monkeypatch):
    monkeypatch.setattr(module, "shipped_checksum", lambda file: "0" * 64)
    server.answers["*"] = answer()
    refused(server.url, to, "expected the file that mocapgen knows .*, found another one; if it was published anew, accept it with insecure=True")
    refused(server.url, to, "expected the file that mocapgen knows", force=True)
    assert fetch(HDM05, server.url, to, insecure=True).downloaded
    with pytest.raises(SourceError, match=r"expected the content that mocapgen knows .*: changed or damaged"):
        fetch(HDM05, server.url, to)
    assert not fetch(HDM05, server.url, to, insecure=True).downloaded


def test_checksums_are_recorded_as_sha256sum_prints_them(tmp_path, monkeypatch):
    path, checksums = tmp_path / CMU.file, tmp_path / "checksums.txt"
    checksums.write_text("# as they are\n" + "1" * 64 + f"  {HDM05.file}\n" + "2" * 64 + f"  {CMU.file}\n")
    path.write_bytes(ZIP)
    (line,) = record([path], checksums)
    assert checksums.read_text().splitlines() == ["# as they are", "1" * 64 + f"  {HDM05.file}", line]
    assert line.endswith(f"  {CMU.file}")
    with pytest.raises(SystemExit, match="expected official archives"):
        record([tmp_path / "other.zip"], checksums)


def test_the_checksums_that_ship_are_checksums():
    for archive in ARCHIVES:
        checksum = shipped_checksum(archive.file)
        assert checksum is None or (len(checksum) == 64 and int(checksum, 16) >= 0)


def test_a_download_by_itself_is_by_https_only(server, to):
    with pytest.raises(SourceError, match="expected an address that begins with https, found another one"):
        Download(to / "a.bin", "model", "a model", 100)(server.url, str(to / "b"), None)
