"""The layout of keypoints: what the user or the file says, else what the tool is known for, held against the body's proportions."""

from __future__ import annotations

import math
from pathlib import Path

from mocapgen.shared.text import nearest
from schemas.errors import DatasetError
from trainer.predict.keypoints.detections import Detections
from trainer.predict.keypoints.layouts import ALIASES, LAYOUTS
from trainer.predict.keypoints.proportions import CLEARLY, PLAUSIBLE, fits


def layout_of(found: Detections, asked: str | None, path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the layout of detections, and what a user should know about it.

    Parameters
    ----------
    found : Detections
        Their points in pixels, or in shares of the image with its aspect.
    asked : str, optional
        What the user says.
    path : Path
        Named in errors.

    Raises
    ------
    DatasetError
        If none is known for so many joints, several are possible, or the proportions contradict the one that is stated.
    """
    count = found.points.shape[1]
    stated = asked.lower() if asked else None if found.layout is None else ALIASES.get(found.layout.lower(), found.layout.lower())
    if stated is not None and stated not in LAYOUTS:
        raise DatasetError(f"{path}: expected a layout of joints (layout={'|'.join(LAYOUTS)}), found {stated}{nearest(stated, LAYOUTS)}")
    if stated is not None and len(LAYOUTS[stated]) != count:
        fitting = [name for name, names in LAYOUTS.items() if len(names) == count]
        advice = f"give layout={fitting[0]}" if len(fitting) == 1 else "give another layout=..."
        raise DatasetError(f"{path}: expected {len(LAYOUTS[stated])} joints a frame for layout {stated}, found {count}; {advice}")
    lengths = fits(found.points)
    if stated is not None:
        better = _better(stated, lengths)
        if better:
            raise DatasetError(f"{path}: expected the proportions of a body in layout {stated}, found those of {better}; give layout={better}")
        return stated, ()
    return _recognised(found, lengths, path)


def _better(name: str, lengths: dict[str, float]) -> str | None:
    """Return a layout that fits clearly better than `name`, None if there is none."""
    best = next(iter(lengths), name)
    clearly = lengths[best] <= PLAUSIBLE and lengths[name] > CLEARLY * lengths[best]
    return best if best != name and clearly else None


def _recognised(found: Detections, lengths: dict[str, float], path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the layout that nobody has stated."""
    count = found.points.shape[1]
    known = next((name for name in found.likely if name in lengths), None)
    if known is not None:
        better = _better(known, lengths)
        note = f"{found.tool} writes {known}, but the proportions are those of {better}, which is taken" if better else ""
        return better or known, (note,) if note else ()
    plausible = [name for name, length in lengths.items() if length <= PLAUSIBLE]
    if len(lengths) == 1 and (plausible or all(math.isnan(length) for length in lengths.values())):
        return next(iter(lengths)), ()
    if len(plausible) == 1 or (len(plausible) > 1 and lengths[plausible[1]] > 1.1 * lengths[plausible[0]]):
        return plausible[0], (f"layout {plausible[0]}, by the proportions of the body; --layout says it for certain",)
    which = "|".join(plausible or lengths) or "|".join(LAYOUTS)
    odd = f" with proportions of {'neither' if len(lengths) > 1 else 'another'}; say which it is" if lengths and not plausible else ""
    raise DatasetError(f"{path}: expected a layout of joints (layout={which}), found {count} joints a frame{odd}")
