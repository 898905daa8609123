"""Lines of a text format that know where they stand, so that every error can say it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from schemas.errors import FormatError

LARGEST = 1e9  # no length, angle or count of a motion-capture file comes near it
MAX_LINES = 2_000_000  # of a header: far beyond any real skeleton, well before memory runs out


@dataclass(frozen=True)
class Line:
    """The words of one line."""

    words: tuple[str, ...]
    number: int
    where: str

    def error(self, message: str) -> FormatError:
        """Return an error that begins with file and line."""
        return FormatError(f"{self.where}:{self.number}: {message}")

    def quote(self) -> str:
        """Return the line for a message, shortened."""
        text = " ".join(self.words)
        return repr(text if len(text) <= 40 else text[:37] + "...")

    def rest(self) -> Line:
        """Return the line without its first word."""
        return Line(self.words[1:], self.number, self.where)

    def word(self, index: int, what: str) -> str:
        """Return a word, or raise with what was expected there."""
        if index >= len(self.words):
            raise self.error(f"expected {what}, found the end of the line")
        return self.words[index]

    def numbers(self, count: int, bone: str = "") -> tuple[float, ...]:
        """Return the `count` finite numbers after the keyword."""
        subject = f"bone {bone}: {self.words[0]}" if bone else self.words[0]
        words = self.words[1 : 1 + count]
        values = tuple(number(word) for word in words)
        if len(values) < count or any(value is None for value in values):
            raise self.error(f"{subject}: expected {count} number{'s' * (count > 1)}, found {' '.join(self.words[1:])[:60]!r}")
        return values  # type: ignore[return-value]

    def vector(self, bone: str = "") -> tuple[float, float, float]:
        """Return the three finite numbers after the keyword."""
        x, y, z = self.numbers(3, bone)
        return x, y, z


def number(word: str) -> float | None:
    """Return a finite number below 1e9, or None: more than Python's float allows (underscores, nan) is no number here."""
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < LARGEST and "_" not in word else None


def lines_of(data: bytes, where: str, comment: bytes) -> list[Line]:
    """Return the non-empty lines of latin-1 text, comments dropped.

    Raises
    ------
    FormatError
        For an empty file or one that is not text.
    """
    if not data.strip():
        raise FormatError(f"{where}: expected text, found an empty file")
    if b"\0" in data:
        raise FormatError(f"{where}: expected text, found binary data (a zero byte at position {data.index(0)})")
    if data.count(b"\n") > MAX_LINES:
        raise FormatError(f"{where}: expected at most {MAX_LINES} lines, found {data.count(chr(10).encode())}")
    rows = enumerate(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"), start=1)
    lines = (Line(tuple(row.split(comment)[0].decode("latin-1").split()), number, where) for number, row in rows)
    return [line for line in lines if line.words]
