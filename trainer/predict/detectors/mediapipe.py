"""MediaPipe's pose landmarker: 33 joints, on a processor in real time.

Up to version 0.10.21 the package holds its model and finds one person (``solutions.pose``). Later versions, and all of them if a model is
given, find several people with a model file (``tasks``), which is fetched once.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.download import Download
from schemas.errors import ConfigError, DatasetError, SourceError
from trainer.predict.detectors.base import Detector

MODEL_URL = "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/pose_landmarker_full.task"
MODEL_SHA256 = "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1"
"""Of this version of the file, 9,398,198 bytes; many public projects record the same."""
MOST_BYTES = 100_000_000
"""Of a model that is fetched."""
MOST_PEOPLE = 4
"""People that are looked for in a picture, where a version finds several."""
_TWICE = 0.15
"""Sizes of a person: people whose joints are closer than this to each other are the same, found twice."""


class MediaPipe(Detector):
    """See the module."""

    layout = "mediapipe33"

    def __init__(self, model: Path | None = None) -> None:
        package = _package()
        self._version = f"mediapipe {package.__version__}"
        with _quiet():
            if model is None and hasattr(package, "solutions"):
                self._people, self._close = _solutions(package)
            else:
                self._people, self._close = _tasks(package, model or _fetched())

    @property
    def version(self) -> str:
        """Name and version, for the record."""
        return self._version

    def people(self, image: NDArray[np.uint8], time: float) -> list[NDArray[np.float64]]:
        """Return the people in a picture; see :class:`~trainer.predict.detectors.base.Detector`."""
        with _quiet():
            found = self._people(np.ascontiguousarray(image), time)
        size = np.array([image.shape[1], image.shape[0], 1.0])
        return _once([np.array([(mark.x, mark.y, mark.visibility or 0.0) for mark in person]) * size for person in found])

    def close(self) -> None:
        """Free what the detector holds."""
        with _quiet():
            self._close()


_People = Callable[[NDArray[np.uint8], float], list[Any]]


def _solutions(package: Any) -> tuple[_People, Callable[[], None]]:
    """Return what finds people, and what ends it, with the interface of versions up to 0.10.21."""
    pose = package.solutions.pose.Pose(model_complexity=1)

    def people(image: NDArray[np.uint8], time: float) -> list[Any]:
        found = pose.process(image).pose_landmarks
        return [] if found is None else [found.landmark]

    return people, pose.close


def _tasks(package: Any, model: Path) -> tuple[_People, Callable[[], None]]:
    """Return what finds people, and what ends it, with the interface of later versions."""
    vision, base = package.tasks.vision, package.tasks.BaseOptions
    try:
        options = vision.PoseLandmarkerOptions(
            base_options=base(model_asset_buffer=model.read_bytes()), running_mode=vision.RunningMode.VIDEO, num_poses=MOST_PEOPLE
        )
        landmarker = vision.PoseLandmarker.create_from_options(options)
    except OSError as error:
        raise ConfigError(f"detector_model: expected MediaPipe's pose_landmarker_*.task, found {model}: {error.strerror or error}") from None
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ConfigError(f"detector_model: expected MediaPipe's pose_landmarker_*.task, found {model}: {reason}") from None
    last = -1

    def people(image: NDArray[np.uint8], time: float) -> list[Any]:
        nonlocal last
        last = max(round(1000.0 * time), last + 1)  # milliseconds have to increase
        picture = package.Image(image_format=package.ImageFormat.SRGB, data=image)
        return list(landmarker.detect_for_video(picture, last).pose_landmarks)

    return people, landmarker.close


def _once(people: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the people without those that were found before."""
    kept: list[NDArray[np.float64]] = []
    for person in people:
        size = float(np.linalg.norm(np.ptp(person[:, :2], axis=0)))
        if all(np.median(np.linalg.norm(person[:, :2] - other[:, :2], axis=1)) > _TWICE * size for other in kept):
            kept.append(person)
    return kept


def _package() -> Any:
    """Return the package."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with _quiet():
            import mediapipe
    except ImportError as error:
        raise ConfigError(
            f"detector: expected the package mediapipe, found none that can be loaded ({error}): pip install 'mocapgen[video]', "
            "or run any other detector and give its keypoints in place of the video"
        ) from None
    return mediapipe


def _fetched() -> Path:
    """Return the model file of the later versions, fetched at first use.

    Raises
    ------
    ConfigError
        If it is not there and cannot be fetched.
    """
    advice = f"download {MODEL_URL} and give it with detector_model=..."
    try:
        import pooch
        from platformdirs import user_cache_path
    except ImportError:
        raise ConfigError(f"detector_model: this version of MediaPipe wants a model file; {advice}") from None
    folder, name = user_cache_path("mocapgen"), MODEL_URL.rpartition("/")[2]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        download = Download(folder / name, "model", "a model", MOST_BYTES)
        return Path(pooch.retrieve(MODEL_URL, f"sha256:{MODEL_SHA256}", name, folder, downloader=download))
    except (SourceError, DatasetError, OSError, ValueError) as error:  # ValueError: another checksum
        reason = " ".join(str(error).split())[:80]
        raise ConfigError(f"detector_model: MediaPipe's model file cannot be fetched ({reason}); {advice}") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep MediaPipe's log, which no setting switches off, from standard error."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


DETECTOR = MediaPipe
