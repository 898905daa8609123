"""From a BVH file as it stands to a motion in metres, y up, whose rest pose is an upright figure that faces +z.

Every step that had to decide something says so in a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np

from mocapgen.anatomy.body import why_no_person
from mocapgen.anatomy.infer import infer_roles, roles_by_profile
from mocapgen.anatomy.profiles.library import closest, load_profile, match, recognise
from mocapgen.anatomy.roles import Roles, leg_length
from mocapgen.anatomy.sides import side_agreement
from mocapgen.anatomy.tables import CONTACT_POINTS, SIDES
from mocapgen.core.kinematics import forward_kinematics, joint_positions
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.resample import snap_frame_rate
from mocapgen.core.rotation import IDENTITY, angle_between, multiply, normalise, rotate
from mocapgen.formats.bvh import Bvh
from mocapgen.reading.axes import UPRIGHT, infer_up
from mocapgen.reading.clip_pose import clip_pose
from mocapgen.reading.draft import Draft, Rotations
from mocapgen.reading.quadruped import goes_on_four
from mocapgen.reading.rest_pose import Figure, complete, direction_reference, frame_reference, inserted_t_pose, rebase_rest_pose, zero_reference
from mocapgen.reading.solved_pose import solve_from_positions
from mocapgen.reading.translation import Translations, carry_body
from mocapgen.reading.units import ABSURD, LEG, LEGS, in_metres, infer_unit, plausible
from schemas.errors import ConfigError, FormatError, RetargetError
from schemas.profile import UNITS, Profile

LOST_PELVIS = (1e-3, 0.03)
"""Metres: hips that stay this level while the lower foot rises and falls by more than the second have lost their vertical motion."""
MILLISECONDS = 4.0
"""A frame time of so many seconds or more is taken for milliseconds."""
SLOWEST = 10.0
"""Frames per second below which what happens between two frames is anybody's guess."""
STIFF = (3.0, 1.0)
"""Degrees that no joint turns beyond while the body travels by more than so many metres: its angles may be radians."""
_USUAL_RATES = (15, 20, 24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 200, 240)
_RATE_ERROR = 0.05
_FLOOR_PERCENTILE = 5.0  # of the lower foot's height: where feet rest, whatever single frames do
_BLOCK = 512  # frames at a time
_FEET = tuple(side + part for side in SIDES for part in CONTACT_POINTS)
_CHECKED = ("Hips", "Neck", "Head", *(side + part for side in SIDES for part in ("UpperLeg", "LowerLeg")), *_FEET)
"""Roles of the joints of which all frames are looked at in the end."""
_SOLVED = 0.6  # how sure rotations are that are solved from positions
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
    warnings: tuple[str, ...] = ()
    """Those of the notes that somebody should check."""


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
    translations = Translations.of(bvh)
    skeleton = Skeleton(bvh.names, bvh.parents, translations.offsets, bvh.end_sites)
    raw = Draft(skeleton, Rotations(range(len(bvh)), bvh.rotations), bvh.root_positions(), bvh.fps, PurePath(bvh.where).stem)
    reading = _Reading(bvh.where, raw, np.asarray(bvh.offsets[0]), list(bvh.repairs))
    reading.understand_names(profile)
    reading.carry_body(bvh, translations, lenient)
    reading.find_up(up)
    reading.see_whether_person(lenient)
    reading.find_unit(scale, lenient)
    reading.find_frame_rate(bvh.frame_time)
    reading.place_root()
    reading.find_rest_pose()
    reading.check(lenient)
    roles = replace(reading.roles, confidence=round(reading.confidence, 2))
    found = (reading.found, roles, reading.name, roles.confidence, reading.scale, reading.up)
    return Interpretation(*found, tuple(reading.notes), tuple(reading.warnings))


class _Reading:
    """A file while it is being understood: the steps of :func:`interpret` in their order."""

    found: Motion
    """With its rest pose, once that is found: all frames are worked out then."""

    def __init__(self, where: str, raw: Draft, offset: Array, notes: list[str]) -> None:
        self.where, self.motion, self.notes = where, raw, notes
        self.warnings: list[str] = []
        self._offset = offset  # the root's OFFSET, in the units and axes of the motion

    def note(self, text: str) -> None:
        self.notes.append(f"{self.where}: {text}")

    def warn(self, text: str) -> None:
        self.note(text)
        self.warnings.append(self.notes[-1])

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
            self.roles = replace(roles_by_profile(skeleton, found), confidence=1.0 if profile is not None else found.confidence)
            self.confidence = self.roles.confidence
            if profile is None and (odd := why_no_person(skeleton, self.roles.joints)):
                raise FormatError(f"{self.where}: not a person: {odd}")
            self.note(f"profile {self.name}" + (f" (joints begin with {found.prefix})" if found.prefix else ""))
            return
        inferred, complaint = infer_roles(skeleton, _some_positions(self.motion))
        if inferred is None:
            near = closest(skeleton.names)
            raise FormatError(f"{self.where}: {complaint}; the nearest profile, {near.profile.name}, lacks {_some(near.missing)}")
        self.name, self.roles, self.confidence = "inferred", inferred, inferred.confidence
        self.profile = Profile(name="inferred", description="inferred from names and proportions", joints=dict(inferred.joints))
        self.note(f"no profile knows these joints: roles inferred from names and proportions, {100 * inferred.confidence:.0f} % sure")

    def carry_body(self, bvh: Bvh, translations: Translations, lenient: bool) -> None:
        """Let the joint that carries the body be the root."""
        if not bvh.moving_offsets:
            return
        motion, self.roles, notes = carry_body(bvh, translations, self.motion[:], self.roles, lenient)
        self.motion = Draft.of(motion)
        self.notes += [f"{self.where}: {note}" for note in notes]
        if self.motion.skeleton.names[0] != bvh.names[0]:
            self._offset = np.zeros(3)  # where the new root is, its path says

    def find_up(self, wanted: str | None) -> None:
        """Turn the motion so that y is up."""
        up, why = wanted or self.profile.up, "as asked for" if wanted else f"by profile {self.name}"
        if up == "infer":
            skeleton = self.motion.skeleton
            moving, rest = (Figure.of(skeleton, self.roles, positions) for positions in (_some_positions(self.motion), skeleton.rest_positions))
            up, why = infer_up(moving, rest)
        self.note(f"up axis {up}, {why}")
        self.up = up
        if up != "y":
            rotations = self.motion.rotations.changed(lambda block: _set_upright(block, UPRIGHT[up]))
            self.motion = replace(self.motion, rotations=rotations, root_positions=rotate(UPRIGHT[up], self.motion.root_positions))
            self._offset = rotate(UPRIGHT[up], self._offset)

    def see_whether_person(self, lenient: bool) -> None:
        """Refuse what goes on four legs."""
        skeleton = self.motion.skeleton
        if odd := goes_on_four(skeleton, Figure.of(skeleton, self.roles, _some_positions(self.motion))):
            self._object(f"not a person: {odd}", lenient)

    def find_unit(self, wanted: float | None, lenient: bool) -> None:
        """Bring lengths to metres."""
        leg, warn = leg_length(self.motion.skeleton, self.roles), False
        if wanted is not None:
            scale, why = wanted, "as asked for"
        elif self.profile.unit != "infer" and plausible(leg * in_metres(self.profile.unit)):
            scale, why = in_metres(self.profile.unit), f"by profile {self.name}"
        else:
            found = infer_unit(leg, self.profile)
            if isinstance(found, str):
                raise FormatError(
                    f"{self.where}: expected legs of {LEGS[0]:.2f} to {LEGS[1]:.2f} m in some unit out of {', '.join(UNITS)}, found {leg:.6g} file "
                    f"units from hip to ankle; give the unit with scale=METRES, such as scale={found}, which makes legs of {LEG:.2f} m"
                )
            scale, why, warn = found
        if not plausible(leg * scale):
            why += f"; expected {LEGS[0]:.2f} to {LEGS[1]:.2f} m"
        if not LEGS[0] / ABSURD <= leg * scale <= LEGS[1] * ABSURD:
            self._object(f"unit: expected legs of {LEGS[0]:.2f} to {LEGS[1]:.2f} m, found legs of {leg * scale:.3f} m by scale={scale:g}", lenient)
        names = {value: name for name, value in UNITS.items()}
        unit = f"{names[scale]}, {scale:.6g} m" if scale in names else f"{scale:.6g} m"
        (self.warn if warn else self.note)(f"unit {unit}, {why} (legs of {leg * scale:.3f} m)")
        self.scale = scale
        skeleton = self.motion.skeleton
        scaled = Skeleton(skeleton.names, skeleton.parents, skeleton.offsets * scale, skeleton.end_sites)
        self.motion = replace(self.motion, skeleton=scaled, root_positions=self.motion.root_positions * scale)
        self._offset = self._offset * scale

    def find_frame_rate(self, frame_time: float) -> None:
        """Set the frame rate."""
        if self.profile.frame_rate is not None:
            self.note(f"{self.profile.frame_rate:g} frames per second by profile {self.name}, not the file's {self.motion.fps:g}")
            self.motion = replace(self.motion, fps=self.profile.frame_rate)
        elif frame_time >= MILLISECONDS:
            rate = snap_frame_rate(frame_time / 1000.0)
            if min(abs(rate / usual - 1.0) for usual in _USUAL_RATES) > _RATE_ERROR:
                raise FormatError(
                    f"{self.where}: Frame Time: expected seconds, found {frame_time:g}, which is no usual rate in milliseconds either "
                    f"({rate:g} frames per second); correct the file, or give frame_rate in a profile"
                )
            self.warn(f"{rate:g} frames per second: the frame time of {frame_time:g} is taken for milliseconds")
            self.motion = replace(self.motion, fps=rate)
        else:
            slow = self.motion.fps < SLOWEST and len(self.motion) > 1
            said = f"{self.motion.fps:g} frames per second (frame time {frame_time:g} s)"
            (self.warn if slow else self.note)(said + (", slow for motion capture: poses between the frames are interpolated" if slow else ""))

    def place_root(self) -> None:
        """Decide whether the root's position channels replace its OFFSET, and add it if not."""
        decision, size = self.profile.root_position, leg_length(self.motion.skeleton, self.roles)
        if decision == "absolute" or np.linalg.norm(self._offset) < _OFFSET * size:
            return
        why = f"by profile {self.name}"
        if decision == "decide":
            level = _floor(_lower_foot(self._paths(self.motion, _FEET)))
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
        inserted = inserted_t_pose(Figure.of(motion.skeleton, self.roles, forward_kinematics(motion[:3])))
        found = self._reference(inserted)
        if isinstance(found, str):
            self._solve(found)
            return
        reference, how = found
        self.note(f"rest pose: {how}")
        if len(motion) > 1 and (profile.first_frame == "drop" or (profile.first_frame == "detect" and inserted)):
            self.note("first frame dropped: " + ("a T-pose put before the motion" if inserted else f"by profile {self.name}"))
            motion = motion.without_first()
        elif profile.first_frame == "drop":
            self.note("the only frame is kept, although the profile says that the first one is no part of the motion")
        self.found = rebase_rest_pose(motion, reference)

    def _solve(self, why: str) -> None:
        """Solve rotations from where the joints go, which need no rest pose."""
        try:
            self.found, self.roles = solve_from_positions(self.motion, self.roles)
        except RetargetError as error:
            raise FormatError(f"{self.where}: expected a rest pose or joints that lie apart, found neither: {why}; {error}") from None
        self.confidence *= _SOLVED
        self.warn(f"rest pose: {why}, so rotations are solved from the joints' positions: hands and feet go along with their limbs")

    def _reference(self, inserted: bool) -> tuple[Array, str] | str:
        """Return the rotations of all joints in the pose that shall be the rest pose, and how they were found; or why there is none."""
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
        if not isinstance(directions, str):
            return directions, "the zero pose with its bones turned into a T-pose"
        if method != "decide":
            raise FormatError(
                f"{self.where}: expected a zero pose that can be brought into a T-pose, as profile {self.name} says, found none: {directions}; "
                f"leave rest out of the profile, or store the rest pose's rotations in it (docs/profiles.md)"
            )
        pose = clip_pose(motion, self.roles)
        if isinstance(pose, str):
            return f"the zero pose is none ({directions}), and {pose}"
        self.confidence *= pose.confidence
        return pose.reference, f"{pose.how}, {100 * pose.confidence:.0f} % sure; the zero pose is none: {directions}"

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
        motion = self.found
        at = self._paths(motion, _CHECKED)
        if not (Figure(at).height[:, 1] > 0).any():
            raise FormatError(f"{self.where}: expected the head above the feet, found it below in every frame; say which axis is up with up=...")
        hips, lower, turns = at["Hips"][:, 1], _lower_foot(at), _turn(motion.rotations, STIFF[0])
        travel = np.linalg.norm(np.ptp(motion.root_positions, axis=0))
        if turns < STIFF[0] and travel > STIFF[1]:
            self.warn(f"no joint turns by more than {turns:.1f} degrees while the body travels {travel:.1f} m: the file's angles may be radians")
        self.note(f"lowest foot joint at y = {100 * _floor(lower):.1f} cm ({_FLOOR_PERCENTILE:g}th percentile over time)")
        if side_agreement(at) < -0.5:
            self._object("the left leg is where the right one should be, seen from where the toes point: the figure is mirrored", lenient)
        if np.ptp(hips) < LOST_PELVIS[0] and np.ptp(lower) > LOST_PELVIS[1]:
            moves = f"the lower foot goes up and down by {1000 * np.ptp(lower):.0f} mm"
            if np.ptp(motion.root_positions, axis=0).max() < LOST_PELVIS[0]:  # as of a video, which does not say where a body is
                self.warn(f"the body stays where it is, while {moves}: the file says how it moves, not where")
                return
            self._object(f"the pelvis does not move vertically, while {moves}: its vertical motion is lost", lenient)

    def _object(self, complaint: str, lenient: bool) -> None:
        if not lenient:
            raise FormatError(f"{self.where}: {complaint}; with lenient=True it is used as it is")
        self.note(complaint)

    def _paths(self, motion: Motion | Draft, roles: Iterable[str]) -> dict[str, Array]:
        """Return where the joints of those roles that there are go, (T, 3) each."""
        joints = {role: self.roles.joints[role] for role in roles if role in self.roles.joints}
        paths = forward_kinematics(motion, tuple(joints.values()))
        return {role: paths[:, place] for place, role in enumerate(joints)}


def _lower_foot(paths: Mapping[str, Array]) -> Array:
    """Return the height of the lowest joint of both feet, (T,)."""
    return np.min([paths[role][:, 1] for role in _FEET if role in paths], axis=0)


def _set_upright(rotations: Array, turn: Array) -> Array:
    """Return local rotations (T, J, 4) after a turn (4,) of the whole figure."""
    out = np.array(rotations)
    out[:, 0] = multiply(turn, out[:, 0])
    return normalise(out)


def _turn(rotations: Array, enough: float) -> float:
    """Return by how much a joint other than the root turns at most from its first rotation, degrees; (T, J, 4), looked at until that is enough."""
    most = 0.0
    for start in range(0, len(rotations), _BLOCK):
        turned = angle_between(rotations[start : start + _BLOCK, 1:], rotations[:1, 1:])
        most = max(most, float(np.degrees(turned).max(initial=0.0)))
        if most >= enough:
            break
    return most


def _floor(lower_foot: Array) -> float:
    """Return the height at which feet rest, given that of the lower one over time."""
    return float(np.percentile(lower_foot, _FLOOR_PERCENTILE))


def _some(names: tuple[str, ...], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _some_positions(motion: Draft, most: int = 256) -> Array:
    """Return where every joint is, (<= `most`, J, 3), in frames spread over the motion."""
    step = max(1, -(-len(motion) // most))
    return forward_kinematics(motion[::step])
