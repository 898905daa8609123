"""C3D files that look real but for random damage: the outcome is sound Markers or one of our errors, nothing else."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen.core.markers import Markers
from mocapgen.formats.c3d import format_c3d, parse_c3d
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make
from schemas.errors import MocapError
from tests.fuzz.mutate import damage_bytes

RELAXED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BODY = place_markers(make(clips()[0])[0].slice(0, 12))
FILE = format_c3d(BODY, "sa")


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
@given(st.randoms(use_true_random=False))
def test_damaged(random: Random) -> None:
    data = FILE
    for _ in range(random.randint(1, 4)):
        data = damage_bytes(data, random)
    outcome(data)


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
