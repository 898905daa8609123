"""Builds that are killed, interrupted, starved of disk or memory: a complete file or none, one line, nothing left behind."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from mocapgen import open_dataset

OLD = b"an older file, which must survive"


@pytest.fixture(scope="session")
def cuts(data_dir: Path) -> Path:
    return data_dir / "hdm05/HDM05_cut_amc"


class Running:
    """A build of all cuts in a process group of its own."""

    def __init__(self, folder: Path, cuts: Path, *options: str, workers: int = 2, before: Callable[[], None] | None = None) -> None:
        self.folder = folder
        self.out = folder / "data.h5"
        command = ["build", "--root", cuts, "--select", "all", "--min-frames", "1", "--out", self.out, "--workers", workers, *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mocapgen", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=before,
        )

    def partials(self) -> list[Path]:
        return list(self.folder.glob(".data.h5.*.partial"))

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Wait until a condition holds or the build is over; say whether the build still runs."""
        until = time.monotonic() + 60
        while not condition() and self.process.poll() is None:
            assert time.monotonic() < until, "the build did not get there"
            time.sleep(0.005)
        return self.process.poll() is None

    def wait_for_bytes(self, count: int) -> bool:
        def size() -> int:
            try:
                return sum(path.stat().st_size for path in self.partials())
            except FileNotFoundError:  # it has just got its final name
                return count

        return self.wait_for(lambda: bool(self.partials()) and size() >= count)

    def workers(self) -> list[int]:
        """Return the worker processes, which are forks of the main process."""
        own = command_line(self.process.pid)
        return [pid for pid in group(self.process.pid) if pid != self.process.pid and command_line(pid) == own]

    def finish(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stderr

    def nobody_lingers(self) -> bool:
        until = time.monotonic() + 10
        while group(self.process.pid) and time.monotonic() < until:
            time.sleep(0.01)
        return not group(self.process.pid)


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def group(leader: int) -> list[int]:
    """Return the living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, pgrp = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(pgrp) == leader and state != "Z":
                found.append(int(entry.name))
    return found


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")


@pytest.fixture
def start(tmp_path: Path, cuts: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*options: str, **settings: object) -> Running:
        running.append(Running(tmp_path, cuts, *options, **settings))  # type: ignore[arg-type]
        return running[-1]

    yield begin
    for build in running:
        if group(build.process.pid):
            os.killpg(build.process.pid, signal.SIGKILL)
        build.process.communicate(timeout=30)


def one_line(stderr: str) -> bool:
    return stderr.count("\n") == 1 and stderr.startswith("mocapgen: error: ") and "Traceback" not in stderr


@pytest.mark.parametrize("old", [False, True], ids=["new", "over an old file"])
@pytest.mark.parametrize("whom", ["group", "main"])
@pytest.mark.parametrize("written", [1, 60_000_000])
def test_killed(start: Callable[..., Running], tmp_path: Path, written: int, whom: str, old: bool) -> None:
    if old:
        (tmp_path / "data.h5").write_bytes(OLD)
    build = start("--overwrite")
    build.wait_for_bytes(written)
    (os.killpg if whom == "group" else os.kill)(build.process.pid, signal.SIGKILL)
    build.finish()
    assert build.nobody_lingers()
    if build.out.exists() and not (old and build.out.read_bytes() == OLD):
        with open_dataset(build.out) as data:
            assert len(data) == 1300
    else:
        assert build.out.exists() == old
    assert {path.name for path in tmp_path.iterdir()} <= {"data.h5", *(path.name for path in build.partials())}


def test_the_next_build_removes_what_a_killed_one_left(start: Callable[..., Running], tmp_path: Path) -> None:
    build = start()
    assert build.wait_for_bytes(1_000_000)
    os.killpg(build.process.pid, signal.SIGKILL)
    build.finish()
    assert len(build.partials()) == 1
    again = start("--actions", "squat1Reps", workers=1)
    assert again.finish() == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["data.h5"]


def test_two_builds_of_one_file_leave_each_other_alone(start: Callable[..., Running], tmp_path: Path) -> None:
    first = start(workers=1)
    assert first.wait_for_bytes(1_000_000)
    second = start("--actions", "squat1Reps", workers=1)
    assert second.finish() == (0, "")
    status, stderr = first.finish()
    assert status == 2
    assert one_line(stderr)
    assert "appeared while it was being written" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data.h5"]
    with h5py.File(tmp_path / "data.h5") as file:
        assert set(file["clips/action"].asstr()[:]) == {"squat1Reps"}


def test_a_worker_that_is_killed_ends_the_build_in_one_line(start: Callable[..., Running], tmp_path: Path) -> None:
    build = start()
    assert build.wait_for(lambda: len(build.workers()) == 2)
    assert build.wait_for_bytes(1)
    os.kill(build.workers()[0], signal.SIGKILL)
    status, stderr = build.finish()
    assert status == 2
    assert one_line(stderr)
    assert "a worker process died" in stderr
    assert build.nobody_lingers()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("workers", "whom", "number"),
    [(workers, whom, signal.SIGINT) for workers in (1, 2) for whom in ("main", "group")]
    + [(2, whom, number) for whom in ("main", "group") for number in (signal.SIGTERM, signal.SIGHUP)],
)
def test_interrupted(start: Callable[..., Running], tmp_path: Path, workers: int, whom: str, number: int) -> None:
    """A terminal sends SIGINT and SIGHUP to the whole group, ``kill`` to the main process alone, a system that shuts down SIGTERM to all."""
    (tmp_path / "data.h5").write_bytes(OLD)
    build = start("--overwrite", workers=workers)
    assert build.wait_for_bytes(1_000_000)
    (os.killpg if whom == "group" else os.kill)(build.process.pid, number)
    status, stderr = build.finish()
    assert (status, stderr.strip()) == (128 + number, "mocapgen: error: interrupted")  # after the line on which a terminal shows ^C
    assert build.nobody_lingers()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"data.h5": OLD}


@pytest.mark.parametrize("room", [0, 100, 5_000, 100_000, 3_000_000, 10_000_000])
def test_a_full_disk_is_one_line(start: Callable[..., Running], tmp_path: Path, room: int) -> None:
    """RLIMIT_FSIZE with SIGXFSZ ignored: writing past it is an error of the system, as on a full disk."""
    (tmp_path / "data.h5").write_bytes(OLD)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    build = start("--overwrite", "--actions", "squat1Reps,depositFloorR,elbow*", workers=1, before=limit)
    status, stderr = build.finish()
    assert status == 2
    assert one_line(stderr)
    assert "data.h5: cannot be written: File too large; nothing was changed" in stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"data.h5": OLD}


def numbers(text: str) -> dict[str, str]:
    unlike = ("time", "file", "actors", "actions")  # the last two are listed in a dry run of many files
    return {name: value for name, value in re.findall(r"^  (\S.*?) {2,}(\S.*)$", text, flags=re.MULTILINE) if name not in unlike}


def test_a_dry_run_of_real_clips_says_what_the_build_says(start: Callable[..., Running], tmp_path: Path) -> None:
    selection = ("--select", "one-per-actor", "--min-frames", "40")
    planned, _ = (dry := start(*selection, "--dry-run")).process.communicate(timeout=60)
    assert dry.process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    done, _ = start(*selection).process.communicate(timeout=60)
    assert numbers(planned) == numbers(done) != {}


def test_strict_ends_at_the_first_damaged_clip(tmp_path: Path, cuts: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for path in (cuts / "squat1Reps").iterdir():
        if "_bd" in path.name:
            (root / path.name).write_bytes(path.read_bytes())
    clip = sorted(root.glob("*.amc"))[1]
    clip.write_bytes(clip.read_bytes()[:-2000] + b"\nlhand nonsense\n")
    (tmp_path / "out").mkdir()
    strict = Running(tmp_path / "out", root, "--strict", workers=1)
    status, stderr = strict.finish()
    assert status == 2
    assert one_line(stderr)
    assert clip.name in stderr
    assert list((tmp_path / "out").iterdir()) == []
    lenient = Running(tmp_path / "out", root, workers=1)
    assert lenient.finish() == (0, "")
    with h5py.File(lenient.out) as file:
        assert list(file["skipped/file"].asstr()[:]) == [clip.name]
        assert list(file["skipped/reason"].asstr()[:]) == ["unreadable"]


# VmHWM, not ru_maxrss: Linux hands the latter on from the process that started this one.
PEAK = """
import re, sys
from pathlib import Path
from mocapgen import build
from schemas.config import BuildConfig
build(BuildConfig.model_validate(eval(sys.argv[1])))
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""


def peak_memory(cuts: Path, out: Path, **settings: object) -> int:
    config = {"root": str(cuts), "out": str(out), "select": "all", "min_frames": 1, "workers": 1, **settings}
    return int(subprocess.run([sys.executable, "-c", PEAK, repr(config)], capture_output=True, text=True, check=True, timeout=120).stdout)


def test_memory_does_not_grow_with_the_number_of_clips(cuts: Path, tmp_path: Path) -> None:
    """All 260 clips are 40 MB of arrays for every avatar alone; holding them would show."""
    few = peak_memory(cuts, tmp_path / "few.h5", actions=("squat1Reps",))
    all_of_them = peak_memory(cuts, tmp_path / "all.h5")
    assert all_of_them < 400e6
    assert all_of_them - few < 50e6
