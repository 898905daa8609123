"""Videos for tests, made on the spot, and a detector that sees what is drawn in them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""Parts a, b, c, d of the matrix of a QuickTime track that is turned clockwise by so many degrees to be shown."""

DETECTOR = '''
import numpy as np
from trainer.predict.detectors.base import Detector

class Squares(Detector):
    """Finds squares: red is one person, green another; 17 joints around the middle."""

    layout = "coco17"

    def __init__(self, model=None):
        self.times = []

    @property
    def version(self):
        return "squares 1"

    def people(self, image, time):
        assert not self.times or time > self.times[-1]
        self.times.append(time)
        rows = np.random.default_rng(1).uniform(-20.0, 20.0, (17, 2))
        found = []
        for channel in (0, 1):
            other = image[..., 1 - channel].astype(int)
            y, x = np.nonzero(image[..., channel].astype(int) - other > 100)
            if len(x):
                middle = np.array([x.mean() + 0.5, y.mean() + 0.5])
                found.append(np.column_stack([middle + rows, np.full(17, 0.9)]))
        return found

DETECTOR = Squares
'''


def write_video(path: Path, images: Sequence[np.ndarray], fps: float = 25.0, times: Sequence[float] = (), turn: int = 0, pixel: str = "") -> Path:
    """Write pictures, (height, width, 3) uint8, at a rate, or at `times` in seconds; turned clockwise by `turn` degrees for display."""
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream = container.add_stream({".webm": "libvpx", ".avi": "mpeg4"}.get(path.suffix, "libx264"), rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if pixel:
            stream.sample_aspect_ratio = Fraction(pixel)
        if times:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 15_360)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if times:
                frame.time_base, frame.pts = Fraction(1, 15_360), round(15_360 * times[number])
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    if turn:
        _turn(path, turn)
    return path


def _turn(path: Path, degrees: int) -> None:
    """Write the matrix into the header of the first track, as phones do."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    a, b, c, d = MATRICES[degrees]
    matrix = np.array([a * 65536, b * 65536, 0, c * 65536, d * 65536, 0, 0, 0, 1 << 30], dtype=">i4")
    content[place : place + 36] = matrix.tobytes()
    path.write_bytes(content)


def square(
    x: float, y: float, width: int = 160, height: int = 96, colour: tuple[int, int, int] = (255, 0, 0), under: np.ndarray | None = None
) -> np.ndarray:
    """Return a dark picture with a square of 16 pixels whose middle is at (x, y)."""
    image = np.full((height, width, 3), 20, dtype=np.uint8) if under is None else under.copy()
    left, top = round(x) - 8, round(y) - 8
    image[max(top, 0) : max(top + 16, 0), max(left, 0) : max(left + 16, 0)] = colour
    return image
