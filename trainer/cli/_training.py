"""Shared by the commands that train: how far a run is, and how it ended."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mocapgen.shared.command import EXIT_INTERRUPTED, EXIT_USAGE, Stopped
from mocapgen.shared.progress import is_terminal, progress_bar
from mocapgen.shared.tables import say
from mocapgen.shared.text import rough_time

if TYPE_CHECKING:
    from trainer.fit import ProgressCallback

_SIDES = {"validation": "on validation", "train": "in training"}
"""What is said of the error of each side, the one that tells more first: that of training is of augmented motions, and of weights that change."""


@contextmanager
def one_voice(context: click.Context) -> Iterator[None]:
    """Let only one of several processes of a run say how it ended: the one that failed, or the first of those that were stopped."""
    from trainer.runs.processes import FailedElsewhere, is_first

    try:
        yield
    except FailedElsewhere:
        context.exit(EXIT_USAGE)
    except Stopped:
        if is_first():
            raise
        context.exit(0)  # torchrun would end the first one while it tells what was saved
    except KeyboardInterrupt:
        if is_first():
            raise
        context.exit(EXIT_INTERRUPTED + signal.SIGINT)


@contextmanager
def training_bar(level: int, stream_is_terminal: bool | None = None, epochs: bool = False) -> Iterator[ProgressCallback | None]:
    """Show epoch, validation error and the remaining time of a run; see :func:`mocapgen.shared.progress.progress_bar`.

    Parameters
    ----------
    level : int
        Verbosity; below 0 nothing is shown.
    stream_is_terminal : bool, optional
        Whether stderr is a terminal; by default the stream is asked.
    epochs : bool
        Whether a line is printed after each epoch where stderr is no terminal, instead of now and then.

    Yields
    ------
    callable or None
        To be called with (steps done, steps in all, latest figures); None if nothing is shown.
    """
    if epochs and level >= 0 and not is_terminal(stream_is_terminal):
        yield _print_epoch
        return
    with progress_bar(level, stream_is_terminal) as progress:
        if progress is None:
            yield None
            return

        reached = ""

        def watch(done: int, total: int, figures: Mapping[str, Any]) -> None:
            nonlocal reached
            if "seconds" in figures:
                side = "train" if figures["validation_mpjpe_mm"] is None else "validation"
                reached = f", {figures[f'{side}_mpjpe_mm']:.1f} mm {_SIDES[side]}"
            progress(done, total, f"epoch {figures['epoch']} of {figures['epochs']}{reached}")

        yield watch


def _print_epoch(done: int, total: int, figures: Mapping[str, Any]) -> None:
    """Print a line if an epoch is over."""
    if "seconds" not in figures:
        return
    errors = [f"{figures[f'{side}_mpjpe_mm']:.1f} mm {words}" for side, words in _SIDES.items() if figures[f"{side}_mpjpe_mm"] is not None]
    if figures["best"] and len(errors) > 1:
        errors[0] += " (best so far)"
    left = figures["seconds"] * (total - done) * figures["epoch"] / done
    rate = f"{figures['frames_per_second']:,.0f} frames/s" + (f", about {rough_time(left)} left" if done < total else "")
    say(f"epoch {figures['epoch']} of {figures['epochs']}: {', '.join(errors)}; loss {figures['loss']:.4f}, {rate}", error=True)
