"""Map over work in worker processes: results in order, a bounded number of pending items, and no worker process left running."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from mocapgen.shared.cores import usable_cores
from mocapgen.shared.messages import receive
from mocapgen.shared.worker_process import serve
from schemas.errors import MocapError

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT = 4  # tasks per worker: enough that none waits for the writer, few enough that memory stays flat
_AHEAD = 2  # tasks that a worker knows of: it begins the next one while the result of the last is taken from it
_GRACE = 0.2  # seconds between two signals to a group of processes, and more


@contextlib.contextmanager
def map_ordered(task: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Iterator[Result]]:
    """Apply a task to every item and yield the results in the order of the items.

    Parameters
    ----------
    task : callable
        Picklable, and defined in a module, not in the script that runs; sent to each worker once.
    items : sequence
        Picklable, and sent to each worker once as well.
    workers : int
        Processes; 0 means one per processor core that may be used, 1 means this process and no other.

    Yields
    ------
    iterator of results
        Use it within the block; leaving the block ends the workers.

    Raises
    ------
    MocapError
        If a worker process dies (out of memory, killed).
    """
    count = min(workers or usable_cores(), max(len(items), 1))
    if count == 1:
        yield (task(item) for item in items)
        return
    started: list[_Worker] = []
    try:
        with _processes() as context, interrupts_blocked():
            for _ in range(count):
                started.append(_Worker(context, task, items, [worker.pipe for worker in started]))
        yield _results(started, len(items))
    finally:
        for worker in started:
            worker.end()
        for worker in started:
            worker.process.join()


class _Worker:
    """A worker process, seen from the main process: each has a pipe of its own, which breaks when it dies, whatever it was sending."""

    def __init__(self, context: Any, task: Callable[[Any], Any], items: Sequence[Any], others: list[Connection]) -> None:
        self.pipe, its_end = context.Pipe()
        inherited = [*others, self.pipe] if context.get_start_method() == "fork" else []
        self.process = context.Process(target=serve, args=(task, items, its_end, inherited), daemon=True)
        self.process.start()
        its_end.close()
        self.pending: deque[int] = deque()

    def give(self, number: int) -> None:
        with _death_told():
            self.pipe.send(number)
        self.pending.append(number)

    def take(self) -> tuple[int, tuple[bool, Any]]:
        """Return the number of the oldest task and what came of it."""
        with _death_told():
            outcome = receive(self.pipe)
        return self.pending.popleft(), outcome

    def end(self) -> None:
        if self.pending:
            self.process.kill()
        self.pipe.close()


def _results(workers: list[_Worker], count: int) -> Iterator[Any]:
    by_pipe = {worker.pipe: worker for worker in workers}
    outcomes: dict[int, tuple[bool, Any]] = {}
    given = 0
    for number in range(count):
        while True:
            while given < min(count, number + _IN_FLIGHT * len(workers)):
                least = min(workers, key=lambda worker: len(worker.pending))
                if len(least.pending) == _AHEAD:
                    break
                least.give(given)
                given += 1
            busy = [worker.pipe for worker in workers if worker.pending]
            for pipe in wait(busy, timeout=0 if number in outcomes else None):
                finished, outcome = by_pipe[pipe].take()
                outcomes[finished] = outcome
            if number in outcomes:
                break
        done, result = outcomes.pop(number)
        if not done:
            raise result
        yield result


@contextlib.contextmanager
def _death_told() -> Iterator[None]:
    """Say in one line that the worker is dead if its pipe is broken."""
    try:
        yield
    except (EOFError, OSError):
        time.sleep(_GRACE)  # whoever ended the worker may be ending this process as well, which is then the reason
        raise MocapError(
            "a worker process died (killed, or out of memory); nothing was changed; try again with fewer workers (workers=1 needs none)"
        ) from None


@contextlib.contextmanager
def _processes() -> Iterator[Any]:
    """Yield the way to start processes: a fork, which takes a millisecond and has all modules loaded, where it is safe; else new ones."""
    if _may_fork():
        yield multiprocessing.get_context("fork")
        return
    if os.name == "posix":  # its start unblocks signals, so it must not fall into that of the first worker
        with interrupts_blocked():
            resource_tracker.ensure_running()
    with quiet_threads(), main_module_hidden():
        yield multiprocessing.get_context("spawn")


def _may_fork() -> bool:
    """Tell whether nothing would be lost in a fork: this process has one thread (BLAS libraries start some) and no HDF5 file open.

    On macOS, system libraries do not survive a fork in any case.
    """
    if sys.platform != "linux":
        return False
    try:
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 (a count is all that is wanted)
    except OSError:
        return False
    hdf5 = sys.modules.get("h5py")
    return threads == 1 and (hdf5 is None or hdf5.h5f.get_obj_count(types=hdf5.h5f.OBJ_FILE) == 0)


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Let processes that are started here never see Ctrl-C and SIGHUP, which a terminal sends to all: the main process ends them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Together:
    """A setting of the whole process, made by the first of the threads that need it at the same time, and taken back by the last."""

    def __init__(self, setting: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._setting, self._lock, self._inside, self._made = setting, threading.Lock(), 0, contextlib.ExitStack()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._made.enter_context(self._setting())
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._made.close()


@_Together
@contextlib.contextmanager
def main_module_hidden() -> Iterator[None]:
    """Start processes that do not import the script that runs: it needs no ``if __name__ == "__main__":``, and need not be a file.

    Spawned processes import the main module by its ``__spec__`` or ``__file__``, for the sake of tasks that are defined in it: ours are not.
    """
    main = sys.modules["__main__"].__dict__
    before: dict[str, Any] = {name: main[name] for name in ("__spec__", "__file__") if name in main}
    main.update(__spec__=None, __file__=None)
    try:
        yield
    finally:
        for name in ("__spec__", "__file__"):
            main.pop(name)
        main.update(before)


@_Together
@contextlib.contextmanager
def quiet_threads() -> Iterator[None]:
    """Let a BLAS that is loaded in the block, or by a process that is started in it, have one thread: our matrices are tiny, and share the cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
