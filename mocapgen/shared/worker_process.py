"""What runs in a worker process of :func:`mocapgen.shared.parallel.map_ordered`."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any

from mocapgen.shared.messages import send

_LAST_WORDS = 1.0  # seconds


def serve(task: Callable[[Any], Any], items: Sequence[Any], pipe: Connection, inherited: list[Connection]) -> None:
    """Apply a task to the items whose numbers come through a pipe, until the main process closes it, and send back (True, result) or (False, error).

    Parameters
    ----------
    task : callable
    items : sequence
    pipe : Connection
        This process has the only handle of its end: if it dies, the main process finds the pipe broken, and does not wait for the rest of a message.
    inherited : list of Connection
        Ends that belong to the main process, of which a fork has got copies.
    """
    gc.freeze()  # what a fork has inherited is not this process's to clean up
    for other in inherited:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_soon)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionError):  # the main process wants no more
        while True:
            item = items[pipe.recv()]
            try:
                answer = (True, task(item))
            except Exception as error:
                error.add_note(f"in a worker process:\n{traceback.format_exc()}")
                answer = (False, error)
            send(pipe, answer)


def _end_soon(number: int, frame: FrameType | None) -> None:
    """End this worker when what it sends has been sent: a system that shuts down ends the main process as well, which shall see no fault in it."""
    timer = threading.Timer(_LAST_WORDS, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()


def _die_with_parent() -> None:
    """End this worker when the main process is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
