"""Numbers as text: digit for digit what the slow way prints."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mocapgen.formats._decimals import format_rows

SIZES = (0.0, 1e-12, 1e-6, 1.0, 100.0, 9999.0, 1e4, 1e6, 1e9, 1e300)


def plainly(rows: NDArray[np.float64], decimals: int) -> bytes:
    lines = (" ".join(f"{value:.{decimals}f}" for value in row) for row in (np.round(rows, decimals) + 0.0).tolist())
    return "".join(line + "\n" for line in lines).encode()


@pytest.mark.parametrize("decimals", [1, 3, 4, 5, 8, 10])
@pytest.mark.parametrize("size", SIZES)
def test_reads_as_the_slow_way_prints(size, decimals):
    rows = np.random.default_rng(0).normal(size=(300, 7)) * size
    if size == 1e300:
        rows = rows[:3] * 1e-20  # times a power of ten still a number
    assert format_rows(rows, decimals) == plainly(rows, decimals)


@pytest.mark.parametrize("decimals", [1, 4, 10])
def test_ties_ends_of_the_range_and_zeros(decimals):
    unit = 10.0**-decimals
    whole = [0.0, -0.0, 9.0, 10.0, 999.0, 1000.0, 9999.0, 9999.0 + unit, 10000.0 - 0.4 * unit, 10000.0 - 0.6 * unit]
    rows = np.array([whole, *(np.array(whole) + share * unit for share in (0.4, 0.5, 0.6, 1.5, 2.5))])
    for table in (rows, -rows, rows[:, :1], rows[:, :2] * 0.05, rows[:0], rows[:, :0]):
        assert format_rows(table, decimals) == plainly(table, decimals)
        assert format_rows(table, decimals, "\t") == plainly(table, decimals).replace(b" ", b"\t")


def test_what_is_no_number_is_said():
    rows = np.array([[1.5, np.nan], [-np.inf, 0.25]])
    assert format_rows(rows, 2, ",") == b"1.50,nan\n-inf,0.25\n"
