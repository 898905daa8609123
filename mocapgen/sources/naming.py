"""Labels of a user's own files: from a pattern of their names, or from a table."""

from __future__ import annotations

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mocapgen.shared.text import printable
from mocapgen.sources.files import format_of
from schemas.errors import ConfigError

FIELDS = {"actor": r"[^/]+?", "action": r"[^/]+", "take": r"[^/]+?", "fps": r"[0-9]+(?:\.[0-9]+)?"}
"""What a pattern may hold, and what each matches: the action as much as it can, the others as little."""
COLUMNS = ("file", "actor", "action", "take", "fps")
MAX_TABLE = 64 * 2**20
"""Bytes of the largest table read: a million clips."""
FASTEST = 1000.0  # frames per second


@dataclass(frozen=True)
class NamePattern:
    """How file names are built.

    Parameters
    ----------
    text : str
        Fields in braces (:data:`FIELDS`), ``*`` for anything, the rest as it stands, in any case. With slashes it speaks of the
        last folders too; with a suffix, of files with that suffix only.

    Raises
    ------
    ConfigError
        If there is no field, an unknown one, one twice, or a stray brace.
    """

    text: str

    def __post_init__(self) -> None:
        known = "{actor}, {action}, {take} and {fps}"
        fields = re.findall(r"\{([^{}]*)\}", self.text)
        for field in fields:
            if field not in FIELDS:
                near = difflib.get_close_matches(field, FIELDS, n=1)
                raise ConfigError(f"pattern: expected fields out of {known}, found {{{field}}}" + (f"; did you mean {{{near[0]}}}?" if near else ""))
        if not fields or len(set(fields)) != len(fields) or "{" in re.sub(r"\{\w*\}", "", self.text) or "}" in re.sub(r"\{\w*\}", "", self.text):
            raise ConfigError(f"pattern: expected text with some of {known}, each at most once, found {self.text!r}")

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the fields that a path holds, None if it is not built like this."""
        parts = path.split("/")[-len(self.text.split("/")) :]
        if format_of(self.text) is None:
            parts[-1] = PurePosixPath(parts[-1]).stem
        found = re.fullmatch(self._expression(), "/".join(parts), re.IGNORECASE)
        return found and found.groupdict()

    def _expression(self) -> str:
        pieces = re.split(r"(\{\w+\}|\*)", self.text)
        return "".join(
            f"(?P<{piece[1:-1]}>{FIELDS[piece[1:-1]]})" if piece.startswith("{") else "[^/]*" if piece == "*" else re.escape(piece)
            for piece in pieces
        )


@dataclass(frozen=True)
class ClipTableRow:
    """A line of a table."""

    line: int
    fields: Mapping[str, str]
    """Without those that are empty."""


def read_table(path: Path) -> dict[str, ClipTableRow]:
    """Read a CSV table of clips.

    Parameters
    ----------
    path : Path
        UTF-8, the first line names the columns: ``file`` (relative to the root), and any of ``actor``, ``action``, ``take``, ``fps``.

    Returns
    -------
    dict of str to ClipTableRow
        By file, with forward slashes, accents composed (NFC).

    Raises
    ------
    ConfigError
        If it cannot be read, its columns are others, a file is named twice or not at all, a frame rate is none: with the line.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    rows: dict[str, ClipTableRow] = {}
    columns: list[str] = []
    try:
        for cells in reader:
            where = f"table: {path}:{reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(cells, where)
                continue
            if len(cells) != len(columns):
                raise ConfigError(f"{where}: expected {len(columns)} values ({','.join(columns)}), found {len(cells)}")
            fields = {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if cell.strip()}
            if broken := [cell for cell in fields.values() if printable(cell) != cell]:
                raise ConfigError(f"{where}: expected values without line breaks and control characters, found {printable(broken[0])[:60]!r}")
            file = _checked_file(fields, where)
            if file in rows:
                raise ConfigError(f"{where}: expected each file once, found {file} also in line {rows[file].line}")
            rows[file] = ClipTableRow(reader.line_num, fields)
    except csv.Error as error:
        raise ConfigError(f"table: {path}:{reader.line_num}: expected comma-separated values, found: {error}") from None
    if not rows:
        raise ConfigError(f"table: {path}: expected a line of column names ({','.join(COLUMNS)}) and one for each clip, found no clip")
    return rows


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ConfigError(f"table: {printable(path)}: expected a CSV file, found {'a folder' if path.is_dir() else 'none'}; check the path")
        if path.stat().st_size > MAX_TABLE:
            raise ConfigError(f"table: {printable(path)}: expected at most {MAX_TABLE} bytes, found {path.stat().st_size}")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"table: {printable(path)}: expected a CSV file in UTF-8, found bytes that are not; save it as UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        found = getattr(error, "strerror", None) or "no file name"
        raise ConfigError(f"table: {printable(path)}: expected a readable CSV file, found: {found}") from None


def _columns(cells: Iterable[str], where: str) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown or "file" not in columns or len(set(columns)) != len(columns):
        found = ",".join(columns)
        raise ConfigError(f"{where}: expected the columns file and any of {', '.join(COLUMNS[1:])}, each once, found {printable(found)[:100]!r}")
    return columns


def _checked_file(fields: Mapping[str, str], where: str) -> str:
    if "file" not in fields:
        raise ConfigError(f"{where}: expected a file, found none")
    if "fps" in fields:
        check_fps(fields["fps"], where)
    return unicodedata.normalize("NFC", fields["file"]).replace("\\", "/").removeprefix("./")


def check_fps(text: str, where: str) -> float:
    """Return a frame rate.

    Raises
    ------
    ConfigError
        If it is not a number above 0 and at most :data:`FASTEST`.
    """
    try:
        fps = float(text)
    except ValueError:
        fps = 0.0
    if not 0.0 < fps <= FASTEST:
        raise ConfigError(f"{where}: fps: expected frames per second above 0 and at most {FASTEST:g}, found {text!r}")
    return fps
