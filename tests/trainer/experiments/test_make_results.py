"""The results page: parts of one series are put together, and nothing is put together that differs."""

import importlib.util
from pathlib import Path

import pytest

from schemas.experiments import Failure, Results

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("make_results", DOCS / "make_results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def kept():
    return Results.model_validate_json((DOCS / "results" / "default.1.json").read_text(encoding="utf-8"))


def with_epochs(results, epochs):
    return results.model_copy(update={"runs": tuple(run.model_copy(update={"config": {**run.config, "epochs": epochs}}) for run in results.runs)})


def test_the_page_is_what_the_kept_results_make(page, tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    for picture in (DOCS / "images").glob("*-worst.svg"):
        (tmp_path / "images" / picture.name).write_bytes(picture.read_bytes())
    monkeypatch.setattr(page, "DOCS", tmp_path)
    page.make()
    assert (tmp_path / "results.md").read_text(encoding="utf-8") == (DOCS / "results.md").read_text(encoding="utf-8")


def test_what_failed_in_one_part_and_was_made_in_another_is_no_failure(page, kept):
    name = kept.runs[0].name
    failed = kept.model_copy(update={"runs": (), "failures": (Failure(name=name, error="no space"), Failure(name="other", error="no space"))})
    for parts in ([failed, kept], [kept, failed]):
        assert [failure.name for failure in page.merged(parts).failures] == ["other"]


def test_runs_of_other_settings_are_not_put_together(page, kept):
    other = with_epochs(kept, 3)
    with pytest.raises(SystemExit, match="expected settings and data of the other runs of its row, found others"):
        page.merged([kept, other])


def test_runs_on_other_data_are_not_put_together(page, kept):
    run = kept.runs[0]
    train = run.sides["train"].model_copy(update={"frames": 12})
    run = run.model_copy(update={"name": "other", "seed": 7, "sides": {**run.sides, "train": train}})
    with pytest.raises(SystemExit, match="other: expected settings and data"):
        page.merged([kept, kept.model_copy(update={"runs": (run,)})])


def test_the_tenth_part_comes_after_the_second(page, tmp_path, monkeypatch, kept):
    (tmp_path / "images").mkdir()
    (tmp_path / "results").mkdir()
    for number in (10, 2):
        part = kept.model_copy(update={"command": f"command {number}"})
        (tmp_path / "results" / f"default.{number}.json").write_text(part.model_dump_json(), encoding="utf-8")
    monkeypatch.setattr(page, "DOCS", tmp_path)
    monkeypatch.setattr(page, "KEPT", tmp_path / "results")
    page.make()
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert text.index("command 2") < text.index("command 10")
