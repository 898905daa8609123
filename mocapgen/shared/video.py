"""The pictures of a video and their times, decoded with PyAV: upright as players show them, whatever the file's orientation and shape of pixels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.inputs import open_regular
from mocapgen.shared.text import one_line
from schemas.errors import ConfigError, DatasetError

Image = NDArray[np.uint8]

MOST_SIDE = 16_384
"""Pixels: largest width and height."""
MOST_PIXELS = 2**26
"""Largest picture: twice one of 8K."""
_OPTIONS = {"protocol_whitelist": "file"}
"""A list of other files, as FFmpeg plays them, shall at least not reach into the network before it is seen to be one."""
_LISTS = ("hls", "dash", "concat", "imf", "sdp", "rtsp")
"""FFmpeg's formats that name other files."""
_STILLS = ("_pipe", "image2")
"""Ends of the names of FFmpeg's formats for single pictures."""
_MAGIC = (b"ftyp", b"moov", b"mdat", b"AVI ", b"\x1aE\xdf\xa3", b"FLV\x01", b"OggS", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"0&\xb2u\x8ef\xcf\x11")
_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp", ".mts", ".m2ts", ".ts")


class Picture(NamedTuple):
    """One picture of a video.

    Parameters
    ----------
    time : float
        Seconds since the first picture.
    image : (height, width, 3) uint8
        Red, green, blue.
    """

    time: float
    image: Image


def is_video(path: Path) -> bool:
    """Return whether a file is a video, by its first bytes or its name; it is not opened any further."""
    if not path.is_file():
        return path.suffix.lower() in _SUFFIXES and not path.exists()
    with path.open("rb") as file:
        head = file.read(12)
    return _known(head) or path.suffix.lower() in _SUFFIXES


class Video:
    """A video that is read once, from its first picture to the last; to be used in a ``with`` block.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ConfigError
        If PyAV is not installed.
    DatasetError
        If the file is no video, or cannot be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._av = _pyav()
        self._container = self._open()
        self._stream = self._video_stream()
        self._first, self._ahead = self._decode_first()
        self.rotation = _quarter_turns(self._first)
        """Quarter turns counterclockwise that bring the stored picture upright."""
        shape = self._first.width, self._first.height
        stored = _square_pixels(*shape, self._stream.sample_aspect_ratio)
        self.width, self.height = stored[::-1] if self.rotation % 2 else stored
        """Pixels, as the pictures are shown."""
        self._require_size()
        self.fps = _stated_rate(self._stream)
        """Pictures per second as the file states them, None if it does not."""
        self.expected = _expected(self._stream.frames, self._container.duration, self.fps)
        """Number of pictures by what the file states: an estimate, 0 if it states nothing."""
        self.notes: list[str] = []
        """What was odd about the file; complete after the last picture."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Picture]:
        """Yield the pictures in the order of their times; where the file is damaged, those that can be decoded."""
        return self.pictures()

    def pictures(self, size: tuple[int, int] | None = None) -> Iterator[Picture]:
        """Yield the pictures as :meth:`__iter__` does, brought to a width and height."""
        last, start, repeated = -1.0, 0.0, 0
        counted = self._container.format.name == "avi"  # has a constant rate, and no times
        for number, frame in enumerate(self._decoded()):
            time = number / (self.fps or 25.0) if counted or frame.pts is None else float(frame.pts * frame.time_base)
            start = time if number == 0 else start
            if time - start <= last:
                repeated += 1
                continue
            last = time - start
            yield Picture(last, self._upright(frame, size or (self.width, self.height)))
        if repeated:
            self.notes.append(f"{repeated} pictures have the time of one before them, and were left out")
        self._note_early_end(last)

    # The steps ------------------------------------------------------------------------------------

    def _open(self) -> Any:
        try:
            with open_regular(self.path, "a video") as file:
                head = file.read(12)
            return self._av.open(str(self.path), options=_OPTIONS, metadata_errors="ignore")
        except (self._av.error.FFmpegError, OSError, ValueError) as error:
            if isinstance(error, self._av.error.InvalidDataError):
                why = "one that is cut off or damaged; copy it again" if _known(head) else "none in a form that FFmpeg knows; convert it to MP4"
                why = why if head else "an empty file"
            else:
                why = _reason(error)
            raise DatasetError(one_line(str(self.path), f"expected a video, found {why}")) from None

    def _video_stream(self) -> Any:
        name = self._container.format.name
        streams = [stream for stream in self._container.streams.video if stream.codec_context is not None and not _is_cover(stream)]
        if not streams:
            self._container.close()
            raise DatasetError(one_line(str(self.path), f"expected a video, found a file without pictures that FFmpeg can decode ({name})"))
        if any(part in _LISTS for part in name.split(",")):
            self._container.close()
            raise DatasetError(one_line(str(self.path), f"expected a video, found a list of other files ({name}); give one of them"))
        if name.endswith(_STILLS) or (streams[0].frames == 1 and not self._container.streams.audio):
            self._container.close()
            raise DatasetError(one_line(str(self.path), f"expected a video, found a single picture ({name})"))
        streams[0].thread_type = "AUTO"
        streams[0].codec_context.options = {"max_pixels": str(MOST_PIXELS)}  # before memory is taken for them
        return streams[0]

    def _decode_first(self) -> tuple[Any, Iterator[Any]]:
        """Return the first frame, and the others."""
        self._damaged = 0
        self._ended_by = ""
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            self._container.close()
            why = f" ({self._ended_by})" if self._ended_by else ""
            found = f"expected a video, found no picture in it that can be decoded{why}; convert it to MP4 with H.264"
            raise DatasetError(one_line(str(self.path), found))
        return first, frames

    def _require_size(self) -> None:
        if max(self.width, self.height) > MOST_SIDE or self.width * self.height > MOST_PIXELS:
            self._container.close()
            most = f"at most {MOST_SIDE:,} pixels a side and {MOST_PIXELS:,} in all"
            raise DatasetError(one_line(str(self.path), f"expected pictures of {most}, found {self.width} x {self.height}"))

    def _decoded(self) -> Iterator[Any]:
        yield self._first
        yield from self._ahead

    def _frames(self) -> Iterator[Any]:
        """Yield frame by frame; a packet that cannot be decoded is counted, the file's end is where reading ends."""
        failed = self._av.error.FFmpegError
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (failed, OSError) as error:
                self._ended_by = _reason(error)
                packet = None
            try:
                yield from self._stream.decode(packet)
            except (failed, OSError) as error:
                self._damaged += not isinstance(error, EOFError)
                self._ended_by = self._ended_by or _reason(error)
            if packet is None:
                return

    def _upright(self, frame: Any, size: tuple[int, int]) -> Image:
        width, height = size[::-1] if self.rotation % 2 else size
        image = frame.to_ndarray(format="rgb24", width=width, height=height)
        return np.ascontiguousarray(np.rot90(image, self.rotation))

    def _note_early_end(self, last: float) -> None:
        """Note what is missing: pictures that could not be decoded, and a file that ends before it should."""
        if self._damaged:
            self.notes.append(f"{self._damaged} parts of the video could not be decoded: it is damaged")
        stated = float(self._container.duration or 0) / 1e6
        if stated - last > max(1.0, 0.1 * stated):
            self.notes.append(f"the file states {stated:.1f} s, but its pictures end at {last:.1f} s: it is cut off, or the rest is sound")


def _pyav() -> Any:
    try:
        import av
    except ImportError:
        raise ConfigError("video: expected the package av (PyAV), which is not installed: pip install 'mocapgen[video]'") from None
    with contextlib.suppress(AttributeError):
        av.logging.set_level(None)  # what FFmpeg would print belongs into one line of ours
    return av


def _known(head: bytes) -> bool:
    """Return whether a file begins as videos do."""
    return any(magic in head for magic in _MAGIC)


def _reason(error: BaseException) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:100]


def _is_cover(stream: Any) -> bool:
    """Return whether a stream is the picture of a song."""
    return bool(int(getattr(stream.disposition, "value", stream.disposition)) & 0x400)


def _quarter_turns(frame: Any) -> int:
    return round(getattr(frame, "rotation", 0) / 90.0) % 4


def _square_pixels(width: int, height: int, aspect: Any) -> tuple[int, int]:
    """Return the size of a picture with square pixels."""
    ratio = float(aspect or 1)
    return (round(width * ratio), height) if 0.1 < ratio < 10.0 else (width, height)


def _stated_rate(stream: Any) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < float(rate) <= 1000:
            return float(rate)
    return None


def _expected(frames: int, duration: int | None, fps: float | None) -> int:
    by_time = round(duration / 1e6 * fps) if duration and fps else 0
    return min(frames or by_time, by_time or frames)
