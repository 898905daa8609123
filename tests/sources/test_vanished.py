"""Actions and actors of which nothing is left, in the report of a build and as its closing table says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mocapgen.cli._build_report import print_report
from mocapgen.library import build
from mocapgen.sources.vanished import vanished
from schemas.config import BuildConfig
from schemas.report import Skip, Vanished
from tests.sources.test_selection import clip

Call = Callable[..., tuple[object, str, str]]


def short(file: str, frames: int) -> Skip:
    return Skip(file=file, reason="too short", detail="x", frames=frames)


def test_what_none_of_the_used_clips_shows_has_vanished() -> None:
    hops = [clip("bd", "hop", "001"), clip("BD", "Hop", "002"), clip("mm", "hop", "001")]
    kick, sit = clip("bd", "kick"), clip("bd", "sit")
    damaged = Skip(file=sit.file, reason="unreadable", detail="x")
    skips = [*(short(each.file, 10 + place) for place, each in enumerate(hops)), damaged]
    found = vanished([*hops, kick, sit], [kick], skips)
    assert [(each.kind, each.name, each.clips, each.reasons, each.frames) for each in found] == [
        ("action", "hop", 2, {"too short": 2}, (10, 12)),
        ("action", "Hop", 1, {"too short": 1}, (11, 11)),
        ("action", "sit", 1, {"unreadable": 1}, None),
        ("actor", "mm", 1, {"too short": 1}, (12, 12)),
    ]
    assert vanished([kick], [kick], ()) == ()


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([("action", "hop", 33, {"too short": 33}, (14, 38))], "action hop: 33 clips, all too short, of 14 to 38 frames; --min-frames 14 keeps it"),
        (
            [("action", "a", 1, {"too long": 1}, (688, 688)), ("action", "b, c", 1, {"too long": 1}, (700, 700))],
            '2 actions (a, "b, c"): 2 clips, all too long, of 688 to 700 frames; --long split keeps them',
        ),
        (
            [("actor", "mm", 3, {"too short": 2, "too long": 1}, (9, 400))],
            "actor mm: 3 clips, 2 too short, 1 too long, of 9 to 400 frames; --min-frames 9 and --long split keep it",
        ),
        ([("actor", "mm", 1, {"unreadable": 1}, None)], "actor mm: 1 clip, all unreadable"),
    ],
)
def test_causes_and_the_options_that_keep_them(capsys: pytest.CaptureFixture[str], found: list[tuple[object, ...]], line: str) -> None:
    lost = tuple(Vanished(kind=kind, name=name, clips=clips, reasons=reasons, frames=frames) for kind, name, clips, reasons, frames in found)  # type: ignore[arg-type]
    report = build(source="sample", actions="squat", actors="sa", dry_run=True).model_copy(update={"vanished": lost})
    print_report(report, BuildConfig(source="sample", dry_run=True), 0)
    assert f"nothing is left of:\n  {line}\n" in capsys.readouterr().out


def test_the_option_that_is_named_keeps_what_had_vanished(call: Call, tmp_path: Path) -> None:
    limits = ("build", "--source", "sample", "--actors", "sa", "--min-frames", 200, "--max-frames", 400)
    status, out, _ = call(*limits, "--out", tmp_path / "a.h5")
    lines = out.partition("nothing is left of:\n")[2].splitlines()
    assert status == 0
    assert lines
    options = lines[0].partition("; ")[2].partition(" keep")[0].replace(" and ", " ").split()
    assert options[0] == "--min-frames"
    assert "nothing is left of" not in call(*limits, *options, "--out", tmp_path / "b.h5")[1]


def test_what_the_user_left_out_has_not_vanished(call: Call) -> None:
    assert "nothing is left of" not in call("build", "--source", "sample", "--actors", "sa", "--actions", "squat", "--dry-run")[1]
