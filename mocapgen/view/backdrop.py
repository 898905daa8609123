"""The video that predictions were made from, behind their 2D pane."""

from __future__ import annotations

import base64
import html
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mocapgen.shared.video import Video
from mocapgen.store.predictions import Predictions
from mocapgen.store.reader import Dataset
from schemas.errors import ConfigError

MOST_EMBEDDED = 8_000_000
"""Bytes of the largest video that is put into the page; others are played from their file."""
_SHAPES = 0.02
"""Share by which the shapes of video and camera may differ."""
_KINDS = {".webm": "video/webm", ".ogv": "video/ogg", ".mkv": "video/x-matroska"}


@dataclass(frozen=True)
class Backdrop:
    """What a page needs to show a video.

    Parameters
    ----------
    markup : str
        A ``video`` element.
    said : str
        Where the video is, for people.
    """

    markup: str
    said: str


def start_times(data: Predictions) -> list[float]:
    """Return the time in the video, seconds, at which each sequence begins: of several people, everybody has rows for the whole video."""
    people = len(set(np.asarray(data.sequences["actor"], dtype=np.str_).tolist()))
    rows = max(data.frames // max(people, 1), 1)
    return [int(start) % rows / data.fps for start in data.sequences["start"]]


def require_video_of(data: Dataset | Predictions, video: Video) -> Predictions:
    """Return the predictions if they can have been made from a video.

    Raises
    ------
    ConfigError
        If these are no predictions, those of a dataset, or those of a video of another shape.
    """
    if not isinstance(data, Predictions):
        raise ConfigError(f"video: expected predictions to draw on it, found a dataset in {data.path}; `trainer predict MODEL VIDEO` makes them")
    if data.source.get("camera") == "of the dataset":
        raise ConfigError(f"video: expected predictions of a video, found those of a dataset in {data.path}; leave video=... out")
    for camera in data.cameras[:1]:
        if abs(math.log(video.width / video.height * camera.height / camera.width)) > _SHAPES:
            raise ConfigError(
                f"video: expected the video that {data.path} was made from, of {camera.width} x {camera.height} pixels or the same shape, "
                f"found {video.width} x {video.height} in {video.path}"
            )
    return data


def backdrop(data: Dataset | Predictions, path: Path, page: Path | None) -> Backdrop:
    """Return a video for the page of its predictions.

    Parameters
    ----------
    data : Dataset or Predictions
        Refused if it is no predictions file.
    path : Path
        The video.
    page : Path or None
        Where the page will be; None for a temporary one.

    Raises
    ------
    ConfigError, DatasetError
        If the video cannot be read, or is not that of the predictions.
    """
    with Video(path) as video:
        starts = start_times(require_video_of(data, video))
    if path.stat().st_size <= MOST_EMBEDDED:
        kind = _KINDS.get(path.suffix.lower(), "video/mp4")
        source, said = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}", f"{path}, in the page"
    elif page is None:
        source, said = path.resolve().as_uri(), f"{path}, played from there"
    else:
        relative = Path(os.path.relpath(path.resolve(), page.resolve().parent)).as_posix()
        source, said = quote(relative), f"{relative}, played from there: keep it where it is, seen from the page"
    times = html.escape(json.dumps([round(start, 6) for start in starts]))
    attributes = f'data-mp="video" data-starts="{times}" src="{html.escape(source)}"'
    return Backdrop(f'<video {attributes} preload="auto" muted playsinline hidden></video>\n', said)
