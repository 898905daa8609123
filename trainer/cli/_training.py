"""Shared by the commands that train: names of recipes and models, the progress bar of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocapgen.shared.parts import part_names
from mocapgen.shared.progress import progress_bar

if TYPE_CHECKING:
    from trainer.fit import ProgressCallback

MODELS = ", ".join(part_names("trainer.model.networks", "NETWORK"))
RECIPES = ", ".join(sorted(path.stem for path in (Path(__file__).parents[1] / "recipes").glob("*.yaml")))
MODEL_NOTE = {"model": {"note": f": {MODELS}"}}


@contextmanager
def training_bar(level: int, stream_is_terminal: bool | None = None) -> Iterator[ProgressCallback | None]:
    """Show epoch, loss, error and the remaining time of a run; see :func:`mocapgen.shared.progress.progress_bar`.

    Yields
    ------
    callable or None
        To be called with (steps done, steps in all, latest figures); None if nothing is shown.
    """
    with progress_bar(level, stream_is_terminal) as progress:
        if progress is None:
            yield None
            return

        def watch(done: int, total: int, figures: Mapping[str, Any]) -> None:
            progress(done, total, f"epoch {figures['epoch']}, loss {figures['loss']:.4f}, MPJPE {figures['mpjpe_mm']:.1f} mm")

        yield watch
