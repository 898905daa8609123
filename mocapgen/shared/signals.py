"""Signals that ask a program to end: SIGTERM and SIGHUP do what Ctrl-C does, and all of them can wait for a moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = tuple(number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None)
"""Ctrl-C, ``kill`` or a system that shuts down, and a terminal that is closed (not on Windows)."""


class Received:
    """Which signal asked the program to end."""

    number: int = signal.SIGINT


@contextmanager
def like_ctrl_c() -> Iterator[Received]:
    """Let SIGTERM and SIGHUP do within the block what Ctrl-C does, once: when a service or terminal ends, each may come several times.

    What ignores them already, as ``nohup`` arranges, goes on ignoring them.
    """
    received = Received()

    def pass_on(number: int, frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        received.number = number
        react = signal.getsignal(signal.SIGINT)
        if callable(react):
            react(signal.SIGINT, frame)
        else:  # a shell lets programs in the background ignore Ctrl-C
            raise KeyboardInterrupt

    before: dict[int, object] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in ENDING[1:] if signal.getsignal(number) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, pass_on)
    try:
        yield received
    finally:
        for number in before:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let what asks the program to end wait until the block is over."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    before = {number: react for number in ENDING if callable(react := signal.getsignal(number))}
    for number in before:
        signal.signal(number, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        for number, react in before.items():
            signal.signal(number, react)
        if received:
            before[received[0][0]](*received[0])
