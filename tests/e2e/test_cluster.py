"""Builds on a Dask cluster: the bytes of a build with one process, whoever dies on the way; what goes wrong is one line."""

from __future__ import annotations

import contextlib
import filecmp
import gc
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from mocapgen import build
from mocapgen.shared import cluster as cluster_module
from mocapgen.shared import cluster_map, cluster_worker
from mocapgen.shared.cluster_map import ClusterMap
from mocapgen.shared.cluster_worker import ScratchPlace
from mocapgen.shared.spool import Spool
from schemas.config import BuildConfig
from schemas.errors import ConfigError, MocapError, SourceError

TASKS = """
import os
from mocapgen.shared import spool
from mocapgen.shared.spool import Spool

def square(number):
    return number * number

def die(number):
    os._exit(9)

def long_result(item):
    place, count = item
    spool.MOST_BYTES = 2000
    filled = Spool(place)
    for number in range(count):
        filled.add((number, bytes(1000)), 1000)
    return os.getpid(), filled
"""


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self, folder: Path) -> None:
        (folder / "tasks_on_cluster.py").write_text(TASKS)
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        path = os.pathsep.join([str(self._folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        log = (self._folder / "log").open("a")
        environment = {**os.environ, "PYTHONPATH": path, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
        with log:
            return subprocess.Popen(command, cwd=self._folder, env=environment, stdout=log, stderr=log)

    def add_workers(self, count: int) -> None:
        options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--local-directory", str(self._folder))
        self.workers += [self._start("worker", self.address, *options) for _ in range(count)]

    def kill_worker(self, number: int) -> None:
        self.workers[number].kill()
        self.workers.pop(number).wait(30)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait(30)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers."""
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    running.add_workers(2)
    yield running
    running.close()


@pytest.fixture
def tasks(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of tasks that the workers have."""
    monkeypatch.syspath_prepend(cluster._folder)
    import tasks_on_cluster  # type: ignore[import-not-found]

    return tasks_on_cluster


def mapped(task: Callable[[Any], Any], items: Sequence[Any], address: str, waiting: Callable[[str], None] = str) -> Any:
    """Return what a cluster makes of items, as a context."""
    return ClusterMap(task, items, lambda item: f"item {item}", lambda item, result, worker: None, waiting).on(address)


SETTINGS: dict[str, Any] = {"source": "sample", "avatars": ("average_man", "child_10"), "camera": "random:2", "max_frames": 100, "long": "split"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process builds."""
    out = tmp_path_factory.mktemp("alone") / "alone.h5"
    build(BuildConfig(out=out, workers=1, **SETTINGS))
    return out


def test_a_worker_is_killed_and_the_bytes_are_those_of_one_process(cluster: Cluster, alone: Path, tmp_path: Path) -> None:
    def kill_one(done: int, total: int, label: str) -> None:
        if done == 2:
            cluster.kill_worker(0)
            cluster.add_workers(1)

    report = build(BuildConfig(out=tmp_path / "a.h5", cluster=cluster.address, **SETTINGS), kill_one)
    assert report.clips_used > 4
    assert filecmp.cmp(alone, tmp_path / "a.h5", shallow=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_results_come_in_order_whatever_their_number(cluster: Cluster, tasks: Any) -> None:
    with mapped(tasks.square, range(200), cluster.address) as results:
        assert list(results) == [number * number for number in range(200)]
    with mapped(tasks.square, [], cluster.address) as results:
        assert list(results) == []


def test_a_long_result_is_fetched_from_the_worker_and_made_again_if_that_dies(cluster: Cluster, tasks: Any) -> None:
    cluster.add_workers(1)
    with mapped(tasks.long_result, [(ScratchPlace("key"), 50), (ScratchPlace("key"), 1)], cluster.address) as results:
        pid, fetched = next(results)
        assert not isinstance(fetched, Spool)
        numbers = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster_map, "_PART", 3000)
            for number, _ in fetched:
                numbers.append(number)
                if number == 7:
                    cluster.kill_worker([worker.pid for worker in cluster.workers].index(pid))
        assert numbers == list(range(50))
        assert [number for number, _ in next(results)[1]] == [0]


def test_a_file_that_a_worker_does_not_see_is_no_skipped_clip(cluster: Cluster, data_dir: Path, tmp_path: Path, monkeypatch: Any) -> None:
    if not Path("/proc/self/cwd").exists():
        pytest.skip("needs a path that means something else in each process")
    monkeypatch.chdir(data_dir)
    wanted = r"worker tcp://\S+: cannot use what this machine can: .*HDM_bd.asf.*the same path on all machines: /proc/self/cwd/hdm05$"
    with pytest.raises(SourceError, match=wanted):
        build(source="hdm05", root="/proc/self/cwd/hdm05", actions="squat*", out=tmp_path / "a.h5", cluster=cluster.address)
    assert not list(tmp_path.iterdir())


def test_a_damaged_clip_is_skipped_as_without_a_cluster(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mocapgen.sources.sample import write_sample

    write_sample(tmp_path / "in", "bvh", 0)
    _, broken, _, *others = sorted((tmp_path / "in").rglob("*.bvh"))
    broken.write_text(broken.read_text()[:3000])
    for path in others:
        path.unlink()
    monkeypatch.chdir(tmp_path)  # a relative root means the same to all
    settings: dict[str, Any] = {"source": "folder", "root": "in", "min_frames": 1, "max_frames": 30, "avatars": "average_man", "long": "split"}
    report = build(out="a.h5", cluster=cluster.address, **settings)
    assert [skip.reason for skip in report.skipped] == ["unreadable"]
    assert report.skipped == build(out="b.h5", workers=1, **settings).skipped
    assert filecmp.cmp("a.h5", "b.h5", shallow=False)


def test_other_versions_on_a_worker_are_one_line(cluster: Cluster, tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_worker, "__version__", "0.0")
    wanted = r"^worker tcp://\S+: expected mocapgen 0\.0 as on the machine that builds, found [\d.]+\S*; install"
    cluster_worker.versions.cache_clear()
    try:
        with pytest.raises(ConfigError, match=wanted), mapped(tasks.square, [1], cluster.address) as results:
            list(results)
        monkeypatch.setattr(cluster_map, "check_workers", lambda client: None)  # as if the worker had come later
        with pytest.raises(ConfigError, match=wanted), mapped(tasks.square, [1], cluster.address) as results:
            list(results)
    finally:
        cluster_worker.versions.cache_clear()


def test_the_address_of_a_worker_is_told(cluster: Cluster) -> None:
    workers: list[str] = []
    with ClusterMap(abs, [1], str, lambda item, result, worker: workers.append(worker), str).on(cluster.address) as results:
        assert list(results) == [1]
    with pytest.raises(ConfigError, match="found a worker; its scheduler's address is wanted"), mapped(abs, [1], workers[0]):
        pass


def test_the_scheduler_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"old")

    def kill(done: int, total: int, label: str) -> None:
        if done == 2:
            cluster.scheduler.kill()
            cluster.scheduler.wait(30)

    with pytest.raises(MocapError, match=r"^the connection to the scheduler was lost \(.*\); nothing was changed; .*again$"):
        build(BuildConfig(out=tmp_path / "a.h5", overwrite=True, cluster=cluster.address, **SETTINGS), kill)
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    assert (tmp_path / "a.h5").read_bytes() == b"old"


def test_a_scheduler_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_map, "PATIENCE", 1.5)
    bare, told = Cluster(tmp_path), []
    try:
        with (
            pytest.raises(MocapError, match=r"^the cluster has no workers, and none came within 1.5 s; nothing was changed; start workers first$"),
            mapped(abs, [1], bare.address, told.append) as results,
        ):
            list(results)
    finally:
        bare.close()
    assert set(told) == {"waiting for workers"}


def test_an_item_that_ends_every_worker_is_named(cluster: Cluster, tasks: Any) -> None:
    import dask

    wanted = r"^item 5: every worker died that converted it \(killed, or out of memory\); nothing was changed; "
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        pytest.raises(MocapError, match=wanted),
        mapped(tasks.die, [5], "local:1") as results,
    ):
        list(results)


@contextlib.contextmanager
def web_server() -> Iterator[int]:
    class Silent(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_wrong_addresses_are_one_line_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT", 0.5)
    with web_server() as port, socket.socket() as closed, socket.socket() as silent:
        closed.bind(("127.0.0.1", 0))
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for number in (port, closed.getsockname()[1], silent.getsockname()[1]):
            address = f"tcp://127.0.0.1:{number}"
            with (
                pytest.raises(ConfigError, match=rf"^cluster: expected a Dask scheduler at {address}, found none that answers within 0\.5 s; check "),
                mapped(abs, [1], address),
            ):
                pass
    with (
        pytest.raises(ConfigError, match=r"^cluster: expected the address of a Dask scheduler .* found 'foo://a:1': unknown"),
        mapped(abs, [1], "foo://a:1"),
    ):
        pass


def test_a_cluster_that_ends_late_takes_nothing_from_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that slept in that moment."""
    gc.collect()  # clients of other tests, which close when they are thrown away
    late: list[str] = []
    for kind in (Client, LocalCluster):

        def close(self: Any, timeout: float | None = None, kind: Any = kind, original: Callable[..., None] = kind.close) -> None:
            original(self, timeout=timeout)
            if kind.__name__ not in late:  # Dask closes once more what is thrown away
                late.append(kind.__name__)
                raise TimeoutError

        monkeypatch.setattr(kind, "close", close)
    with mapped(abs, [-1, 2], "local:1") as results:
        assert list(results) == [1, 2]
    assert late == ["Client", "LocalCluster"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--cluster", "local:2", "--workers", "3"), "--workers: expected none beside a cluster, which has workers of its own, found 3"),
        (("--cluster", "local:0"), "--cluster: expected local:1 to local:1024, found 'local:0'"),
        (
            ("--cluster", "scheduler"),
            "--cluster: expected local:N or the address of a Dask scheduler such as tcp://scheduler:8786, found 'scheduler'",
        ),
    ],
)
def test_settings_that_cannot_be(call: Callable[..., tuple[object, str, str]], tmp_path: Path, options: tuple[str, ...], error: str) -> None:
    status, _, stderr = call("build", "--source", "sample", "--out", tmp_path / "a.h5", *options)
    assert status == 2
    assert error in stderr
    assert stderr.count("\n") == 1


def test_the_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch, call: Callable[..., tuple[object, str, str]], tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    status, _, stderr = call("build", "--source", "sample", "--out", tmp_path / "a.h5", "--cluster", "local:1")
    assert (status, stderr.count("\n")) == (2, 1)
    assert re.search(r"cluster: expected the package distributed, .*pip install 'mocapgen\[cluster\]'", stderr)


def test_the_file_does_not_say_where_it_was_built() -> None:
    assert "cluster" not in BuildConfig(dry_run=True, cluster="local:2").recorded()


SCRIPT = """
import mocapgen, sys
mocapgen.build(source="sample", actions="walk", avatars="average_man", out="a.h5", cluster="local:1")
print("dask-worker" in sys.modules)
"""


def test_a_script_without_a_main_guard_builds_on_a_local_cluster(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
    assert not list((tmp_path / "tmp").iterdir())
