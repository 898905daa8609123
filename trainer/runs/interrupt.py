"""Stop a run on Ctrl-C between two steps, after saving."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mocapgen.shared.signals import like_ctrl_c


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C, SIGTERM and SIGHUP only set a flag, which the yielded function returns; a second Ctrl-C ends the process at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread, which alone may handle signals
        yield lambda: False
        return
    try:
        with like_ctrl_c():
            yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
