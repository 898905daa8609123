"""Ablation study: a recipe without each of its ingredients, on one split (by clips) and on the benchmark of another database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mocapgen.shared.outputs import protected
from mocapgen.shared.text import nearest, one_line, quoted
from schemas.errors import ConfigError
from schemas.experiments import Results, RunResult
from schemas.train import TrainConfig
from trainer.experiments.published import published
from trainer.experiments.report import Bullets, Cell, Heading, MadeBy, Paragraph, ReportBlock, Table
from trainer.experiments.run import describe
from trainer.experiments.series import Job, PrintLine, ProgressBar, RunSeries, flat, from_the_start, refuse, require_once, unfinished
from trainer.experiments.summary import DEFINITIONS, averaged, figures, metric, missing_runs, spread
from trainer.model.networks import network_class
from trainer.recipes.settings import merge, parse_assignments, read_recipe, recipe_file, train_config
from trainer.runs.card import versions

COMPLETE = "complete"
"""The recipe as it is."""

INGREDIENTS: dict[str, dict[str, Any]] = {
    "flip": {"augment": {"flip": 0.0}},
    "reverse": {"augment": {"reverse": 0.0}},
    "speed change": {"augment": {"speed": [1.0, 1.0]}},
    "composed poses": {"augment": {"composition": {"probability": 0.0}}},
    "pose perturbation": {"augment": {"pose_perturbation": 0.0}},
    "virtual cameras": {"augment": {"camera": {"probability": 0.0}}},
    "kept cameras": {"augment": {"camera": {"keep_camera": 0.0}}},
    "random rotation": {"augment": {"camera": {"random_rotation": 0.0}}},
    "roll": {"augment": {"camera": {"roll": 0.0}}},
    "bodies": {"augment": {"body": {"probability": 0.0}}},
    "detector errors": {"augment": {"detector": {"probability": 0.0}}},
    "2D noise": {"augment": {"noise": 0.0, "bias": 0.0, "outliers": 0.0}},
    "missing joints": {"augment": {"missing": 0.0}},
    "rigid bones": {"head": "ray"},
    "ray head": {"head": "direct"},
    "centred normalisation": {"normalisation": "image"},
    "velocity loss": {"losses": {"velocity": 0.0}},
    "bone-length loss": {"losses": {"bone_length": 0.0}},
    "Laplacian losses": {"losses": {"laplacian_time": 0.0, "laplacian_skeleton": 0.0}},
    "weight averaging": {"ema": 0.0},
    "weight decay": {"weight_decay": 0.0},
    "gradient clipping": {"grad_clip_norm": 0.0},
    "epoch selection": {"validation_share": 0.0},
    "windows": {"window": None},
    "small batches": {"batch_size": 32},
    "frames in pairs": {"model_settings": {"patch": 1}},
    "rotated steps": {"optimiser": "adamw", "learning_rate": 0.001},
    "smoothing": {"model_settings": {"smoothing": 0}},
    "symmetry": {"model": "stmixer", "augment": {"flip": 0.5}},
    "all augmentation": {
        "augment": {"flip": 0.0, "reverse": 0.0, "speed": [1.0, 1.0], "pose_perturbation": 0.0, "camera": {"probability": 0.0}}
        | {name: {"probability": 0.0} for name in ("composition", "body", "detector")}
        | {"noise": 0.0, "bias": 0.0, "outliers": 0.0, "missing": 0.0}
    },
    "network: cvmnet": {"model": "cvmnet"},
    "network: videopose": {"model": "videopose"},
    "network: stmixer": {"model": "stmixer"},
}
"""Settings that remove an ingredient, by its name; only those that change the recipe are run. 'network: X' replaces the network."""

KEPT = ("causal", "patch", "smoothing")
"""Settings of a network that say what it looks at and what becomes of its output: one that replaces it has the same, if it knows them."""

NEEDED: dict[str, dict[str, Any]] = {"rigid bones": {"head": "rigid"}, "symmetry": {"model": "symmixer"}}
"""Settings of recipes that have an ingredient, where another setting than that which removes it does not show it."""


def plan(recipe: str, seeds: Sequence[int], only: Sequence[str] | None, changes: Mapping[str, Any]) -> list[Job]:
    """Return the runs: the complete recipe, and the recipe without each ingredient that it has.

    Parameters
    ----------
    recipe : str
    seeds : sequence of int
    only : sequence of str, optional
        Ingredients to compare; by default all.
    changes : mapping
        Settings that override the recipe's; among them the split, by clips unless it is given.

    Raises
    ------
    ConfigError
        If an ingredient does not exist, or the recipe does not have it, or the seed is changed.
    """
    refuse(changes, {"seed": "seeds"})
    changes = merge({"split": "clip"}, changes)
    complete = train_config(read_recipe(recipe), changes, files=(recipe_file(recipe),))
    own = network_class(complete.model).Settings.model_fields
    possible = {name: without for name, without in INGREDIENTS.items() if without.get("model_settings", {}).keys() <= own.keys()}
    has = {name: NEEDED.get(name, {}).items() <= complete.model_dump().items() for name in possible}
    removed = {name: _keeping(complete, without) for name, without in possible.items() if has[name]}
    same = _resolved(complete)
    there = [name for name, without in removed.items() if _resolved(_without(recipe, changes, without)) != same]
    wrong = [name for name in only or () if name not in there]
    if wrong:
        found = f"only: expected ingredients of recipe {recipe}, found {quoted(', '.join(wrong))}"
        raise ConfigError(one_line("", f"{found}; there are {', '.join(there)}", nearest(wrong[0], there)))
    wanted = [name for name in there if only is None or name in only]
    return [
        Job("ablation", name, recipe, seed, merge(merge(changes, removed.get(name, {})), {"seed": seed}), on_benchmark=True)
        for seed in seeds
        for name in (COMPLETE, *wanted)
    ]


def _keeping(complete: TrainConfig, without: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings that remove an ingredient; with those of :data:`KEPT` if they replace the network."""
    if "model" not in without:
        return without
    known = network_class(without["model"]).Settings.model_fields
    return {**without, "model_settings": {name: value for name, value in complete.model_settings.items() if name in KEPT and name in known}}


def _resolved(config: TrainConfig) -> dict[str, Any]:
    """Return all settings as they count: those of the network, too, that are not given."""
    network = network_class(config.model).Settings(**config.model_settings)
    return config.model_dump(mode="json") | {"model_settings": network.model_dump(mode="json")}


def _without(recipe: str, changes: Mapping[str, Any], without: Mapping[str, Any]) -> TrainConfig:
    return train_config(read_recipe(recipe), merge(changes, without), files=(recipe_file(recipe),))


def ablate(
    data_file: str | Path,
    cmu_file: str | Path | None,
    out: str | Path,
    *,
    recipe: str = "default",
    seeds: Sequence[int] = (0,),
    only: Sequence[str] | None = None,
    assignments: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    finished: bool = False,
    command: str = "",
    print_line: PrintLine = lambda line: None,
    progress_bar: ProgressBar = nullcontext,
) -> Results:
    """Train a recipe without each of its ingredients, and write what that costs.

    Each run is trained once, on the training side of a split, and evaluated on its validation part, its test side and, if there is
    a file of it, the benchmark of another database. Parameters, returns and errors are those of :func:`trainer.experiments.run.experiments`,
    except:

    Parameters
    ----------
    recipe : str
    only : sequence of str, optional
        Ingredients, of :data:`INGREDIENTS`.
    """
    with protected(data_file, cmu_file, recipe):
        series = RunSeries(
            Path(data_file), Path(cmu_file) if cmu_file is not None else None, Path(out), resume, command, print_line, progress_bar, finished
        )
        require_once("seeds", seeds)
        jobs = plan(recipe, seeds, only, merge(parse_assignments(assignments), options or {}))
        series.check(jobs)
        for reason in series.impossible(jobs).values():
            raise ConfigError(reason)
        runs, failures = series.run(jobs)
        results = Results(
            protocol={"split": jobs[0].config().split, **describe(series, seeds)},
            command=from_the_start(command),
            versions=versions(),
            seeds=tuple(seeds),
            recipes=(Path(recipe).stem,),
            published=published(),
            runs=runs,
            failures=failures,
            unfinished=unfinished(jobs, runs, failures),
        )
        series.write(results, summarise_ablation)
        return results


def summarise_ablation(results: Results) -> list[ReportBlock]:
    """Return the report: one line per ingredient, with the difference that its absence makes."""
    recipe = results.recipes[0]
    blocks: list[ReportBlock] = [
        Heading(f"What each ingredient of recipe {recipe} contributes", 1),
        Paragraph("; ".join(f"{key}: {value}" for key, value in results.protocol.items())),
        Paragraph(
            "Each line is the recipe without one ingredient, trained on the training side of the split; in brackets the difference from the complete "
            "recipe, as the mean of differences between runs of the same seed: positive means that the ingredient helps (3DPCK: negative). "
            "Root-relative MPJPE in mm, root counted. Recipes are chosen by the validation column; the columns to its right chose nothing."
        ),
        Paragraph(DEFINITIONS),
        _table(results),
        Paragraph("The settings in which each differs from the complete recipe:"),
        Bullets(tuple(f"{_title(name)}: {changed}" for name, changed in _changes(results).items())),
        *missing_runs(results),
    ]
    return [*blocks, MadeBy(results.command, results.versions)] if results.command else blocks


def _table(results: Results) -> Table:
    motions = tuple(results.published.motions)
    columns = {
        "validation": metric("validation", "mpjpe_mm"),
        "test side": metric("test", "mpjpe_mm"),
        **{name: metric(name, "mpjpe_mm") for name in motions},
        "CMU average": averaged(motions, lambda side: side.overall.get("mpjpe_mm")),
        "CMU 3DPCK@200, %": averaged(motions, lambda side: side.overall.get("pck_200")),
        "test side, velocity, mm/s": metric("test", "velocity_mm_s"),
    }
    runs: dict[str, list[RunResult]] = {}
    for run in results.runs:
        runs.setdefault(run.variant, []).append(run)
    complete = {run.seed: run for run in runs.get(COMPLETE, [])}
    rows: list[list[Cell | str]] = []
    for name, found in runs.items():
        cells: list[Cell | str] = [_title(name)]
        for take in columns.values():
            values = figures(found, take)
            pairs = [(take(run), take(complete[run.seed])) for run in found if run.seed in complete]
            differences = [value - whole for value, whole in pairs if value is not None and whole is not None]
            shown = f" ({sum(differences) / len(differences):+.1f})" if differences and name != COMPLETE else ""
            cells.append(spread(values, expected=len(results.seeds)) + shown)
        rows.append(cells)
    return Table(f"Recipe {results.recipes[0]}", ["", *columns], rows)


def _title(name: str) -> str:
    return name if name == COMPLETE or name.startswith("network") else f"without {name}"


def _changes(results: Results) -> dict[str, str]:
    """Return the settings in which each variant differs from the complete recipe, by its name."""
    settings = {run.variant: dict(flat(_resolved(TrainConfig.model_validate(run.config)) | {"seed": 0})) for run in results.runs}
    complete = settings.pop(COMPLETE, None)
    if complete is None:
        return {}
    return {
        name: ", ".join(
            [f"{key}={value}" for key, value in found.items() if complete.get(key) != value] + [f"no {key}" for key in complete if key not in found]
        )
        for name, found in settings.items()
    }
