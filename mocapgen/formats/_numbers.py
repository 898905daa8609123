"""Text to numbers, vectorised and bit-exact: the inner loop of every text format.

Python's ``float`` and NumPy's text readers take 35 to 250 ns a value. Nearly all values of motion-capture files are
plain decimals of at most 15 digits; those are read here eight characters at a time as integers in a machine word,
and one correctly rounded division then gives the very double that ``float`` would: the digits and the power of ten
are both exact (Clinger, How to read floating point numbers accurately, PLDI 1990; the word-wise digits after Lemire,
Number parsing at a gigabyte per second, Software: Practice and Experience 51(8), 2021). All other words, such as
``2.5842e-015``, are left to ``float``.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mocapgen.formats._text import number
from mocapgen.formats.limits import LARGEST

_FRONT = 8  # blanks before the text, so that there are 8 characters before every place in it
_BLOCK = 1 << 15  # words at a time: their intermediate results stay in the processor's cache
_U = np.uint64
_ONES = _U(0xFFFFFFFFFFFFFFFF)
_HIGH_BITS = _U(0x8080808080808080)
_ZEROS = _U(0x3030303030303030)
_DOTS = _ZEROS ^ _U(0x2E2E2E2E2E2E2E2E)  # dots where digits have become 0 to 9
_TENS = 10.0 ** np.arange(23)  # words with several dots, which are no numbers, get as far as 22 digits behind one of them

_Bits = NDArray[np.uint64]
_Indices = NDArray[np.intp]
_Counts = NDArray[np.int8]
_Flags = NDArray[np.bool_]


class Words:
    """The words of a text, by position.

    Parameters
    ----------
    data : bytes
        ASCII or latin-1; everything up to code 32 separates words.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        padded = np.frombuffer(b"".join((b" " * _FRONT, data, b" " * (24 - len(data) % 8))), dtype=np.uint8)
        self.text = padded[_FRONT:]
        self._machine_words = padded.view("<u8")
        filled = padded > 32
        edges = np.flatnonzero(filled[_FRONT - 1 : -1] != filled[_FRONT:])
        self.starts: _Indices = edges[::2].copy()
        self.stops: _Indices = edges[1::2].copy()

    def __len__(self) -> int:
        return len(self.starts)

    def _before(self, places: _Indices, count: int = 1) -> list[_Bits]:
        """Return the 8 characters before each place, the first as the lowest byte; then the 8 before those, and so on.

        Out of aligned machine words: NumPy gathers those several times faster than words that lie anywhere.
        """
        whole = places >> 3
        shift = ((places & 7) << 3).view(np.uint64)
        rest = _U(64) - shift  # a shift by all 64 bits gives 0 in NumPy
        gathered = [self._machine_words[whole + 1 - back] for back in range(count + 1)]
        return [(low >> shift) | (high << rest) for high, low in pairwise(gathered)]

    def rows_repeat(self, words: _Indices) -> bool:
        """Tell whether in a table of word indices, (R, C), every row reads like the first one."""
        starts = self.starts[words]
        lengths = self.stops[words] - starts
        if not (lengths == lengths[0]).all():
            return False
        for begin in range(0, int(lengths[0].max()), 8):
            columns = np.flatnonzero(lengths[0] > begin)
            kept = np.minimum(lengths[0, columns] - begin, 8)
            window = self._before(starts[:, columns] + begin + kept)[0] >> ((8 - kept) << 3).view(np.uint64)
            if not (window == window[0]).all():
                return False
        return True

    def numbers(self, words: _Indices | None = None) -> NDArray[np.float64]:
        """Return the values of the words with these indices, (N,) float64; by default of all words.

        Words that are no finite number below 1e9 give NaN.
        """
        out = np.empty(len(self) if words is None else len(words))
        size = -(-len(out) // -(-len(out) // _BLOCK)) if len(out) else 1  # blocks of equal size: a small one costs as much
        for begin in range(0, len(out), size):
            block = slice(begin, begin + size) if words is None else words[begin : begin + size]
            out[begin : begin + size] = self._numbers(self.starts[block], self.stops[block])
        return out

    def _numbers(self, starts: _Indices, stops: _Indices) -> NDArray[np.float64]:
        negative = self.text[starts] == ord("-")
        lengths = stops - starts
        lengths -= negative
        long = np.flatnonzero(lengths > 8)
        if 3 * len(long) > len(lengths):
            integers, decimals, odd = self._up_to_16(stops, lengths)
        else:
            integers, decimals, odd = self._up_to_8(stops, lengths)
            if len(long):
                decimals = np.array(np.broadcast_to(decimals, odd.shape))
                integers[long], decimals[long], odd[long] = self._up_to_16(stops[long], lengths[long])
        scale = _TENS[decimals]
        values = integers.view(np.int64) / np.where(negative, -scale, scale)
        if odd.any():
            strange = np.flatnonzero(odd)
            values[strange] = _floats([self.data[a:b] for a, b in zip(starts[strange].tolist(), stops[strange].tolist(), strict=True)])
        return values

    def _up_to_8(self, stops: _Indices, lengths: _Indices) -> tuple[_Bits, _Counts, _Flags]:
        """Read words of at most 8 characters without their sign.

        Returns
        -------
        integers : (N,) uint64
            What the digits spell without the dot.
        decimals : (N,) or (1,) int8
            How many of them stand behind the dot.
        odd : (N,) bool
            Whether the word is something else than digits with or without a dot.
        """
        digits, decimals, dotted, odd = _split(_last(self._before(stops)[0], lengths))
        odd |= lengths <= dotted
        return _spelled(digits), decimals, odd

    def _up_to_16(self, stops: _Indices, lengths: _Indices) -> tuple[_Bits, _Counts, _Flags]:
        """Read words of at most 16 characters, of which up to 15 digits; return as :meth:`_up_to_8` does."""
        back, front = self._before(stops, 2)
        digits, decimals, dotted, odd = _split(_last(back, lengths))
        odd |= lengths <= dotted
        front = _last(front, lengths - 8)
        weight = np.where(dotted, _U(10**7), _U(10**8))
        if dotted.all():
            odd |= _not_digits(front)
        else:
            front, more, dotted_before, odd_before = _split(front)
            odd |= odd_before | (dotted & dotted_before)
            decimals = decimals + (more + np.int8(8)) * dotted_before
            dotted = dotted | dotted_before
        # With at most 9 digits before the dot it is below the largest number that is believed; and with a dot within 16
        # characters there are at most 15 digits, a double.
        odd |= lengths > np.minimum(9 + dotted + decimals, 16)
        return _spelled(digits) + _spelled(front) * weight, decimals, odd


def _last(characters: _Bits, count: _Indices) -> _Bits:
    """Return the last `count` (8 if more, 0 if fewer) characters, the others zero, with 0 to 9 for the digits."""
    shift = (np.maximum(8 - count, 0) << 3).view(np.uint64)
    return (characters ^ _ZEROS) >> shift << shift  # a shift by 64 or more gives 0 in NumPy


def _split(characters: _Bits) -> tuple[_Bits, _Counts, _Flags, _Flags]:
    """Take the dot out of digits.

    Returns
    -------
    digits : (N,) uint64
        Moved together, the last one still in the highest byte.
    decimals : (N,) or (1,) int8
        How many stood behind the dot; 0 if there is none.
    dotted : (N,) or (1,) bool
        Whether there is one.
    odd : (N,) bool
        Whether there is anything else, or a second dot.
    """
    dots = _dots(characters)
    behind = -(dots << _U(1))  # all bytes above the dot's
    dotted = dots != 0
    before = characters & ((dots >> _U(7)) - _U(1))
    digits = (characters & behind) | (before << (dotted.astype(np.uint64) << _U(3)))
    return digits, (np.bitwise_count(behind) >> 3).view(np.int8), dotted, _not_digits(digits)


def _not_digits(digits: _Bits) -> _Flags:
    """Tell where a byte is not 0 to 9."""
    return (((digits + _U(0x7676767676767676)) | digits) & _HIGH_BITS) != 0


def _dots(characters: _Bits) -> _Bits:
    """Return the high bit of the byte with the (first) dot of each word, 0 where there is none; (1,) where all have it in the same place."""
    first = _first_dot(characters[:1])
    mask = (first << _U(1)) - (first >> _U(7))  # the dot's byte
    if first[0] and ((characters & mask) == (_DOTS & mask)).all():
        return first
    return _first_dot(characters)


def _first_dot(characters: _Bits) -> _Bits:
    # Where a byte is a dot, xor makes it 0; of the bytes whose high bit is set by a borrow, the lowest is such a one.
    found = characters ^ _DOTS
    found = (found - _U(0x0101010101010101)) & ~found & _HIGH_BITS
    return found & -found


def _spelled(digits: _Bits) -> _Bits:
    """Return the integers that 8 digits, one a byte, spell."""
    digits = (digits * _U(10 * 2**8 + 1) >> _U(8)) & _U(0x00FF00FF00FF00FF)
    digits = (digits * _U(100 * 2**16 + 1) >> _U(16)) & _U(0x0000FFFF0000FFFF)
    return digits * _U(10000 * 2**32 + 1) >> _U(32)


def _floats(words: list[bytes]) -> NDArray[np.float64]:
    """Return the values of words that are not plain decimals; NaN for those that are no finite number below 1e9."""
    try:
        values = np.array(list(map(float, words)))
    except ValueError:
        found = (number(word.decode("latin-1")) for word in words)
        return np.array([np.nan if value is None else value for value in found])
    values[~(np.abs(values) < LARGEST)] = np.nan
    if b"_" in b"".join(words):  # Python reads 1_0 as 10
        values[[b"_" in word for word in words]] = np.nan
    return values
