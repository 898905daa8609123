"""From a video to the 2D keypoints of the people in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import write_file
from mocapgen.shared.parts import load_part, part_names
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import one_line
from mocapgen.shared.video import Video
from schemas.errors import DatasetError
from trainer.predict.detectors.base import Detector
from trainer.predict.detectors.times import People, Timing, at_constant_rate, timing
from trainer.predict.keypoints.frames import MOST_ROWS


@dataclass(frozen=True, eq=False)
class Detections:
    """The people in a video, not yet followed from frame to frame.

    Parameters
    ----------
    frames : list of T lists of (K, 3) float64
        x and y in pixels, confidence; frame k shows the time k / fps, and is empty where nobody is seen.
    layout : str
        Which joints these are.
    fps : float
    width, height : int, pixels
        Of the upright picture.
    detector : str
        Name and version.
    notes : tuple of str
    """

    frames: list[People]
    layout: str
    fps: float
    width: int
    height: int
    detector: str
    notes: tuple[str, ...] = ()


def detector_names() -> tuple[str, ...]:
    """Return the names of all detectors, without importing any."""
    return part_names("trainer.predict.detectors", "DETECTOR")


def detect(path: str | Path, detector: str = "mediapipe", model: str | Path | None = None, progress: Progress | None = None) -> Detections:
    """Find the people in a video.

    Parameters
    ----------
    path : str or Path
    detector : str
        One of :func:`detector_names`.
    model : str or Path, optional
        The detector's weights.
    progress : callable, optional

    Raises
    ------
    ConfigError
        If the detector is unknown, or a package or its weights are missing.
    DatasetError
        If the file is no video that can be decoded, or nobody is seen in it.
    """
    kind: type[Detector] = load_part("trainer.predict.detectors", "DETECTOR", detector, "detector")
    people: list[People] = []
    times: list[float] = []
    with Video(path) as video, kind(None if model is None else Path(model)) as finder:
        for picture in video:
            times.append(picture.time)
            people.append(finder.people(picture.image, picture.time))
            if progress is not None:
                progress(len(times), max(video.expected, len(times)), "detecting")
        if not any(people):
            raise DatasetError(f"{path}: expected a person in the video, {finder.version} sees none in {len(times)} pictures")
        found = timing(times, video.fps)
        _require_pictures(times, found, path)
        frames = at_constant_rate(people, times, found)
        notes = (*video.notes, *_timing_notes(times, found))
        return Detections(frames, kind.layout, found.fps, video.width, video.height, finder.version, notes)


def _require_pictures(times: Sequence[float], found: Timing, path: str | Path) -> None:
    """Refuse pictures that are days apart: every frame between them would take memory."""
    frames = times[-1] * found.fps
    if frames > min(MOST_ROWS, 100 * len(times) + 20_000):
        raise DatasetError(one_line(str(path), f"expected the pictures of a video, found {len(times):,} in {times[-1]:,.6g} s; convert it to MP4"))


def _timing_notes(times: Sequence[float], found: Timing) -> list[str]:
    if found.frames is None:
        return [f"the video has a variable frame rate; what is seen was interpolated to {found.fps:.6g} frames per second"]
    missing = found.frames[-1] + 1 - len(times)
    return [f"{missing} of {found.frames[-1] + 1} frames have no picture in the video"] if missing else []


def write_keypoints(path: Path, detections: Detections, overwrite: bool = False) -> None:
    """Write keypoints as a JSON file of the project's own format.

    Parameters
    ----------
    path : Path
    detections : Detections
    overwrite : bool

    Raises
    ------
    DatasetError
        If it cannot be written, or exists and must not be overwritten.
    """
    write_file(path, json.dumps(document(detections), separators=(",", ":")) + "\n", overwrite)


def document(detections: Detections) -> dict[str, object]:
    """Return keypoints as the project's own format has them: ``keypoints`` of one person, or ``people`` of each frame if there are several."""
    frames = [[_rounded(person) for person in people] for people in detections.frames]
    about: dict[str, object] = {
        "layout": detections.layout,
        "fps": detections.fps,
        "width": detections.width,
        "height": detections.height,
        "detector": detections.detector,
    }
    if any(len(people) > 1 for people in frames):
        return {**about, "people": frames}
    count = next(len(people[0]) for people in frames if people)
    return {**about, "keypoints": [people[0] if people else [[0.0, 0.0, 0.0]] * count for people in frames]}


def _rounded(person: NDArray[np.float64]) -> list[list[float]]:
    """Return hundredths of a pixel, and thousandths of confidence."""
    return [[round(x, 2), round(y, 2), round(confidence, 3)] for x, y, confidence in person.tolist()]
