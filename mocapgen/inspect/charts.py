"""Charts as SVG for a page, with the page's colours and fonts.

Every function returns a ``figure`` element with a title, the chart, and a line that says in numbers what the chart shows; marks have tooltips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array
from mocapgen.inspect.report_html import counted, number, text

WIDTH, HEIGHT = 420, 236
"""Size of a chart in its own units; it is scaled to the room that it has."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 42
BINS = 22
"""Bars of a histogram, about."""
_LEVELS = 24  # shades of a heat map
_CELL = 5.0  # degrees: directions nearer to each other are one dot
_DIGITS = 1e-4  # values whose spread is a smaller share of them are one value


@dataclass(frozen=True)
class Scale:
    """Maps values to places of the drawing, linearly.

    Parameters
    ----------
    low, high : float
        Values at its ends.
    start, end : float
        Their places.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def nice_step(span: float, count: int) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that divides a span into about so many parts, rather fewer."""
    raw = span / count
    power = 10.0 ** np.floor(np.log10(raw))
    return float(next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * (1.0 - 1e-9)))


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`."""
    step = nice_step(high - low, count)
    return [round(place * step, 12) for place in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def bins(values: Array) -> Array:
    """Return the edges of a histogram's bins: round, equally far apart; far outliers are beyond the first and the last of them.

    Parameters
    ----------
    values : (n,) float
        At least one, finite.
    """
    low, high = float(values.min()), float(values.max())
    first, last = np.percentile(values, [2.0, 98.0])
    low, high = max(low, float(first - 2.0 * (last - first))), min(high, float(last + 2.0 * (last - first)))
    size = max(abs(low), abs(high))
    if high - low <= _DIGITS * size:  # one value, in the middle
        step = nice_step(size, 10) if size else 1.0
        return 0.5 * (low + high) + step * np.arange(-2.5, 3.0)
    step = nice_step(high - low, BINS)
    if (values == np.round(values)).all():
        step = max(step, 1.0)
    start, end = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    if end * step <= high:  # a value at the last edge has a bin of its own
        end += 1
    return step * np.arange(start, end + 1)


def _short(value: float) -> str:
    """Return a number that has room below a tick."""
    if abs(value) < 1e5:
        return number(value)
    power = min(int(np.log10(abs(value))) // 3, 4)
    scaled = value / 1000.0**power
    return f"{scaled:.1e}" if abs(scaled) >= 1e4 else f"{scaled:g} {' kMGT'[power]}"


def _finite(values: Sequence[float] | Array) -> Array:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]


def _figure(title: str, drawing: str, note: str, described: str = "", box: tuple[float, float] = (WIDTH, HEIGHT)) -> str:
    label = text(". ".join(part for part in (title, described or note) if part))
    svg = f'<svg viewBox="0 0 {box[0]:g} {box[1]:g}" role="img" aria-label="{label}">{drawing}</svg>' if drawing else '<p class="none">no data</p>'
    return f'<figure class="chart"><figcaption>{text(title)}</figcaption>{svg}<p class="note">{text(note)}</p></figure>'


def _axes(x: Scale, y: Scale, x_label: str, y_label: str, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> str:
    grid = "".join(f"M{x.start:g} {y(value):.1f}H{x.end:g}" for value in y_ticks)
    stubs = "".join(f"M{x(value):.1f} {y.start:g}v4" for value in x_ticks)
    below = "".join(f'<text x="{x(value):.1f}" y="{y.start + 17:g}" text-anchor="middle">{_short(value)}</text>' for value in x_ticks)
    beside = "".join(f'<text x="{x.start - 6:g}" y="{y(value) + 4:.1f}" text-anchor="end">{_short(value)}</text>' for value in y_ticks)
    middle = (y.start + y.end) / 2
    names = (
        f'<text class="name" x="{(x.start + x.end) / 2:g}" y="{y.start + 36:g}" text-anchor="middle">{text(x_label)}</text>'
        f'<text class="name" transform="translate(11 {middle:g}) rotate(-90)" text-anchor="middle">{text(y_label)}</text>'
    )
    return f'<path class="grid" d="{grid}"/><path class="axis" d="M{x.start:g} {y.start:g}H{x.end:g}{stubs}"/>{below}{beside}{names}'


def _spread(values: Array, unit: str, of: str) -> str:
    """Return in words how values are spread."""
    middle, low, high = np.percentile(values, [50, 5, 95])
    if values.max() - values.min() <= _DIGITS * max(float(np.abs(values).max()), 1e-12):
        return f"{number(float(middle))} {unit} in {'all of ' * (len(values) > 1)}{counted(len(values), of)}"
    between = f"90 % from {number(float(low))} to {number(float(high))}; all from {number(float(values.min()))} to {number(float(values.max()))}"
    return f"median {number(float(middle))} {unit}; {between}; {counted(len(values), of)}"


def histogram(title: str, values: Sequence[float] | Array, label: str, unit: str, of: str = "sequence") -> str:
    """Return a histogram.

    Parameters
    ----------
    title : str
    values : (n,) float
        NaN and infinities are left out.
    label : str
        What the values are, for the axis.
    unit : str
    of : str
        What each value belongs to.
    """
    numbers = _finite(values)
    if not len(numbers):
        return _figure(title, "", "")
    edges = bins(numbers)
    counts = np.histogram(numbers, edges)[0]
    below, above = int((numbers < edges[0]).sum()), int((numbers > edges[-1]).sum())
    room = edges[1] - edges[0]
    x = Scale(edges[0] - room * bool(below), edges[-1] + room * bool(above), _LEFT, WIDTH - _RIGHT)
    y = Scale(0.0, float(max(counts.max(), below, above)), HEIGHT - _BOTTOM, _TOP)
    drawn = [(edges[i], edges[i + 1], int(count), "bar", f"{number(edges[i])} to {number(edges[i + 1])} {unit}") for i, count in enumerate(counts)]
    drawn += [(x.low, edges[0], below, "bar beyond", f"below {number(edges[0])} {unit}")]
    drawn += [(edges[-1], x.high, above, "bar beyond", f"above {number(edges[-1])} {unit}")]
    bars = "".join(
        f'<rect class="{kind}" x="{x(low) + 0.5:.2f}" y="{y(count):.2f}" width="{x(high) - x(low) - 1.0:.2f}" height="{y.start - y(count):.2f}">'
        f"<title>{text(f'{said}: {counted(count, of)}')}</title></rect>"
        for low, high, count, kind, said in drawn
        if count
    )
    shown = ticks(edges[0], edges[-1]) if counts.max() < len(numbers) else [0.5 * float(edges[0] + edges[-1])]
    beyond = [
        f"{counted(count, of)} {where} {number(edge)} {unit}"
        for count, where, edge in ((below, "below", edges[0]), (above, "above", edges[-1]))
        if count
    ]
    note = "; ".join([_spread(numbers, unit, of), *(f"at the edge: {each}" for each in beyond)])
    whole = [value for value in ticks(0.0, y.high, 4) if value == round(value)]
    return _figure(title, _axes(x, y, f"{label} ({unit})", f"{of}s", shown, whole) + bars, note)


def bars(title: str, amounts: Sequence[tuple[str, float]], unit: str, note: str = "") -> str:
    """Return bars side by side from top to bottom, one for each name, with its amount."""
    if not amounts:
        return _figure(title, "", note)
    row, left = 20, 136
    x = Scale(0.0, max(max(amount for _, amount in amounts), 1e-12), left, WIDTH - 64)
    parts = []
    for place, (name, amount) in enumerate(amounts):
        top = 6 + row * place
        short = name if len(name) <= 18 else f"{name[:17]}…"
        said = text(f"{name}: {number(amount)} {unit}")
        parts.append(
            f'<text x="{left - 6}" y="{top + 13}" text-anchor="end">{text(short)}<title>{text(name)}</title></text>'
            f'<rect class="bar" x="{left}" y="{top + 2}" width="{x(amount) - left:.2f}" height="{row - 5}"><title>{said}</title></rect>'
            f'<text x="{x(amount) + 5:.1f}" y="{top + 13}">{number(amount)}</text>'
        )
    height = 6 + row * len(amounts) + 24
    name = f'<text class="name" x="{(x.start + x.end) / 2:g}" y="{height - 6}" text-anchor="middle">{text(unit)}</text>'
    described = ", ".join(f"{name} {number(amount)}" for name, amount in amounts)
    return _figure(title, "".join(parts) + name, note, described, (WIDTH, height))


def scatter(title: str, x_values: Array, y_values: Array, labels: tuple[str, str], marked: NDArray[np.bool_], marked_as: str) -> str:
    """Return points in the plane, those that are marked in another colour and on top.

    Parameters
    ----------
    title : str
    x_values, y_values : (n,) float
        Points without a place are left out.
    labels : (str, str)
        What the values are, with units.
    marked : (n,) bool
    marked_as : str
        What it means, for the line below.
    """
    known = np.isfinite(x_values) & np.isfinite(y_values)
    if not known.any():
        return _figure(title, "", "")
    xs, ys, special = x_values[known], y_values[known], marked[known]
    x, y = _along(xs, _LEFT, WIDTH - _RIGHT), _along(ys, HEIGHT - _BOTTOM, _TOP)

    def dots(which: NDArray[np.bool_]) -> str:
        # points at the same place are drawn once, so that the size is bounded
        places = dict.fromkeys((round(x(a), 1), round(y(b), 1)) for a, b in zip(xs[which].tolist(), ys[which].tolist(), strict=True))
        return "".join(f"M{a:g} {b:g}h0" for a, b in places)

    drawing = _axes(x, y, *labels, ticks(x.low, x.high), ticks(y.low, y.high, 5))
    drawing += f'<path class="dots" d="{dots(~special)}"/>' if (~special).any() else ""
    drawing += f'<path class="dots marked" d="{dots(special)}"/>' if special.any() else ""
    note = f"{counted(len(xs), 'sequence')}" + (f", of which {int(special.sum()):,} {marked_as}" if special.any() else "")
    return _figure(title, drawing, note)


def _along(values: Array, start: float, end: float) -> Scale:
    low, high = float(values.min()), float(values.max())
    low = min(low, 0.0) if low < 0.5 * high else low  # zero belongs to an axis that comes near it
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return Scale(low - margin * (low != 0.0), high + margin, start, end)


def polar(title: str, azimuths: Array, elevations: Array) -> str:
    """Return from where cameras see people, as a map of the sky: the zenith in the middle, the horizon a circle around it.

    Parameters
    ----------
    title : str
    azimuths : (n,) float
        Degrees: 0 in front of the person, 90 to their left, drawn below and on the right; the map is seen from above.
    elevations : (n,) float
        Degrees above the horizon.
    """
    known = np.isfinite(azimuths) & np.isfinite(elevations)
    if not known.any():
        return _figure(title, "", "")
    spots = Counter(
        (round(azimuth / _CELL) * _CELL % 360.0, round(elevation / _CELL) * _CELL)
        for azimuth, elevation in zip(azimuths[known], elevations[known], strict=True)
    )
    lowest = min(elevation for _, elevation in spots)
    rim = -30.0 * max(np.ceil(-lowest / 30.0), 0.0) if lowest < 0.0 else 0.0
    centre_x, centre_y, size = WIDTH / 2, 150.0, 118.0
    radius = Scale(90.0, rim, 0.0, size)
    rings = "".join(
        f'<circle class="{"axis" if ring == 0 else "grid"}" cx="{centre_x:g}" cy="{centre_y:g}" r="{radius(ring):.1f}"/>'
        f'<text class="ring" x="{centre_x + 3:g}" y="{centre_y - radius(ring) - 3:.1f}">{number(ring)}°</text>'
        for ring in np.arange(rim, 61.0, 30.0)
    )
    spokes = "".join(f"M{centre_x:g} {centre_y:g}l{size * np.sin(a):.1f} {size * np.cos(a):.1f}" for a in np.radians(np.arange(0, 360, 45)))
    names = "".join(
        f'<text class="name" x="{centre_x + dx:g}" y="{centre_y + dy:g}" text-anchor="{anchor}">{name}</text>'
        for name, dx, dy, anchor in (
            ("in front", 0, size + 18, "middle"),
            ("behind", 0, -size - 18, "middle"),
            ("left", size + 8, 4, "start"),
            ("right", -size - 8, 4, "end"),
        )
    )
    most = max(spots.values())
    dots = "".join(
        _spot(centre_x, centre_y, radius(elevation), azimuth, elevation, count, most) for (azimuth, elevation), count in sorted(spots.items())
    )
    note = f"{counted(int(known.sum()), 'sequence')} by where the camera stands as the person sees it; from above, circles are degrees of elevation"
    return _figure(title, f'{rings}<path class="grid" d="{spokes}"/>{names}{dots}', note, box=(WIDTH, 292))


def _spot(x: float, y: float, radius: float, azimuth: float, elevation: float, count: int, most: int) -> str:
    angle = np.radians(azimuth)
    turned = (azimuth + 180.0) % 360.0 - 180.0
    said = text(f"azimuth {turned:g}°, elevation {elevation:g}°: {counted(count, 'sequence')}")
    place = f'cx="{x + radius * np.sin(angle):.1f}" cy="{y + radius * np.cos(angle):.1f}"'
    return f'<circle class="spot" {place} r="{2.0 + 7.0 * np.sqrt(count / most):.2f}"><title>{said}</title></circle>'


def heat_map(title: str, counts: NDArray[np.int64], outside: int, aspect: float) -> str:
    """Return where in the image joints fall.

    Parameters
    ----------
    title : str
    counts : (rows, columns) int
        Top left first.
    outside : int
        How many fall beside the image.
    aspect : float
        Width of the image by its height.
    """
    total, most = int(counts.sum()), int(counts.max(initial=0))
    if not total:
        return _figure(title, "", f"{outside:,} joints fall beside the image" if outside else "")
    width = float(WIDTH - _LEFT - _RIGHT)
    height = min(width / aspect, 320.0)
    width = height * aspect
    left = _LEFT + (WIDTH - _LEFT - _RIGHT - width) / 2
    levels = np.ceil(_LEVELS * np.sqrt(counts / most)).astype(int)
    rows, columns = counts.shape
    shades = []
    for level in range(1, _LEVELS + 1):
        cells = "".join(f"M{column} {row}h1v1h-1z" for row, column in np.argwhere(levels == level))
        shades += [f'<path class="heat" fill-opacity="{level / _LEVELS:.2f}" d="{cells}"/>'] if cells else []
    x, y = Scale(0.0, 100.0, left, left + width), Scale(100.0, 0.0, _TOP + height, _TOP)
    frame = f'<rect class="frame" x="{left:.1f}" y="{_TOP}" width="{width:.1f}" height="{height:.1f}"/>'
    placed = f'<g transform="translate({left:.1f} {_TOP}) scale({width / columns:.5g} {height / rows:.5g})">{"".join(shades)}</g>'
    axes = _axes(x, y, "across the image (% of its width)", "down (% of its height)", range(0, 101, 25), range(0, 101, 25))
    share = 100.0 * outside / (total + outside)
    note = f"{total:,} joints in the image, {number(share)} % of all beside it; the fullest cell holds {number(100.0 * most / total)} %"
    return _figure(title, frame + axes + placed, note, box=(WIDTH, _TOP + height + _BOTTOM))
