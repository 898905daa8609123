"""`mocapgen inspect --explain`: the manual's words, from a wheel as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mocapgen.inspect.registry import checks

Call = Callable[..., tuple[object, str, str]]


@pytest.mark.parametrize("id", [*checks(), "inspect.check_failed"])
def test_every_check_is_explained(call: Call, id: str) -> None:
    status, out, err = call("inspect", "--explain", id)
    assert (status, err) == (0, "")
    assert out.startswith(f"{id}\n")
    assert len(out.splitlines()[-1]) > 60
    assert "not installed" not in out
    assert "](" not in out


def test_families_and_patterns_are_explained(call: Call) -> None:
    family = [id for id in checks() if id.startswith("motion.")]
    for pattern in ("motion", "motion.*"):
        out = call("inspect", "--explain", pattern)[1]
        assert [line for line in out.splitlines() if line in checks()] == family


def test_without_an_id_all_are_listed(call: Call) -> None:
    assert call("inspect", "--explain") == call("inspect", "--list-checks")


def test_an_unknown_id_names_those_that_are_similar(call: Call) -> None:
    status, out, err = call("inspect", "--explain", "motion.speedspike")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "found 'motion.speedspike'; did you mean motion.speed_spike or " in err
    assert err.endswith("`mocapgen inspect --list-checks` lists all\n")
