"""AMASS: motions of SMPL bodies in NumPy's ``.npz``, as rotation vectors of joints; SMPL, SMPL+H and SMPL-X (https://amass.is.tue.mpg.de).

A file says how the body moves and, by shape parameters that mean something to the licensed body models only, how it is built. Which bones it moves
here is for :mod:`mocapgen.reading.smpl` to say.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.formats import Format
from mocapgen.formats.limits import LARGEST, SLOWEST, read_file
from mocapgen.shared.pickled_arrays import load_npy
from mocapgen.shared.room import Room
from mocapgen.shared.text import printable
from mocapgen.shared.zips import FAULTS, members, unpack
from schemas.errors import DatasetError, FormatError

JOINTS = {
    "pelvis": "Hips",
    "left_hip": "LeftUpperLeg",
    "right_hip": "RightUpperLeg",
    "spine1": "Spine",
    "left_knee": "LeftLowerLeg",
    "right_knee": "RightLowerLeg",
    "spine2": "Chest",
    "left_ankle": "LeftFoot",
    "right_ankle": "RightFoot",
    "spine3": "UpperChest",
    "left_foot": "LeftToes",
    "right_foot": "RightToes",
    "neck": "Neck",
    "left_collar": "LeftShoulder",
    "right_collar": "RightShoulder",
    "head": "Head",
    "left_shoulder": "LeftUpperArm",
    "right_shoulder": "RightUpperArm",
    "left_elbow": "LeftLowerArm",
    "right_elbow": "RightLowerArm",
    "left_wrist": "LeftHand",
    "right_wrist": "RightHand",
}
"""The body's joints in the order of the files, the same in all three models, each with the joint of the file schema that it is."""
WIDTHS = {66: "", 72: "SMPL", 156: "SMPL+H", 165: "SMPL-X"}
"""Models by the numbers of a frame: three for each joint, those of the body first; the body alone may be any of them."""
_LEFT_OUT = {"SMPL+H": "30 joints of the fingers", "SMPL-X": "jaw, eyes and 30 joints of the fingers"}
_RATES = ("mocap_framerate", "mocap_frame_rate", "fps")
_WANTED = ("poses", "root_orient", "pose_body", "trans", "betas", "gender", "surface_model_type", *_RATES)
_MODELS = {"smplx": "SMPL-X", "smplh": "SMPL+H", "smpl": "SMPL"}
"""By what ``surface_model_type`` begins with."""
_MOST_TURNED = 4.0 * np.pi
"""Radians, the longest rotation vector that is taken for one: half a turn is enough for any rotation, fits may need a whole one."""
_FARTHEST = 50.0
"""Metres from the origin of a capture volume in half of the frames."""
_MOST_BETAS = 300
_FASTEST = 100_000.0  # frames per second


@dataclass(frozen=True, eq=False)
class Amass:
    """What a file of AMASS says.

    Parameters
    ----------
    rotations : (T, 22, 3) float64
        Rotation vectors of :data:`JOINTS`, radians: relative to the parent, of the pelvis to the file's world.
    translation : (T, 3) float64, metres
        Of the body as a whole, in the file's world; the pelvis is a few centimetres from it, which only the body model says.
    fps : float
    model : str
        ``SMPL``, ``SMPL+H`` or ``SMPL-X``; empty if that is not known.
    gender : str
        ``female``, ``male`` or ``neutral``.
    betas : (N,) float64
        Shape parameters; empty if there are none.
    where : str
        The file, for messages.
    notes : tuple of str
    """

    rotations: Array
    translation: Array
    fps: float
    model: str
    gender: str
    betas: Array
    where: str
    notes: tuple[str, ...] = ()


def what_else(names: frozenset[str]) -> str | None:
    """Return what an archive with arrays of these names is if it is no motion of AMASS; None if it is one."""
    if "poses" in names or {"root_orient", "pose_body"} <= names:
        return None
    if {"positions_3d", "start", "length"} <= names:
        return "positions that mocapgen exported, which have no rotations; build from what they were made of"
    if names & {"v_template", "J_regressor"}:
        return "a body model; give it as body_model=PATH beside motions"
    if names & {"betas", "gender"}:
        return "the shape of a person without a motion"
    return f"an archive with {', '.join(sorted(printable(name)[:30] for name in names)[:6]) or 'no arrays'}"


def array_names(archive: zipfile.ZipFile) -> frozenset[str]:
    """Return the names of the arrays in an npz file."""
    return frozenset(member.filename.removesuffix(".npy") for member in members(archive))


def parse_amass(data: bytes, where: str, fps: float | None = None) -> Amass:
    """Read a motion of AMASS.

    Parameters
    ----------
    data : bytes
        The file.
    where : str
        What messages call it.
    fps : float, optional
        Frames per second, in place of what the file states.

    Raises
    ------
    FormatError
        If it is no such file, damaged, or does not say its frame rate: with the array, the frame and the joint.
    """
    arrays = _arrays(data, where)
    poses, angles = _poses(arrays, where)
    count, width = angles.shape
    model = WIDTHS.get(width)
    if model is None:
        raise FormatError(f"{where}: {poses}: expected {', '.join(map(str, WIDTHS))} numbers a frame, three for each joint, found {width}")
    stated = _text(arrays.get("surface_model_type"))
    model = next((name for start, name in _MODELS.items() if stated.startswith(start)), model)
    rotations = angles[:, : 3 * len(JOINTS)].reshape(count, len(JOINTS), 3)
    translation = _numbers(arrays, "trans", where)
    if translation.shape != (count, 3):
        raise FormatError(f"{where}: trans: expected {count:,} frames of 3 numbers, as many as {poses} has, found {_size(translation)}")
    for name, values in ((poses, rotations), ("trans", translation)):
        _check_finite(values, name, where)
    _check_units(rotations, translation, poses, where)
    notes = [f"{where}: {_LEFT_OUT[model]} left out: the skeleton has none"] if model in _LEFT_OUT and width > 66 else []
    return Amass(rotations, translation, _rate(arrays, fps, where), model, _gender(arrays, where, notes), _betas(arrays, where), where, tuple(notes))


def _arrays(data: bytes, where: str) -> dict[str, Any]:
    """Return the arrays that matter; others are not looked at, as AMASS keeps Python objects in some."""
    room = Room(Path(where), len(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if other := what_else(array_names(archive)):
                raise FormatError(f"{where}: expected a motion of AMASS (arrays poses and trans), found {other}")
            found: dict[str, Any] = {}
            for member in members(archive):
                name = member.filename.removesuffix(".npy")
                if name in _WANTED and not (name == "pose_body" and "poses" in found):
                    room.require_unpacked(member.file_size)
                    found[name] = load_npy(unpack(archive, member), Room(Path(f"{where}: {name}"), len(data)))
            return found
    except FAULTS as error:
        found_instead = "no zip" if not data.startswith(b"PK") else f"a damaged one: {printable(str(error))[:100] or type(error).__name__}"
        raise FormatError(f"{where}: expected an npz file of AMASS, a zip of arrays, found {found_instead}; copy or fetch it again") from None
    except DatasetError as error:  # of arrays, whoever reads them
        raise FormatError(str(error)) from None


def _poses(arrays: Mapping[str, Any], where: str) -> tuple[str, Array]:
    """Return the rotations of all joints, (T, 3 J), and the array that holds them."""
    if "poses" in arrays:
        return "poses", _frames(arrays, "poses", where)
    root, body = (_frames(arrays, name, where) for name in ("root_orient", "pose_body"))
    if root.shape[1] != 3 or len(root) != len(body) or body.shape[1] != 63:
        raise FormatError(
            f"{where}: root_orient and pose_body: expected as many frames of 3 and of 63 numbers, found {_size(root)} and {_size(body)}"
        )
    return "pose_body", np.concatenate([root, body], axis=1)


def _frames(arrays: Mapping[str, Any], name: str, where: str) -> Array:
    """Return an array of frames with one axis for what is in each: (T, J, 3) counts as (T, 3 J)."""
    values = _numbers(arrays, name, where)
    if values.ndim == 3 and values.shape[2] == 3:
        values = values.reshape(len(values), -1)
    if values.ndim != 2 or not len(values):
        raise FormatError(f"{where}: {name}: expected frames of rotation vectors, at least one, found {_size(values)}")
    return values


def _numbers(arrays: Mapping[str, Any], name: str, where: str) -> Array:
    values = arrays.get(name)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        found = "none" if values is None else f"one of {values.dtype}" if isinstance(values, np.ndarray) else "a Python object"
        raise FormatError(f"{where}: {name}: expected an array of numbers, found {found}")
    return values.astype(np.float64)


def _check_finite(values: Array, name: str, where: str) -> None:
    """Refuse what is no number, or none that measures anything."""
    odd = ~(np.abs(values) < LARGEST)
    if odd.any():
        place = tuple(int(index) for index in np.argwhere(odd)[0])
        joint = f", joint {list(JOINTS)[place[1]]}" if values.ndim == 3 else ""
        raise FormatError(f"{where}: {name}: expected finite numbers, found {values[place]:g} in frame {place[0]}{joint}")


def _check_units(rotations: Array, translation: Array, poses: str, where: str) -> None:
    """Refuse degrees, and paths in centimetres or millimetres: files that other programs write like AMASS's, and that read without a fault."""
    largest = float(np.median(np.linalg.norm(rotations, axis=-1).max(axis=1)))
    if largest > _MOST_TURNED:
        raise FormatError(
            f"{where}: {poses}: expected rotation vectors in radians, found {largest:.0f} in half of the frames; if these are degrees, save radians"
        )
    height = float(np.median(np.abs(translation).max(axis=1)))
    if height > _FARTHEST:
        raise FormatError(
            f"{where}: trans: expected metres, found {height:.0f} in half of the frames; if these are centimetres or millimetres, save metres"
        )


def _rate(arrays: Mapping[str, Any], given: float | None, where: str) -> float:
    names = [name for name in _RATES if name in arrays]
    if given is None and not names:
        advice = "say it with fps=..., or for a build in a table of clips"
        raise FormatError(f"{where}: expected the frame rate ({' or '.join(_RATES[:2])}), found none; {advice}")
    name, values = ("fps", np.array(given)) if given is not None else (names[0], _numbers(arrays, names[0], where))
    rate = float(values.ravel()[0]) if values.size == 1 else 0.0
    if not SLOWEST <= rate <= _FASTEST:
        expected = f"expected frames per second from {SLOWEST:g} to {_FASTEST:g}"
        raise FormatError(f"{where}: {name}: {expected}, found {_found(values)}; say it with fps=...")
    return rate


def _gender(arrays: Mapping[str, Any], where: str, notes: list[str]) -> str:
    text = _text(arrays.get("gender"))
    known = {"f": "female", "m": "male", "n": "neutral"}.get(text[:1], "")
    if text and not known:
        notes.append(f"{where}: gender: expected female, male or neutral, found {printable(text)[:20]!r}: neutral taken")
    return known or "neutral"


def _betas(arrays: Mapping[str, Any], where: str) -> Array:
    """Return the shape parameters: the first frame's, where there are some for each."""
    if "betas" not in arrays:
        return np.zeros(0)
    values = _numbers(arrays, "betas", where)
    values = values[0] if values.ndim == 2 and len(values) else values
    if values.ndim != 1 or len(values) > _MOST_BETAS or not (np.abs(values) < LARGEST).all():
        raise FormatError(f"{where}: betas: expected up to {_MOST_BETAS} finite numbers, found {_found(values)}")
    return values


def _text(value: Any) -> str:
    """Return a text that may be an array without dimensions, or bytes; empty if it is none."""
    value = value.ravel()[0] if isinstance(value, np.ndarray) and value.size == 1 else value
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return str(value).strip().lower() if isinstance(value, str) else ""


def _size(values: NDArray[Any]) -> str:
    return f"an array of {' x '.join(f'{size:,}' for size in values.shape) or 'no'} numbers"


def _found(values: Array) -> str:
    return f"{values.ravel()[0]:g}" if values.size == 1 else _size(values)


def _read(path: Path, *, fps: float | None = None) -> Amass:
    return parse_amass(read_file(path), str(path), fps)


FORMAT = Format(".npz", _read, None, ("fps", "up", "body_model"))
