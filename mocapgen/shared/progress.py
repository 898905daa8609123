"""How far long work is, for both programs: a bar for who watches, lines in a log file for who looks later."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mocapgen.shared.tables import say
from mocapgen.shared.text import format_size, printable, rough_time, time_left

Progress = Callable[[int, int, str], None]
"""Called with how much is done, how much there is in all, and a label such as the name of the last clip."""

LINE_EVERY = 30.0
"""Seconds between two lines where nobody watches; after 25 minutes a fiftieth of the time so far, so that a log of days stays short."""


@contextmanager
def progress_bar(level: int, stream_is_terminal: bool | None = None, sizes: bool = False) -> Iterator[Progress | None]:
    """Show how much is done and the remaining time on stderr: as a bar if it is a terminal, else as a line now and then.

    Parameters
    ----------
    level : int
        Verbosity; below 0 nothing is shown.
    stream_is_terminal : bool, optional
        Whether stderr is a terminal; by default the stream is asked.
    sizes : bool
        Whether bytes are counted.

    Yields
    ------
    callable or None
        To be called with (done, total, label); None if nothing is shown.
    """
    if level < 0:
        yield None
    elif is_terminal(stream_is_terminal):
        with _bar(sizes) as progress:
            yield progress
    else:
        yield _lines(sizes)


def is_terminal(given: bool | None = None) -> bool:
    """Return whether stderr is a terminal, unless that is given."""
    return sys.stderr.isatty() if given is None else given


@contextmanager
def _bar(sizes: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, Task
    from rich.progress import Progress as Bar
    from rich.text import Text

    console = Console(stderr=True, force_terminal=True)
    width = min(40, console.width // 8)

    class Line(ProgressColumn):
        """Counts, times and label: in a narrow terminal the end of the label gives way, and the counts last."""

        def render(self, task: Task) -> Text:
            times = time_left(task.finished_time or task.elapsed or 0.0, task.time_remaining)
            counts = _counts(int(task.completed), int(task.total or 0), sizes)
            text = Text("  ".join(filter(None, (counts, times, task.description))))
            text.truncate(console.width - width - 2, overflow="ellipsis")
            return text

    with Bar(BarColumn(width), Line(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total or None, description=printable(label))

        yield progress


def _counts(done: int, total: int, sizes: bool) -> str:
    """Return how much is done: ``57 of 4,000``, ``12.3 MB of 1.2 GB``; what is not known is left out."""
    return " of ".join(format_size(number) if sizes else f"{number:,}" for number in (done, total) if number)


def _lines(sizes: bool) -> Progress:
    begin = said = time.monotonic()

    def progress(done: int, total: int, label: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < max(LINE_EVERY, 0.02 * (now - begin)):
            return
        said = now
        left = f", about {rough_time((now - begin) * (total - done) / done)} left" if 0 < done <= total else ""
        say(f"{_counts(done, total, sizes)}{left}: {label}", error=True)

    return progress
