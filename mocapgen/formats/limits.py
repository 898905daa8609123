"""Limits of what is believed to be motion capture, the same for all formats, and reading a file within them."""

from __future__ import annotations

from pathlib import Path

from mocapgen.shared.inputs import read_bytes
from schemas.errors import FormatError

MAX_BYTES = 768 * 2**20
"""Largest file that is read: more than an hour of a whole body at 120 frames per second, written with ten decimals."""
SLOWEST = 0.01
"""Frames per second: of a slower file nothing between its frames is known."""
LARGEST = 1e9
"""No length, angle or count of a motion-capture file comes near it."""


def read_file(path: Path) -> bytes:
    """Return what a motion-capture file holds.

    Raises
    ------
    FormatError
        If there is no such file, it is a folder, device or pipe, it cannot be read, or it is larger than :data:`MAX_BYTES`.
    """
    return read_bytes(path, f"a motion-capture file ({path.suffix.lower()})", MAX_BYTES, error=FormatError)
