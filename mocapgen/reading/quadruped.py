"""Whether a figure with the joints of a person goes on four legs."""

from __future__ import annotations

import numpy as np

from mocapgen.anatomy.names import words
from mocapgen.anatomy.tables import ARM_BONES, LEG_BONES, SIDES
from mocapgen.core.motion import Skeleton
from mocapgen.reading.rest_pose import UP, Figure

_ANIMAL = frozenset({"tail", "paw", "hoof", "wing", "fin", "claw", "hock", "withers", "udder", "tentacle", "antenna"})
_LEVEL = 0.5  # cosine: a trunk that is further from the vertical than 60 degrees lies
_LOW = 0.25  # of a leg: hands that are no higher above the lower foot are on the floor
_USUAL = 0.8  # of the frames
_ARMS = 0.85  # arms of a leg's length or more are legs; people's reach two thirds of it


def goes_on_four(skeleton: Skeleton, figure: Figure) -> str:
    """Return what shows that a figure (T frames, y up) goes on four legs, empty if it does not.

    People crawl, too: their arms are shorter than their legs, and they have no tail.
    """
    trunk = figure.direction("RightUpperLeg", "Neck") + figure.direction("LeftUpperLeg", "Neck")
    lies = trunk @ UP < _LEVEL * np.linalg.norm(trunk, axis=-1)
    arm, leg = (_length(figure, bones) for bones in (ARM_BONES, LEG_BONES))
    feet = np.minimum(figure.at["LeftFoot"][:, 1], figure.at["RightFoot"][:, 1])
    hands = np.maximum(figure.at["LeftHand"][:, 1], figure.at["RightHand"][:, 1]) - feet
    if float((lies & (hands < _LOW * leg)).mean()) < _USUAL:
        return ""
    animal = [name for name in skeleton.names if words(name)[1] in _ANIMAL]
    if animal:
        return f"its trunk lies and its hands are on the floor in {_USUAL:.0%} of the frames or more, and it has a joint {animal[0]}"
    if arm > _ARMS * leg:
        return f"its trunk lies, its hands are on the floor in {_USUAL:.0%} of the frames or more, and its arms are as long as its legs"
    return ""


def _length(figure: Figure, bones: tuple[tuple[str, str], ...]) -> float:
    """Return the length of a limb, mean over sides and frames."""
    ends = [(figure.at[side + start], figure.at[side + end]) for side in SIDES for start, end in bones]
    return float(sum(np.linalg.norm(end - start, axis=-1).mean() for start, end in ends)) / len(SIDES)
