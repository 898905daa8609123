"""Lines of a text format that know where they stand, so that every error can say it."""

from __future__ import annotations

from dataclasses import dataclass

from mocapgen.formats.limits import LARGEST
from schemas.errors import FormatError

MAX_LINES = 100_000
"""Most lines of a skeleton: a bone has a dozen, and a thousand bones are the most that are read."""
MAX_BYTES = 4 * 2**20
"""Most bytes of a skeleton: a thousand times those of a real one."""
_TO_BLANKS = bytes.maketrans(bytes(range(33)), b" " * 33)


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

    def only_word(self, what: str) -> str:
        """Return the one word after the keyword, or raise with what was expected there."""
        if len(self.words) > 2:
            raise self.error(f"expected {what}, one word, found {self.rest().quote()}")
        return self.word(1, what)

    def numbers(self, count: int, bone: str = "", more: int = 0) -> tuple[float, ...]:
        """Return the `count` finite numbers after the keyword; at most `more` words may follow."""
        subject = f"bone {bone}: {self.words[0]}" if bone else self.words[0]
        words = self.words[1 : 1 + count]
        values = tuple(number(word) for word in words)
        if not count <= len(self.words) - 1 <= count + more or any(value is None for value in values):
            raise self.error(f"{subject}: expected {count} number{'s' * (count > 1)}, found {' '.join(self.words[1:])[:60]!r}")
        return values  # type: ignore[return-value]

    def vector(self, bone: str = "", more: int = 0) -> tuple[float, float, float]:
        """Return the three finite numbers after the keyword; at most `more` words may follow."""
        x, y, z = self.numbers(3, bone, more)
        return x, y, z


def number(word: str) -> float | None:
    """Return a finite number below 1e9, or None: what else Python's float allows (underscores, nan, no-break blanks) is no number here."""
    if "_" in word or not word.isascii():
        return None
    try:
        value = float(word)
    except ValueError:
        return None
    return value if abs(value) < LARGEST else None  # NaN is not < either


def split_words(raw: bytes) -> list[bytes]:
    """Return the words of some text: everything up to code 32 is a blank, control characters too."""
    return raw.translate(_TO_BLANKS).split()


def without_comment(row: bytes, comment: bytes = b"#") -> bytes:
    """Return a line up to its comment, which starts where a word may start: ``-1.#IND`` is how some C libraries print NaN."""
    at = row.find(comment)
    while at > 0 and row[at - 1] > 32:
        at = row.find(comment, at + 1)
    return row if at < 0 else row[:at]


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
    if len(data) > MAX_BYTES or data.count(b"\n") > MAX_LINES:
        raise FormatError(f"{where}: expected at most {MAX_LINES:,} lines and {MAX_BYTES:,} bytes, found more: this is no skeleton")
    rows = enumerate(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"), start=1)
    lines = (Line(tuple(without_comment(row, comment).translate(_TO_BLANKS).decode("latin-1").split()), number, where) for number, row in rows)
    return [line for line in lines if line.words]
