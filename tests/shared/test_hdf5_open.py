"""Files on file systems without locks, and files that other programs write: read, or refused in a line that says which."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from mocapgen.shared.disk import DiskFile
from mocapgen.shared.hdf5 import open_untrusted
from schemas.errors import DatasetError
from tests.no_locks import without_locks

OPEN = """
import pathlib, sys
from mocapgen.shared.hdf5 import open_untrusted
from schemas.errors import DatasetError
try:
    with open_untrusted(pathlib.Path(sys.argv[1]), "a file"), open_untrusted(pathlib.Path(sys.argv[1]), "a file") as file:
        print(list(file))
except DatasetError as error:
    print(error)
"""
WRITE = """
import sys, h5py
file = h5py.File(sys.argv[1], "r+", libver=("v110", "v110"))
file["more"] = [1]
file.flush()
if len(sys.argv) > 2:
    file.swmr_mode = True
print("open", flush=True)
sys.stdin.read()
"""
WRITTEN = "expected a file that nobody writes, found one that another program has open for writing; wait until it is finished"
MARKED = (
    "expected a file that nobody writes, found one marked as open for writing; wait until it is finished; "
    "if its program was killed, make the file again, or try what `h5clear --status` leaves of it"
)

Hold = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(params=[None, ("v110", "v110")], ids=["old", "new"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a file in the format that h5py writes by default, or in ours."""
    with h5py.File(tmp_path / "data.h5", "w", libver=request.param) as file:
        file["x"] = [1, 2]
    return tmp_path / "data.h5"


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Return a function that lets another process write a file until it is ended."""
    processes = []

    def start(path: Path, *more: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", WRITE, str(path), *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def opened(path: Path, environment: dict[str, str]) -> str:
    """Return what another process finds in a file, or says of it."""
    return subprocess.run([sys.executable, "-c", OPEN, str(path)], env=environment, capture_output=True, text=True, check=True).stdout.strip()


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        open_untrusted(path, "a file")
    line = str(caught.value)
    assert len(line) <= 300
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
@pytest.mark.parametrize("path", [None], indirect=True)
def test_a_file_is_read_where_there_are_no_locks(path: Path, error: int) -> None:
    assert opened(path, without_locks(path.parent, error)) == "['x']"


@pytest.mark.parametrize("path", [None], indirect=True)
def test_who_insists_on_locks_gets_none_where_there_are_none(path: Path) -> None:
    environment = without_locks(path.parent, errno.ENOLCK)
    assert opened(path, {**environment, "HDF5_USE_FILE_LOCKING": "FALSE"}) == "['x']"
    expected = "expected locks, as HDF5_USE_FILE_LOCKING=TRUE asks for, found a file system without; unset it, or set it to FALSE"
    assert opened(path, {**environment, "HDF5_USE_FILE_LOCKING": "TRUE"}) == f"{path}: {expected}"


def test_a_file_that_is_being_written_is_not_damaged(path: Path, hold: Hold) -> None:
    process = hold(path)
    assert refusal(path) == WRITTEN
    process.communicate()
    with open_untrusted(path, "a file") as file:  # the advice holds
        assert list(file) == ["more", "x"]


@pytest.mark.parametrize("path", [("v110", "v110")], indirect=True)
def test_what_a_killed_program_leaves_is_told(path: Path, hold: Hold) -> None:
    process = hold(path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert refusal(path) == MARKED
    if shutil.which("h5clear"):
        subprocess.run(["h5clear", "--status", path], check=True)
        with open_untrusted(path, "a file") as file:
            assert list(file) == ["more", "x"]


@pytest.mark.parametrize("path", [("v110", "v110")], indirect=True)
def test_a_file_for_many_readers_is_marked(path: Path, hold: Hold) -> None:
    process = hold(path, "swmr")
    assert refusal(path) == MARKED
    process.communicate()
    open_untrusted(path, "a file").close()


@pytest.mark.parametrize("path", [("v110", "v110")], indirect=True)
def test_a_writer_without_a_lock_is_seen_by_its_mark(path: Path, hold: Hold) -> None:
    hold(path)
    assert opened(path, {**os.environ, "HDF5_USE_FILE_LOCKING": "FALSE"}) == f"{path}: {MARKED}"


def test_our_own_unfinished_file_is_not_damaged(path: Path) -> None:
    with DiskFile(path):
        assert refusal(path) == WRITTEN
    open_untrusted(path, "a file").close()
