"""What readers of files return: detections of people, before it is known who is who."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.predict.keypoints.arrays import Array


@dataclass(eq=False)
class Detections:
    """N detections of people in the frames of a video.

    Parameters
    ----------
    rows : (N,) int64
        The frame of each: row k is the time k / fps.
    points : (N, K, 3) float64
        Pixels, or shares of the image if `normalised`, and confidence.
    ids : list of N str
        The tool's names for people; empty if it has none.
    count : int
        Frames of the video, as far as the file tells.
    tool : str
        Who wrote it, in words.
    likely : tuple of str
        Layouts that this tool is known for, the most common one first.
    layout : str, optional
        As the file says.
    names : tuple of str, optional
        Names of the K joints, as the file says.
    fps, width, height : optional
        As the file says.
    normalised : bool, optional
        Whether points are shares of the image; None if only the numbers can tell.
    confident : bool
        Whether the file has confidences.
    notes : tuple of str
    """

    rows: NDArray[np.int64]
    points: Array
    ids: list[str]
    count: int
    tool: str = ""
    likely: tuple[str, ...] = ()
    layout: str | None = None
    names: tuple[str, ...] | None = None
    fps: object = None
    width: object = None
    height: object = None
    normalised: bool | None = False
    notes: tuple[str, ...] = ()


def without_the_unseen(points: Array) -> Array:
    """Mark points that were not seen: NaN, and confidence 0.

    Not seen are points that are not finite, of no confidence, at (0, 0), or at a negative number twice, such as (-1, -1). Confidences above 1 are
    percents if they go beyond 10, COCO's visibility flags if they are 0, 1 and 2 only, and else taken for 1.
    """
    points = np.array(points, dtype=np.float64)
    x, y, confidence = points[..., 0], points[..., 1], points[..., 2]
    known = confidence[np.isfinite(confidence)]
    if len(known) and known.max() > 1.0:
        if known.max() > 10.0:
            points[..., 2] = confidence / (100.0 if known.max() <= 100.0 else known.max())
        elif np.isin(known, (0.0, 1.0, 2.0)).all():
            points[..., 2] = 0.5 * confidence
        else:
            points[..., 2] = np.minimum(confidence, 1.0)
    unseen = ~np.isfinite(points).all(axis=-1) | ~(points[..., 2] > 0) | ((x == y) & (x <= 0))
    points[unseen] = (np.nan, np.nan, 0.0)
    return points


def look_normalised(points: Array) -> bool:
    """Return whether points can only be shares of the image: numbers about 0 to 1."""
    seen = points[points[..., 2] > 0][:, :2]
    return bool(len(seen) and np.percentile(np.abs(seen), 95) <= 1.5 and np.abs(seen).max() <= 20.0)
