"""What can be wrong with cameras and pixels."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np

from tests.inspect.defects import Array, Defect, change, joint, rewrite, rows
from tests.inspect.planting import SEQUENCES, camera_of, perform, shifted

KICK, LIE, SQUAT, WALK = SEQUENCES.values()


def _flip(file: h5py.File) -> None:
    def edit(values: Array) -> None:
        values[..., 1] = file["/cameras/height"][0] - values[..., 1]

    for sequence in range(len(file["/sequences/start"])):
        change(file, "positions_2d", sequence, edit)


def _scale(file: h5py.File) -> None:
    change(file, "positions_2d", SQUAT, lambda values: values * np.float32(0.5))


def _seen_from_elsewhere(file: h5py.File) -> None:
    """The pixels are those of a camera a metre to the side that looks at the person from there."""
    camera, place = camera_of(file, WALK), rows(file, WALK)
    world = camera.to_world(file["/frames/positions_3d"][place])
    turn = np.array([[np.cos(0.2), 0.0, np.sin(0.2)], [0.0, 1.0, 0.0], [-np.sin(0.2), 0.0, np.cos(0.2)]])
    other = replace(camera, R=turn @ camera.R, t=turn @ camera.t + [1.0, 0.0, 0.0])
    file["/frames/positions_2d"][place] = other.project(other.to_camera(world))


def _other_lens(file: h5py.File) -> None:
    file["/cameras/K"][int(file["/sequences/camera"][WALK])] *= np.array([[1.25, 1.0, 1.0], [1.0, 1.25, 1.0], [1.0, 1.0, 1.0]])


def _wrong_camera(file: h5py.File) -> None:
    """A clip before two cameras, and the row of the second one points at the camera of another clip."""
    for name in ("start", "length", "clip", "camera", "avatar"):
        column = file[f"/sequences/{name}"]
        values = column.asstr()[:] if name == "avatar" else column[:]
        rewrite(file, f"/sequences/{name}", np.append(values, values[LIE]))
    file["/sequences/camera"][-1] = file["/sequences/camera"][KICK]


def _one_pixel(file: h5py.File) -> None:
    def edit(values: Array) -> None:
        values[33, joint(file, "Head"), 0] += 1.0

    change(file, "positions_2d", KICK, edit)


def _towards(metres: float):
    """Move a person along the camera's axis, away from it if positive."""

    def plant(file: h5py.File) -> None:
        forward = file["/cameras/R"][int(file["/sequences/camera"][KICK])][2] * [1.0, 0.0, 1.0]
        perform(file, KICK, lambda motion: shifted(motion, metres * forward / np.linalg.norm(forward)))

    return plant


def _aside(file: h5py.File) -> None:
    right = file["/cameras/R"][int(file["/sequences/camera"][SQUAT])][0]
    perform(file, SQUAT, lambda motion: shifted(motion, 3.0 * right))


def _inverted(file: h5py.File) -> None:
    for sequence in (WALK, LIE):
        change(file, "in_view", sequence, lambda values: ~values)


def _one_flag(file: h5py.File) -> None:
    def edit(values: Array) -> None:
        values[12, joint(file, "LeftHand")] = False

    change(file, "in_view", SQUAT, edit)


def _many_from_one_side(file: h5py.File) -> None:
    """Twice as many sequences, all seen from the front as those of the clean file are, enough for a pattern."""
    for name in ("start", "length", "clip", "camera", "avatar"):
        column = file[f"/sequences/{name}"]
        rewrite(file, f"/sequences/{name}", np.tile(column.asstr()[:] if name == "avatar" else column[:], 2))


DEFECTS = (
    Defect("y counted from the bottom", "camera.projection", _flip),
    Defect("pixels of an image half the size", "camera.projection", _scale, SQUAT),
    Defect("pixels of another camera", "camera.projection", _seen_from_elsewhere, WALK),
    Defect("another focal length", "camera.projection", _other_lens, WALK),
    Defect("one joint a pixel off", "camera.projection", _one_pixel, KICK, 33, "Head"),
    Defect("a person behind the camera", "camera.behind", _towards(-12.0), KICK),
    Defect("all flags inverted", "camera.in_view", _inverted, WALK),
    Defect("one flag wrong", "camera.in_view", _one_flag, SQUAT, 12, "LeftHand"),
    Defect("a person half outside the image", "camera.share_in_view", _aside, SQUAT),
    Defect("a person as small as a thumb", "camera.person_size", _towards(40.0), KICK),
    Defect("a person much too near", "camera.person_size", _towards(-1.2), KICK),
    Defect("the wrong camera", "camera.same_world", _wrong_camera),
    Defect("many sequences, all from the front", "camera.coverage", _many_from_one_side, options={"threshold": "info"}),
)
