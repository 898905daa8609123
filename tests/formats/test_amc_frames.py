"""AMC: the frame rate that a comment states, how frame numbers count, and where a file ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mocapgen.formats.asf import Asf, parse_asf
from mocapgen.formats.asf_amc import DEFAULT_FPS, parse_amc, read_amc, stated_fps, write_amc
from schemas.errors import FormatError
from tests.formats.test_asf_amc import FIGURE, amc_text, asf_text, assert_same, make_frames


def walk_in_steps(stride: int) -> tuple[bytes, Asf]:
    """Return an AMC file of six frames whose numbers count up by a stride, without any comment, and its skeleton."""
    asf = parse_asf(asf_text(FIGURE).encode(), "a.asf")
    lines = amc_text(FIGURE, make_frames(FIGURE, 6)).splitlines()
    return "\n".join(str(1 + stride * (int(line) - 1)) if line.isdigit() else line for line in [*lines, ""]).encode(), asf


@pytest.mark.parametrize("fps", [30.0, 24.0, 59.94, 120.0])
def test_the_frame_rate_that_is_written_is_read(tmp_path: Path, fps: float) -> None:
    data, asf = walk_in_steps(1)
    motion = parse_amc(data, asf, "a.amc", fps)
    write_amc(tmp_path / "HDM_bd_walk_001_120.amc", motion)
    assert stated_fps((tmp_path / "HDM_bd_walk_001_120.amc").read_bytes()) == fps
    assert read_amc(tmp_path / "HDM_bd_walk_001_120.amc").fps == fps  # what the file states, not its name
    assert read_amc(tmp_path / "HDM_bd_walk_001_120.amc", fps=60.0).fps == 60.0


@pytest.mark.parametrize("comment", ["# 0 frames per second", "# 1e9 frames per second", "# many frames per second", "# 999999 frames per second"])
def test_a_comment_that_states_no_rate(comment: str) -> None:
    data, asf = walk_in_steps(1)
    assert parse_amc(comment.encode() + b"\n" + data, asf, "a.amc").fps == DEFAULT_FPS


def test_frame_numbers_that_count_up_evenly() -> None:
    data, asf = walk_in_steps(2)
    with pytest.raises(
        FormatError, match=r"expected frame number 2, found '3' \(with --lenient: every frame number counts, so 60 frames per second\)"
    ):
        parse_amc(data, asf, "a.amc")
    notes: list[str] = []
    motion = parse_amc(data, asf, "a.amc", lenient=True, notes=notes)
    assert (len(motion), motion.fps) == (6, 60.0)
    assert notes == ["a.amc: frame numbers count up by 2: 60 frames per second instead of 120"]
    assert_same(replace(motion, fps=120.0), parse_amc(walk_in_steps(1)[0], asf, "a.amc"))
    with pytest.raises(FormatError, match="expected frame number"):
        parse_amc(data.replace(b"\n5\n", b"\n6\n"), asf, "a.amc", lenient=True)


def test_a_file_without_a_final_line_break_is_read_and_said() -> None:
    data, asf = walk_in_steps(1)
    notes: list[str] = []
    assert_same(parse_amc(data.rstrip(), asf, "a.amc", notes=notes), parse_amc(data, asf, "a.amc"))
    assert len(notes) == 1
    assert notes[0].startswith("a.amc: the file ends without a line break; its last number, ")
