"""Figures of predictions: how steady, how firmly on the floor and how true to the picture they are, over all sequences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.core.vectors import norms
from mocapgen.inspect.prediction_view import PredictionView

NEAR = 0.03
"""Metres from the floor within which a sole counts as on it."""


@dataclass
class PredictionFigures:
    """What was measured of some sequences, or of parts of them.

    Parameters
    ----------
    values : dict of str to list of arrays
        By what was measured, one number per frame, or per frame and joint, of each part.
    """

    values: defaultdict[str, list[NDArray[np.float32]]] = field(default_factory=lambda: defaultdict(list))

    def merge(self, other: PredictionFigures) -> None:
        """Add what was measured of other sequences or parts."""
        for name, parts in other.values.items():
            self.values[name] += parts

    def summary(self) -> dict[str, float]:
        """Return the figures, by name with its unit; what nothing was measured of is left out."""
        found = {}
        for name, (key, of) in _FIGURES.items():
            numbers = np.concatenate(self.values[key]).astype(np.float64) if self.values.get(key) else np.zeros(0)
            if len(numbers):
                found[name] = round(float(_OF[of](numbers)), 4)
        return found


_OF: dict[str, Callable[[Array], float]] = {
    "mean": np.mean,
    "median": np.median,
    "largest": np.max,
    "share": lambda numbers: 100.0 * float(np.mean(numbers <= NEAR)),
}
_FIGURES = {
    "planted feet slide, m/s (mean)": ("slides", "mean"),
    "lower foot within 3 cm of the floor, % of the frames": ("clearance", "share"),
    "root acceleration, m/s² (mean)": ("acceleration", "mean"),
    "root acceleration while standing, m/s² (median)": ("standing", "median"),
    "limbs turn, °/s (largest)": ("turns", "largest"),
    "limbs change their lengths by, % (mean)": ("bones", "mean"),
    "left and right limbs differ by, % (mean)": ("sides", "mean"),
    "re-projection off by, % of the person's size (median)": ("reprojection", "median"),
    "joints seen, % (mean)": ("seen", "mean"),
}


def prediction_figures(view: PredictionView) -> PredictionFigures:
    """Measure a sequence, or a part of one."""
    with np.errstate(all="ignore"):
        acceleration = norms(view.accelerations[:, 0])
        measured = {
            "slides": view.slides,
            "clearance": np.abs(view.clearance.min(axis=1)) if view.floor_known and view.soles else np.zeros(0),
            "acceleration": acceleration,
            "standing": acceleration[view.standing],
            "turns": view.limb_turns,
            "bones": bone_changes(view),
            "sides": np.array(list(asymmetries(view).values())),
            "reprojection": view.reprojection,
            "seen": 100.0 * view.seen.mean(axis=1),
        }
    figures = PredictionFigures()
    for name, values in measured.items():
        known = values[np.isfinite(values)]
        if len(known):
            figures.values[name].append(known.astype(np.float32))
    return figures


def bone_changes(view: PredictionView) -> Array:
    """Return by how much the bones of the limbs differ from their usual lengths, (T, L) %: the back bends, so that its bones are none."""
    lengths = view.lengths[:, [view.joint(name) - 1 for name in view.limbs]]
    return np.asarray(100.0 * np.abs(lengths / np.maximum(np.median(lengths, axis=0), 1e-6) - 1.0))


def asymmetries(view: PredictionView) -> dict[str, float]:
    """Return by how much the bones of the left limbs differ from those of the right ones, in %, by the left bone's far end."""
    usual = np.median(view.lengths, axis=0)
    found = {}
    for name in view.limbs:
        other = name.replace("Left", "Right")
        if name.startswith("Left") and view.has(other):
            left, right = (float(usual[view.joint(joint) - 1]) for joint in (name, other))
            found[name] = 100.0 * abs(left - right) / max(left, right, 1e-6)
    return found
