"""Which charts a report has: how the dataset's sequences are distributed, and what cameras, people and places it covers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.inspect.charts import bars, heat_map, histogram, polar, scatter
from mocapgen.inspect.opening import Opened
from mocapgen.inspect.run import Survey
from schemas.inspection import Tally

MOST_BARS = 15
"""Names in a chart of bars; the others are counted together."""


def distribution_charts(survey: Survey, opened: Opened) -> str:
    """Return how long, fast, high, far and large sequences are."""
    fps = survey.inspection.summary.fps
    lengths = _lengths(opened)
    found = frozenset(finding.sequence for finding in survey.inspection.findings)
    rows = sorted(survey.measured.sequences)
    marked = np.array([row in found for row in rows], dtype=bool)
    travel, speed = _measured(survey, "travel"), _measured(survey, "speed")
    charts = [
        histogram("Length", lengths, "length", f"frames at {fps:g} frames/s" if fps else "frames"),
        histogram("Speed", speed, "95th percentile of the joints' speed in a sequence", "m/s"),
        histogram("Way of the root on the ground", travel, "way", "m"),
        scatter("Way and speed", travel, speed, ("way of the root (m)", "95 % speed (m/s)"), marked, "with findings"),
        histogram("Highest joint", _measured(survey, "highest"), "height above the floor", "m"),
        histogram("Lowest joint", _measured(survey, "lowest"), "height above the floor", "m"),
    ]
    return "".join(charts)


def coverage_charts(survey: Survey, opened: Opened) -> str:
    """Return what cameras see: from where, how far, how large, and where in the image."""
    data = opened.data
    cameras = [] if data is None else [data.cameras[camera] for camera in data.sequences["camera"][opened.rows].tolist()]
    focal = np.array([abs(camera.K[1, 1]) for camera in cameras], dtype=np.float64)
    sizes = Counter((camera.width, camera.height) for camera in cameras)
    width, height = sizes.most_common(1)[0][0] if sizes else (16, 9)
    aspect = min(max(width / height, 0.25), 4.0) if width > 0 and height > 0 else 16 / 9
    charts = [
        polar("Directions of the camera", _gathered(survey, "azimuth"), _gathered(survey, "elevation")),
        heat_map("Joints in the image", survey.measured.image, survey.measured.outside, aspect),
        histogram("Distance of the camera", _gathered(survey, "distance"), "from the root, mean of a sequence", "m"),
        histogram("Elevation of the camera", _gathered(survey, "elevation"), "above the root, mean of a sequence", "°"),
        histogram("Focal length", focal, "focal length", "px"),
        histogram("Vertical field of view", _gathered(survey, "fov"), "angle", "°"),
        histogram("Size of the person in the image", 100.0 * _measured(survey, "size"), "of the image's height, mean of a sequence", "%"),
        histogram("Joints that the image shows", 100.0 * _gathered(survey, "in_view"), "of the joints' frames of a sequence", "%"),
    ]
    return "".join(charts)


def balance_charts(survey: Survey) -> str:
    """Return how much there is of each action, actor and avatar, where there are several."""
    summary = survey.inspection.summary
    kinds = {"Actions": summary.actions, "Actors": summary.actors, "Avatars": summary.avatars, "Camera rigs": summary.rigs}
    return "".join(bars(title, *_amounts(tallies, summary.fps)) for title, tallies in kinds.items() if len(tallies) > 1)


def _amounts(tallies: tuple[Tally, ...], fps: float | None) -> tuple[list[tuple[str, float]], str, str]:
    """Return names with their minutes (frames, if it is not known how long one takes), most first; the unit; and how many are left out."""
    share, unit = (1.0 / (60.0 * fps), "minutes") if fps else (1.0, "frames")
    most_first = sorted(tallies, key=lambda tally: (-tally.frames, tally.name))
    left_out = most_first[MOST_BARS:]
    rest = share * sum(tally.frames for tally in left_out)
    note = f"the {MOST_BARS} largest of {len(tallies):,}; the others have {rest:,.1f} {unit}" if left_out else ""
    return [(tally.name, share * tally.frames) for tally in most_first[:MOST_BARS]], unit, note


def _lengths(opened: Opened) -> Array:
    return np.zeros(0) if opened.data is None else opened.data.sequences["length"][opened.rows].astype(np.float64)


def _measured(survey: Survey, name: str) -> Array:
    return np.array([getattr(measured, name) for _, measured in sorted(survey.measured.sequences.items())], dtype=np.float64)


def _gathered(survey: Survey, name: str) -> Array:
    return np.array([getattr(gathered, name) for _, gathered in sorted(survey.gathered.items())], dtype=np.float64)
