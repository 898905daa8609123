"""C3D, the format of marker trajectories: bytes <-> :class:`~mocapgen.core.markers.Markers`.

ezc3d does the reading, in a process of its own (:mod:`mocapgen.formats._c3d_process`), after the sizes that the file states
were held against its length (:mod:`mocapgen.formats._c3d_header`).
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.marker_sets import load_marker_set, standard_labels
from mocapgen.anatomy.tables import SIDES
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Array, Motion
from mocapgen.formats import Format
from mocapgen.formats._c3d_axes import Landmarks, to_world
from mocapgen.formats._c3d_header import C3dHeader, check_header
from mocapgen.formats._c3d_process import Points, ReaderFailed, read_points
from schemas.errors import FormatError, MocapError

LARGEST = 1e6
"""Largest coordinate believed, in file units: a kilometre in millimetres."""
_FASTEST = 100_000.0  # frames per second


def parse_c3d(data: bytes, where: str, name: str = "markers") -> Markers:
    """Read the markers of a C3D file.

    Parameters
    ----------
    data : bytes
        The file's content.
    where : str
        Name of the file, for messages.
    name : str
        Name of the clip.

    Returns
    -------
    Markers
        Metres, world frame (y up). A subject's prefix (``Daniel:LFWT``) is taken off, unlabelled points (``*12``) are left
        out. A sample is not valid if its residual is negative (as a number or as 65535), it is not a number, or it lies at
        the very origin.

    Raises
    ------
    FormatError
        If the file is no C3D file, is cut short, contradicts itself, cannot be coped with by ezc3d, holds the markers of
        several people, or no unit makes them a person.
    MocapError
        If no temporary file can be written or no process started.
    """
    header = check_header(data, where)
    try:
        read = read_points(data)
    except ReaderFailed as error:
        raise FormatError(f"{where}: expected a C3D file that can be read, found: {error}") from None
    except OSError as error:  # not the file's fault
        raise MocapError(f"{where}: expected a temporary file and a process to run ezc3d in, found: {error.strerror or error}") from error
    _check_size(read, header, len(data), where)
    labels, chosen = _labels(read, where)
    # Labelled points usually stand together: a view is several times faster than a selection.
    columns = slice(chosen[0], chosen[-1] + 1) if chosen[-1] - chosen[0] == len(chosen) - 1 else chosen
    points = read.points[:, columns]
    valid = _valid(points, read.residuals[:, columns], read, where)
    if not valid.any():
        raise FormatError(f"{where}: expected markers, found {len(labels)} that are never seen")
    if not valid.all():
        points[~valid] = np.nan
    positions, axes = to_world(points, _landmarks(labels), _text(read, "POINT:UNITS"), _text(read, "POINT:Y_SCREEN").upper(), where)
    return Markers(labels, positions, valid, _frame_rate(read, where), name, axes.notes, axes.metres_per_unit, axes.up)


def read_markers(path: str | Path) -> Markers:
    """Read the markers of a C3D file by its path: see :func:`parse_c3d`.

    Raises
    ------
    FormatError
        As :func:`parse_c3d`, and if the file cannot be read.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    return parse_c3d(data, str(path), path.stem)


def format_c3d(markers: Markers, subject: str = "") -> bytes:
    """Return the bytes of a C3D file as Vicon writes it: millimetres, z up, 32-bit floating-point numbers.

    Parameters
    ----------
    markers : Markers
    subject : str
        Prefix of the labels, for example ``bd`` for ``bd:LFWT``.

    Returns
    -------
    bytes
        :func:`parse_c3d` undone, to 32-bit numbers; samples that are not valid have the residual -1.
    """
    import ezc3d

    file = ezc3d.c3d()
    points = np.ones((4, len(markers.labels), len(markers)))
    points[:3] = 1000.0 * markers.positions[..., [2, 0, 1]].T  # world (x, y, z) is the file's (y, z, x)
    group = file["parameters"]["POINT"]
    group["UNITS"]["value"] = ["mm"]
    group["RATE"]["value"] = [markers.fps]
    group["LABELS"]["value"] = [f"{subject}:{label}" if subject else label for label in markers.labels]
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z"])
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = np.where(markers.valid, 0.0, -1.0).T[None]
    file["data"]["meta_points"]["camera_masks"] = np.zeros((7, *points.shape[1:]), dtype=np.bool_)
    with tempfile.TemporaryDirectory(prefix="mocapgen-") as folder:
        path = Path(folder) / "markers.c3d"
        file.write(str(path))
        return path.read_bytes()


def write_c3d(path: str | Path, markers: Markers, subject: str = "") -> None:
    """Write markers to a C3D file: see :func:`format_c3d`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    Path(path).write_bytes(format_c3d(markers, subject))


def _check_size(read: Points, header: C3dHeader, size: int, where: str) -> None:
    frames, count, _ = read.points.shape
    if count != header.points or frames == 0 or header.data_start + frames * header.frame_bytes > size:
        stated, found = f"{header.frames} frames of {header.points} markers", f"{frames} of {count}"
        raise FormatError(f"{where}: expected {stated}, found {found}: header and parameters contradict each other")


def _labels(read: Points, where: str) -> tuple[tuple[str, ...], list[int]]:
    """Return the labels of the markers that have one, and which points they are."""
    count = read.points.shape[1]
    written = [_printable(str(label)) for part in ("", *map(str, range(2, 10))) for label in read.parameters.get(f"POINT:LABELS{part}", [])][:count]
    named = [(index, label) for index, label in enumerate(written) if label and not label.startswith("*")]
    subjects = sorted({label.rpartition(":")[0] for _, label in named if ":" in label})
    if len(subjects) > 1:
        raise FormatError(f"{where}: expected the markers of one person, found those of {', '.join(subjects[:4])}")
    labels = tuple(label.rpartition(":")[2] for _, label in named)
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if not labels or repeated:
        found = f"{', '.join(repeated[:4])} more than once" if repeated else f"none among {count} points"
        raise FormatError(f"{where}: POINT:LABELS: expected one label for each marker, found {found}")
    return labels, [index for index, _ in named]


def _valid(points: Array, residuals: Array, read: Points, where: str) -> NDArray[np.bool_]:
    """Build the one validity mask, (T, M), from residuals, NaN and zeros."""
    scale = abs(float(_value(read, "POINT:SCALE", 1.0)))
    # The residual is a byte times the scale; from 128 on the word that held it was negative, written as 65535 in some files.
    x, y, z = (np.abs(points[..., axis]) for axis in range(3))
    reach = np.maximum(np.maximum(x, y), z)
    seen = (residuals >= 0) & ~(residuals > 127.5 * scale) & (reach > 0) & (reach < np.inf)  # NaN is neither above 0 nor below infinity
    if (large := reach.max(where=seen, initial=0.0)) > LARGEST:
        raise FormatError(f"{where}: expected coordinates within +-{LARGEST:g}, found {large:.3g}: the data are damaged or of another number format")
    return seen


def _frame_rate(read: Points, where: str) -> float:
    rate = _value(read, "POINT:RATE", 0.0)
    if not 0 < rate < _FASTEST:
        raise FormatError(f"{where}: POINT:RATE: expected frames per second, found {rate:g}")
    return float(np.round(rate, 4))


@lru_cache(maxsize=64)
def _landmarks(labels: tuple[str, ...]) -> Landmarks:
    """Find head, pelvis, knees and feet among the labels, by the standard set and its synonyms."""
    marker_set = load_marker_set()
    found = standard_labels(labels, marker_set)

    def those(*landmarks: str) -> tuple[int, ...]:
        wanted = [marker_set.label(side + landmark) for landmark in landmarks for side in SIDES]
        return tuple(labels.index(found[label]) for label in wanted) if all(label in found for label in wanted) else ()

    return Landmarks(those("FrontHead", "BackHead"), those("FrontWaist", "BackWaist"), those("Knee"), those("Heel", "Toe"))


def _text(read: Points, parameter: str) -> str:
    return _printable(str(next(iter(read.parameters.get(parameter, [])), "")))


def _printable(text: str) -> str:
    """Return a text as fit for a message: no blanks around it, no control characters, not endless."""
    text = text.strip()[:40]
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def _value(read: Points, parameter: str, otherwise: float) -> float:
    value = next(iter(read.parameters.get(parameter, [])), otherwise)
    return float(value) if isinstance(value, int | float) else otherwise


def _write_joints(path: Path, motion: Motion) -> None:
    """Write a marker at every joint, labelled by its name."""
    positions = forward_kinematics(motion)
    write_c3d(path, Markers(motion.skeleton.names, positions, np.ones(positions.shape[:2], dtype=np.bool_), motion.fps, motion.name))


FORMAT = Format(".c3d", read_markers, _write_joints)
