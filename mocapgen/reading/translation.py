"""Position channels below the root: the path of the body where they carry it, else bones that keep their lengths."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mocapgen.anatomy.body import meeting
from mocapgen.anatomy.names import ancestors
from mocapgen.anatomy.roles import Roles, leg_length
from mocapgen.anatomy.tables import SIDES
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import multiply, normalise, rotate
from mocapgen.formats._bvh_header import shown
from mocapgen.formats.bvh import Bvh
from schemas.errors import FormatError

STRETCH = 1e-3
"""How far a joint's position channels may stray from their median, relative to the skeleton's size, for its bone to be rigid."""
ELASTIC = 0.03
"""How far joints may stray from a constant offset, relative to the length of a leg: a centimetre or two, as tracking suits let them."""

_ADDED = 0.05  # position channels that are smaller than this share of the OFFSETs add to them


@dataclass(frozen=True)
class Translations:
    """Where joints are in their parents' frames."""

    paths: Array
    """(T, J, 3) float64, file units; (T, 0, 3) where only the root has position channels."""
    offsets: Array
    """(J, 3) float64, file units: the OFFSETs; of joints other than the root with position channels, the median over time."""
    notes: tuple[str, ...]

    @classmethod
    def of(cls, bvh: Bvh) -> Translations:
        """Decide whether position channels below the root replace the OFFSETs, as is usual, or add to them: then they are nearly 0."""
        paths, offsets, notes = np.empty((len(bvh), 0, 3)), np.array(bvh.offsets), []
        if bvh.moving_offsets:
            paths = bvh.translations()
            joints = bvh.skeleton.indices(bvh.moving_offsets)
            middle = np.median(paths[:, joints], axis=0)
            if np.linalg.norm(middle, axis=1).sum() < _ADDED * np.linalg.norm(offsets[joints], axis=1).sum():
                added = [joint for joint in joints if any(channel.endswith("position") for channel in bvh.channels[joint])]
                paths = np.array(paths)
                paths[:, added] += offsets[added]
                middle = middle + offsets[joints]
                notes.append("position channels below the root are nearly 0, so they are added to the OFFSETs")
            offsets[joints] = middle
        return cls(paths, offsets, tuple(notes))


def carry_body(bvh: Bvh, translations: Translations, motion: Motion, roles: Roles, lenient: bool) -> tuple[Motion, Roles, tuple[str, ...]]:
    """Let the joint that carries the body be the root, and see whether other bones stretch.

    Parameters
    ----------
    bvh : Bvh
    translations : Translations
        Of its joints.
    motion : Motion
        Of its root and rotations, with the translations' offsets; file units and axes.
    roles : Roles
    lenient : bool
        Also take bones that stretch by more than :data:`ELASTIC`, at their median length.

    Returns
    -------
    motion : Motion
        The same one, or the part of it below the deepest joint that moves relative to its parent and that all limbs hang from.
    roles : Roles
        In its skeleton.
    notes : tuple of str
        What was decided, one line each.

    Raises
    ------
    FormatError
        If other joints stray further.
    """
    if not bvh.moving_offsets:
        return motion, roles, ()
    paths, notes = translations.paths, list(translations.notes)
    skeleton = motion.skeleton
    joints = skeleton.indices(bvh.moving_offsets)
    stray = np.zeros(len(skeleton.names))
    stray[joints] = np.linalg.norm(paths[:, joints] - skeleton.offsets[joints], axis=-1).max(axis=0)
    rigid = STRETCH * _size(skeleton.parents, skeleton.offsets)
    top = meeting(skeleton, *(roles.joints[side + part] for side in SIDES for part in ("UpperLeg", "UpperArm")))
    carriers = [joint for joint in (top, *ancestors(skeleton, top)[:-1]) if stray[skeleton.index(joint)] > rigid and skeleton.parent(joint)]
    if carriers:
        motion, roles = _rooted_at(motion, roles, paths, carriers[0])
        notes.append(f"joint {shown(carriers[0])} carries the body: it is taken for the root, and the joints above it are left out")
    moving = [joint for joint in bvh.moving_offsets if joint in motion.skeleton and motion.skeleton.parent(joint)]
    if moving:
        worst = max(moving, key=lambda joint: float(stray[skeleton.index(joint)]))
        limits = (rigid, max(rigid, ELASTIC * leg_length(skeleton, roles)))
        notes.append(_stretch(bvh, worst, len(moving), float(stray[skeleton.index(worst)]), limits, lenient))
    return motion, roles, tuple(notes)


def _stretch(bvh: Bvh, worst: str, count: int, stray: float, limits: tuple[float, float], lenient: bool) -> str:
    """Say by how much bones stretch at most, in one line; raise if that is too much."""
    rigid, elastic = limits
    others = f"; {count - 1} other joints with position channels stray less" if count > 1 else ""
    if stray <= rigid:
        return f"joint {shown(worst)}: position channels stray from their median by up to {stray:.3g} file units: the median is the offset{others}"
    subject = f"joint {shown(worst)}: position channels stray from their median by up to {stray:.3g} file units, so its bone would stretch{others}"
    if stray > elastic and not lenient:
        raise FormatError(f"{bvh.where}: {subject}; expected at most {elastic:.3g} (with lenient=True: the median is the offset)")
    return f"{subject}: the medians are the offsets"


def _rooted_at(motion: Motion, roles: Roles, paths: Array, joint: str) -> tuple[Motion, Roles]:
    """Return what hangs from a joint, which goes where its position channels and those above it take it."""
    skeleton = motion.skeleton
    top = skeleton.index(joint)
    turned, path = motion.rotations[:, 0], motion.root_positions
    for index in [*skeleton.indices(ancestors(skeleton, joint))[::-1][1:], top]:
        path = path + rotate(turned, paths[:, index])
        turned = multiply(turned, motion.rotations[:, index])
    kept = [top]
    for index, parent in enumerate(skeleton.parents):
        if parent in kept:
            kept.append(index)
    names = tuple(skeleton.names[index] for index in kept)
    parents = tuple(-1 if index == top else kept.index(skeleton.parents[index]) for index in kept)
    offsets = np.array(skeleton.offsets[kept])
    offsets[0] = 0.0
    rotations = np.array(motion.rotations[:, kept])
    rotations[:, 0] = normalise(turned)
    part = Skeleton(names, parents, offsets, skeleton.end_sites & set(names))
    there = {role: name for role, name in roles.joints.items() if name in part}
    there.setdefault("Hips", joint)
    drivers = {role: name for role, name in roles.drivers.items() if name in part}
    return replace(motion, skeleton=part, rotations=rotations, root_positions=path), replace(roles, joints=there, drivers=drivers)


def _size(parents: tuple[int, ...], offsets: Array) -> float:
    """Return the longest way along bones from the root to a joint, which does not depend on the zero pose."""
    lengths = np.linalg.norm(offsets, axis=-1)
    reach = np.zeros(len(parents))
    for joint, parent in enumerate(parents[1:], start=1):
        reach[joint] = reach[parent] + lengths[joint]
    return float(reach.max())
