"""`mocapgen view`: what it writes and opens, which predictions belong to what, and one line for wrong use."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen.view import player_page
from mocapgen.view.write_page import open_in_browser, view
from schemas.errors import ConfigError, DatasetError
from schemas.subset import SelectConfig
from tests.view.conftest import unpack, write_predictions


def numbers(path: Path) -> list[int]:
    return [row["number"] for row in unpack(path.read_text(encoding="utf-8")).header["sequences"]]


def test_out_is_written_and_not_opened(files, tmp_path):
    seen: list[str] = []
    viewed = view(files["unity"], out=tmp_path / "a.html", browse=lambda address: bool(seen.append(address)))
    assert (viewed.path, viewed.opened, viewed.predicted, seen) == (tmp_path / "a.html", None, None, [])
    assert viewed.size == viewed.path.stat().st_size
    assert viewed.sequences == viewed.chosen == len(numbers(viewed.path)) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("works", [True, False])
def test_without_out_a_temporary_file_is_opened(files, tmp_path, monkeypatch, works):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: list[str] = []

    def browse(address: str) -> bool:
        seen.append(address)
        return works

    viewed = view(files["opencv"], browse=browse)
    assert viewed.opened is works
    assert seen == [viewed.path.as_uri()]
    assert viewed.path.is_relative_to(tmp_path)
    assert len(numbers(viewed.path)) == 6


class Browser:
    """A browser as `webbrowser` has them: with a name, and the addresses that it was given."""

    def __init__(self, name: str) -> None:
        self.name, self.opened = name, []

    def open(self, address: str) -> bool:
        self.opened.append(address)
        return True


@pytest.mark.parametrize(("name", "graphical"), [("firefox", True), ("xdg-open", True), ("w3m", False), ("/usr/bin/lynx", False)])
def test_only_a_graphical_browser_is_opened(monkeypatch, name, graphical):
    browser = Browser(name)
    monkeypatch.setattr("webbrowser.get", lambda: browser)
    assert open_in_browser("file:///a.html") is graphical
    assert browser.opened == (["file:///a.html"] if graphical else [])


def test_without_a_browser_nothing_is_opened(monkeypatch):
    def none() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr("webbrowser.get", none)
    assert open_in_browser("file:///a.html") is False


def test_a_selection(files, tmp_path):
    chosen = SelectConfig(actions=("kick",), avatars=("child*",))
    view(files["unity"], chosen, tmp_path / "a.html")
    page = unpack((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert {clip["action"] for clip in page.header["clips"]} == {"kick"}
    assert {row["avatar"] for row in page.header["sequences"]} == {"child_10"}
    view(files["opencv"], SelectConfig(cameras=("orbit:3/1",)), tmp_path / "b.html")
    assert len(numbers(tmp_path / "b.html")) == 2
    view(files["unity"], SelectConfig(limit=1), tmp_path / "c.html")
    assert numbers(tmp_path / "c.html") == [0, 1]


def test_where_to_start(files, tmp_path):
    view(files["unity"], out=tmp_path / "a.html", clip="sample_sb_kick_001_120", frame=30)
    header = unpack((tmp_path / "a.html").read_text(encoding="utf-8")).header
    row = next(row for row in header["sequences"] if row["number"] == header["start"]["sequence"])
    assert header["clips"][row["clip"]]["id"] == "sample_sb_kick_001_120"
    assert header["start"]["frame"] == 30


def test_a_page_that_is_full_holds_where_to_start(files, tmp_path):
    whole = view(files["unity"], out=tmp_path / "a.html").size
    viewed = view(files["unity"], out=tmp_path / "b.html", clip="sample_sb_lieDown_001_120", max_bytes=whole - 20_000)
    assert viewed.size <= whole - 20_000
    assert 0 < viewed.sequences < viewed.chosen == 8
    assert unpack(viewed.path.read_text(encoding="utf-8")).header["start"]["sequence"] in numbers(viewed.path)


def test_predictions_are_drawn_over_what_they_belong_to(files, tmp_path):
    predictions = write_predictions(files["opencv"], tmp_path / "pred.h5", [4, 1])
    viewed = view(files["opencv"], out=tmp_path / "a.html", predictions=predictions)
    assert viewed.predicted == 2
    page = unpack((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert [row["number"] for row in page.header["sequences"] if "predicted" in row] == [1, 4]
    same = page.row(4)["predicted"]["same"]
    names = page.header["figures"][page.row(4)["figure"]]["names"]
    guessed = page.header["figures"][page.row(4)["predicted"]["figure"]]["names"]
    assert [(guess, names[place]) for guess, place in zip(guessed, same, strict=True)][:3] == [
        ("pelvis", "Hips"),
        ("right_hip", "RightUpperLeg"),
        ("right_knee", "RightLowerLeg"),
    ]


def test_predictions_from_keypoints_know_no_avatar(files, tmp_path):
    predictions = write_predictions(files["unity"], tmp_path / "pred.h5", [2])
    with h5py.File(predictions, "a") as file:
        file["sequences/avatar"][0] = ""
        file["cameras/rig"][...] = "assumed"
        file["cameras/t"][...] = 0.0
    viewed = view(files["unity"], out=tmp_path / "a.html", predictions=predictions)
    assert viewed.predicted == 2  # both avatars of the clip


def test_predictions_of_other_lengths_belong_to_nothing(files, tmp_path):
    predictions = write_predictions(files["unity"], tmp_path / "pred.h5", [2, 3])
    with h5py.File(predictions, "a") as file:
        file["sequences/length"][1] -= 1
    assert view(files["unity"], out=tmp_path / "a.html", predictions=predictions).predicted == 1


def test_predictions_alone(files, tmp_path):
    predictions = write_predictions(files["unity"], tmp_path / "pred.h5", [0, 2])
    with h5py.File(predictions, "a") as file:
        file["cameras/rig"][...] = "assumed"
    viewed = view(predictions, SelectConfig(actions=("kick",)), tmp_path / "a.html")
    page = unpack(viewed.path.read_text(encoding="utf-8"))
    assert viewed.sequences == 1
    row = page.header["sequences"][0]
    assert page.header["figures"][row["figure"]]["names"][0] == "pelvis"
    assert abs(row["floor"] - np.nanmedian(page.array(row["number"], "world")[..., 1].min(axis=1))) < 0.002


def test_predictions_at_another_rate_are_refused(files, tmp_path):
    predictions = write_predictions(files["unity"], tmp_path / "pred.h5", [0])
    with h5py.File(predictions, "a") as file:
        file.attrs["fps"] = 25.0
    with pytest.raises(DatasetError, match=r"pred.h5: expected 30 frames per second as in .*, found 25; predict from that file"):
        view(files["unity"], out=tmp_path / "a.html", predictions=predictions)


def test_predictions_of_something_else_are_refused(files, tmp_path):
    predictions = write_predictions(files["opencv"], tmp_path / "pred.h5", [0])
    with pytest.raises(DatasetError, match=r"expected predictions of clips in .*, found clips sample_sa_walk_"):
        view(files["unity"], out=tmp_path / "a.html", predictions=predictions)


def test_a_sequence_that_fits_on_no_page(files, tmp_path):
    empty = len(player_page([], "unity.h5").encode())
    with pytest.raises(DatasetError, match=r"unity.h5: expected sequences that fit on a page of [\d,]+ bytes, found a longer one"):
        view(files["unity"], out=tmp_path / "a.html", max_bytes=empty + 6000)
    assert not list(tmp_path.iterdir())


def test_damaged_frames_leave_nothing(copy, tmp_path):
    with h5py.File(copy) as file:
        place = file["frames/positions_3d"].id.get_chunk_info(1)
    content = bytearray(copy.read_bytes())
    content[place.byte_offset + place.size // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(DatasetError, match="/frames/positions_3d: expected sound frames in sequence"):
        view(copy, out=tmp_path / "a.html")
    assert [path.name for path in tmp_path.iterdir()] == ["data.h5"]


# The command --------------------------------------------------------------------------------------


def test_the_command_says_what_it_wrote(call, files, tmp_path):
    out = tmp_path / "a.html"
    status, printed, wrong = call("view", files["unity"], "--actions", "kick,lie*", "--avatars", "child_10", "--out", out)
    assert (status, wrong) == (0, "")
    assert printed.startswith("written\n  sequences  4\n")
    assert str(out) in printed
    assert call("view", files["unity"], "--out", out, "--overwrite", "-q") == (0, "", "")
    assert len(numbers(out)) == 8


USAGE = {
    "nothing there": (["none.h5"], "none.h5: expected a dataset or predictions file, found nothing"),
    "no dataset": (["text.h5"], "text.h5: expected an HDF5 file"),
    "no such clip": (["data.h5", "--clips", "nope"], "--clips: expected a pattern that matches a clip, found 'nope'"),
    "no such avatar": (["data.h5", "--avatars", "average_men"], "did you mean average_man?"),
    "no clip": (["data.h5", "--limit", "0"], "--limit: "),
    "no such start": (["data.h5", "--clip", "nope"], "--clip: expected the id of a clip that is shown, found 'nope'"),
    "a start that is not shown": (["data.h5", "--clips", "*kick*", "--clip", "sample_sa_lieDown_001_120"], "that is shown"),
    "beyond the end": (["data.h5", "--frame", "99999"], "--frame: expected a frame of sequence 0, 0 to "),
    "before the beginning": (["data.h5", "--frame", "-1"], "found -1"),
    "it is there": (["data.h5", "--out", "text.h5"], "text.h5: the file exists already"),
    "a folder": (["data.h5", "--out", "."], "expected the name of a file to write, found a folder"),
    "no folder": (["data.h5", "--out", "no/a.html"], "expected an existing folder to write to"),
    "no predictions": (["data.h5", "--predictions", "data.h5"], "data.h5: expected predictions of a model, found a dataset"),
    "predictions over predictions": (["pred.h5", "--predictions", "pred.h5"], "--predictions: expected to draw pred.h5 over a dataset file"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_use_is_one_line(call, files, copy, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.get", lambda: pytest.fail("opened"))
    Path("text.h5").write_text("text", encoding="utf-8")
    write_predictions(copy, Path("pred.h5"), [0])
    arguments, expected = USAGE[name]
    before = sorted(tmp_path.iterdir())
    status, printed, wrong = call("view", *arguments, *(() if "--out" in arguments else ("--out", "a.html")))
    assert (status, printed) == (2, "")
    assert expected in wrong
    assert wrong.count("\n") == 1
    assert wrong.startswith("mocapgen: error: ")
    assert sorted(tmp_path.iterdir()) == before
    assert Path("text.h5").read_text(encoding="utf-8") == "text"


def test_errors_of_the_library_have_the_projects_types(files):
    with pytest.raises(ConfigError):
        view(files["unity"], SelectConfig(actors=("nobody",)))


def test_what_would_fill_several_pages_is_to_be_chosen_from(files, tmp_path, monkeypatch):
    monkeypatch.setattr("mocapgen.view.write_page.MOST_ASKED", 50_000)
    said = (
        r"page of at most 50.0 kB, found 8 that would take about \S+ kB; choose with --clips, --actors, --actions, --avatars, --cameras or --limit$"
    )
    with pytest.raises(ConfigError, match=said):
        view(files["unity"], out=tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []
    assert view(files["unity"], SelectConfig(limit=1), tmp_path / "a.html").sequences >= 1
