"""Which axis of a file points up."""

from __future__ import annotations

import numpy as np

from mocapgen.core.rotation import from_euler
from mocapgen.reading.rest_pose import Figure

TALL = 0.5
"""A head is above the feet if by this share of the body's length."""
DECIDED = 0.8
"""The motion says which axis is up if the head is above the feet along it in this share of the frames."""

UPRIGHT = {
    "y": from_euler("XYZ", np.zeros(3)),
    "z": from_euler("XYZ", np.array([-0.5 * np.pi, 0.0, 0.0])),
    "-y": from_euler("XYZ", np.array([np.pi, 0.0, 0.0])),
    "-z": from_euler("XYZ", np.array([0.5 * np.pi, 0.0, 0.0])),
    "x": from_euler("XYZ", np.array([0.0, 0.0, 0.5 * np.pi])),
    "-x": from_euler("XYZ", np.array([0.0, 0.0, -0.5 * np.pi])),
}
"""The rotation that turns each axis that may point up to y; the usual two first."""
_SIGNS: dict[str, float] = {axis: -1.0 if axis[0] == "-" else 1.0 for axis in UPRIGHT}


def infer_up(moving: Figure, rest: Figure) -> tuple[str, str]:
    """Return the axis along which the head is above the feet, and a reason in words.

    The motion decides, as converters turn the root rather than the zero pose. Where somebody lies for long it does not tell; then the
    zero pose does if it stands, else y is taken. Other axes than y and z, such as the y that points down in the axes of cameras, are
    taken only where the motion leaves no doubt.

    Parameters
    ----------
    moving : Figure
        In some frames.
    rest : Figure
        In the zero pose.
    """
    height = moving.height
    tall = np.quantile(np.linalg.norm(height, axis=-1), 0.9)
    share = {axis: float((sign * height[:, "xyz".index(axis[-1])] > TALL * tall).mean()) for axis, sign in _SIGNS.items()}
    up = max(("y", "z"), key=lambda axis: share[axis])
    if share[up] < DECIDED:
        other = max(share, key=lambda axis: share[axis])
        if share[other] >= DECIDED:
            return other, f"inferred: the head is above the feet along it in {100 * share[other]:.0f} % of the frames"
        standing = [axis for axis in ("y", "z") if rest.turned(UPRIGHT[axis]).stands()]
        if len(standing) == 1:
            return standing[0], "inferred from the zero pose, which stands along it: the motion does not tell"
    if share[up] > 2.0 * min(share["y"], share["z"]) and share[up] > 0.1:
        return up, f"inferred: the head is above the feet along it in {100 * share[up]:.0f} % of the frames"
    return "y", "as is usual for BVH: where the head and feet are does not tell"
