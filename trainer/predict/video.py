"""The keypoints of the people in a video: detected, kept in a file if asked to, and read as those of any other tool."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from mocapgen.shared.progress import Progress
from schemas.errors import ConfigError
from schemas.predictions import PredictConfig
from trainer.predict.detectors import detect, write_keypoints
from trainer.predict.keypoints import Keypoints, read_keypoints

OF_VIDEOS = ("detector", "detector_model", "keypoints_out")
"""Settings that only videos take."""
OF_FILES = ("layout", "image")
"""Settings that a video states itself."""


def check_settings(video: bool, source: Path, config: PredictConfig) -> None:
    """Refuse settings that do not fit what is read, before any work is done.

    Raises
    ------
    ConfigError
        If a setting is not for this kind of source.
    """
    for name in OF_FILES if video else OF_VIDEOS:
        if name in config.model_fields_set and getattr(config, name) is not None:
            what = "a video says this itself; leave it out" if video else f"only for a video, which {source} is not; leave it out"
            raise ConfigError(f"{name}: {what}")
    if config.keypoints_out is not None and config.keypoints_out.suffix.lower() != ".json":
        raise ConfigError(f"keypoints_out: expected a name that ends in .json, found {config.keypoints_out.name!r}")


def keypoints_of_video(source: Path, config: PredictConfig, overwrite: bool = False, progress: Progress | None = None) -> Keypoints:
    """Return the keypoints of the people in a video.

    Parameters
    ----------
    source : Path
    config : PredictConfig
        With the detector, and the file to keep what it finds.
    overwrite : bool
        Replace that file.
    progress : callable, optional

    Raises
    ------
    ConfigError, DatasetError
        See :func:`trainer.predict.detectors.detect`.
    """
    found = detect(source, config.detector or "mediapipe", config.detector_model, progress)
    notes = found.notes
    if config.fps is not None and abs(config.fps - found.fps) > 1e-3 * found.fps:
        notes = (*notes, f"the video plays {found.fps:.6g} frames per second; as asked for, they are taken as {config.fps:g}")
    with tempfile.TemporaryDirectory() as folder:
        kept = config.keypoints_out or Path(folder) / f"{source.stem}.json"
        write_keypoints(kept, found, overwrite)
        keypoints = read_keypoints(kept, fps=config.fps)
    return replace(keypoints, notes=(*notes, *keypoints.notes))
