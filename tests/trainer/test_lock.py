"""One process for each run: another one is refused in one line, changes nothing, and may go on once the first has ended, however it did."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from schemas.errors import ConfigError, DatasetError
from trainer.fit import fit
from trainer.runs.lock import LOCK, MARK, locked

HOLD = """
import sys
from trainer.runs.lock import locked
if len(sys.argv) > 2:
    sys.platform = "win32"
with locked(__import__("pathlib").Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Return a function that lets another process hold the lock of a folder."""
    processes = []

    def start(folder, *without_locks):
        process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder), *without_locks], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"held\n"
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_folder_is_free_again_when_its_process_was_killed(tmp_path, hold):
    folder = tmp_path / "a" / "run"
    process = hold(folder)
    with pytest.raises(ConfigError) as caught, locked(folder):
        pass
    assert str(caught.value) == (
        f"{folder}: expected a folder that nobody trains in, found another process that does; wait until it has ended, or choose another out=..."
    )
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with locked(folder):
        assert [path.name for path in folder.iterdir()] == [LOCK]
    with locked(folder):
        pass


@pytest.mark.parametrize("how", [{"resume": True}, {"overwrite": True}])
def test_a_run_that_goes_on_is_neither_resumed_nor_replaced(data_file, tmp_path, tiny, hold, how):
    result = fit(data_file, tiny.model_copy(update={"epochs": 1}), tmp_path / "run")
    before = {path.name: path.read_bytes() for path in result.folder.iterdir()}
    hold(result.folder)
    with pytest.raises(ConfigError, match="nobody trains in"):
        fit(data_file, tiny, result.folder, **how)
    assert {path.name: path.read_bytes() for path in result.folder.iterdir()} == before


def test_only_the_first_of_several_processes_of_a_run_locks(tmp_path, hold, monkeypatch):
    hold(tmp_path)
    monkeypatch.setenv("RANK", "1")
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_locked_is_one_line(tmp_path):
    (tmp_path / LOCK).mkdir()
    with pytest.raises(DatasetError, match=r"expected a folder that can be written to, found: Is a directory"), locked(tmp_path):
        pass
    with pytest.raises(DatasetError, match=r"expected a folder that can be written to, found: "), locked(tmp_path / ("x" * 300)):
        pass


def no_service(monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)


def test_without_locks_a_file_says_who_trains(tmp_path, hold, monkeypatch):
    no_service(monkeypatch)
    process = hold(tmp_path, "without locks")
    with pytest.raises(ConfigError) as caught, locked(tmp_path):
        pass
    assert str(caught.value) == (
        f"{tmp_path}: expected a folder that nobody trains in, found another process that does; "
        f"wait until it has ended; if it was killed, delete the file {MARK}, or choose another out=..."
    )
    process.communicate()
    with locked(tmp_path):
        assert (tmp_path / MARK).exists()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_without_locks_a_process_of_this_machine_that_was_killed_is_no_hindrance(tmp_path, hold, monkeypatch):
    no_service(monkeypatch)
    process = hold(tmp_path, "without locks")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (tmp_path / MARK).exists()
    with locked(tmp_path):
        pass
    assert not (tmp_path / MARK).exists()


def test_the_mark_of_another_machine_stands_until_somebody_deletes_it(tmp_path, monkeypatch):
    no_service(monkeypatch)
    (tmp_path / MARK).write_text("4242\nanother-machine\n", newline="\n")
    with pytest.raises(ConfigError, match="if it was killed, delete the file"), locked(tmp_path):
        pass
    (tmp_path / MARK).unlink()
    with locked(tmp_path):
        pass
