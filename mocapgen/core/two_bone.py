"""Two-bone inverse kinematics: the position of the knee or elbow of a limb whose ends are given."""

from __future__ import annotations

import numpy as np

from mocapgen.core.rotation import Array


def middle_joint(upper: Array | float, lower: Array | float, reach: Array) -> tuple[Array, Array]:
    """Return the position of the middle joint of a limb, by the law of cosines.

    Parameters
    ----------
    upper, lower : (...) float, metres
        Lengths of the two bones.
    reach : (...) float, metres
        Distance of the limb's ends, between ``|upper - lower|`` and ``upper + lower``.

    Returns
    -------
    along, aside : (...) float64, metres
        From the limb's start: along the line to its end, and at a right angle to it, in the direction in which the limb bends.
    """
    along = (upper**2 - lower**2 + reach**2) / (2.0 * reach)
    return along, np.sqrt(np.maximum(upper**2 - along**2, 0.0))
