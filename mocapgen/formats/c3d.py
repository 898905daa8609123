"""C3D, the format of marker trajectories: bytes <-> :class:`~mocapgen.core.markers.Markers`.

:mod:`mocapgen.formats.c3d_file` reads the file as it stands; here it is decided what of it are one person's markers, when they were seen,
and what unit and axes the numbers have.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.marker_sets import load_marker_set, recognise_marker_set, standard_labels
from mocapgen.anatomy.tables import SIDES
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Motion
from mocapgen.formats import Format
from mocapgen.formats._c3d_axes import Landmarks, to_world
from mocapgen.formats._c3d_labels import choose_subject, labelled_points, persons, printable, without_duplicates
from mocapgen.formats.c3d_file import C3dFile, parse_c3d_file, parse_c3d_parameters
from mocapgen.formats.limits import SLOWEST, read_file
from schemas.errors import FormatError
from schemas.marker_set import MarkerSet

LARGEST = 1e6
"""Largest coordinate believed, in file units: a kilometre in millimetres."""
_FASTEST = 100_000.0  # frames per second


def parse_c3d(
    data: bytes,
    where: str,
    name: str = "markers",
    *,
    subject: str | None = None,
    marker_set: str | Path | None = None,
    lenient: bool = False,
) -> Markers:
    """Read the markers of one person in a C3D file.

    Parameters
    ----------
    data : bytes
        The file's content.
    where : str
        Name of the file, for messages.
    name : str
        Name of the clip.
    subject : str, optional
        Whose markers; needed where there are several people.
    marker_set : str or Path, optional
        What the labels mean; by default the built-in set that fits best. Needed to tell people from props, and for unit and axes.
    lenient : bool
        Take what is there of a file that was cut short.

    Returns
    -------
    Markers
        Metres, world frame (y up). A subject's prefix (``Daniel:LFWT``) is taken off; unlabelled points (``*12``), results of models and
        props are left out. A sample is not valid if its residual is negative, it is not a number, or it lies at
        the very origin. If all residuals of the file are negative, they say nothing and the coordinates alone are believed.

    Raises
    ------
    FormatError
        If the file is no C3D file, is cut short, contradicts itself, holds the markers of several people, or no unit makes them a person.
    """
    file = parse_c3d_file(data, where, lenient)
    chosen = None if marker_set is None else load_marker_set(marker_set)
    points = labelled_points(file, chosen)
    if not points:
        raise FormatError(f"{where}: POINT:LABELS: expected one label for each marker, found none among {file.points.shape[1]} points")
    points, notes = choose_subject(points, subject, where, chosen)
    if file.missing_frames:
        notes += (f"cut short: {len(file)} of {len(file) + file.missing_frames} frames are there",)
    columns = np.array([point.column for point in points])
    valid, blind = _valid(file, columns, where)
    if blind:
        notes += ("all residuals are negative, as if nothing was seen; markers are taken as seen where they have coordinates",)
    seen = np.zeros(file.points.shape[1], dtype=np.bool_)
    seen[columns] = valid.any(axis=0)
    kept, more = without_duplicates(points, seen.tolist())
    places = np.searchsorted(columns, [point.column for point in kept])
    labels, valid = tuple(point.label for point in kept), valid[:, places]
    if not valid.any():
        raise FormatError(f"{where}: expected markers, found {len(labels)} that are never seen")
    positions = np.where(valid[..., None], file.points[:, columns[places]], np.float32(np.nan)).astype(np.float64)
    there = tuple(label if valid[:, column].any() else "" for column, label in enumerate(labels))
    positions, axes = to_world(positions, _landmarks(there, marker_set), _text(file, "POINT:UNITS"), _text(file, "POINT:Y_SCREEN").upper(), where)
    return Markers(labels, positions, valid, _frame_rate(file, where), name, (*notes, *more, *axes.notes), axes.metres_per_unit, axes.up)


def people_in_c3d(head: bytes, where: str, marker_set: str | Path | None = None) -> tuple[str, ...]:
    """Return the names of the people in a C3D file, from its first bytes: those that hold the parameters.

    Raises
    ------
    FormatError
        If these are not the first bytes of a C3D file, or not enough of them.
    """
    chosen = None if marker_set is None else load_marker_set(marker_set)
    return persons(labelled_points(parse_c3d_parameters(head, where), chosen), chosen)


def read_markers(path: str | Path, *, subject: str | None = None, marker_set: str | Path | None = None, lenient: bool = False) -> Markers:
    """Read the markers of a C3D file by its path: see :func:`parse_c3d`.

    Raises
    ------
    FormatError
        As :func:`parse_c3d`, and if the file cannot be read.
    """
    path = Path(path)
    return parse_c3d(read_file(path), str(path), path.stem, subject=subject, marker_set=marker_set, lenient=lenient)


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


def _valid(file: C3dFile, columns: NDArray[np.intp], where: str) -> tuple[NDArray[np.bool_], bool]:
    """Build the one validity mask, (T, M), from residuals, NaN and zeros; also return whether the residuals had to be ignored."""
    points, residuals = file.points[:, columns], file.residuals[:, columns]
    with np.errstate(invalid="ignore"):  # NaN is neither above 0 nor below infinity
        x, y, z = (np.abs(points[..., axis]) for axis in range(3))
        reach = np.maximum(np.maximum(x, y), z)
        there = (reach > 0) & (reach < np.inf)
    seen = there & (residuals >= 0)
    blind = bool(not seen.any() and there.any() and (residuals < 0).all())
    seen = there if blind else seen
    if (large := reach.max(where=seen, initial=0.0)) > LARGEST:
        raise FormatError(f"{where}: expected coordinates within +-{LARGEST:g}, found {large:.3g}: the data are damaged or of another number format")
    return seen, blind


def _frame_rate(file: C3dFile, where: str) -> float:
    if not SLOWEST <= file.fps < _FASTEST:
        raise FormatError(f"{where}: POINT:RATE: expected frames per second, found {file.fps:g}")
    return float(np.round(file.fps, 4))


@lru_cache(maxsize=64)
def _landmarks(labels: tuple[str, ...], marker_set: str | Path | None) -> Landmarks:
    """Find head, pelvis, knees and feet among the labels."""
    chosen: MarkerSet = recognise_marker_set(labels) if marker_set is None else load_marker_set(marker_set)
    found = standard_labels(labels, chosen)

    def those(*landmarks: str) -> tuple[int, ...]:
        wanted = [chosen.landmarks.get(side + landmark, "") for landmark in landmarks for side in SIDES]
        return tuple(labels.index(found[label]) for label in wanted if label in found)

    return Landmarks(those("FrontHead", "BackHead"), those("FrontWaist", "BackWaist"), those("Knee"), those("Heel", "Toe"))


def _text(file: C3dFile, parameter: str) -> str:
    return printable(next(iter(file.texts(parameter)), ""))


def _write_joints(path: Path, motion: Motion) -> None:
    """Write a marker at every joint, labelled by its name."""
    positions = forward_kinematics(motion)
    write_c3d(path, Markers(motion.skeleton.names, positions, np.ones(positions.shape[:2], dtype=np.bool_), motion.fps, motion.name))


FORMAT = Format(".c3d", read_markers, _write_joints, ("subject", "marker_set", "lenient"))
