"""Threads of which each does jobs of its own, on one core.

Threads that share every single operation wait for each other thousands of times a second. They spin meanwhile, which costs a multiple as soon as
another program wants a core; and where they sleep instead, waking them takes longer than most operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

Value = TypeVar("Value")


class AtOnce(Executor):
    """Does each job when it is asked for, on the thread that asks."""

    def submit(self, fn: Callable[..., Value], /, *args: Any, **kwargs: Any) -> Future[Value]:
        """Do a job; if it fails, the result raises its error."""
        done: Future[Value] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done

    def map(self, fn: Callable[..., Value], *iterables: Iterable[Any], **unused: Any) -> Iterator[Value]:
        """Do jobs one after the other, each when its result is asked for."""
        return map(fn, *iterables)


@contextmanager
def side_by_side(device: torch.device) -> Iterator[Executor]:
    """Yield an executor that does jobs side by side: on a processor, on as many threads as PyTorch uses; jobs for a GPU one after the other.

    Within the block each operation, the caller's own included, is done by one thread. So results do not depend on the number of threads.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield AtOnce()
        return
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            torch.set_num_threads(1)
            yield pool
    finally:
        torch.set_num_threads(threads)  # a part of the setting is the whole process's
