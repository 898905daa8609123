"""A rest pose found in the motion itself, for files whose zero pose is no standing figure: bones along one axis, a folded figure.

Which way limbs point does not depend on it, as retargeting keeps their directions; how trunk, head, hands and feet are turned, and how a
limb is turned about itself, does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.roles import Roles
from mocapgen.anatomy.tables import ARM, ARM_BONES, LEG, LEG_BONES, SIDE_SIGNS
from mocapgen.core.kinematics import global_rotations, joint_positions
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import conjugate, multiply, normalise, rotate
from mocapgen.reading.draft import Draft
from mocapgen.reading.rest_pose import LEFT, LEVEL, UP, UPRIGHT, Figure, direction_reference

_BEST = 0.05
"""Share of the frames that are averaged: those in which the figure stands straightest."""
_HINGED = 0.8  # a hinge keeps its axis in the bone: length of the axes' mean over the mean of their lengths
_BENT = 0.1  # sine of the angle at elbow or knee, mean over time, below which its axis is noise
_MOST = 2000  # frames that are looked at


@dataclass(frozen=True)
class ClipPose:
    """A rest pose found in a clip."""

    reference: Array
    """(J, 4) float64: global rotation of every joint, facing +z, limbs in a T."""
    how: str
    """What was found, for a note."""
    confidence: float
    """How sure it is, 0 to 1."""


def clip_pose(motion: Motion | Draft, roles: Roles) -> ClipPose | str:
    """Return the mean of the frames that stand straightest, with the limbs turned into a T-pose; or why there is none.

    Parameters
    ----------
    motion : Motion or Draft
        Y up.
    roles : Roles
    """
    step = max(1, -(-len(motion) // _MOST))
    skeleton = motion.skeleton
    turned = global_rotations(skeleton, motion.rotations[::step])
    figure = Figure.of(skeleton, roles, joint_positions(skeleton, turned, motion.root_positions[::step]))
    trunk, legs = _lean(figure)
    if float(trunk.min()) > UPRIGHT:
        return f"the trunk is never upright in the clip: {float(trunk.min()):.0f} degrees or more off the vertical in every frame"
    t_poses = np.flatnonzero((np.maximum(trunk, legs) < UPRIGHT) & (_spread(figure) < LEVEL))
    usable = t_poses if len(t_poses) else np.flatnonzero(trunk < UPRIGHT)
    lean = np.hypot(trunk, legs)[usable]
    best = usable[np.argsort(lean, kind="stable")[: max(1, round(_BEST * len(trunk)))]]
    mean = mean_rotation(multiply(_facing(figure, best)[:, None], turned[best]))
    reference = direction_reference(skeleton, roles, mean)
    if isinstance(reference, str):
        return reference
    first = step * int(best[0]) + 1
    if len(t_poses):
        return ClipPose(reference, f"a T-pose found in frame {first} of the clip", 0.95)
    reference = _with_hinges(skeleton, roles, reference, figure, turned)
    off, bent = float(np.median(trunk[best])), float(np.median(legs[best]))
    many = f"mean of the {len(best)} most upright frames of the clip" if len(best) > 1 else f"frame {first} of the clip, the most upright one"
    how = f"{many} (trunk within {off:.0f}, thighs and shanks within {bent:.0f} degrees of the vertical), its limbs turned into a T-pose"
    return ClipPose(reference, how, 0.9 if max(off, 0.5 * bent) < 0.5 * UPRIGHT else 0.75)


def _with_hinges(skeleton: Skeleton, roles: Roles, reference: Array, figure: Figure, turned: Array) -> Array:
    """Turn limb bones about themselves so that, in the T-pose, elbows and knees bend about the axes that they do bend about.

    Somebody who stands lets the arms hang turned inwards, so upright frames alone leave the arms' twist open by some 45 degrees.
    """
    out = np.array(reference)
    for side, sign in SIDE_SIGNS.items():
        for limb, axis in ((ARM, -sign * UP), (LEG, LEFT)):
            upper, lower, end = (skeleton.index(roles.joints[side + part]) for part in limb)
            ends = [side + part for part in limb]
            hinge = np.cross(figure.direction(ends[0], ends[1]), figure.direction(ends[1], ends[2]))
            bent = float(np.linalg.norm(hinge, axis=-1).sum())
            for joint, beyond in ((upper, lower), (lower, end if limb is LEG else -1)):
                local = rotate(conjugate(turned[:, joint]), hinge).sum(axis=0)
                if np.linalg.norm(local) < max(_HINGED * bent, _BENT * len(hinge)):
                    continue
                bone = -UP if limb is LEG else sign * LEFT
                found = rotate(out[joint], local)
                angle = float(np.arctan2(bone @ np.cross(found, axis), found @ axis))
                turn = np.append(np.sin(0.5 * angle) * bone, np.cos(0.5 * angle))
                moved = sorted(_below(skeleton, joint) - (_below(skeleton, beyond) if beyond >= 0 else set()))
                out[moved] = multiply(turn, out[moved])
    return out


def _below(skeleton: Skeleton, joint: int) -> set[int]:
    """Return a joint and everything that hangs from it."""
    found = {joint}
    for index in range(joint + 1, len(skeleton.names)):
        if skeleton.parents[index] in found:
            found.add(index)
    return found


def _lean(figure: Figure) -> tuple[Array, Array]:
    """Return by how many degrees the trunk, and the worst of thighs and shanks, is off the vertical, (T,) each."""
    trunk = figure.at["Neck"] - figure.hips
    trunk = trunk / np.maximum(np.linalg.norm(trunk, axis=-1, keepdims=True), 1e-12)
    legs = [-figure.direction(f"{side}{start}", f"{side}{end}") for side in SIDE_SIGNS for start, end in LEG_BONES]
    worst = np.min([leg @ UP for leg in legs], axis=0)
    return _degrees(trunk @ UP), _degrees(worst)


def _degrees(cosine: Array) -> Array:
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _spread(figure: Figure) -> Array:
    """Return by how many degrees the worst bone of the arms is off the line from the other hip, (T,)."""
    across = figure.left * (1.0 - UP)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12)
    bones = [sign * figure.direction(f"{side}{start}", f"{side}{end}") for side, sign in SIDE_SIGNS.items() for start, end in ARM_BONES]
    return _degrees(np.min([np.einsum("ti,ti->t", bone, across) for bone in bones], axis=0))


def _facing(figure: Figure, frames: NDArray[np.intp]) -> Array:
    """Return the rotations about the vertical, (N, 4), that let the figure face +z in some frames."""
    left = figure.left[frames]
    half = 0.5 * np.arctan2(left[:, 2], left[:, 0])
    return np.stack([0.0 * half, np.sin(half), 0.0 * half, np.cos(half)], axis=-1)


def mean_rotation(rotations: Array) -> Array:
    """Return the mean over the first axis of unit quaternions (N, J, 4), whatever their signs: (J, 4).

    The eigenvector of the largest eigenvalue of the sum of q q^T (Markley et al. 2007, J. Guid. Control Dyn. 30:1193).
    """
    _, vectors = np.linalg.eigh(np.einsum("nji,njk->jik", rotations, rotations))
    return normalise(vectors[..., -1])
