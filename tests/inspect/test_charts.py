"""Charts draw the numbers that they are given."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mocapgen.inspect.charts import HEIGHT, WIDTH, bars, bins, heat_map, histogram, nice_step, polar, scatter, ticks
from mocapgen.inspect.report_html import Column, number, table, text

NAMES = "</title><script>alert(1)</script>\"'&\u202e\x00"
values = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6, allow_nan=False))


def marks(figure: str, kind: str) -> list[ET.Element]:
    """Elements of a class; that the figure can be parsed as XML says that it is well formed."""
    return [element for element in ET.fromstring(figure).iter() if kind in element.get("class", "").split()]


def counts(figure: str) -> list[int]:
    """The counts of a histogram as its tooltips say them."""
    return [int(re.search(r": ([\d,]+) ", bar[0].text)[1].replace(",", "")) for bar in marks(figure, "bar")]


@settings(max_examples=40)
@given(values)
def test_a_histogram_counts_every_value_once_and_its_bars_are_as_high_as_their_counts(numbers):
    figure = histogram("t", numbers, "x", "m")
    found = counts(figure)
    assert sum(found) == len(numbers)
    heights = [float(bar.get("height")) for bar in marks(figure, "bar")]
    np.testing.assert_allclose(np.array(heights) / max(heights), np.array(found) / max(found), atol=0.001)


@given(values)
def test_bins_are_round_and_hold_what_is_no_outlier(numbers):
    edges = bins(numbers)
    assert 2 <= len(edges) <= 64
    np.testing.assert_allclose(np.diff(edges), edges[1] - edges[0], rtol=1e-6)
    first, last = np.percentile(numbers, [2, 98])
    slack = 1e-9 * np.abs(numbers).max() + 1e-12
    assert edges[0] <= first + slack
    assert edges[-1] >= last - slack


def test_bars_of_a_histogram_stand_where_their_values_are():
    figure = histogram("t", [0.5, 1.5, 1.5, 9.5], "x", "m")
    (left, middle, right), base = marks(figure, "bar"), float(marks(figure, "bar")[0].get("y")) + float(marks(figure, "bar")[0].get("height"))
    assert counts(figure) == [1, 2, 1]
    spots = [float(bar.get("x")) + float(bar.get("width")) / 2 for bar in (left, middle, right)]
    assert (spots[1] - spots[0]) * 8 == pytest.approx(spots[2] - spots[1], rel=0.01)
    assert base == pytest.approx(HEIGHT - 42)
    assert "median 1.5 m" in figure


def test_outliers_have_a_bar_at_the_edge_and_are_told():
    figure = histogram("t", [*np.linspace(0, 1, 200), 1000.0, -500.0], "x", "m")
    assert len(marks(figure, "beyond")) == 2
    assert "1 sequence above" in figure
    assert "1 sequence below" in figure
    assert sum(counts(figure)) == 202


def test_one_value_and_none():
    figure = histogram("t", [935.3] * 1300, "x", "px")
    assert counts(figure) == [1300]
    assert "935 px in all of 1,300 sequences" in figure
    for nothing in ([], [np.nan, np.inf]):
        assert "no data" in histogram("t", nothing, "x", "m")
    assert "no data" in polar("t", np.array([np.nan]), np.array([1.0]))
    assert "no data" in scatter("t", np.zeros(0), np.zeros(0), ("x", "y"), np.zeros(0, dtype=bool), "m")
    assert "no data" in heat_map("t", np.zeros((2, 3), dtype=np.int64), 0, 1.5)
    assert "no data" in bars("t", [], "m")


def test_bars_are_as_long_as_their_amounts():
    found = marks(bars("t", [("a", 4.0), ("b", 1.0), ("c", 0.0)], "minutes"), "bar")
    assert [float(bar.get("width")) / float(found[0].get("width")) for bar in found] == pytest.approx([1.0, 0.25, 0.0])
    assert [bar[0].text for bar in found] == ["a: 4 minutes", "b: 1 minutes", "c: 0 minutes"]


def test_points_are_where_their_values_are_and_marked_ones_are_told_apart():
    x, y = np.array([0.0, 10.0, 5.0, np.nan]), np.array([0.0, 10.0, 2.5, 1.0])
    figure = scatter("t", x, y, ("x (m)", "y (m)"), np.array([False, False, True, True]), "with findings")
    plain, special = (re.findall(r"M([\d.]+) ([\d.]+)h0", element.get("d")) for element in marks(figure, "dots"))
    (x0, y0), (x1, y1), (x2, y2) = ((float(a), float(b)) for a, b in (*plain, *special))
    assert (x2 - x0) / (x1 - x0) == pytest.approx(0.5, abs=0.01)
    assert (y2 - y0) / (y1 - y0) == pytest.approx(0.25, abs=0.01)
    assert y1 < y0
    assert "3 sequences, of which 1 with findings" in figure


@pytest.mark.parametrize(("azimuth", "side"), [(0.0, (0, 1)), (90.0, (1, 0)), (-90.0, (-1, 0)), (180.0, (0, -1))])
def test_a_camera_is_on_the_side_of_the_map_where_it_stands(azimuth, side):
    """In front is below, the person's left is on the right, as on a map of somebody who looks down the page."""
    (spot,) = marks(polar("t", np.array([azimuth]), np.array([0.0])), "spot")
    offset = np.array([float(spot.get("cx")) - WIDTH / 2, float(spot.get("cy")) - 150.0])
    np.testing.assert_allclose(offset / 118.0, side, atol=0.01)
    (higher,) = marks(polar("t", np.array([azimuth]), np.array([45.0])), "spot")
    np.testing.assert_allclose(np.array([float(higher.get("cx")) - WIDTH / 2, float(higher.get("cy")) - 150.0]), offset / 2, atol=0.2)


def test_directions_that_nearly_agree_are_one_spot_as_large_as_their_number():
    spots = marks(polar("t", np.array([1.0, -1.0, 359.0, 120.0]), np.array([2.0, 1.0, 0.0, -40.0])), "spot")
    assert [spot[0].text for spot in spots] == ["azimuth 0°, elevation 0°: 3 sequences", "azimuth 120°, elevation -40°: 1 sequence"]
    assert float(spots[0].get("r")) > float(spots[1].get("r"))


def test_a_heat_map_shows_each_cell_in_its_place_by_its_count():
    counts = np.zeros((3, 4), dtype=np.int64)
    counts[0, 1], counts[2, 3], counts[1, 0] = 100, 25, 1
    shades = {}
    for path in marks(heat_map("t", counts, 26, 4 / 3), "heat"):
        shades |= {(int(row), int(column)): float(path.get("fill-opacity")) for column, row in re.findall(r"M(\d+) (\d+)h1v1h-1z", path.get("d"))}
    assert set(shades) == {(0, 1), (2, 3), (1, 0)}
    assert (shades[0, 1], shades[2, 3]) == (1.0, 0.5)
    assert shades[1, 0] == pytest.approx(0.1, abs=0.05)
    assert "126 joints in the image, 17.1 % of all beside it" in heat_map("t", counts, 26, 4 / 3)


def test_names_are_text():
    for figure in (
        histogram(NAMES, [1.0], NAMES, NAMES, NAMES),
        bars(NAMES, [(NAMES, 1.0)], NAMES, NAMES),
        heat_map(NAMES, np.ones((1, 1), dtype=int), 0, 1),
    ):
        assert "<script" not in figure
        assert "\u202e" not in figure
        assert ET.fromstring(figure).find("figcaption").text == text_shown(NAMES)


def text_shown(name: str) -> str:
    return ET.fromstring(f"<a>{text(name)}</a>").text


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_are_round_and_within(low, span):
    if low + span == low or span < 1e-6 * abs(low):
        return
    found = ticks(low, low + span)
    assert 1 <= len(found) <= 8
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value in found)
    assert nice_step(span, 6) * 6 >= span * (1 - 1e-6)


def test_numbers_for_people():
    shown = {0.0: "0", 1.0: "1", 1300.0: "1,300", 0.12345: "0.123", 12.345: "12.3", 123.45: "123", -0.5: "-0.5", 1e20: "1.00e+20", 1e-7: "1.00e-07"}
    assert {value: number(value) for value in shown} == shown


def test_a_table_can_be_read_aloud_and_sorted():
    found = ET.fromstring(
        table("By <x>", [Column("Name", numeric=False), Column("Minutes", bars=True), Column("n")], [(NAMES, 2.5, 7), ("b", 5.0, None)])
    )
    assert found.find(".//caption").text == "By <x>"
    assert [head.get("scope") for head in found.iterfind(".//thead//th")] == ["col"] * 3
    assert [head.get("scope") for head in found.iterfind(".//tbody//th")] == ["row"] * 2
    cells = found.findall(".//tbody//td")
    assert [cell.text for cell in cells] == ["2.5", "7", "5.0", "–"]
    assert [cell.get("data-value") for cell in cells] == ["2.5", "7", "5", None]
    assert [cell.get("style") for cell in cells[::2]] == ["--share:50.0%", "--share:100.0%"]
