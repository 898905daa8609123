"""Read keypoints from any of the file formats, with what the file does not state given as arguments."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from mocapgen.shared.text import one_line, quoted
from schemas.errors import DatasetError
from trainer.predict.keypoints import archives, hdf5, json_files, tables, yolo
from trainer.predict.keypoints.arrays import Array
from trainer.predict.keypoints.content import Archive, Folder, Hdf5, Table, load
from trainer.predict.keypoints.detections import Detections, look_normalised, without_the_unseen
from trainer.predict.keypoints.frames import MOST_FPS
from trainer.predict.keypoints.keypoints import Keypoints, Person, largest_first
from trainer.predict.keypoints.layouts import LAYOUTS, to_detector
from trainer.predict.keypoints.recognise import layout_of
from trainer.predict.keypoints.tracker import follow
from trainer.predict.keypoints.vocabulary import number_of

_SMALL = 0.5
"""Share of an image in whose upper left corner nobody stays for a whole video."""
_MOST_ROWS = 4_000_000
"""Frames of everybody together, those without them included: with ``--person all`` there is a row for each."""
_FRAMES_EACH = 20
"""Frames in which somebody is looked for, for each in which somebody is seen."""
_LARGEST = 1e9
"""Pixels: no coordinate comes near it, and its square is still a number."""
_MOST_SIDE = 65_536
"""Pixels, as of the setting ``image``."""
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    csv.Error,
)
"""What Python, NumPy and the readers raise where a file holds something else than they look for."""


def read_keypoints(path: str | Path, layout: str | None = None, fps: float | None = None, image: tuple[int, int] | None = None) -> Keypoints:
    """Read the keypoints of the people in a video.

    Parameters
    ----------
    path : str or Path
        A file of keypoints, a folder with one for each frame, a zipped one, or a pattern such as ``folder/clip1_*`` (see docs/predictions.md).
    layout : str, optional
        One of :data:`LAYOUTS`; by default the one stated in the file, else that of the tool, or the one that the proportions of the body tell.
    fps : float, optional
        Frames per second; overrides what the file states.
    image : (width, height), optional
        Likewise.

    Returns
    -------
    Keypoints
        Row k of each person is the time k / fps; frames without a detection are missing.

    Raises
    ------
    DatasetError
        In one line: what is missing or does not fit, and which argument gives it.
    """
    path = Path(path)
    try:
        return _read(path, layout, fps, image)
    except DatasetError as error:
        text = str(error)
        subject = str(path) if text.startswith(f"{path}: ") else ""  # else that of one of its files
        raise DatasetError(one_line(subject, text.removeprefix(f"{subject}: "))) from None
    except _DAMAGE as error:
        # Readers look for what tools write; of the many ways in which a file may be something else they check those that happen.
        found = "more than fits into memory" if isinstance(error, MemoryError) else f"another form ({type(error).__name__}: {str(error)[:80]})"
        raise DatasetError(one_line(str(path), f"expected keypoints in the form of a tool that is known, found {found}")) from error


def _read(path: Path, layout: str | None, fps: float | None, image: tuple[int, int] | None) -> Keypoints:
    found = _load(path, fps)
    _require_sound(found, path)
    found.points = without_the_unseen(found.points)
    shares = look_normalised(found.points) if found.normalised is None else found.normalised
    rate, width, height = _known(fps if fps is not None else found.fps, *(image or (found.width, found.height)), shares, path)
    if shares:
        _require_shares(found.points, path)
        found.points[..., :2] *= (width, height)
    if not (found.points[..., 2] > 0).any():
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {found.count} frames")
    if found.names is None or layout:
        chosen, about_layout = layout_of(found, layout, path)
        names = LAYOUTS[chosen]
    else:
        chosen, about_layout, names = "", (), found.names
    people = _people(found, names, rate, path)
    notes = (*found.notes, *about_layout, *_about_people(people), *_about_the_image(found.points, width, height))
    return Keypoints(tuple(people), rate, width, height, chosen, notes)


def _load(path: Path, fps: float | None) -> Detections:
    """Return the detections in a file or folder."""
    content = load(path)
    if isinstance(content, Folder):
        return yolo.read(content, path) if content.suffix == ".txt" else json_files.read_folder(content, path)
    if isinstance(content, Table):
        return tables.read(content, path, fps)
    if isinstance(content, Archive):
        return archives.read(content, path)
    if isinstance(content, Hdf5):
        return hdf5.read(content, path)
    return json_files.read(content, path, fps)


def _require_sound(found: Detections, path: Path) -> None:
    """Refuse detections that nothing further on could handle."""
    if not len(found.rows):
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {found.count} frames")
    if not isinstance(found.layout, str | None):
        raise DatasetError(f"{path}: expected the name of a layout of joints, found {quoted(found.layout)}")
    with np.errstate(invalid="ignore"):
        largest = np.abs(found.points[..., :2]).max(where=np.isfinite(found.points[..., :2]), initial=0.0)
    if largest > _LARGEST:
        raise DatasetError(f"{path}: expected pixels, found {largest:.3g}")


def _known(rate: object, width: object, height: object, shares: bool, path: Path) -> tuple[float, int, int]:
    """Return the frame rate and the size of the image; what is missing is said at once."""
    missing = []
    fps, sides = number_of(rate), [number_of(side) for side in (width, height)]
    if fps is None or not 0 < fps <= MOST_FPS:
        missing.append(("the frame rate of the video in frames per second", _said(rate), "fps=..."))
    if any(side is None or not 1 <= side <= _MOST_SIDE for side in sides):
        why = " (the points are shares of it)" if shares else ""
        said = "none" if width is None and height is None else f"{_said(width)} x {_said(height)}"
        missing.append((f"the size of the image in pixels{why}", said, "image=..."))
    if missing:
        wanted, found, settings = (" and ".join(words) for words in zip(*missing, strict=True))
        raise DatasetError(f"{path}: expected {wanted}, found {found}; give {settings}")
    return float(fps or 0), int(sides[0] or 0), int(sides[1] or 0)


def _said(value: object) -> str:
    return "none" if value is None else quoted(value)


def _require_shares(points: Array, path: Path) -> None:
    """Refuse coordinates about a middle in place of shares of the image."""
    seen = points[points[..., 2] > 0][:, :2]
    if len(seen) and (np.mean(seen < 0, axis=0) > 0.2).all():
        raise DatasetError(
            f"{path}: expected shares of the image from 0 to 1, found negative ones: 3D coordinates such as MediaPipe's world landmarks, "
            "or OpenPose's with keypoint_scale 4; write those of the image"
        )


def _people(found: Detections, names: tuple[str, ...], fps: float, path: Path) -> list[Person]:
    """Return the people, the largest first."""
    positions, confidence = to_detector(found.points, names)
    where = np.where(confidence[..., None] > 0, positions, np.nan)
    count = max(found.count, int(found.rows.max()) + 1)
    tracks = follow(np.asarray(found.rows), where, found.ids, fps)
    if not tracks:
        raise DatasetError(f"{path}: expected joints that models use with a confidence above 0, found none in {found.count} frames")
    most = max(1, min(_MOST_ROWS, _FRAMES_EACH * len(found.rows) + _MOST_ROWS // 8) // count)
    if len(tracks) > most:
        found.notes += (f"{len(tracks) - most} people who are seen in fewer frames than {most} others are left out",)
        tracks = sorted(tracks, key=len, reverse=True)[:most]
    people = []
    for track in tracks:
        ids = [found.ids[one] for one in track.tolist() if found.ids[one]]
        people.append(Person(positions[track], confidence[track], found.rows[track], count, Counter(ids).most_common(1)[0][0] if ids else ""))
    return largest_first(people, [int(track[0]) for track in tracks])


def _about_people(people: list[Person]) -> list[str]:
    """Return a note if there are several people."""
    if len(people) < 2:
        return []
    frames = [int((person.sure > 0).any(axis=1).sum()) for person in people]
    shown = ", ".join(map(str, frames[:6])) + (", ..." if len(frames) > 6 else "")
    return [f"{len(people)} people, the largest first seen in {shown} frames; --person chooses: largest (the first), a number, or all"]


def _about_the_image(points: Array, width: int, height: int) -> list[str]:
    """Return a note if points lie where they would fit into an image with its sides swapped, or into a much smaller one."""
    seen = points[points[..., 2] > 0][:, :2]
    beyond = np.mean((seen > (width, height)).any(axis=1))
    swapped = np.mean((seen > (height, width)).any(axis=1))
    if width != height and beyond > 0.02 and swapped < 0.25 * beyond:
        return [f"{100 * beyond:.0f} % of the keypoints lie beyond {width} x {height} pixels, and within {height} x {width}; is the video upright?"]
    farthest = np.quantile(seen, 0.999, axis=0) / (width, height) if len(seen) else np.ones(2)
    if farthest.max() < _SMALL:
        return [
            f"all keypoints lie in the upper left {100 * farthest[0]:.0f} x {100 * farthest[1]:.0f} % of {width} x {height} pixels; is that its size?"
        ]
    return []
