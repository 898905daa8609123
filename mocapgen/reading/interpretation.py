"""From a BVH file as it stands to a motion in metres, y up, whose rest pose is an upright figure that faces +z.

Every step that had to decide something says so in a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np

from mocapgen.anatomy.infer import infer_roles, side_agreement
from mocapgen.anatomy.profiles.library import closest, load_profile, match, recognise
from mocapgen.anatomy.roles import Roles, leg_length
from mocapgen.anatomy.tables import CONTACT_POINTS, SIDES
from mocapgen.core.kinematics import forward_kinematics, joint_positions
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, from_euler, multiply, normalise, rotate
from mocapgen.formats.bvh import Bvh
from mocapgen.reading.rest_pose import Figure, complete, direction_reference, frame_reference, inserted_t_pose, rebase_rest_pose, zero_reference
from schemas.errors import ConfigError, FormatError
from schemas.profile import UNITS, Profile

LEG = 0.82
"""Hip joint to ankle of an adult along the bones, metres: 0.24 + 0.24 of a stature of 1.7 m (Dumas et al. 2007, J. Biomech. 40:543)."""
LEGS = (0.40, 1.20)
"""Legs of people, metres: from a small child's to longer than anybody's."""
ABSURD = 4.0
"""A unit asked for may make legs that are this many times longer or shorter: a model or a giant, but not a wrong unit."""
TALL = 0.5
"""A head is above the feet if by this share of the body's length."""
DECIDED = 0.8
"""The motion says which axis is up if the head is above the feet along it in this share of the frames."""
LOST_PELVIS = (1e-3, 0.03)
"""Metres: hips that stay this level while the lower foot rises and falls by more than the second have lost their vertical motion."""
_Z_TO_Y = from_euler("XYZ", np.array([-0.5 * np.pi, 0.0, 0.0]))
_FLOOR_PERCENTILE = 5.0  # of the lower foot's height: where feet rest, whatever single frames do
_OFFSET = 0.02  # of a leg: a root OFFSET shorter than this makes no difference


@dataclass(frozen=True)
class Interpretation:
    """What a BVH file means."""

    motion: Motion
    """Metres, y up, its rest pose upright and facing +z; without inserted frames."""
    roles: Roles
    """Which joint has which role in its skeleton."""
    profile: str
    """Name of the profile that it was understood by; ``inferred`` if none was."""
    confidence: float
    """How sure that is, 0 to 1."""
    metres_per_unit: float
    """Length of one unit of the file."""
    up: str
    """The file's axis that points up: y or z."""
    notes: tuple[str, ...]
    """What was decided and noticed, one line each."""


def interpret(
    bvh: Bvh,
    profile: str | Path | None = None,
    lenient: bool = False,
    scale: float | None = None,
    up: str | None = None,
) -> Interpretation:
    """Find out what a BVH file means.

    Parameters
    ----------
    bvh : Bvh
    profile : str or Path, optional
        Name of a built-in profile or path of a YAML file; by default the built-in one that knows the joints' names, else what
        names and proportions tell.
    lenient : bool
        Also take what would otherwise be refused: bones that stretch, a mirrored figure, a pelvis that does not move vertically.
    scale : float, optional
        Metres in a unit of the file, in place of what the profile or the body's size says.
    up : {"y", "z"}, optional
        The file's axis that points up, likewise.

    Returns
    -------
    Interpretation

    Raises
    ------
    ConfigError
        If the profile, the scale or the axis is not valid.
    FormatError
        If the joints' names do not fit, no unit makes a person of the figure, it stands on its head, it is mirrored, its zero pose
        is not understood, or the pelvis has lost its vertical motion.
    """
    if up not in (None, "y", "z"):
        raise ConfigError(f"up: expected y or z, found {up!r}")
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise ConfigError(f"scale: expected a positive number of metres in a unit of the file, found {scale}")
    offsets, notes = bvh.skeleton_offsets(lenient)
    skeleton = Skeleton(bvh.names, bvh.parents, offsets, bvh.end_sites)
    raw = Motion(skeleton, bvh.rotations(), bvh.translations()[:, 0], bvh.fps, PurePath(bvh.where).stem)
    reading = _Reading(bvh.where, raw, np.asarray(bvh.offsets[0]), [*bvh.repairs, *notes])
    reading.understand_names(profile)
    reading.find_up(up)
    reading.find_unit(scale, lenient)
    reading.find_frame_rate(bvh.frame_time)
    reading.place_root()
    reading.find_rest_pose()
    reading.check(lenient)
    return Interpretation(reading.motion, reading.roles, reading.name, reading.roles.confidence, reading.scale, reading.up, tuple(reading.notes))


class _Reading:
    """A file while it is being understood: the steps of :func:`interpret` in their order."""

    def __init__(self, where: str, raw: Motion, offset: Array, notes: list[str]) -> None:
        self.where, self.motion, self.notes = where, raw, notes
        self._offset = offset  # the root's OFFSET, in the units and axes of the motion

    def note(self, text: str) -> None:
        self.notes.append(f"{self.where}: {text}")

    def understand_names(self, profile: str | Path | None) -> None:
        """Set the profile and the roles."""
        skeleton = self.motion.skeleton
        found = recognise(skeleton.names) if profile is None else match(load_profile(profile), skeleton.names)
        if found is not None:
            if found.missing:
                raise FormatError(
                    f"{self.where}: profile {found.profile.name}: found no joint for {_some(found.missing)} among {_some(skeleton.names)}; "
                    f"leave profile=... out or describe the joints in a profile of your own"
                )
            self.name, self.profile = found.profile.name, found.profile
            self.roles = Roles(found.joints, found.drivers, 1.0 if profile is not None else found.confidence)
            self.note(f"profile {self.name}" + (f" (joints begin with {found.prefix})" if found.prefix else ""))
            return
        inferred, complaint = infer_roles(skeleton, _some_positions(self.motion))
        if inferred is None:
            near = closest(skeleton.names)
            raise FormatError(f"{self.where}: {complaint}; the nearest profile, {near.profile.name}, lacks {_some(near.missing)}")
        self.name, self.roles = "inferred", inferred
        self.profile = Profile(name="inferred", description="inferred from names and proportions", joints=dict(inferred.joints))
        self.note(f"no profile knows these joints: roles inferred from names and proportions, {100 * inferred.confidence:.0f} % sure")

    def find_up(self, wanted: str | None) -> None:
        """Turn the motion so that y is up."""
        up, why = wanted or self.profile.up, "as asked for" if wanted else f"by profile {self.name}"
        if up == "infer":
            skeleton = self.motion.skeleton
            moving, rest = (Figure.of(skeleton, self.roles, positions) for positions in (_some_positions(self.motion), skeleton.rest_positions))
            up, why = _infer_up(moving, rest)
        self.note(f"up axis {up}, {why}")
        self.up = up
        if up == "z":
            rotations = np.array(self.motion.rotations)
            rotations[:, 0] = multiply(_Z_TO_Y, rotations[:, 0])
            self.motion = replace(self.motion, rotations=normalise(rotations), root_positions=rotate(_Z_TO_Y, self.motion.root_positions))
            self._offset = rotate(_Z_TO_Y, self._offset)

    def find_unit(self, wanted: float | None, lenient: bool) -> None:
        """Bring lengths to metres."""
        leg = leg_length(self.motion.skeleton, self.roles)
        if wanted is not None:
            scale, why = wanted, "as asked for"
        elif self.profile.unit != "infer" and _plausible(leg * _metres(self.profile.unit)):
            scale, why = _metres(self.profile.unit), f"by profile {self.name}"
        else:
            scale, why = self._infer_unit(leg)
        if not _plausible(leg * scale):
            why += f"; expected {LEGS[0]:.2f} to {LEGS[1]:.2f} m"
        if not LEGS[0] / ABSURD <= leg * scale <= LEGS[1] * ABSURD:
            self._object(f"unit: expected legs of {LEGS[0]:.2f} to {LEGS[1]:.2f} m, found legs of {leg * scale:.3f} m by scale={scale:g}", lenient)
        names = {value: name for name, value in UNITS.items()}
        unit = f"{names[scale]}, {scale:.6g} m" if scale in names else f"{scale:.6g} m"
        self.note(f"unit {unit}, {why} (legs of {leg * scale:.3f} m)")
        self.scale = scale
        skeleton = self.motion.skeleton
        scaled = Skeleton(skeleton.names, skeleton.parents, skeleton.offsets * scale, skeleton.end_sites)
        self.motion = replace(self.motion, skeleton=scaled, root_positions=self.motion.root_positions * scale)
        self._offset = self._offset * scale

    def _infer_unit(self, leg: float) -> tuple[float, str]:
        scale = min(UNITS.values(), key=lambda metres: abs(np.log(max(leg, 1e-300) * metres / LEG)))
        if not _plausible(leg * scale):
            raise FormatError(
                f"{self.where}: expected legs of {LEGS[0]:.2f} to {LEGS[1]:.2f} m in some unit out of {', '.join(UNITS)}, found {leg:.6g} file units "
                f"from hip to ankle; give the unit with scale=METRES"
            )
        why = "inferred from the body's size"
        if self.profile.unit != "infer":
            why += f" (profile {self.name} says {self.profile.unit}, which would make the legs {leg * _metres(self.profile.unit):.3g} m long)"
        return scale, why

    def find_frame_rate(self, frame_time: float) -> None:
        """Set the frame rate."""
        if self.profile.frame_rate is not None:
            self.note(f"{self.profile.frame_rate:g} frames per second by profile {self.name}, not the file's {self.motion.fps:g}")
            self.motion = replace(self.motion, fps=self.profile.frame_rate)
        else:
            self.note(f"{self.motion.fps:g} frames per second (frame time {frame_time:g} s)")

    def place_root(self) -> None:
        """Decide whether the root's position channels replace its OFFSET, and add it if not."""
        decision, size = self.profile.root_position, leg_length(self.motion.skeleton, self.roles)
        if decision == "absolute" or np.linalg.norm(self._offset) < _OFFSET * size:
            return
        why = f"by profile {self.name}"
        if decision == "decide":
            level = _floor(self._lower_foot(forward_kinematics(self.motion)))
            raised = level + float(self._offset[1])
            if abs(self._offset[1]) < _OFFSET * size:
                decision, why = "absolute", "as is usual: its OFFSET is horizontal, so the floor does not tell"
            else:
                decision = "relative" if abs(raised) < abs(level) else "absolute"
                nearer, further = sorted((level, raised), key=abs)
                why = f"as feet are then at {nearer:.3f} m and not at {further:.3f}"
        meaning = "add to its OFFSET" if decision == "relative" else "replace its OFFSET"
        self.note(f"the root's position channels {meaning} of {np.linalg.norm(self._offset):.3f} m, {why}")
        if decision == "relative":
            self.motion = replace(self.motion, root_positions=self.motion.root_positions + self._offset)

    def find_rest_pose(self) -> None:
        """Make an upright pose the rest pose, and drop the first frame if it is none of the motion."""
        motion, profile = self.motion, self.profile
        inserted = inserted_t_pose(Figure.of(motion.skeleton, self.roles, forward_kinematics(motion.slice(0, 3))))
        reference, how = self._reference(inserted)
        self.note(f"rest pose: {how}")
        if len(motion) > 1 and (profile.first_frame == "drop" or (profile.first_frame == "detect" and inserted)):
            self.note("first frame dropped: " + ("a T-pose put before the motion" if inserted else f"by profile {self.name}"))
            motion = motion.slice(1, len(motion))
        elif profile.first_frame == "drop":
            self.note("the only frame is kept, although the profile says that the first one is no part of the motion")
        self.motion = rebase_rest_pose(motion, reference)

    def _reference(self, inserted: bool) -> tuple[Array, str]:
        """Return the rotations of all joints in the pose that shall be the rest pose, and how they were found."""
        motion, skeleton, method = self.motion, self.motion.skeleton, self.profile.rest.method
        if method == "stored":
            stored = self._stored_reference()
            if self._stands(stored) or not Figure.of(skeleton, self.roles, skeleton.rest_positions).is_t_pose():
                return stored, f"stored in profile {self.name}"
            method = "zero"  # a converter, such as ours, has written it with the T-pose as zero pose
        if method == "first_frame" or (method == "decide" and inserted):
            return frame_reference(motion, self.roles), "the first frame"
        if method in ("decide", "zero") and (zero := zero_reference(skeleton, self.roles)) is not None:
            turned = "" if np.abs(zero[0]) @ IDENTITY > 0.999 else ", turned to stand upright and face +z"
            return zero, f"the zero pose{turned}"
        directions = direction_reference(skeleton, self.roles) if method != "zero" else "it does not stand upright"
        if isinstance(directions, str):
            raise FormatError(
                f"{self.where}: expected a zero pose that can be brought into a T-pose or a T-pose as first frame, found neither: {directions}; "
                f"store the rest pose's rotations in a profile (docs/profiles.md)"
            )
        return directions, "the zero pose with its bones turned into a T-pose"

    def _stands(self, reference: Array) -> bool:
        """Whether the figure stands upright in a pose given by global rotations (J, 4)."""
        skeleton = self.motion.skeleton
        return Figure.of(skeleton, self.roles, joint_positions(skeleton, reference[None], np.zeros((1, 3)))[0]).stands()

    def _stored_reference(self) -> Array:
        """Return the profile's rotations; its joints are named without the prefix."""
        found = match(self.profile, self.motion.skeleton.names)
        known = {found.joint(joint): np.array(rotation) for joint, rotation in self.profile.rest.rotations.items()}
        here = {joint: rotation / np.linalg.norm(rotation) for joint, rotation in known.items() if joint in self.motion.skeleton}
        if lacking := [joint for joint in self.roles.joints.values() if joint not in here]:
            self.note(f"profile {self.name} stores no rest rotation of {_some(tuple(lacking))}: they keep their angle to their parents")
        return complete(self.motion.skeleton, here)

    def check(self, lenient: bool) -> None:
        """Say where the feet are; refuse a figure upside down, mirrored, or with a pelvis that has lost its vertical motion."""
        positions = forward_kinematics(self.motion)
        if not (Figure.of(self.motion.skeleton, self.roles, positions).height[:, 1] > 0).any():
            raise FormatError(f"{self.where}: expected the head above the feet, found it below in every frame; say which axis is up with up=...")
        hips, lower = positions[:, self.motion.skeleton.index(self.roles.joints["Hips"]), 1], self._lower_foot(positions)
        self.note(f"lowest foot joint at y = {100 * _floor(lower):.1f} cm ({_FLOOR_PERCENTILE:g}th percentile over time)")
        if side_agreement(self.motion.skeleton, self.roles.joints, positions) < -0.5:
            self._object("the left leg is where the right one should be, seen from where the toes point: the figure is mirrored", lenient)
        if np.ptp(hips) < LOST_PELVIS[0] and np.ptp(lower) > LOST_PELVIS[1]:
            moves = f"the lower foot goes up and down by {1000 * np.ptp(lower):.0f} mm"
            self._object(f"the pelvis does not move vertically, while {moves}: its vertical motion is lost", lenient)

    def _object(self, complaint: str, lenient: bool) -> None:
        if not lenient:
            raise FormatError(f"{self.where}: {complaint}; with lenient=True it is used as it is")
        self.note(complaint)

    def _lower_foot(self, positions: Array) -> Array:
        """Return the height of the lowest joint of both feet, (T,)."""
        parts = [self.roles.joints[side + part] for side in SIDES for part in CONTACT_POINTS if side + part in self.roles.joints]
        return positions[:, self.motion.skeleton.indices(parts), 1].min(axis=1)


def _floor(lower_foot: Array) -> float:
    """Return the height at which feet rest, given that of the lower one over time."""
    return float(np.percentile(lower_foot, _FLOOR_PERCENTILE))


def _some(names: tuple[str, ...], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _metres(unit: str | float) -> float:
    return unit if isinstance(unit, float) else UNITS[unit]


def _plausible(leg: float) -> bool:
    return LEGS[0] <= leg <= LEGS[1]


def _some_positions(motion: Motion, most: int = 256) -> Array:
    """Return where every joint is, (<= `most`, J, 3), in frames spread over the motion."""
    step = max(1, -(-len(motion) // most))
    return forward_kinematics(replace(motion, rotations=motion.rotations[::step], root_positions=motion.root_positions[::step]))


def _infer_up(moving: Figure, rest: Figure) -> tuple[str, str]:
    """Return the axis along which the head is above the feet, and a reason in words.

    The motion decides, as converters turn the root rather than the zero pose. Where somebody lies for long it does not tell; then the
    zero pose does if it stands, else y is taken.
    """
    height = moving.height
    tall = np.quantile(np.linalg.norm(height, axis=-1), 0.9)
    share = {axis: float((height[:, index] > TALL * tall).mean()) for axis, index in (("y", 1), ("z", 2))}
    up = max(share, key=lambda axis: share[axis])
    standing = [axis for axis, figure in (("y", rest), ("z", rest.turned(_Z_TO_Y))) if figure.stands()]
    if share[up] < DECIDED and len(standing) == 1:
        return standing[0], "inferred from the zero pose, which stands along it: the motion does not tell"
    if share[up] > 2.0 * min(share.values()) and share[up] > 0.1:
        return up, f"inferred: the head is above the feet along it in {100 * share[up]:.0f} % of the frames"
    return "y", "as is usual for BVH: where the head and feet are does not tell"
