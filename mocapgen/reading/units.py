"""What length a unit of a file is, told from how long a person's legs are."""

from __future__ import annotations

import numpy as np

from schemas.profile import UNITS, Profile

LEG = 0.82
"""Hip joint to ankle of an adult along the bones, metres: 0.24 + 0.24 of a stature of 1.7 m (Dumas et al. 2007, J. Biomech. 40:543)."""
LEGS = (0.40, 1.20)
"""Legs of people, metres: from a small child's to longer than anybody's."""
ABSURD = 4.0
"""A unit may make legs that are this many times longer or shorter: a model's or a giant's, but nobody's by a slip of the unit."""
_UNLIKELY = {"dm": 0.25}
"""How much less likely a unit is, as the logarithm of a ratio of lengths: between a child in CMU's units and an adult in decimetres."""


def infer_unit(leg: float, profile: Profile) -> tuple[float, str, bool] | str:
    """Return the length of a unit for legs of so many units; or the scale that fits if no unit makes anything like a person.

    Parameters
    ----------
    leg : float
        Hip to ankle along the bones, file units.
    profile : Profile

    Returns
    -------
    metres, why, warn : float, str, bool
        `warn`: no unit makes a person of it, so that it is scaled to one.
    """
    likely = min(UNITS, key=lambda name: abs(np.log(max(leg, 1e-300) * UNITS[name] / LEG)) + _UNLIKELY.get(name, 0.0))
    metres = UNITS[likely]
    if plausible(leg * metres):
        why = "inferred from the body's size"
        if profile.unit != "infer":
            why += f" (profile {profile.name} says {profile.unit}, which would make the legs {leg * in_metres(profile.unit):.3g} m long)"
        return metres, why, False
    if not LEGS[0] / ABSURD <= leg * metres <= LEGS[1] * ABSURD:
        return f"{LEG / max(leg, 1e-300):.3g}"
    why = f"which no usual unit is: the nearest, {likely}, makes legs of {leg * metres:.2f} m, so the figure is scaled to a person's size; check it"
    return float(f"{LEG / leg:.3g}"), why, True


def in_metres(unit: str | float) -> float:
    """Return the metres in a unit given by name or number."""
    return unit if isinstance(unit, float) else UNITS[unit]


def plausible(leg: float) -> bool:
    """Whether a person may have legs of so many metres."""
    return LEGS[0] <= leg <= LEGS[1]
