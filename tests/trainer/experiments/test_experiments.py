"""The published experiments and the ablation, end to end on small runs: what is trained on what, what is kept, and what fails alone."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mocapgen.shared.command import Stopped
from schemas.errors import ConfigError, DatasetError
from schemas.experiments import Results
from trainer.cli.main import main
from trainer.data.dataset import load
from trainer.evaluate import evaluate
from trainer.experiments import pictures
from trainer.experiments import series as series_module
from trainer.experiments.ablate import COMPLETE, INGREDIENTS, ablate
from trainer.experiments.ablate import plan as plan_ablation
from trainer.experiments.examples import EXAMPLE_FRAMES, read_examples, write_examples
from trainer.experiments.published import benchmark, published
from trainer.experiments.run import choose_experiments, experiments, plan
from trainer.recipes.settings import parse_assignments

TINY = ("model=cvmnet", "model_settings.width=8", "model_settings.depth=1", "epochs=1", "threads=1", "device=cpu", "batch_size=16")


@pytest.fixture(scope="module")
def cmu_file(data_file, tmp_path_factory):
    """The same sequences as if they were CMU's: walks are basketball, hops subject 85's trials, the others something else."""
    path = tmp_path_factory.mktemp("cmu") / "cmu.h5"
    path.write_bytes(data_file.read_bytes())
    with h5py.File(path, "r+") as file:
        for row, action in enumerate(file["clips/action"].asstr()[()]):
            if action == "walk":
                file["clips/action"][row] = "Basketball - forward dribble"
            elif action == "hop":
                file["clips/action"][row] = "LongSequenceGood"
                file["clips/id"][row] = f"85_12/{300 * row}"
            file["clips/sha256"][row] = f"{row:064x}"
    return path


@pytest.fixture(scope="module")
def series(data_file, cmu_file, tmp_path_factory):
    """Folder and results of all experiments with one recipe and one seed."""
    out = tmp_path_factory.mktemp("series") / "out"
    lines = []
    results = experiments(
        data_file, cmu_file, out, recipes=("paper",), seeds=(3,), assignments=TINY, print_line=lines.append, command="trainer x --resume"
    )
    return out, results, lines


def sides(out, name):
    record = json.loads((out / "runs" / name / "split.json").read_text())
    return {side: set(record[side]) for side in ("train", "validation", "test")}


def named(data, chosen):
    return {data.names[index] for index in np.flatnonzero(chosen)}


def test_every_experiment_is_made_on_its_split(series, data):
    out, results, lines = series
    assert results.failures == ()
    assert [run.name for run in results.runs] == [
        "paper-A-s3",
        "paper-clip-s3",
        *(f"paper-B-{actor}-s3" for actor in sorted(set(data.actor))),
        "paper-C-s3",
        "paper-CMU-s3",
    ]
    assert sides(out, "paper-B-sb-s3")["test"] == named(data, data.actor == "sb")
    assert sides(out, "paper-C-s3")["test"] == named(data, data.action == "hop")
    whole = sides(out, "paper-CMU-s3")
    assert (whole["train"], whole["test"]) == (set(data.names), set())
    recording = dict(zip(data.names, data.recording, strict=True))
    for name, both_sides in (("paper-A-s3", True), ("paper-clip-s3", False)):
        found = sides(out, name)
        assert len(found["test"]) == pytest.approx(0.2 * len(data), abs=2)
        assert bool({recording[n] for n in found["train"]} & {recording[n] for n in found["test"]}) == both_sides
    assert "both sides" in next(run.note for run in results.runs if run.experiment == "A")
    assert len(lines) == len(results.runs)
    assert lines[0].startswith("[1/9] paper-A-s3: test ")
    assert "left" in lines[0]


def test_figures_are_those_of_evaluate(series, data_file, cmu_file):
    out, results, _ = series
    run = next(run for run in results.runs if run.experiment == "CMU")
    whole = evaluate(out / "runs" / run.name, cmu_file, threads=1)
    for name, action in (("basketball", "Basketball - forward dribble"), ("break dance", "LongSequenceGood")):
        row = whole.by_action[action]
        assert run.sides[name].overall["mpjpe_mm"] == pytest.approx(row.mpjpe_mm, rel=1e-5)
        assert (run.sides[name].sequences, run.sides[name].frames) == (row.sequences, row.frames)
    clip = next(run for run in results.runs if run.experiment == "clip")
    for side in ("train", "test"):
        found = evaluate(out / "runs" / clip.name, data_file, side, threads=1)
        assert clip.sides[side].overall["mpjpe_mm"] == pytest.approx(found.overall["mpjpe_mm"], rel=1e-5)


def test_all_figures_of_a_detector_model_are_of_the_joints_that_are_compared(data_file, tmp_path):
    """It lifts 24 joints, and errors are reported of the 17 of h36m17: of the training side, by distance, and of single moments, too."""
    tiny = (*TINY, "joint_set=detector", "normalisation=centred", "head=ray")
    results = experiments(data_file, None, tmp_path / "out", recipes=("paper",), seeds=(0,), only=("clip",), assignments=tiny)
    (run,) = results.runs
    folder = tmp_path / "out" / "runs" / run.name
    for side in ("train", "test"):
        found = evaluate(folder, data_file, side, threads=1)
        assert run.sides[side].overall["mpjpe_mm"] == pytest.approx(found.overall["mpjpe_mm"], rel=1e-5)
    test = run.sides["test"]
    assert sum(part.frames * part.mpjpe_mm for part in test.by_distance) / test.frames == pytest.approx(test.overall["mpjpe_mm"], rel=1e-5)
    (examples,) = read_examples(folder / "examples.npz")
    assert examples.predicted.shape[2] == 17
    more = {name: np.repeat(getattr(examples, name), 2, axis=2) for name in ("pixels", "predicted", "true")}
    more |= {name: np.repeat(getattr(examples, name), 2) for name in ("parents", "sides")}
    write_examples(folder / "examples.npz", [replace(examples, **more)])  # as an earlier version left it, with errors of all that is lifted
    again = {"recipes": ("paper",), "seeds": (0,), "only": ("clip",), "assignments": tiny, "resume": True}
    with pytest.raises(ConfigError, match=r"result\.json: expected errors of the 17 joints of h36m17, found those of others.*; remove the file to"):
        experiments(data_file, None, tmp_path / "out", **again)
    (folder / "result.json").unlink()
    (evaluated,) = experiments(data_file, None, tmp_path / "out", **again).runs
    assert evaluated.sides == run.sides


def test_the_protocol_names_the_joints_of_all_recipes(data_file, tmp_path):
    recipes = []
    for joint_set in ("h36m17", "all"):
        recipes.append(str(tmp_path / f"{joint_set}.yaml"))
        settings = {"model": "cvmnet", "model_settings": {"width": 8, "depth": 1}, "epochs": 1, "threads": 1, "joint_set": joint_set}
        Path(recipes[-1]).write_text(json.dumps(settings))
    results = experiments(data_file, None, tmp_path / "out", recipes=recipes, seeds=(0,), only=("clip",))
    assert re.fullmatch(r"h36m17, 17; all, \d+", results.protocol["joints"])
    assert ";" not in results.protocol["fps"]


def test_reports_have_every_published_figure(series):
    out, results, _ = series
    assert Results.model_validate_json((out / "results.json").read_text()) == results
    assert results.command == "trainer x"
    given = ["206.6", "264.6", "235.6", "54.59", "45.54", "50.07", "75.59", "238.18", "216.50", "275.03", "295.42", "259.72", "378.01", "about 200"]
    cmu = next(run for run in results.runs if run.experiment == "CMU")
    ours = [cmu.sides[name].overall["mpjpe_mm"] for name in ("basketball", "break dance")]
    for page in ("report.html", "report.md"):
        text = (out / page).read_text()
        for figure in [*given, *(f"{value:.1f}" for value in [*ours, sum(ours) / 2])]:
            assert figure in text, (page, figure)
        assert "avatars and cameras of one clip are on both sides" in text
        assert "recipe default" not in text
    for link in [line.split("](")[1].split(")")[0] for line in (out / "report.md").read_text().splitlines() if line.startswith("![")]:
        assert b"<svg" in (out / link).read_bytes()


def test_examples_are_the_worst_and_the_best(series, data):
    out, _, _ = series
    evaluation = json.loads((out / "runs" / "paper-clip-s3" / "evaluation-test.json").read_text())
    (found,) = read_examples(out / "runs" / "paper-clip-s3" / "examples.npz")
    names = list(evaluation["by_sequence"])
    assert found.names.tolist() == [names[0], names[-1]]
    assert found.errors_mm[0] >= found.errors_mm[1]
    assert found.pixels.shape == (2, EXAMPLE_FRAMES, 17, 2)
    sequence = data.names.index(names[0])
    frames = np.round(found.seconds[0] * data.fps).astype(int)
    rows = data.start[sequence] + frames
    np.testing.assert_allclose(found.pixels[0], data.positions_2d[rows])
    np.testing.assert_allclose(found.true[0], data.positions_3d[rows] - data.positions_3d[rows, :1], atol=1e-6)
    errors = 1000 * np.linalg.norm(found.predicted - found.true, axis=-1).mean(axis=-1)
    np.testing.assert_allclose(errors, found.moment_errors_mm, rtol=1e-4)
    with pytest.raises(DatasetError, match="expected the examples of a run, found"):
        read_examples(out / "none.npz")


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("0/pixels"),
        lambda arrays: arrays.update({"0/pixels": arrays["0/pixels"][:, :, :, :1]}),
        lambda arrays: arrays.update({"0/parents": arrays["0/parents"] + 99}),
        lambda arrays: arrays.update({"0/true": arrays["0/true"] / 0.0}),
        lambda arrays: arrays.update({"0/names": np.zeros(2)}),
        lambda arrays: arrays.update({"1/names": np.zeros(2)}),
    ],
)
def test_examples_that_cannot_be_are_one_line(series, tmp_path, change):
    out, _, _ = series
    with np.load(out / "runs" / "paper-clip-s3" / "examples.npz") as archive:
        arrays = dict(archive)
    with np.errstate(divide="ignore", invalid="ignore"):
        change(arrays)
    np.savez(tmp_path / "examples.npz", **arrays)
    with pytest.raises(DatasetError, match="expected the examples of a run, found others; remove the run's folder") as caught:
        read_examples(tmp_path / "examples.npz")
    assert "\n" not in str(caught.value)


def test_cut_examples_are_one_line(series, tmp_path):
    out, _, _ = series
    content = (out / "runs" / "paper-clip-s3" / "examples.npz").read_bytes()
    for size in (0, 10, 1000, len(content) - 10):
        (tmp_path / "examples.npz").write_bytes(content[:size])
        with pytest.raises(DatasetError, match="expected the examples of a run, found") as caught:
            read_examples(tmp_path / "examples.npz")
        assert len(str(caught.value)) <= 300


def test_resume_keeps_finished_runs_and_a_failure_stops_no_other(series, data_file, cmu_file, monkeypatch):
    out, results, _ = series
    trained = []

    def fails(data, config, folder, **options):
        trained.append(folder.name)
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr(series_module, "fit", fails)
    monkeypatch.setattr(pictures, "available", lambda: False)
    again = {"recipes": ("paper",), "seeds": (3,), "assignments": TINY, "resume": True, "command": "trainer x"}
    assert experiments(data_file, cmu_file, out, **again) == results
    assert trained == []
    page = (out / "report.html").read_text()
    assert "pip install &#x27;mocapgen[report]&#x27;" in page
    assert "<img" not in page
    assert "378.01" in page
    kept = out / "runs" / "paper-C-s3" / "result.json"
    content = kept.read_bytes()
    kept.unlink()
    try:
        found = experiments(data_file, cmu_file, out, **again)
    finally:
        kept.write_bytes(content)
    assert trained == ["paper-C-s3"]
    assert [(failure.name, failure.error) for failure in found.failures] == [("paper-C-s3", "RuntimeError: out of memory")]
    assert found.runs == tuple(run for run in results.runs if run.experiment != "C")
    assert "out of memory" in (out / "report.md").read_text()
    report = (out / "report.md").read_bytes()
    other = "fp32" if results.runs[0].device.endswith("bf16") else "bf16"
    for change, named in (("batch_size=8", "batch_size"), (f"precision={other}", "precision")):
        with pytest.raises(ConfigError, match=rf"^{re.escape(str(out))}/runs/paper-A-s3: .*same settings, found others \({named}\); give those it"):
            experiments(data_file, cmu_file, out, **{**again, "assignments": (*TINY, change, "threads=2"), "only": ("A",)})
    assert (out / "report.md").read_bytes() == report


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"name": "a",\n"name": "b"}',
            r"another \(.*expected JSON, found: the key 'name' twice\); remove the file to evaluate the run again",
        ),
        ('{"name": "a"}', r"another \(experiment: field required \(and \d+ more\)\); remove the file to evaluate the run again"),
        ("[]", r"another \(expected the result of a run as a JSON object, found \[\]\); remove the file to evaluate the run again"),
    ],
)
def test_a_damaged_result_is_one_line(data_file, tmp_path, text, words):
    job = series_module.Job("A", "", "paper", 3, {})
    folder = tmp_path / "runs" / job.name
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(text)
    _, (failure,) = series_module.RunSeries(data_file, None, tmp_path, resume=True).run([job])
    assert re.search(words, failure.error)
    assert failure.error.startswith(f"{folder}/result.json: expected the result of a run of this version, found another")


def test_splits_are_checked_before_the_first_epoch(capsys, data_file, cmu_file, tmp_path, monkeypatch):
    path, out = tmp_path / "few.h5", tmp_path / "out"
    path.write_bytes(data_file.read_bytes())
    with h5py.File(path, "r+") as file:
        for row, action in enumerate(file["clips/action"].asstr()[()]):
            file["clips/action"][row] = "walk" if action == "hop" else action
        file.attrs["config"] = json.dumps(json.loads(file.attrs["config"]) | {"min_frames": 40, "select": "one-per-actor"})
    monkeypatch.setattr(series_module, "fit", lambda *a, **o: pytest.fail("trained"))
    common = [str(path), "--cmu", str(cmu_file), "--out", str(out), "--recipes", "paper", "--seeds", "0"]
    for more in ([], ["--resume"]):
        with pytest.raises(SystemExit) as end:
            main(["experiments", *common, *more])
        error = capsys.readouterr().err
        assert (end.value.code, error.count("\n")) == (2, 1)
        assert "experiment C: split action=hop*: expected one of the " in error
        assert "found none like 'hop*'; `mocapgen build ... --min-frames 1 --select all` keeps more clips; --only A,clip,B,CMU goes without" in error
    assert not out.exists()
    with pytest.raises(SystemExit):
        main(["ablate", *common[:5], "--split", "action=hop*"])
    assert "found none like 'hop*'" in capsys.readouterr().err


def test_finished_runs_are_reported_on_even_if_another_split_cannot_be_made(series, data_file, cmu_file, data, tmp_path, monkeypatch):
    out, results, _ = series
    monkeypatch.setattr("trainer.experiments.run.HOP_CLASSES", "action=swim")
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    shutil.rmtree(copy / "runs" / "paper-C-s3")
    found = experiments(data_file, cmu_file, copy, recipes=("paper",), seeds=(3,), assignments=TINY, finished=True)
    assert found.runs == tuple(run for run in results.runs if run.experiment != "C")


def test_plan_is_every_recipe_experiment_variant_and_seed(data):
    changes = parse_assignments(["epochs=2"])
    jobs = plan(data, ("paper", "default"), (0, 1), choose_experiments(("cmu", "B", "a"), True), changes)
    assert len(jobs) == 2 * 2 * (1 + 5 + 1)
    assert len({job.name for job in jobs}) == len(jobs)
    for job in jobs:
        config = job.config()
        assert config.epochs == 2
        assert config.seed == job.seed
        assert config.model == ("cvmnet" if job.recipe == "paper" else config.model)
        assert config.split == {"A": "random", "B": f"actor={job.variant}", "CMU": "all"}[job.experiment]
        assert job.on_benchmark == (job.experiment == "CMU")
    command = jobs[1].command("data.h5", "out/x")
    assert command == "trainer fit data.h5 --recipe paper --out out/x --set epochs=2 --set split=actor=sa --set seed=0"


def test_benchmark_is_found_by_action_or_clip(data, cmu_file):
    found = benchmark(load(cmu_file))
    assert set(data.action[found["basketball"]]) == {"walk"}
    assert set(data.action[found["break dance"]]) == {"hop"}
    ids = np.array(["06_01", "06_02", "06_15/300", "85_03", "85_12/0", "86_01", "06_20"] + ["x"] * (len(data) - 7), dtype=object)
    found = benchmark(replace(data, clip=ids))
    assert {name: sequences.tolist() for name, sequences in found.items()} == {"basketball": [1, 2], "break dance": [3, 4]}
    with pytest.raises(DatasetError, match=r"expected sequences of basketball .*found none; its actions are hop, kick"):
        benchmark(data)


def test_published_figures_agree_with_each_other():
    figures = published()
    motions = figures.motions.values()
    assert sum(motion.mpjpe_mm for motion in motions) / 2 == pytest.approx(figures.average_mpjpe_mm, abs=0.05)
    assert sum(motion.pck_200 for motion in motions) / 2 == pytest.approx(figures.average_pck_200, abs=0.01)
    joints = {"hip": 3, "head": 3}
    weights = [joints.get(group, 2) for group in figures.groups_mm]
    mean = sum(weight * value for weight, value in zip(weights, figures.groups_mm.values(), strict=True)) / sum(weights)
    assert sum(weights) == 16
    assert mean == pytest.approx(235.56, abs=0.005)


def test_ablation_takes_away_one_ingredient_at_a_time(data_file, cmu_file, tmp_path):
    jobs = plan_ablation("default", (0,), None, {})
    complete = jobs[0].config()
    assert jobs[0].variant == COMPLETE
    assert {"composed poses", "rotated steps", "symmetry", "virtual cameras", "ray head", "weight averaging"} <= {job.variant for job in jobs}
    assert all(job.config() != complete and job.config().split == "clip" for job in jobs[1:])
    assert {job.config().split for job in plan_ablation("default", (0,), None, {"split": "actor=sa"})} == {"actor=sa"}
    plain = {job.variant for job in plan_ablation("paper", (0,), None, {})}
    assert "network: stmixer" in plain
    assert not plain & {"reverse", "virtual cameras", "network: cvmnet", "rigid bones", "ray head", "symmetry"}
    with pytest.raises(ConfigError, match=r"^only: expected ingredients of recipe paper, found 'reverse'; there are "):
        plan_ablation("paper", (0,), ["reverse"], {})
    results = ablate(data_file, cmu_file, tmp_path / "out", only=("reverse",), assignments=TINY)
    assert [run.variant for run in results.runs] == [COMPLETE, "reverse"]
    assert [run.config["augment"]["reverse"] for run in results.runs] == [0.2, 0.0]
    assert set(results.runs[0].sides) == {"train", "validation", "test", "basketball", "break dance"}
    whole, without = (run.sides["test"].overall["mpjpe_mm"] for run in results.runs)
    page = (tmp_path / "out" / "report.md").read_text()
    assert f"{without:.1f} ({without - whole:+.1f})" in next(line for line in page.splitlines() if line.startswith("| without reverse |"))
    assert set(INGREDIENTS) >= {job.variant for job in jobs[1:]}


def test_a_network_that_replaces_another_keeps_what_is_no_matter_of_the_network():
    planned = {
        recipe: {job.variant: job.config() for job in plan_ablation(recipe, (0,), None, {})} for recipe in ("default", "video", "video-causal")
    }
    assert planned["default"]["network: stmixer"].model_settings == planned["default"]["symmetry"].model_settings == {"smoothing": 4}
    assert planned["default"]["network: cvmnet"].model_settings == {}
    assert planned["video-causal"]["symmetry"].model_settings == {"causal": True, "patch": 1}
    assert "smoothing" not in planned["video-causal"], "it has none to leave out"
    bare = planned["video"]["all augmentation"].augment
    assert (bare.body.probability, bare.detector.probability, bare.composition.probability, bare.camera.probability) == (0.0, 0.0, 0.0, 0.0)
    assert planned["video"]["bodies"].augment.body.probability == planned["video"]["detector errors"].augment.detector.probability == 0.0


def test_an_ablation_says_of_each_line_all_settings_that_differ(data_file, tmp_path):
    tiny = ("model=symmixer", "model_settings.width=16", "model_settings.smoothing=2", *TINY[3:])
    out = tmp_path / "out"
    ablate(data_file, None, out, only=("smoothing", "network: cvmnet"), assignments=tiny)
    lines = [line for line in (out / "report.md").read_text().splitlines() if line.startswith("- ")]
    assert "- without smoothing: model_settings.smoothing=0" in lines
    (network,) = [line for line in lines if line.startswith("- network: cvmnet")]
    assert "model=cvmnet" in network
    assert "no model_settings.smoothing" in network


def test_the_manual_names_ingredients_as_ablate_does():
    text = (Path(__file__).parents[3] / "docs" / "experiments.md").read_text(encoding="utf-8")
    table = text.partition("| ingredient |")[2].partition("\n\n")[0].splitlines()[2:]
    named = [name for row in table for name in row.split("|")[1].strip().split(", ")]
    named += re.findall("`([^`]+)`", text.partition("by the names\n")[2].partition(" (or another)")[0])
    whole = [job.variant for job in plan_ablation("default", (0,), None, {})]
    assert len(named) > 15
    assert set(named) <= set(whole)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code, *capsys.readouterr()


def test_commands(capsys, data_file, tmp_path):
    settings = [word for text in TINY for word in ("--set", text)]
    out = tmp_path / "out"
    code, shown, error = run(capsys, "experiments", data_file, "--out", out, "--recipes", "paper", "--seeds", "0", "--only", "A", *settings)
    assert (code, error.count("\n")) == (0, 1)
    assert error.startswith("[1/1] paper-A-s0: test ")
    assert f"1 run finished; written to {out}" in shown
    assert (out / "report.html").is_file()
    code, shown, error = run(capsys, "-q", "experiments", data_file, "--out", out, "--recipes", "paper", "--seeds", "0", "--only", "A", "--resume")
    assert (code, shown) == (2, "")  # other settings than those of the run that is there
    assert "expected a run with the same settings, found others (" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["experiments", "DATA", "--out", "OUT"], "--cmu: expected the file of CMU sequences"),
        (["experiments", "DATA", "--out", "OUT", "--only", "D"], "--only: expected some of A, clip, B, C, CMU, found 'D'"),
        (["experiments", "DATA", "--out", "OUT", "--seeds", "a"], "expected whole numbers such as 0,1,2"),
        (["experiments", "DATA", "--out", "OUT", "--seeds", "-1"], "expected numbers from 0"),
        (["experiments", "DATA", "--out", "OUT", "--cmu", "DATA"], "expected sequences of basketball"),
        (["experiments", "DATA", "--out", "OUT", "--only", "A", "--recipes", "best"], "expected one of default, paper"),
        (["experiments", "DATA", "--out", "OUT", "--only", "A", "--set", "epoch=3"], "did you mean 'epochs'?"),
        (["experiments", "DATA", "--out", "OUT", "--only", "A", "--finished"], "found none; without --finished they are made"),
        (["experiments", "DATA", "--out", "OUT", "--only", "A", "--seeds", "0,1,0"], "--seeds: expected each once, found '0' repeatedly"),
        (["experiments", "DATA", "--out", "OUT", "--only", "A", "--recipes", "paper,paper"], "expected each once, found 'paper' repeatedly"),
        (["experiments", "DATA", "--out", "OUT", "--only", "Clips"], "found 'Clips'; did you mean 'clip'?"),
        (["ablate", "DATA", "--out", "OUT", "--seeds", "1,1"], "--seeds: expected each once, found '1' repeatedly"),
        (["experiments", "DATA", "--out", "OUT", "--only", "A", "--set", "split=clip"], "found one that they differ in; use --only"),
        (["ablate", "DATA", "--out", "OUT", "--set", "seed=3"], "found one that they differ in; use --seeds"),
        (["experiments", "none.h5", "--out", "OUT", "--only", "A"], "expected a dataset file, found nothing"),
        (["experiments", "DATA", "--out", "FULL", "--only", "A"], "expected a folder that is free"),
        (["experiments", "DATA"], "Missing option"),
        (["ablate", "DATA", "--out", "OUT", "--only", "flop"], "expected ingredients of recipe default, found 'flop'; there are reverse, "),
        (["ablate", "DATA", "--out", "OUT", "--split", "action=x*"], "split action=x*: expected one of the "),
        (["ablate", "DATA", "--out", "OUT", "--cmu", "none.h5"], "expected a dataset file, found nothing"),
    ],
)
def test_wrong_use_is_one_line_before_any_training(capsys, data_file, tmp_path, arguments, words):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    places = {"DATA": data_file, "OUT": tmp_path / "out", "FULL": tmp_path / "full"}
    code, shown, error = run(capsys, *(places.get(argument, argument) for argument in arguments))
    assert (code, shown) == (2, "")
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_finished_runs_are_reported_before_the_others_are_made(series, data_file, cmu_file, tmp_path):
    whole, made, _ = series
    out = tmp_path / "out"
    shutil.copytree(whole / "runs", out / "runs")
    shutil.rmtree(out / "runs" / "paper-C-s3")
    kept = out / "runs" / "paper-A-s3" / "result.json"
    older = json.loads(kept.read_text())
    assert older["config"]["augment"].pop("pose_perturbation") == 0.0  # as if the run were of a version that did not know this setting
    kept.write_text(json.dumps(older))
    results = experiments(data_file, cmu_file, out, recipes=("paper", "default"), seeds=(3, 4), assignments=TINY, finished=True)
    assert [run.sides for run in results.runs] == [run.sides for run in made.runs if run.experiment != "C"]
    assert sorted(path.name for path in (out / "runs").iterdir()) == sorted(run.name for run in results.runs)
    page = (out / "report.md").read_text()
    mean = results.runs[0].sides["test"].overall["mpjpe_mm"]
    assert f"{mean:.1f} (1 of 2)" in page
    assert "C: the hop classes" not in page.partition("## Protocol")[2]


def test_interruption_says_how_to_go_on(capsys, data_file, tmp_path, monkeypatch):
    def stops(*arguments, **options):
        raise Stopped("a run was saved")

    monkeypatch.setattr(series_module, "fit", stops)
    with pytest.raises(Stopped, match="0 of 1 runs are finished; go on with: trainer experiments x --resume"):
        experiments(data_file, None, tmp_path / "out", recipes=("paper",), seeds=(0,), only=("A",), command="trainer experiments x")
    code, shown, error = run(capsys, "experiments", data_file, "--out", tmp_path / "two", "--only", "A")
    assert (code, shown) == (130, "")
    assert "trainer: stopped and saved; 0 of 6 runs are finished; go on with: trainer " in error


def test_ctrl_c_while_the_report_is_written_says_how_to_go_on(series, data_file, cmu_file, tmp_path, monkeypatch):
    whole, _, _ = series
    shutil.copytree(whole / "runs", tmp_path / "out" / "runs")

    def stops(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(series_module, "write_blocks", stops)
    again = {"recipes": ("paper",), "seeds": (3,), "assignments": TINY, "resume": True, "command": "trainer experiments x"}
    with pytest.raises(Stopped, match="the runs are saved; it is made with: trainer experiments x --resume"):
        experiments(data_file, cmu_file, tmp_path / "out", **again)


def test_a_benchmark_that_is_trained_on_is_refused(data_file, cmu_file, tmp_path):
    """By what the recordings are, not by what they are called: read from another folder they have other names."""
    both = tmp_path / "both.h5"
    both.write_bytes(cmu_file.read_bytes())
    with h5py.File(both, "r+") as file:
        file["clips/source"][:] = ["folder"] * len(file["clips/source"])
    with pytest.raises(DatasetError, match=r"expected recordings of another database than is trained on, found \d+ recordings that cmu\.h5 has"):
        experiments(cmu_file, both, tmp_path / "out", recipes=("paper",), seeds=(0,), only=("A", "CMU"), assignments=TINY)
    assert not (tmp_path / "out").exists()


def test_torchrun_is_refused(data_file, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="torchrun: expected one process"):
        experiments(data_file, None, tmp_path, only=("A",))
