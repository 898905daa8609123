"""The published experiments, each with every recipe and seed: train, evaluate, and report beside the published figures.

A       random 80 % / 20 % of the sequences, as published (avatars of one clip are on both sides)
clip    the same without a leak: all sequences of a clip on one side
B       each actor in turn left out; one of them is the published choice
C       all other classes / the hop classes
CMU     all of the file / the two kinds of motion of another database
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from mocapgen.shared.outputs import protected
from mocapgen.shared.text import listed, nearest, one_line, quoted
from schemas.errors import ConfigError
from schemas.experiments import Results
from trainer.data.dataset import PoseData
from trainer.experiments.published import benchmark, published
from trainer.experiments.series import Job, PrintLine, ProgressBar, RunSeries, from_the_start, refuse, require_once, unfinished
from trainer.experiments.summary import summarise_results
from trainer.recipes.settings import merge, parse_assignments
from trainer.runs.card import versions

EXPERIMENTS = ("A", "clip", "B", "C", "CMU")
HOP_CLASSES = "action=hop*"


def experiments(
    data_file: str | Path,
    cmu_file: str | Path | None,
    out: str | Path,
    *,
    recipes: Sequence[str] = ("paper", "default"),
    seeds: Sequence[int] = (0, 1, 2),
    only: Sequence[str] = EXPERIMENTS,
    assignments: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    finished: bool = False,
    command: str = "",
    print_line: PrintLine = lambda line: None,
    progress_bar: ProgressBar = nullcontext,
) -> Results:
    """Make the published experiments and report on them.

    Parameters
    ----------
    data_file : str or Path
        To train on.
    cmu_file : str or Path, optional
        Sequences of basketball and break dance; needed for the experiment CMU.
    out : str or Path
        Folder for ``runs/``, ``results.json``, ``report.html``, ``report.md`` and ``pictures/``.
    recipes : sequence of str
    seeds : sequence of int
        Figures are means over them.
    only : sequence of str
        Of :data:`EXPERIMENTS`.
    assignments : sequence of str
        Texts such as ``augment.flip=0.5`` that override the recipes.
    options : mapping, optional
        Settings that override all (epochs, device, ...).
    resume : bool
        Keep finished runs, go on with unfinished ones.
    finished : bool
        Report on the runs that are finished, and train nothing.
    command : str
        The command line, for the report.
    print_line : callable
        Called with one line of text for each run.
    progress_bar : callable
        See :class:`trainer.experiments.series.RunSeries`.

    Returns
    -------
    Results
        Failed runs included, as failures.

    Raises
    ------
    ConfigError
        If something asked for does not exist, or the folder is not free.
    DatasetError
        If a file cannot be used, or has no sequences of the benchmark.
    Stopped
        After Ctrl-C, when all is saved.
    """
    with protected(data_file, cmu_file, *recipes):
        only = choose_experiments(only, cmu_file is not None)
        names = tuple(Path(recipe).stem for recipe in recipes)
        require_once("seeds", seeds)
        require_once("recipes", names)
        series = RunSeries(
            Path(data_file), Path(cmu_file) if cmu_file is not None else None, Path(out), resume, command, print_line, progress_bar, finished
        )
        changes = merge(parse_assignments(assignments), options or {})
        jobs = plan(series.load(series.data_file, str(changes.get("joint_set", "h36m17"))), recipes, seeds, only, changes)
        series.check(jobs)
        require_possible(series, jobs, only)
        runs, failures = series.run(jobs)
        results = Results(
            protocol=describe(series, seeds),
            command=from_the_start(command),
            versions=versions(),
            seeds=tuple(seeds),
            recipes=names,
            published=published(),
            runs=runs,
            failures=failures,
            unfinished=unfinished(jobs, runs, failures),
        )
        series.write(results, partial(summarise_results, runs=series.out / "runs"))
        return results


def choose_experiments(only: Sequence[str], have_other_file: bool) -> tuple[str, ...]:
    """Return the experiments that are asked for, in the order of :data:`EXPERIMENTS`.

    Raises
    ------
    ConfigError
        If one does not exist, or its file is missing.
    """
    known = {name.lower(): name for name in EXPERIMENTS}
    unknown = [name for name in only if name.lower() not in known]
    if unknown or not only:
        found = quoted(", ".join(unknown)) if unknown else "nothing"
        near = nearest(unknown[0], EXPERIMENTS) if unknown else ""
        raise ConfigError(one_line("", f"only: expected some of {', '.join(EXPERIMENTS)}, found {found}", near))
    wanted = {known[name.lower()] for name in only}
    if "CMU" in wanted and not have_other_file:
        others = ",".join(name for name in EXPERIMENTS if name in wanted - {"CMU"})
        without = f", or only={others} to go without" if others else ""
        raise ConfigError(f"cmu: expected the file of CMU sequences for the experiment CMU, found none; give one{without}")
    return tuple(name for name in EXPERIMENTS if name in wanted)


def require_possible(series: RunSeries, jobs: Sequence[Job], only: Sequence[str]) -> None:
    """Refuse experiments that the file cannot be divided for, before any is trained.

    Raises
    ------
    ConfigError
        With the reason for the first, how the file may be built so that it is possible, and what is possible without.
    """
    reasons = series.impossible(jobs)
    if not reasons:
        return
    others = ",".join(name for name in only if name not in reasons)
    ways = [_builds_more(series.load(series.data_file, jobs[0].config().joint_set)), f"only={others} goes without" if others else ""]
    experiment, reason = next(iter(reasons.items()))
    also = f" (nor for {listed([name for name in reasons if name != experiment])})" if len(reasons) > 1 else ""
    raise ConfigError(one_line(f"experiment {experiment}", reason.partition("; ")[0] + also, "".join(f"; {way}" for way in ways if way)))


def _builds_more(data: PoseData) -> str:
    """Return the command that builds a file of more clips, if this one was built of some only."""
    all_of_them = {"min_frames": ("--min-frames 1", 1), "select": ("--select all", "all")}
    missing = [option for name, (option, value) in all_of_them.items() if data.config.get(name, value) != value]
    return f"`mocapgen build ... {' '.join(missing)}` keeps more clips" if missing else ""


def plan(data: PoseData, recipes: Sequence[str], seeds: Sequence[int], only: Sequence[str], changes: Mapping[str, Any]) -> list[Job]:
    """Return all runs: for each recipe, experiment, variant and seed.

    Parameters
    ----------
    data : PoseData
        To train on: experiment B leaves out each of its actors.
    recipes : sequence of str
    seeds : sequence of int
    only : sequence of str
    changes : mapping
        Settings that override the recipe's.

    Raises
    ------
    ConfigError
        If they are the split or the seed.
    """
    refuse(changes, {"split": "only", "seed": "seeds"})
    splits = {"A": {"": "random"}, "clip": {"": "clip"}, "C": {"": HOP_CLASSES}, "CMU": {"": "all"}}
    splits["B"] = {actor: f"actor={actor}" for actor in sorted(set(data.actor))}
    return [
        Job(name, variant, recipe, seed, merge(changes, {"split": split, "seed": seed}), on_benchmark=name == "CMU")
        for seed in seeds
        for recipe in recipes
        for name in only
        for variant, split in splits[name].items()
    ]


def describe(series: RunSeries, seeds: Sequence[int]) -> dict[str, str]:
    """Return what all figures of a series of runs are figures of."""
    joint_set = series.protocol.get("joints", "h36m17").partition(",")[0]
    data = series.load(series.data_file, joint_set)
    protocol = {**series.protocol, "2D source": "projections stored in the files", "data": _describe_file(data)}
    if series.other_file is not None:
        other = series.load(series.other_file, joint_set)
        motions = ", ".join(
            f"{name} {len(sequences)} sequences, {other.length[sequences].sum():,} frames" for name, sequences in benchmark(other).items()
        )
        protocol["CMU"] = f"{_describe_file(other)}: {motions}"
    return {**protocol, "seeds": ", ".join(str(seed) for seed in seeds)}


def _describe_file(data: PoseData) -> str:
    clips = len(set(data.clip))
    return f"{data.path.name}, {len(data):,} sequences of {clips:,} clips on {len(set(data.avatar))} avatars, sha256 {data.sha256}"
