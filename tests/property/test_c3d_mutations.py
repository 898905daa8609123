"""C3D files that look real but for random damage: the outcome is sound Markers or one of our errors, nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen.core.markers import Markers
from mocapgen.formats.c3d import format_c3d, parse_c3d
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make
from schemas.errors import MocapError

RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BODY = place_markers(make(clips()[0])[0].slice(0, 12))
FILE = format_c3d(BODY, "sa")

places = st.one_of(st.integers(0, 63), st.integers(512, 3 * 512), st.integers(0, len(FILE) - 1))
writes = st.lists(st.tuples(places, st.binary(min_size=1, max_size=4)), min_size=1, max_size=4)


def outcome(data: bytes) -> Markers | str:
    """Return what reading gives; fail on anything but sound markers or one line."""
    try:
        markers = parse_c3d(data, "a.c3d")
    except MocapError as error:
        message = str(error)
        assert message.startswith("a.c3d: ")
        assert "\n" not in message
        assert len(message) < 400
        return message
    assert markers.positions.size <= len(data)
    assert np.isfinite(markers.positions[markers.valid]).all()
    assert np.isnan(markers.positions[~markers.valid]).all()
    return markers


@RELAXED
@given(writes)
def test_overwritten_bytes(changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(FILE)
    for place, value in changes:
        data[place : place + len(value)] = value
    outcome(bytes(data))


@RELAXED
@given(st.integers(0, len(FILE)), st.integers(0, 600), st.binary(max_size=40))
def test_cut_and_spliced(place: int, length: int, inserted: bytes) -> None:
    outcome(FILE[:place] + inserted + FILE[place + length :])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_noise(noise: bytes) -> None:
    outcome(noise)
    outcome(b"\x02\x50" + noise)
    outcome(FILE[:512] + noise)


@settings(max_examples=30, deadline=None)
@given(st.floats(1.0, 1000.0), st.integers(1, 6), st.randoms(use_true_random=False))
def test_what_is_written_is_read(fps: float, frames: int, random: object) -> None:
    generator = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    valid = generator.random((frames, len(BODY.labels))) > 0.2
    markers = Markers(BODY.labels, BODY.positions[:frames], valid, fps)
    again = outcome(format_c3d(markers))
    assert isinstance(again, Markers) or not valid.any()
    if isinstance(again, Markers):
        assert (again.valid == valid).all()
        assert np.abs(again.positions - markers.positions)[valid].max() < 1e-6
        assert abs(again.fps - fps) < 1e-4 * fps
