"""Pictures for reports, as PNG: loss histories and predictions of sequences. Needs matplotlib."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.body_colours import LEFT, RIGHT
from mocapgen.shared.text import printable
from schemas.experiments import RunResult
from trainer.experiments.examples import Examples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#6b7280", "#0f6cbd", "#b4540a", "#5b8c2a")
"""One per recipe."""
MIDDLE, TRUTH = "#374151", "#b8bec7"
DPI = 110
MISSING = "matplotlib is not installed: pip install 'mocapgen[report]' and resume the runs to draw them"


def available() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def _figure(width: float, height: float) -> Figure:
    """Return a figure without a window, whatever backend matplotlib uses elsewhere in this process."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def draw_histories(runs: Sequence[RunResult], recipes: Sequence[str]) -> bytes:
    """Draw errors over epochs: one line per recipe and side, the mean over its runs, with the range from the lowest to the highest.

    Parameters
    ----------
    runs : sequence of RunResult
        Of one experiment.
    recipes : sequence of str
        Those to draw, always in the same colours.
    """
    from matplotlib.ticker import LogLocator, NullLocator

    figure = _figure(9.0, 3.4)
    axes = figure.add_subplot()
    styles = {"train_mpjpe_mm": ":", "validation_mpjpe_mm": "--", "test_mpjpe_mm": "-"}
    for recipe, colour in zip(recipes, COLOURS, strict=False):
        chosen = [run for run in runs if run.recipe == recipe]
        for key, style in styles.items():
            lines = [[getattr(row, key) for row in run.history] for run in chosen]
            lines = [line for line in lines if None not in line]
            if not lines:
                continue
            length = min(len(line) for line in lines)
            values = np.array([line[:length] for line in lines], dtype=np.float64)
            epochs = np.arange(1, length + 1)
            label = printable(f"{recipe}, {key.partition('_')[0]}").replace("$", r"\$")  # no formula
            axes.plot(epochs, values.mean(axis=0), style, color=colour, label=label, linewidth=1.4, marker="." if length < 4 else "")
            if len(values) > 1:
                axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel("MPJPE, mm")
    axes.set_yscale("log")
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg] # of the MaxNLocator that it is
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)))  # some labels, however short the range
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper", fontsize=8)
    return _png(figure)


def draw_example(examples: Examples, index: int) -> bytes:
    """Draw frames of one sequence: the 2D input, and below it the prediction over the truth, from the camera and from the side.

    Parameters
    ----------
    examples : Examples
    index : int
        Which of its sequences.
    """
    frames = examples.pixels.shape[1]
    figure = _figure(1.9 * frames + 0.5, 6.2)
    grid = figure.subplots(3, frames, squeeze=False)
    up = 1.0 if examples.y_up else -1.0
    from_camera = np.array([[1.0, 0.0], [0.0, up], [0.0, 0.0]])
    from_side = np.array([[0.0, 0.0], [0.0, up], [1.0, 0.0]])
    rows: tuple[tuple[str, Mapping[str, NDArray[Any]]], ...] = (
        ("2D input", {"input": examples.pixels[index] * np.array([1.0, -1.0])}),
        ("3D, from the camera", {"truth": examples.true[index] @ from_camera, "prediction": examples.predicted[index] @ from_camera}),
        ("3D, from the side", {"truth": examples.true[index] @ from_side, "prediction": examples.predicted[index] @ from_side}),
    )
    for row, (title, figures) in enumerate(rows):
        for frame in range(frames):
            axes = grid[row, frame]
            for kind, poses in figures.items():
                _stick_figure(axes, poses[frame], examples, truth=kind == "truth")
            _frame(axes, np.concatenate([poses[frame] for poses in figures.values()]))
        grid[row, 0].set_ylabel(title, fontsize=9)
    for axes, seconds, error in zip(grid[0], examples.seconds[index], examples.moment_errors_mm[index], strict=True):
        axes.set_title(f"{seconds:.2f} s: {error:.0f} mm", fontsize=9)
    return _png(figure)


def _stick_figure(axes: Axes, pose: NDArray[Any], examples: Examples, truth: bool) -> None:
    """Draw a pose, (J, 2), as its bones: left blue, right orange; the ground truth wider and paler, beneath."""
    for joint, parent in enumerate(examples.parents):
        if parent < 0:
            continue
        colour = TRUTH if truth else {1: LEFT["light"], -1: RIGHT["light"]}.get(int(examples.sides[joint]), MIDDLE)
        axes.plot(*pose[[parent, joint]].T, color=colour, linewidth=5.0 if truth else 1.8, solid_capstyle="round", zorder=1 if truth else 2)


def _frame(axes: Axes, points: NDArray[Any]) -> None:
    """Show all points in a square, without ticks."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, 0.56 * max(float((high - low).max()), 1e-6)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#d7dbe0")
