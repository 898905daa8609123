"""Text to numbers, vectorised and bit-exact: the inner loop of every text format.

Python's ``float`` and NumPy's text readers take 60 to 250 ns a value. Nearly all values of motion-capture files are
plain decimals of at most 15 digits; those are read here eight characters at a time as integers in a machine word,
and one correctly rounded division then gives the very double that ``float`` would: the digits and the power of ten
are both exact (Clinger, How to read floating point numbers accurately, PLDI 1990; the word-wise digits after Lemire,
Number parsing at a gigabyte per second, Software: Practice and Experience 51(8), 2021). All other words, such as
``2.5842e-015``, are left to ``float``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocapgen.formats._text import LARGEST, number

_PAD = 24  # bytes of blanks behind the text, so that a window of 8 bytes never leaves it
_BLOCK = 1 << 14  # words at a time: their intermediate results stay in the processor's cache
_U = np.uint64
_ZEROS = _U(0x3030303030303030)
_ONES = _U(0xFFFFFFFFFFFFFFFF)
_TENS = 10.0 ** np.arange(16)


class Words:
    """The words of a text, by position.

    Parameters
    ----------
    data : bytes
        ASCII or latin-1; everything up to code 32 separates words.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.text = np.frombuffer(data + b" " * _PAD, dtype=np.uint8)
        self._windows = np.ndarray((len(self.text) - 7,), dtype="<u8", buffer=self.text, strides=(1,))  # the 8 bytes from each position
        filled = np.zeros(len(self.text) + 1, dtype=np.int8)
        filled[1:] = self.text > 32
        steps = np.diff(filled)
        self.starts: NDArray[np.intp] = np.flatnonzero(steps == 1)
        self.stops: NDArray[np.intp] = np.flatnonzero(steps == -1)

    def __len__(self) -> int:
        return len(self.starts)

    def rows_repeat(self, words: NDArray[np.intp]) -> bool:
        """Tell whether in a table of word indices, (R, C), every row reads like the first one."""
        starts = self.starts[words]
        lengths = self.stops[words] - starts
        if not (lengths == lengths[0]).all():
            return False
        for begin in range(0, int(lengths[0].max()), 8):
            columns = np.flatnonzero(lengths[0] > begin)
            kept = np.minimum(lengths[0, columns] - begin, 8).astype(np.uint64)
            mask = _ONES >> (_U(64) - (kept << _U(3)))
            window = self._windows[starts[:, columns] + begin] & mask
            if not (window == window[0]).all():
                return False
        return True

    def numbers(self, words: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the values of the words with these indices, (N,) float64.

        Words that are no finite number below 1e9 give NaN.
        """
        out = np.empty(len(words))
        for begin in range(0, len(words), _BLOCK):
            block = words[begin : begin + _BLOCK]
            out[begin : begin + _BLOCK] = self._numbers(self.starts[block], self.stops[block])
        return out

    def _numbers(self, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> NDArray[np.float64]:
        negative = self.text[starts] == ord("-")
        digits = starts + negative
        whole = self._windows[digits]
        # The dot is the lowest byte in which the word, xored with dots, has a zero.
        dotted = whole ^ _U(0x2E2E2E2E2E2E2E2E)
        dotted = (dotted - _U(0x0101010101010101)) & ~dotted & _U(0x8080808080808080)
        before_dot = (np.bitwise_count((dotted & -dotted) - _U(1)) >> 3).astype(np.intp)
        length = stops - digits
        before_dot = np.minimum(before_dot, length)
        fraction_digits = np.maximum(length - before_dot - 1, 0)
        fraction = self._windows[digits + before_dot + 1]
        whole, plain = _digits(whole, before_dot)
        fraction, plain_fraction = _digits(fraction, np.minimum(fraction_digits, 8))
        plain &= plain_fraction & (before_dot > 0) & (before_dot <= 7) & (fraction_digits <= 8)
        scale = _TENS[np.minimum(fraction_digits, 15)]
        values = (whole * scale + fraction) / scale
        values = np.where(negative, -values, values)
        odd = np.flatnonzero(~plain)
        if len(odd):
            values[odd] = _floats([self.data[a:b] for a, b in zip(starts[odd].tolist(), stops[odd].tolist(), strict=True)])
        return values


def _digits(window: NDArray[np.uint64], count: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the integer that the first `count` (0 to 8) characters spell, and whether they are all digits."""
    shift = ((8 - count) << 3).astype(np.uint64)
    # Zeros go in front; a shift by all 64 bits gives 0 in NumPy.
    window = (window << shift) | (_ZEROS >> (_U(64) - shift))
    is_plain = (((window + _U(0x4646464646464646)) | (window - _ZEROS)) & _U(0x8080808080808080)) == 0
    window = window - _ZEROS
    window = (window * _U(10) + (window >> _U(8))) & _U(0x00FF00FF00FF00FF)
    window = (window * _U(100) + (window >> _U(16))) & _U(0x0000FFFF0000FFFF)
    window = (window * _U(10000) + (window >> _U(32))) & _U(0x00000000FFFFFFFF)
    return window.astype(np.float64), is_plain


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
