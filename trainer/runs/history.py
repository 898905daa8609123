"""The history of a run: one row per epoch as CSV, JSON lines and TensorBoard events, and a picture of the losses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mocapgen.shared.config import checked
from mocapgen.shared.documents import MOST_RESULT_BYTES, parse_json
from mocapgen.shared.files import write_file
from mocapgen.shared.inputs import read_bytes
from mocapgen.shared.text import one_line, printable
from schemas.errors import ConfigError, DatasetError
from schemas.train import EpochRow
from trainer.model.metrics import MILLIMETRES
from trainer.runs.state import RunState
from trainer.runs.timer import Timer

SCALARS = ("loss", "train_mpjpe_mm", "validation_mpjpe_mm", "test_mpjpe_mm", "learning_rate")
"""Columns that TensorBoard shows."""


def epoch_row(
    state: RunState, sums: Mapping[str, float], rate: float, validation: float | None, test: float | None, best: bool, timer: Timer
) -> dict[str, Any]:
    """Return the row of an epoch.

    Parameters
    ----------
    state : RunState
        At the end of the epoch, before it is counted.
    sums : mapping
        Sums over the batches: `loss` and `mpjpe` over all frames, number of `frames`, `norm` of the gradients.
    rate : float
        Learning rate of the last step.
    validation, test : float or None
        MPJPE, mm.
    best : bool
        Whether the validation error is the lowest so far.
    timer : Timer
        Of the epoch.
    """
    computing = sum(timer.seconds.get(part, 0.0) for part in ("gradient", "optimiser", "evaluation"))
    return {
        "epoch": state.epoch + 1,
        "step": state.step,
        "learning_rate": rate,
        "loss": sums["loss"] / sums["frames"],
        "train_mpjpe_mm": MILLIMETRES * sums["mpjpe"] / sums["frames"],
        "validation_mpjpe_mm": validation,
        "test_mpjpe_mm": test,
        "gradient_norm": sums["norm"] / max(state.batch, 1),
        "best": best,
        "seconds": round(timer.total, 3),
        "frames_per_second": round(sums["frames"] / timer.total, 1),
        "computing_share": round(computing / timer.total, 4),
    }


class HistoryWriter:
    """Writes the history of a run into its folder.

    Parameters
    ----------
    folder : Path
    tensorboard : bool
        Write TensorBoard event files as well.

    Raises
    ------
    ConfigError
        If TensorBoard is not installed; with the extra to install.
    """

    def __init__(self, folder: Path, tensorboard: bool) -> None:
        self._folder = folder
        self._tensorboard = _tensorboard_writer(folder) if tensorboard else None

    def write(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows of all epochs as ``log.csv`` and ``log.jsonl``, and the events of the last one.

        Whole files, so that a resumed run leaves no row of epochs that it repeats.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(history[0]) if history else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in history)
        write_file(self._folder / "log.csv", text.getvalue().encode())
        write_file(self._folder / "log.jsonl", "".join(json.dumps(dict(row)) + "\n" for row in history).encode())
        if self._tensorboard is not None:
            for name in SCALARS:
                if history[-1][name] is not None:
                    self._tensorboard.add_scalar(name, history[-1][name], history[-1]["epoch"])

    def close(self) -> None:
        """Close the event file."""
        if self._tensorboard is not None:
            self._tensorboard.close()


def read_history(folder: Path) -> list[EpochRow]:
    """Return the rows that a run has written.

    Raises
    ------
    DatasetError
        If there are none, or they are damaged.
    """
    path = folder / "log.jsonl"
    lines = read_bytes(path, "the history of a run", MOST_RESULT_BYTES).decode("utf-8", errors="replace").splitlines()
    if not lines:
        raise DatasetError(one_line(str(path), "expected the history of a run, found nothing; train it again"))
    try:
        return [checked(EpochRow, parse_json(line, f"{path}:{number}"), f"{path}:{number}", first=True) for number, line in enumerate(lines, 1)]
    except ConfigError as error:
        raise DatasetError(str(error)) from None


def plot_history(path: Path, history: Sequence[Mapping[str, Any]], title: str) -> bool:
    """Draw the losses over the epochs as a PNG; False if matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        return False
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    epochs = [row["epoch"] for row in history]
    for key, label in (("train_mpjpe_mm", "train"), ("validation_mpjpe_mm", "validation"), ("test_mpjpe_mm", "test")):
        points = [(epoch, row[key]) for epoch, row in zip(epochs, history, strict=True) if row.get(key) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=f"{label} ({points[-1][1]:.1f} mm at the end)", marker="." if len(points) < 60 else "")
    axes.set_xlabel("epoch")
    axes.set_ylabel("MPJPE, mm")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.grid(which="both", alpha=0.3)
    axes.set_title(printable(title), parse_math=False)
    axes.legend()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    write_file(path, stream.getvalue())
    return True


def _tensorboard_writer(folder: Path) -> Any:
    """Return a TensorBoard writer.

    Raises
    ------
    ConfigError
        With the extra to install.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ConfigError("tensorboard: expected the package tensorboard, which is not installed: pip install 'mocapgen[tensorboard]'") from None
    return SummaryWriter(log_dir=str(folder / "tensorboard"))
