"""Numbers to text, vectorised: what ``"%.*f"`` prints, digit for digit, several times faster; the counterpart of :mod:`mocapgen.formats._numbers`."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array

_GROUP = 4  # digits that are looked up at once
_BASE = 10**_GROUP
_EXACT = 2.0**52  # units of the last digit: up to here a double tells each from the next, so that its text is that of their number
_NOTHING = b"\0"  # fills up what is shorter than its place, and is taken out in the end


def format_rows(rows: Array, decimals: int, separator: str = " ") -> bytes:
    """Return a table of numbers as text.

    Parameters
    ----------
    rows : (R, C) float64
        Of what is not finite, ``nan`` or ``inf`` is written.
    decimals : int
        Digits behind the point, at least one.
    separator : str
        One ASCII character.

    Returns
    -------
    bytes
        A line for each row, rounded as :func:`numpy.round` does, and never ``-0.0``.
    """
    scaled = np.rint(rows * 10.0**decimals)
    if not rows.size or not np.abs(scaled).max() < min(_EXACT, 10.0**decimals * _BASE):
        pattern = separator.join([f"%.{decimals}f"] * rows.shape[1]) + "\n"
        return "".join(pattern % tuple(row) for row in (scaled / 10.0**decimals + 0.0).tolist()).encode("ascii")
    heads, groups = _tables()
    units = np.abs(scaled).astype(np.int64)
    text = np.empty((*units.shape, 2 + -(-decimals // _GROUP)), dtype="<u4")
    for place in reversed(range(2, text.shape[-1])):
        missing = max(_GROUP * (text.shape[-1] - place) - decimals, 0)
        base = 10 ** (_GROUP - missing)
        rest = units // base
        text[..., place] = groups[units - rest * base] >> (8 * missing)
        units = rest
    text[..., :2] = heads[units + _BASE * (scaled < 0)]
    characters = text.view(np.uint8)
    characters[..., 0] = ord(separator)
    characters[:, :1, 0] = ord("\n")
    return characters.tobytes().translate(None, _NOTHING)[1:] + b"\n"


@cache
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return two tables for numbers of up to four digits: separator, sign, digits and point of the positive and then of the negative ones; digits."""
    numbers = range(_BASE)
    heads = [f" {sign}{number}.".encode().ljust(8, _NOTHING) for sign in ("", "-") for number in numbers]
    groups = [f"{number:04d}".encode() for number in numbers]
    return np.array(heads, dtype="S8").view("<u4").reshape(-1, 2), np.array(groups, dtype="S4").view("<u4")
