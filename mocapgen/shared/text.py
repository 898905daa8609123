"""Text helpers that need nothing else: lists, sizes, times, names and patterns, hints."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.errors import ConfigError

MAX_NAMES = 12
"""Names of actors, actions or avatars in a summary; more are counted."""
LONGEST_LINE = 300
"""Most characters of a message about a file or setting."""
_SUFFIXES = "(?:h5|hdf5|bvh|amc|asf|c3d|json|ya?ml|csv|npz|zip|html|mp4|gif|png|trc|glb|gltf|parquet)"
"""What a path ends in, at the beginning of a message, that is not a setting of a group: ``clip.bvh: ...``, but ``image.width: ...``."""
_LONGEST_SUBJECT = 170
"""Most characters of the path that such a message begins with."""
# Control characters, line separators, what turns the direction of a whole line, and bytes that are not UTF-8 (surrogates):
# a message with them would not show what it says, or do something to the terminal.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def split_list(values: str | Sequence[str]) -> tuple[str, ...]:
    """Return the items of comma-separated texts, in order: ``("bd,mm", "dg")`` gives ``("bd", "mm", "dg")``."""
    values = [values] if isinstance(values, str) else values
    return tuple(item.strip() for value in values for item in str(value).split(",") if item.strip())


def matches(name: str, pattern: str) -> bool:
    """Return whether a name fits a pattern with wildcards (``*``, ``?``, ``[ab]``), in any case."""
    return fnmatchcase(name.casefold(), pattern.casefold())


def matches_id(id: str, pattern: str) -> bool:
    """Return whether a check is meant by its id, a pattern such as ``motion.*``, or the name of its family."""
    return fnmatchcase(id, pattern) or id.partition(".")[0] == pattern


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint: the most similar of the known names, or what there is."""
    names = list(known)
    near = difflib.get_close_matches(name[:LONGEST_LINE], names, n=1)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"did you mean {near[0]!r}?" if near else f"there {'are ' + ', '.join(names[:MAX_NAMES]) + more if names else 'is none'}"


def nearest(name: str, known: Iterable[str], folder: Path | None = None, suffix: str = "") -> str:
    """Return the end of a message: ``; did you mean 'paper'?``, or nothing if none of the known names (in a folder, of a suffix) is similar."""
    near = difflib.get_close_matches(name[:LONGEST_LINE], sorted(known), n=1)
    if not near:
        return ""
    meant = near[0] + suffix
    return f"; did you mean '{printable(folder / meant if folder else meant)}'?"


def format_size(size: int) -> str:
    """Return a number of bytes for people: ``12.3 MB`` (powers of 1000)."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000.0:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000.0
    return f"{value:.1f} TB"


def format_time(seconds: float) -> str:
    """Return a duration for people: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def rough_time(seconds: float) -> str:
    """Return an estimated duration for people, in whole seconds: ``16 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else format_time(whole)


def time_left(elapsed: float, left: float | None) -> str:
    """Return how long work has taken and how long it will: ``16 s, about 1 min 34 s left``; only the former if the latter is nothing or not known."""
    return rough_time(elapsed) + (f", about {rough_time(left)} left" if left else "")


def count_of(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 run``, ``1,300 runs``."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def counted(names: Sequence[str]) -> str:
    """Return how many names there are, and which: ``5: bd, bk, dg, mm, tr``."""
    more = len(names) - MAX_NAMES
    return f"{len(names):,}: {', '.join(names[:MAX_NAMES])}" + (f" and {more:,} more" if more > 0 else "")


def listed(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence: ``csv, npz and trc``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def printable(path: object) -> str:
    """Return a path for a one-line message: characters that cannot be shown are escaped."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), str(path))


class _Quote(reprlib.Repr):
    """Cuts a value before it is formatted: what YAML writes in 300 bytes may hold a thousand million items."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother, self.maxlong = 3, 60, 60, 40

    def repr_int(self, x: Any, level: int) -> str:
        return super().repr_int(x, level) if abs(x).bit_length() < 1000 else f"an integer of {abs(x).bit_length():,} bits"


def quoted(value: object) -> str:
    """Return a wrong value as a message shows it: as in Python, long ones cut."""
    text = printable(_Quote().repr(value))
    return text if len(text) <= 80 else f"{text[:79]}…"


def one_line(subject: str, message: str, ending: str = "") -> str:
    """Return the line of an error, of at most 300 characters, none of them a control character.

    Parameters
    ----------
    subject : str
        Where the problem is, such as a path; may be empty. Of a long one the end is shown.
    message : str
        Of a long one the beginning and the end are shown.
    ending : str
        Shown whole.
    """
    room = LONGEST_LINE - len(ending)
    where = printable(subject[-LONGEST_LINE:])
    where = where if len(subject) <= _LONGEST_SUBJECT >= len(where) else f"…{where[1 - _LONGEST_SUBJECT :]}"
    text = message if len(message) <= 2 * room else message[:room] + message[-room:]
    text = (f"{where}: " if where else "") + printable(" ".join(text.split()))
    return (text if len(text) <= room else f"{text[: room - 61]}…{text[-60:]}") + ending


def option_words(text: str, options: Mapping[str, str]) -> str:
    """Return a message with the options of the command line in place of Python's keywords.

    The libraries raise errors in Python's words: ``min_frames: expected ...``, ``... or overwrite=True``, ``... lower fps=...``.

    Parameters
    ----------
    text : str
        Settings at its beginning (``min_frames: ``, ``pattern and table: ``), with a value (``source='sample'``, ``overwrite=True``; ``...`` is
        any value), and names with an underscore (``max_frames``) are translated.
    options : mapping
        The option of each setting: ``{"min_frames": "--min-frames"}``.
    """
    if not options:
        return text
    names = "|".join(map(re.escape, sorted(options, key=len, reverse=True)))
    value = r"'[^']*'|[^\s;:,)]+"
    text = re.sub(rf"(?<![\w./-])({names})=({value})", lambda match: _typed(options[match[1]], match[2]), text)
    start = re.match(rf"({names})((?:, and |, | and )(?:{names}))*(\.(?!{_SUFFIXES}:)\w+|\[\d+\])*: ", text)
    if start:
        head = re.sub(rf"(?<![\w.])({names})\b", lambda match: options[match[1]], start[0]).replace(".", " ")
        text = head + text[start.end() :]
    compound = "|".join(name for name in names.split("|") if "_" in name)
    return re.sub(rf"(?<![\w./'\"{{-])({compound})(?![\w./'\"=])", lambda match: options[match[1]], text) if compound else text


def _typed(option: str, value: str) -> str:
    """Return an option with a value of Python's, as it is typed: ``--overwrite``, ``--source sample``."""
    if value in ("True", "False", "..."):
        return option if value != "False" else option.replace("--", "--no-", 1)
    return f"{option} {value[1:-1] if value.startswith(chr(39)) and ' ' not in value else value}"


def no_match(setting: str, wanted: str, pattern: str, names: Sequence[str]) -> ConfigError:
    """Return the error of a pattern that matches none of `names`: names those that are similar, and all if they are few.

    Parameters
    ----------
    setting : str
        Name of the setting that holds the pattern.
    wanted : str
        What was expected, such as ``a pattern that matches an actor``.
    """
    plain = re.sub(r"[*?\[\]]", "", pattern).casefold()
    by_key = {name.casefold(): name for name in names}
    near = [name for key, name in by_key.items() if plain and plain in key]
    near += [by_key[key] for key in difflib.get_close_matches(plain, by_key, n=3, cutoff=0.5) if by_key[key] not in near]
    hint = f"did you mean {' or '.join(near[:3])}? " if near else ""
    shown = () if near and len(names) > MAX_NAMES else names[:MAX_NAMES]
    rest = len(names) - len(shown)
    there = (
        f"there are {', '.join(shown)}" + (f" and {rest:,} more" if rest else "") if shown else f"there are {rest:,}" if rest else "there are none"
    )
    there += "; `mocapgen inspect FILE.H5 --list-clips` lists them" if rest and setting in ("clip", "clips") else ""
    from schemas.errors import ConfigError  # here, as the command line starts before it is sure whose `schemas` there is

    return ConfigError(f"{setting}: expected {wanted}, found {pattern!r}; {hint}{there}")
