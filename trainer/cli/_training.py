"""Shared by the commands that train: names of recipes and models, how far a run is, and how it ended."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mocapgen.shared.command import EXIT_INTERRUPTED, EXIT_USAGE, Stopped
from mocapgen.shared.parts import part_names
from mocapgen.shared.progress import is_terminal, progress_bar
from mocapgen.shared.tables import say
from mocapgen.shared.text import format_time

if TYPE_CHECKING:
    from trainer.fit import ProgressCallback

MODELS = ", ".join(part_names("trainer.model.networks", "NETWORK"))
RECIPES = ", ".join(sorted(path.stem for path in (Path(__file__).parents[1] / "recipes").glob("*.yaml")))
MODEL_NOTE = {"model": {"note": f": {MODELS}"}}


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
    """Show epoch, loss, error and the remaining time of a run; see :func:`mocapgen.shared.progress.progress_bar`.

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

        def watch(done: int, total: int, figures: Mapping[str, Any]) -> None:
            progress(done, total, f"epoch {figures['epoch']}, loss {figures['loss']:.4f}, MPJPE {figures['mpjpe_mm']:.1f} mm")

        yield watch


def _print_epoch(done: int, total: int, figures: Mapping[str, Any]) -> None:
    """Print a line if an epoch is over."""
    if "seconds" not in figures:
        return
    sides = [f"{side} {figures[f'{side}_mpjpe_mm']:.1f} mm" for side in ("train", "validation") if figures[f"{side}_mpjpe_mm"] is not None]
    left = figures["seconds"] * figures["epoch"] * (total - done) / done
    rate = f"{figures['frames_per_second']:,.0f} frames/s, about {format_time(left)} left"
    say(f"epoch {figures['epoch']} of {figures['epochs']}: loss {figures['loss']:.4f}, {', '.join(sides)}, {rate}", error=True)
