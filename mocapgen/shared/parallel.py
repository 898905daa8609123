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
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from types import FrameType
from typing import Any, TypeVar

from mocapgen.shared.cores import usable_cores
from schemas.errors import MocapError

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT = 4  # tasks per worker: enough that none waits for the writer, few enough that memory stays flat
_GRACE = 0.2  # seconds between two signals to a group of processes, and more
_LAST_WORDS = 1.0  # seconds
_task: Callable[[Any], Any] | None = None


@contextlib.contextmanager
def map_ordered(task: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Iterator[Result]]:
    """Apply a task to every item and yield the results in the order of the items.

    Parameters
    ----------
    task : callable
        Picklable, and defined in a module, not in the script that runs; sent to each worker once.
    items : sequence
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
    # spawn, not fork: HDF5 and threads do not survive a fork, and it is the same on every system
    context = multiprocessing.get_context("spawn")
    if os.name == "posix":  # its start unblocks signals, so it must not fall into that of the first worker
        with interrupts_blocked():
            resource_tracker.ensure_running()
    with _quiet_threads():
        pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=(task,))
        try:
            yield _results(pool, items, _IN_FLIGHT * count)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _results(pool: ProcessPoolExecutor, items: Sequence[Item], limit: int) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    try:
        for item in items:
            with interrupts_blocked(), main_module_hidden():  # submitting is what starts workers
                waiting.append(pool.submit(_run, item))
            if len(waiting) >= limit:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        time.sleep(_GRACE)  # whoever ended the workers may be ending this process as well, which is then the reason
        raise MocapError(
            "a worker process died (killed, or out of memory); nothing was changed; try again with fewer workers (workers=1 needs none)"
        ) from None


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Let processes that are started here never see Ctrl-C and SIGHUP, which a terminal sends to all: the main process ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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


@contextlib.contextmanager
def _quiet_threads() -> Iterator[None]:
    """Let workers start with one BLAS thread each: their matrices are tiny, and they share the cores."""
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


def _start(task: Callable[[Any], Any]) -> None:
    global _task
    _task = task
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_soon)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _end_soon(number: int, frame: FrameType | None) -> None:
    """End this worker when what it sends has been sent: of half a result, the main process would wait for the rest for ever."""
    timer = threading.Timer(_LAST_WORDS, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()


def _die_with_parent() -> None:
    """End this worker when the main process is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _run(item: Any) -> Any:
    assert _task is not None
    return _task(item)
