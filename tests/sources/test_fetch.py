"""Fetching archives from a server on this machine that misbehaves in every way that servers do."""

import errno
import hashlib
import http.server
import io
import json
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mocapgen.cli import fetch as command
from mocapgen.shared import download
from mocapgen.shared.progress import progress_bar
from mocapgen.sources import fetch as module
from mocapgen.sources.archives import ARCHIVES, archive_of, fetch_folder, fetched
from mocapgen.sources.fetch import fetch
from schemas.errors import ConfigError, SourceError

HDM05 = archive_of("hdm05")


def a_zip(seed: int = 0, size: int = 3_000_000) -> bytes:
    """Return a zip of incompressible content, so that a byte anywhere matters."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("HDM05_cut_amc/HDM_bd.asf", "skeleton")
        file.writestr("HDM05_cut_amc/a/HDM_bd_a_001_120.amc", np.random.default_rng(seed).bytes(size))
    return content.getvalue()


CONTENT = a_zip()


class Server(http.server.ThreadingHTTPServer):
    """Serves ``content`` at every address; tests set how."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.headers = {"ETag": '"one"', "Last-Modified": "Mon, 02 Mar 2009 10:00:00 GMT", "Content-Type": "application/zip"}
        self.ranges = True
        self.status = 200
        self.cut = None  # close the connection after so many bytes
        self.stall = None  # say nothing more after so many bytes
        self.length = True
        self.requests = []
        self.redirect = None
        self.gate = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{HDM05.file}"

    def handle_error(self, request, client_address):
        pass  # a client that went away


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if server.redirect and self.path != server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        start, status = 0, server.status
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, server.headers.get("ETag"), server.headers.get("Last-Modified"))
        if wanted and server.ranges and same and status == 200:
            start = int(wanted[1])
            status = 206 if start < len(server.content) else 416
        body = b"" if status == 416 else server.content[start:]
        self.send_response(status)
        for name, value in server.headers.items():
            self.send_header(name, value)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        stop = min(len(body), *(end for end in (server.cut, server.stall) if end is not None), len(body))
        self.wfile.write(body[:stop])
        if server.stall is not None:
            self.wfile.flush()
            server.gate.wait(20)


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    pytest.importorskip("pooch")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """Keep the user's own data folder out of it."""
    folder = tmp_path / "home"
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: folder / name)
    monkeypatch.setattr(module, "shipped_checksum", lambda file: None)
    return folder


@pytest.fixture
def to(tmp_path):
    return tmp_path / "to"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def line_of(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


def fails(server, to, pattern: str, **options) -> None:
    """Expect one line of an error, and nothing by the archive's name."""
    with pytest.raises(SourceError, match=pattern) as error:
        fetch(HDM05, server.url, to, **options)
    line_of(error)
    assert HDM05.file not in names(to)


# What is fetched, and where -----------------------------------------------------------------------


def test_the_archives_are_those_that_are_published():
    assert [archive.url for archive in ARCHIVES] == [
        "https://resources.mpi-inf.mpg.de/HDM05/cuts/HDM05_cut_amc.zip",
        "https://resources.mpi-inf.mpg.de/HDM05/cuts/HDM05_cut_c3d.zip",
        "http://mocap.cs.cmu.edu/allasfamc.zip",
    ]
    assert archive_of("hdm05", "c3d").file == "HDM05_cut_c3d.zip"
    assert archive_of("cmu").format == "amc"


@pytest.mark.parametrize(
    ("source", "format", "text"), [("cmu", "c3d", "format: cmu is published as amc"), ("mpi", None, "expected one of hdm05, cmu")]
)
def test_what_is_not_published(source, format, text):
    with pytest.raises(ConfigError, match=text):
        archive_of(source, format)


def test_a_build_finds_what_was_fetched(server):
    assert fetched("hdm05") is None
    found = fetch(HDM05, server.url)
    assert found.path == fetch_folder("hdm05") / HDM05.file == fetched("hdm05") == fetched("hdm05", "amc")
    assert fetched("hdm05", "c3d") is None
    assert fetched("cmu") is None


def test_an_unpacked_archive_is_found_too(home):
    folder = home / "mocapgen" / "hdm05"
    folder.mkdir(parents=True)
    (folder / ".HDM05_cut_amc.zip.partial").write_bytes(b"PK")
    (folder / "HDM05_cut_amc.zip.json").write_text("{}")
    assert fetched("hdm05") is None
    (folder / "HDM05_cut_amc").mkdir()
    assert fetched("hdm05") == folder


# Downloads ----------------------------------------------------------------------------------------


def test_a_download_is_complete_recorded_and_verified_later(server, to):
    seen = []
    found = fetch(HDM05, server.url, to, progress=lambda *step: seen.append(step))
    assert found.path.read_bytes() == CONTENT
    assert (found.sha256, found.size, found.downloaded) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), True)
    assert names(to) == {HDM05.file, HDM05.file + ".json"}
    record = json.loads((to / f"{HDM05.file}.json").read_text())
    assert record == {"file": HDM05.file, "url": server.url, "size": len(CONTENT), "sha256": found.sha256}
    downloaded = [done for done, total, label in seen if label == HDM05.file and total == len(CONTENT)]
    assert downloaded == sorted(downloaded)
    assert downloaded[-1] == len(CONTENT)

    again = fetch(HDM05, server.url, to)
    assert (again.sha256, again.downloaded) == (found.sha256, False)
    assert len(server.requests) == 1


@pytest.mark.parametrize("damage", ["flipped", "cut", "grown"])
def test_a_file_that_changed_is_an_error_until_forced(server, to, damage):
    path = fetch(HDM05, server.url, to).path
    data = bytearray(CONTENT)
    data[1_000_000] ^= 1
    path.write_bytes({"flipped": bytes(data), "cut": CONTENT[:-5], "grown": CONTENT + b"x"}[damage])
    with pytest.raises(SourceError, match="changed or damaged; download it again with force=True") as error:
        fetch(HDM05, server.url, to)
    line_of(error)
    assert fetch(HDM05, server.url, to, force=True).downloaded
    assert path.read_bytes() == CONTENT


def test_a_failed_forced_download_leaves_the_old_file(server, to):
    path = fetch(HDM05, server.url, to).path
    server.content = b"no zip at all"
    with pytest.raises(SourceError, match="expected a zip"):
        fetch(HDM05, server.url, to, force=True)
    assert path.read_bytes() == CONTENT
    assert not fetch(HDM05, server.url, to).downloaded


def test_another_content_than_the_first_time_must_be_accepted(server, to):
    fetch(HDM05, server.url, to).path.unlink()
    server.content = a_zip(1)
    fails(server, to, "expected the file that was downloaded first .* accept it with force=True")
    assert fetch(HDM05, server.url, to, force=True).sha256 == hashlib.sha256(server.content).hexdigest()


def test_a_file_that_the_user_put_there_is_checked_and_recorded(server, to):
    to.mkdir()
    (to / HDM05.file).write_bytes(CONTENT)
    assert not fetch(HDM05, server.url, to).downloaded
    assert json.loads((to / f"{HDM05.file}.json").read_text())["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert server.requests == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": 3, "size": 3}', '{"sha256": "x", "size": 3}', "\x00", "[" * 100_000])
def test_a_damaged_record_is_one_line(server, to, text):
    path = fetch(HDM05, server.url, to).path
    Path(f"{path}.json").write_text(text)
    with pytest.raises(SourceError, match="expected the checksum of") as error:
        fetch(HDM05, server.url, to)
    line_of(error)


def test_redirects_are_followed(server, to):
    server.redirect = "/elsewhere.zip"
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT


def test_a_server_that_states_no_length(server, to):
    server.length = False
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT


# Interrupted downloads ----------------------------------------------------------------------------


def interrupt(server, to, at: int = 1_200_000) -> None:
    server.cut = at
    fails(server, to, "found the connection closed before its end; 1.[0-9] MB of 3.0 MB are kept: the same command goes on")
    server.cut = None
    assert names(to) == {f".{HDM05.file}.partial", f".{HDM05.file}.partial.json"}


@pytest.mark.parametrize("missing", [(), ("ETag",), ("Last-Modified",)])
def test_it_goes_on_where_it_ended(server, to, missing):
    for header in missing:
        del server.headers[header]
    interrupt(server, to)
    kept = (to / f".{HDM05.file}.partial").stat().st_size
    assert 1_000_000 < kept <= 1_200_000
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT
    assert server.requests[1]["Range"] == f"bytes={kept}-"
    assert server.requests[1]["If-Range"] == next(iter(server.headers.values()))
    assert names(to) == {HDM05.file, HDM05.file + ".json"}


def test_interrupted_many_times(server, to):
    for _ in range(20):
        server.cut = 200_000
        try:
            found = fetch(HDM05, server.url, to)
            break
        except SourceError:
            continue
    assert found.path.read_bytes() == CONTENT
    assert len(server.requests) > 10


def test_a_server_without_ranges_starts_anew(server, to):
    interrupt(server, to)
    server.ranges = False
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT
    assert "Range" in server.requests[1]


def test_a_file_that_changed_meanwhile_starts_anew(server, to):
    interrupt(server, to)
    server.content, server.headers["ETag"] = a_zip(1), '"two"'
    server.headers["Last-Modified"] = "Tue, 03 Mar 2009 10:00:00 GMT"
    assert fetch(HDM05, server.url, to).path.read_bytes() == server.content


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}], ids=["nothing", "weak"])
def test_without_a_proof_that_the_file_is_the_same_it_starts_anew(server, to, headers):
    server.headers = headers
    server.cut = 1_200_000
    fails(server, to, "connection closed before its end; try again")
    server.cut = None
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT
    assert "Range" not in server.requests[1]


def test_another_address_starts_anew(server, to):
    interrupt(server, to)
    assert fetch(HDM05, server.url + "?mirror", to).path.read_bytes() == CONTENT
    assert "Range" not in server.requests[1]


@pytest.mark.parametrize("extra", [0, 10], ids=["complete", "too long"])
def test_a_partial_file_that_is_no_part_any_more(server, to, extra):
    interrupt(server, to)
    (to / f".{HDM05.file}.partial").write_bytes(CONTENT + bytes(extra))
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT
    assert len(server.requests) == (3 if extra else 1)


def test_a_damaged_partial_file_is_found_out_and_dropped(server, to):
    interrupt(server, to)
    partial = to / f".{HDM05.file}.partial"
    data = bytearray(partial.read_bytes())
    data[700_000] ^= 1
    partial.write_bytes(bytes(data))
    fails(server, to, r"expected a zip, found 3,000,\d+ bytes that are none \(Bad CRC-32")
    assert names(to) == set()
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT


@pytest.mark.parametrize("state", ["", "[]", '{"url": 3}'])
def test_a_damaged_note_beside_the_partial_file_starts_anew(server, to, state):
    interrupt(server, to)
    (to / f".{HDM05.file}.partial.json").write_text(state)
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT


def test_a_server_that_falls_silent(server, to, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (1.0, 0.2))
    server.stall = 1_000_000
    fails(server, to, "expected more data, found none within 0.2 s; .* are kept")
    server.stall = None
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT
    assert "Range" in server.requests[1]


def test_an_interrupted_process_leaves_nothing_by_that_name(server, to):
    server.stall = 1_000_000
    script = (
        "import sys\nfrom pathlib import Path\nfrom mocapgen.sources.archives import archive_of\nfrom mocapgen.sources.fetch import fetch\n"
        "fetch(archive_of('hdm05'), sys.argv[1], Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, server.url, str(to)], stderr=subprocess.DEVNULL)
    partial = to / f".{HDM05.file}.partial"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size > 500_000):
        time.sleep(0.02)
    process.kill()
    process.wait()
    server.stall = None
    assert HDM05.file not in names(to)
    assert fetch(HDM05, server.url, to).path.read_bytes() == CONTENT
    assert "Range" in server.requests[-1]


# What can go wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404, 410, 500, 503])
def test_statuses(server, to, status):
    server.status = status
    fails(server, to, f"expected the archive, found HTTP {status} .*url=...")
    assert names(to) == set()


def test_a_web_page_instead(server, to):
    server.content, server.headers["Content-Type"] = b"<html>moved</html>", "text/html; charset=utf-8"
    fails(server, to, r"expected a zip, found a web page \(text/html")
    assert names(to) == set()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<!DOCTYPE html><p>Please log in", "found a web page"),
        (b"", "found 0 bytes"),
        (b"PK\x03\x04" + bytes(5000), "found 5,004 bytes that are none"),
        (CONTENT[: len(CONTENT) // 2], "that are none"),
        (b"PK\x05\x06" + bytes(18), "found 0 files"),
    ],
    ids=["page", "nothing", "zeros", "half", "empty zip"],
)
def test_no_zip(server, to, content, found):
    server.content = content
    fails(server, to, found)
    assert names(to) == set()


def test_a_zip_that_unpacks_to_more_than_any_disk(server, to, monkeypatch):
    monkeypatch.setattr(module, "MAX_UNPACKED", 1_000_000)
    fails(server, to, "expected a zip of up to 1.0 MB, found 2 files of 3.0 MB")


def test_no_connection(server, to):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.zip"
        with pytest.raises(SourceError, match=r"found no connection \(no network, or no such host\); check the address") as error:
            fetch(HDM05, url, to)
    line_of(error)


@pytest.mark.parametrize(
    "url", ["", "a.zip", "ftp://127.0.0.1/a.zip", "file:///etc/passwd", "http://", "https:///a.zip", "http://[a", "http://a:b/", "http://a\nb/"]
)
def test_addresses_that_are_none(url, to):
    with pytest.raises(ConfigError, match=r"^url: expected an address"):
        fetch(HDM05, url, to)
    assert not to.exists()


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", "..", "a b", "127.0.0.1:1"])
def test_hosts_that_are_none(server, host, to):
    with pytest.raises(SourceError, match=r"expected an? (answer|address|server)") as error:
        fetch(HDM05, f"http://{host}/a.zip", to)
    line_of(error)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SSLError", "expected a trusted certificate"),
        ("ConnectTimeout", "expected a connection, found none within 20 s"),
        ("ReadTimeout", "expected more data, found none within 60 s"),
        ("ChunkedEncodingError", "found the connection closed before its end"),
        ("TooManyRedirects", "found TooManyRedirects: why"),
    ],
)
def test_what_can_happen_on_the_way(server, to, monkeypatch, name, text):
    import requests

    def get(*_, **__):
        raise getattr(requests.exceptions, name)("why")

    monkeypatch.setattr(requests, "get", get)
    fails(server, to, text)


def test_a_full_disk(server, to, monkeypatch):
    class Full(io.RawIOBase):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download.Download, "_open", lambda *_: Full())
    fails(server, to, "cannot be written or read: No space left on device; make room or choose to=...")


def test_too_little_room_is_noticed_before_the_download(server, to, monkeypatch):
    usage = download.shutil.disk_usage("/")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    fails(server, to, "expected 3.0 MB of free space, found less; make room or choose to=...")


def test_a_folder_that_is_a_file(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"Not a directory; make room or choose to=[.]{3}") as error:
        fetch(HDM05, server.url, tmp_path / "file")
    line_of(error)


def test_without_pooch_the_extra_is_named(monkeypatch, to):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ConfigError, match=r"pip install 'mocapgen\[fetch\]'"):
        fetch(HDM05, "http://127.0.0.1:9/a.zip", to)


# The command --------------------------------------------------------------------------------------


def test_the_command_says_on_what_terms_and_what_next(server, to, call, monkeypatch):
    order = []

    def print_pairs(title, pairs):
        order.append((title, len(server.requests)))
        real(title, pairs)

    real = command.print_pairs
    monkeypatch.setattr(command, "print_pairs", print_pairs)
    status, out, err = call("fetch", "hdm05", "--url", server.url, "--to", to)
    assert (status, err, order[0]) == (0, "", (HDM05.title, 0))
    assert "Creative Commons Attribution-ShareAlike 3.0" in out
    assert "The data used in this project was obtained from HDM05" in out
    assert f"mocapgen build --source hdm05 --root {to / HDM05.file} --out data.h5" in out
    assert hashlib.sha256(CONTENT).hexdigest() in out
    assert "already there, and unchanged" in call("fetch", "hdm05", "--url", server.url, "--to", to)[1]
    assert call("fetch", "hdm05", "--url", server.url, "--to", to, "-q") == (0, "", "")


def test_in_the_usual_folder_a_build_needs_no_root(server, call):
    assert "mocapgen build --source hdm05 --out data.h5" in call("fetch", "hdm05", "--url", server.url)[1]
    assert "--source hdm05 --format c3d --out" in call("fetch", "hdm05", "--format", "c3d", "--url", server.url)[1]
    assert "NSF EIA-0196217" in call("fetch", "cmu", "--url", server.url)[1]


def test_progress_for_a_person(capsys):
    with progress_bar(0, True, sizes=True) as progress:
        progress(1_000_000, 2_000_000, "a.zip")
        progress(1_500_000, 0, "a.zip")  # a server that states no length
    assert "a.zip" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["mpi"], "expected one of hdm05, cmu"),
        ([], "Missing argument"),
        (["cmu", "--format", "c3d"], "cmu is published as amc"),
        (["hdm05", "--format", "bvh"], "'bvh' is not one of"),
        (["hdm05", "--url", "nowhere"], "--url: expected an address"),
    ],
)
def test_wrong_use_is_one_line(call, arguments, text):
    status, out, err = call("fetch", *arguments, "-q")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert text in err
