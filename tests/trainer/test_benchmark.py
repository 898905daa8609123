"""The trainer's benchmark on a small file: every figure is there and positive."""

import json

from click.testing import CliRunner

import benchmarks.trainer
from mocapgen.pipeline import build
from schemas.config import BuildConfig
from trainer.model.networks import model_names
from trainer.recipes.settings import recipe_names


def test_every_figure_is_there(tmp_path, monkeypatch):
    data_file = tmp_path / "data.h5"
    build(BuildConfig(source="sample", out=data_file, actions=("walk",), avatars=("average_man",), workers=1))
    monkeypatch.setattr(benchmarks.trainer, "BATCH", 2)
    monkeypatch.setattr(benchmarks.trainer, "FRAMES", 8)
    figures = tmp_path / "figures.json"
    arguments = [str(data_file), "--repeat", "1", "--busy", "1", "--threads", "1", "--device", "cpu", "--markdown", "--json", str(figures)]
    done = CliRunner().invoke(benchmarks.trainer.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    sections = {section["title"]: section["figures"] for section in json.loads(figures.read_text())["sections"]}
    assert [row["model"] for row in sections["One step"]] == list(model_names())
    assert [row["recipe"].split()[0] for row in sections["Epochs"]] == list(recipe_names())
    rows = [row for section in sections.values() for row in section]
    assert all(value > 0 for row in rows for value in row.values() if not isinstance(value, str))
    for row in sections["One step"]:
        assert f"| {row['model']} |" in done.output
