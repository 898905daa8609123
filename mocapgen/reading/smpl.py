"""From a file of AMASS to a motion: the bones of an own avatar, or those of the user's licensed body model.

The rotations are those of the file in either case. Lengths are not: the file gives them as shape parameters, which only the licensed model
turns into bones. Without it, the figure has the bones of :data:`BODY`, and its path is scaled so that the feet rest on the floor, as a person of
that size would walk.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.roles import leg_length
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, from_vectors, make_continuous, multiply, rotate
from mocapgen.formats.amass import JOINTS, Amass
from mocapgen.reading.axes import DECIDED, UPRIGHT
from mocapgen.reading.body_model import find_body_model
from mocapgen.retarget.floor import level_floor, path_scale
from schemas.conventions import END_POINTS

BODY = "average_man"
"""The avatar whose bones are taken where there is no body model: its tree of joints is SMPL's."""
UP = "z"
"""The axis that points up in files of AMASS."""
_LOOKS = 100  # frames in which is looked for what is up


def motion_of(file: Amass, up: str | None = None, body_model: str | Path | None = None) -> tuple[Motion, tuple[str, ...], tuple[str, ...]]:
    """Return the motion of a file of AMASS.

    Parameters
    ----------
    file : Amass
    up : {"y", "z"}, optional
        The file's axis that points up; by default z, as AMASS has it.
    body_model : str or Path, optional
        The user's licensed model, or a folder of models: see :func:`~mocapgen.reading.body_model.find_body_model`.

    Returns
    -------
    motion : Motion
        Metres, y up, on the joints of the file schema.
    notes : tuple of str
        What was decided, one line each.
    warnings : tuple of str
        Those of the notes that somebody should check.

    Raises
    ------
    ConfigError, FormatError
        If there is no such body model, it is damaged, or of another kind than the file.
    """
    notes = list(file.notes)
    skeleton, pelvis = avatar_skeleton(load_avatar(BODY)), np.zeros(3)
    if body_model is not None:
        model = find_body_model(body_model, file.gender, file.model, file.where)
        at, used = model.joints(file.betas)
        skeleton, pelvis = _with_bones(skeleton, at), at[0]
        notes.append(f"{file.where}: bones of {model.path.name} with {used} of {len(file.betas)} shape parameters")
    rotations = np.tile(IDENTITY, (len(file.rotations), len(skeleton.names), 1))
    rotations[:, skeleton.indices(list(JOINTS.values()))] = from_vectors(file.rotations)
    rotations[:, 0] = multiply(UPRIGHT[up or UP], rotations[:, 0])
    path = rotate(UPRIGHT[up or UP], file.translation + pelvis)
    motion = Motion(skeleton, make_continuous(rotations), path, file.fps, PurePath(file.where).stem)
    warnings = _other_axis(motion, up, file.where)
    if body_model is None:
        motion, note = _to_size(motion)
        notes.append(f"{file.where}: {note}")
    return motion, (*notes, *warnings), warnings


def _with_bones(skeleton: Skeleton, at: Array) -> Skeleton:
    """Return the skeleton with joints at other places, (22, 3); ends of bones, which body models do not have, in proportion to the legs."""
    places, order = dict(zip(JOINTS.values(), at, strict=True)), skeleton.names
    offsets = np.array(skeleton.offsets)
    for index, name in enumerate(order[1:], start=1):
        if name not in END_POINTS:
            offsets[index] = places[name] - places[order[skeleton.parents[index]]]
    found = Skeleton(order, skeleton.parents, offsets, skeleton.end_sites)
    ends = skeleton.indices(sorted(END_POINTS))
    offsets[ends] *= leg_length(found, find_roles(found)) / leg_length(skeleton, find_roles(skeleton))
    return Skeleton(order, skeleton.parents, offsets, skeleton.end_sites)


def _to_size(motion: Motion) -> tuple[Motion, str]:
    """Return the motion with the path of a person of the skeleton's size, its feet on the floor, and what was done."""
    roles, said = find_roles(motion.skeleton), f"bones of {BODY}, as the person's own need the body model"
    scale = path_scale(motion, roles)
    if scale is None:
        said += "; the feet do not tell how large the person is: the path is the file's"
    else:
        motion = replace(motion, root_positions=motion.root_positions * scale)
        said += f"; the path is {100 * scale:.0f} % of the file's, so that feet rest on the floor"
    motion, levelled = level_floor(motion, roles)
    return motion, f"{said}; {levelled}" if levelled else said


def _other_axis(motion: Motion, up: str | None, where: str) -> tuple[str, ...]:
    """Return a warning if the head is above the feet along the other axis: files of other programs have y up."""
    if up is not None:
        return ()
    some = motion[:: max(1, len(motion) // _LOOKS)]
    at = forward_kinematics(some, ["Head", "LeftFoot", "RightFoot"])
    height = at[:, 0] - 0.5 * (at[:, 1] + at[:, 2])
    lying = np.abs(height[:, 2]) > 2.0 * np.hypot(height[:, 0], height[:, 1])  # along the file's y
    if lying.mean() < DECIDED:
        return ()
    return (f"{where}: {UP} is up in AMASS, but the figure lies along y in {100 * lying.mean():.0f} % of the frames; if y is up here, say up=y",)
