"""Stop a run on Ctrl-C between two steps, after saving."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mocapgen.shared.signals import like_ctrl_c

SAME = 1.0
"""Seconds within which a signal that is received twice was given once."""


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C, SIGTERM and SIGHUP only set a flag, which the yielded function returns; a second Ctrl-C ends the process at once.

    What arrives within :data:`SAME` seconds is the same one: torchrun passes on to its processes what they may have received themselves.
    """
    asked: float | None = None

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked is not None and time.monotonic() - asked > SAME:
            raise KeyboardInterrupt
        asked = time.monotonic() if asked is None else asked

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread, which alone may handle signals
        yield lambda: False
        return
    try:
        with like_ctrl_c():
            yield lambda: asked is not None
    finally:
        signal.signal(signal.SIGINT, before)
