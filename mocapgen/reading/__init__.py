"""From motion-capture files to motions in metres, y up, and back."""

from mocapgen.reading.files import read, write

__all__ = ["read", "write"]
