"""Pictures for reports, as SVG in light and dark: errors of each epoch and predictions of sequences. Needs matplotlib."""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.page_style import page_colours
from mocapgen.shared.text import printable
from schemas.experiments import RunResult
from trainer.experiments.examples import Examples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LIGHT, _DARK = page_colours("light"), page_colours("dark")
RECIPES = ("centre", "left", "right", "good", "predicted", "mark")
"""Colours of recipes, by the names that they have in the style of pages; of more recipes some share one."""
MISSING = "matplotlib is not installed: pip install 'mocapgen[report]' and resume the runs to draw them"


def available() -> bool:
    """Return whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def _figure(width: float, height: float) -> Figure:
    """Return a figure without a window, whatever backend matplotlib uses elsewhere in this process."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=_LIGHT["surface"])
    FigureCanvasSVG(figure)
    return figure


def _theme() -> AbstractContextManager[None]:
    """Draw in colours that :func:`_svg` knows, the same way every time."""
    import matplotlib as mpl

    ink, muted, line, border, ground = (_LIGHT[name] for name in ("ink", "muted", "line", "border", "surface"))
    settings: Any = {"text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": border, "xtick.color": muted, "ytick.color": muted}
    settings |= {"grid.color": line, "axes.facecolor": ground, "legend.facecolor": ground, "legend.edgecolor": line}
    return mpl.rc_context(settings | {"svg.hashsalt": "mocapgen", "svg.fonttype": "path"})


def _svg(figure: Figure) -> bytes:
    """Return a figure as SVG whose colours are those of the reader's theme, also where it is shown by itself."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    drawn = stream.getvalue()
    names = {_LIGHT[name]: name for name in ("ink", "muted", "line", "border", "surface", *RECIPES)}
    drawn = re.sub("#[0-9a-f]{6}", lambda found: f"var(--{names[found[0]]})" if found[0] in names else found[0], drawn)
    light, dark = (";".join(f"--{name}:{colours[name]}" for name in names.values()) for colours in (_LIGHT, _DARK))
    style = f"<style>svg{{{light}}}@media (prefers-color-scheme: dark){{svg{{{dark}}}}}</style>"
    return re.sub(r"(<svg [^>]*>)", lambda found: found[0] + style, drawn, count=1).encode()


def draw_histories(runs: Sequence[RunResult], recipes: Sequence[str]) -> bytes:
    """Draw errors over epochs: one line per recipe and side, the mean over its runs, with the range from the lowest to the highest.

    Parameters
    ----------
    runs : sequence of RunResult
        Of one experiment.
    recipes : sequence of str
        Those to draw, always in the same colours.
    """
    with _theme():
        return _svg(_histories(runs, recipes))


def _histories(runs: Sequence[RunResult], recipes: Sequence[str]) -> Figure:
    from matplotlib.ticker import LogLocator, NullLocator

    figure = _figure(9.0, 3.6)
    axes = figure.add_subplot()
    styles = {"train_mpjpe_mm": ":", "validation_mpjpe_mm": "--", "test_mpjpe_mm": "-"}
    for recipe, colour in zip(recipes, cycle(_LIGHT[name] for name in RECIPES), strict=False):
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
    figure.legend(loc="outside upper left", fontsize=8, ncols=6)
    return figure


def draw_example(examples: Examples, index: int) -> bytes:
    """Draw frames of one sequence: the 2D input, and below it the prediction over the truth, from the camera and from the side.

    Parameters
    ----------
    examples : Examples
    index : int
        Which of its sequences.
    """
    with _theme():
        return _svg(_example(examples, index))


def _example(examples: Examples, index: int) -> Figure:
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
    return figure


def _stick_figure(axes: Axes, pose: NDArray[Any], examples: Examples, truth: bool) -> None:
    """Draw a pose, (J, 2), as its bones: left blue, right orange; the ground truth wider and paler, beneath."""
    for joint, parent in enumerate(examples.parents):
        if parent < 0:
            continue
        name = "border" if truth else {1: "left", -1: "right"}.get(int(examples.sides[joint]), "centre")
        axes.plot(*pose[[parent, joint]].T, color=_LIGHT[name], linewidth=5.0 if truth else 1.8, solid_capstyle="round", zorder=1 if truth else 2)


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
        spine.set_color(_LIGHT["line"])
