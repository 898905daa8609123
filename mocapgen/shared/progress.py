"""The progress bar of long work, for both programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mocapgen.shared.text import printable

Progress = Callable[[int, int, str], None]
"""Called with how much is done, how much there is in all, and a label such as the name of the last clip."""


@contextmanager
def progress_bar(level: int, stream_is_terminal: bool | None = None, sizes: bool = False) -> Iterator[Progress | None]:
    """Show a progress bar with the remaining time on stderr if it is a terminal.

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
    terminal = sys.stderr.isatty() if stream_is_terminal is None else stream_is_terminal
    if level < 0 or not terminal:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), DownloadColumn() if sizes else MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Bar(*columns, TextColumn("{task.description}", markup=False), console=Console(stderr=True, force_terminal=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total or None, description=printable(label))

        yield progress
