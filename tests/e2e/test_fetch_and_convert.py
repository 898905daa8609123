"""From a server to a dataset, and from one format to another, as a user types it."""

import functools
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import h5py
import pytest


def mocapgen(*arguments, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name.lower() not in ("http_proxy", "https_proxy", "all_proxy", "mocapgen_hdm05")}
    command = [sys.executable, "-m", "mocapgen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, env=kept | environment)


@pytest.fixture(scope="module")
def motions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motions")
    assert mocapgen("sample", "motions", "--format", "amc", cwd=folder).returncode == 0
    return folder / "motions"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_what_is_fetched_is_what_a_build_reads(motions, address, tmp_path):
    pytest.importorskip("pooch")
    folder, url = address
    with zipfile.ZipFile(folder / "HDM05_cut_amc.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((motions / "walk").iterdir()):
            archive.write(path, f"HDM05_cut_amc/walk/{path.name}")
    place = {"XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    done = mocapgen("fetch", "hdm05", "--url", f"{url}/HDM05_cut_amc.zip", cwd=tmp_path, **place)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Creative Commons" in done.stdout
    build = ["build", "--source", "hdm05", "--avatars", "average_man", "--workers", "1", "--out", "data.h5"]
    done = mocapgen(*build, cwd=tmp_path, **place)
    assert (done.returncode, done.stderr) == (0, "")
    with h5py.File(tmp_path / "data.h5") as file:
        assert set(file["clips/action"].asstr()[:]) == {"walk"}
    missing = mocapgen("fetch", "hdm05", "--force", "--url", f"{url}/none.zip", cwd=tmp_path, **place)
    assert missing.returncode == 2
    assert "found HTTP 404" in missing.stderr
    assert missing.stderr.count("\n") == 1
    again = mocapgen("fetch", "hdm05", cwd=tmp_path, **place)
    assert (again.returncode, again.stderr) == (0, "")
    assert "already there, and unchanged" in again.stdout


def test_convert_there_and_back(motions, tmp_path):
    source = sorted((motions / "walk").glob("*.amc"))[0]
    for command in ((source, "a.bvh", "--fps", "30"), ("a.bvh", "b.amc"), ("b.amc", "c.c3d", "--source-fps", "30")):
        done = mocapgen("convert", *command, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("written\n")
    assert {path.name for path in tmp_path.iterdir()} == {"a.bvh", "b.amc", "b.asf", "c.c3d"}
    done = mocapgen("convert", "b.amc", "a.bvh", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mocapgen: error: a.bvh: the file exists already; choose another name or say --overwrite\n"
