"""From a file and settings to a picture: the function behind ``mocapgen render``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mocapgen.figures import choose, compose, output, overlay
from mocapgen.figures.canvas import Canvas, Image, drawing
from mocapgen.figures.colours import THEMES
from mocapgen.figures.compose import Picture
from mocapgen.figures.drawn_sequence import DrawnSequence, read_sequence
from mocapgen.figures.panels import Details
from mocapgen.shared.files import new_file
from mocapgen.shared.outputs import writing
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import format_size
from mocapgen.shared.video import Video
from mocapgen.store.matching import PredictionMatches
from mocapgen.store.predictions import Predictions, open_any, open_predictions
from mocapgen.view.backdrop import require_video_of
from schemas.errors import ConfigError
from schemas.render import ANIMATIONS, LARGEST, MOST_MOMENTS, STILLS, RenderConfig

STILL_DPI, MOVING_DPI = 150, 90


@dataclass(frozen=True)
class RenderReport:
    """What was written.

    Parameters
    ----------
    files : tuple of Path
    pairs : dict of str to str
        What is printed: names and values.
    """

    files: tuple[Path, ...]
    pairs: dict[str, str] = field(default_factory=dict)


def render(path: str | Path, config: RenderConfig, progress: Progress | None = None) -> RenderReport:
    """Draw what is in a dataset or predictions file.

    Parameters
    ----------
    path : str or Path
        A dataset file, or a predictions file of its own.
    config : RenderConfig
    progress : callable, optional
        Called with (done, total, label).

    Returns
    -------
    RenderReport

    Raises
    ------
    ConfigError
        If settings do not fit the file, or a package is missing that they need.
    DatasetError
        If a file cannot be read or written.
    """
    with writing(config.out, config.rrd, overwrite=config.overwrite, inputs=[path, config.predictions, config.video]):
        return _render(path, config, progress)


def _render(path: str | Path, config: RenderConfig, progress: Progress | None) -> RenderReport:
    files = tuple(file for file in (config.out, config.rrd) if file is not None)
    if config.out is not None and config.out.suffix.lower() == ".mp4":
        output.require_video()
    if config.rrd is not None:
        from mocapgen.figures import rerun_recording

        rerun_recording.require()
    if config.video is not None:
        return _on_video(path, config, progress)
    drawn = _read(path, config, progress)
    pairs: dict[str, str] = {}
    if config.out is not None:
        with drawing(), new_file(config.out, config.overwrite) as partial:
            pairs = _draw(partial, drawn, config, progress, Path(path).name)
    if config.rrd is not None:
        with new_file(config.rrd, config.overwrite) as partial:
            rerun_recording.record(partial, drawn)
    written = dict(zip(("file", "recording"), (f"{file}, {format_size(file.stat().st_size)}" for file in files), strict=False))
    return RenderReport(files, {**written, **_who(drawn, config), **pairs})


def _on_video(path: str | Path, config: RenderConfig, progress: Progress | None) -> RenderReport:
    """Draw predictions on the video that they were made from."""
    assert config.out is not None
    assert config.video is not None
    dpi = config.dpi or MOVING_DPI
    with ExitStack() as stack:
        data = open_any(path)
        stack.callback(data.close)
        video = stack.enter_context(Video(config.video))
        shown, fps = overlay.read_shown(require_video_of(data, video), video), overlay.overlay_fps(video)
        stack.enter_context(drawing())
        partial = stack.enter_context(new_file(config.out, config.overwrite))
        width, height = config.size or overlay.size_of(video, dpi)
        canvas = Canvas(width + width % 2, height + height % 2, dpi, overlay.theme_of(THEMES[config.theme]))
        details = Details(config.joint_names, choose.joints_of(config.trail, shown[0].sequence.poses.tree.names))
        drawn = overlay.Overlay(canvas, video, shown, details)
        output.mp4(partial, _counted(drawn.images(), video.expected, progress), fps)
    file = f"{config.out}, {format_size(config.out.stat().st_size)}"
    notes = {"note": "; ".join(video.notes)} if video.notes else {}
    return RenderReport((config.out,), {"file": file, "size": f"{canvas.width} x {canvas.height} pixels", "rate": f"{fps:g} frames/s", **notes})


def _read(path: str | Path, config: RenderConfig, progress: Progress | None) -> list[DrawnSequence]:
    with ExitStack() as stack:
        data = open_any(path)
        stack.callback(data.close)
        rows = choose.sequences_of(data, config)
        matches = None
        if config.predictions is not None:
            if isinstance(data, Predictions):
                raise ConfigError(f"predictions: expected a dataset file to draw them over, found predictions in {path}, too")
            predictions = open_predictions(config.predictions)
            stack.callback(predictions.close)
            matches = PredictionMatches(predictions, data)
        found = []
        for done, row in enumerate(rows):
            if progress is not None:
                progress(done, len(rows), "reading")
            found.append(read_sequence(data, data[row], matches))
        return found


def _who(drawn: list[DrawnSequence], config: RenderConfig) -> dict[str, str]:
    first = drawn[0]
    if config.sheet:
        return {"clips": f"{len({sequence.clip for sequence in drawn}):,}"}
    avatars = ", ".join(sequence.avatar for sequence in drawn if sequence.avatar)
    return {"clip": first.clip, **({"avatar": avatars} if avatars else {}), "camera": first.camera.rig}


# Drawing ------------------------------------------------------------------------------------------


def _draw(partial: Path, drawn: list[DrawnSequence], config: RenderConfig, progress: Progress | None, title: str) -> dict[str, str]:
    """Write the file, and return what to print about it."""
    assert config.out is not None
    suffix, first = config.out.suffix.lower(), drawn[0]
    moving = suffix in ANIMATIONS
    details = Details(config.joint_names, choose.joints_of(config.trail, first.poses.tree.names))
    frames = _frames(drawn, config)
    if suffix in STILLS:
        picture = _still(drawn, config, details, frames, title)
        shown = {"frame" + "s" * (len(frames) > 1): ", ".join(map(str, frames))} if not config.sheet else {}
        partial.write_bytes(picture.still(frames[0], suffix[1:]))
        return shown | {"size": _size(picture)}
    fps = _rate(first, config)
    frames = output.play(frames, first.fps, fps)
    picture = _compose(drawn, config, details, moving, title)
    images = _counted(picture.animate(frames), len(frames), progress)
    if suffix == ".mp4":
        output.mp4(partial, images, fps)
    else:
        output.gif(partial, images, len(frames), fps, picture.canvas.theme)
    return {"size": _size(picture), "frames": f"{len(frames):,} at {fps:g} frames/s, {len(frames) / fps:.2f} s"}


def _frames(drawn: list[DrawnSequence], config: RenderConfig) -> list[int]:
    """Return the frames to draw: of a still picture one or those of a filmstrip, of an animation all or a range."""
    first = drawn[0]
    length = len(first)
    assert config.out is not None
    if config.out.suffix.lower() in ANIMATIONS:
        longest = max(map(len, drawn)) if config.sheet else length
        return list(choose.range_of(config.frames, longest))
    if config.frames is not None:
        frames = choose.frames_of(config.frames, length)
        if len(frames) > MOST_MOMENTS:
            raise ConfigError(f"frames: expected at most {MOST_MOMENTS} frames in a filmstrip, found {len(frames)}; take steps: START:STOP:STEP")
        return frames
    if config.count is not None:
        return [round(float(frame)) for frame in np.linspace(0, length - 1, config.count)]
    if config.frame is None:
        return [first.representative_frame]
    if config.frame >= length:
        raise ConfigError(f"frame: expected a frame of clip {first.clip}, which has {length} (0 to {length - 1}), found {config.frame}")
    return [config.frame]


def _still(drawn: list[DrawnSequence], config: RenderConfig, details: Details, frames: list[int], title: str) -> Picture:
    if config.frames is None and config.count is None:
        return _compose(drawn, config, details, False, title)
    canvas = _canvas(config, (max(1.3 * len(frames), 3.2), 3.4), moving=False)
    return compose.filmstrip(canvas, drawn[0], frames, details)


def _compose(drawn: list[DrawnSequence], config: RenderConfig, details: Details, moving: bool, title: str) -> Picture:
    if config.sheet:
        columns = compose.columns_of(len(drawn))
        rows = -(-len(drawn) // columns)
        canvas = _canvas(config, (max(1.5 * columns, 3.2) + 0.25, 1.45 * rows + 0.45), moving)
        return compose.contact_sheet(canvas, drawn, title, details, moving)
    if config.avatars:
        return compose.row_of_avatars(_canvas(config, (10.0, 4.2), moving), drawn, details, moving)
    return compose.pair(_canvas(config, (10.0, 3.85), moving), drawn[0], details, moving)


def _canvas(config: RenderConfig, inches: tuple[float, float], moving: bool) -> Canvas:
    dpi = config.dpi or (MOVING_DPI if moving else STILL_DPI)
    width, height = config.size or (round(inches[0] * dpi), round(inches[1] * dpi))
    if moving:  # video formats want even numbers
        width, height = width + width % 2, height + height % 2
    if max(width, height) > LARGEST:
        raise ConfigError(f"dpi: expected a picture of at most {LARGEST} pixels a side, found {width}x{height}; give a smaller dpi=..., or size=...")
    return Canvas(width, height, dpi, THEMES[config.theme])


def _rate(sequence: DrawnSequence, config: RenderConfig) -> float:
    assert config.out is not None
    is_gif = config.out.suffix.lower() == ".gif"
    fps = config.fps or min(sequence.fps, output.GIF_DEFAULT if is_gif else output.MP4_DEFAULT)
    if fps > sequence.fps * 1.000001:
        raise ConfigError(f"fps: expected at most the {sequence.fps:g} frames per second of the file, found {fps:g}")
    if is_gif and fps > output.GIF_FASTEST:
        raise ConfigError(f"fps: expected at most {output.GIF_FASTEST:g} frames per second in a GIF, found {fps:g}; write an .mp4 for more")
    return fps


def _counted(images: Iterable[Image], total: int, progress: Progress | None) -> Iterator[Image]:
    for done, image in enumerate(images):
        if progress is not None:
            progress(done, total, "drawing")
        yield image


def _size(picture: Picture) -> str:
    return f"{picture.canvas.width} x {picture.canvas.height} pixels"
