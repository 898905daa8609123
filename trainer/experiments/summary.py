"""The report of the published experiments: from results to tables and pictures, with the published errors."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mocapgen.shared.text import count_of
from schemas.experiments import DISTANCES_MM, DistanceBin, PublishedExperiment, Results, RunResult, Side
from trainer.data.splits import RANDOM_NOTE
from trainer.experiments import pictures
from trainer.experiments.examples import read_examples
from trainer.experiments.report import Bullets, Cell, Heading, Image, MadeBy, Paragraph, ReportBlock, Table

TITLE = "The published experiments"
NOTHING = "–"
LEGEND = (
    "▼ below and ▲ above the published figure; green (in Markdown: bold) is better. Figures are means over seeds ± standard deviation between them; "
    "a seed draws the split, the first weights, the order and the augmentation. Errors in millimetres."
)
DEFINITIONS = (
    "MPJPE: mean distance of the joints after the roots are put on top of each other; the root is counted, with error 0, as in the published "
    "figures, unless it says 'without root'. P-MPJPE: after the similarity that fits best in each frame. 3DPCK@200: share of joints within 200 mm."
)
EXPERIMENT_TITLES = {
    "A": "A: random sequences held out",
    "clip": "clip: whole clips held out",
    "B": "B: an actor held out",
    "C": "C: the hop classes held out",
    "CMU": "CMU: another database",
}

Figure = Callable[[RunResult], float | None]


def summarise_results(results: Results, runs: Path | None) -> list[ReportBlock]:
    """Return the report.

    Parameters
    ----------
    results : Results
    runs : Path, optional
        Folder of the runs, with their examples; without it the report has none.
    """
    return [
        *_opening(results),
        *_glance(results),
        *_protocol(results),
        *_own_file(results),
        *_cmu(results),
        *_novelty(results),
        *_histories(results),
        *_examples(results, runs),
        *_runs(results),
    ]


# Figures ----------------------------------------------------------------------------------------------------------------------


def spread(values: Sequence[float], digits: int = 1, expected: int | None = None) -> str:
    """Return the mean of some values ± their standard deviation, and how many they are if fewer than expected.

    Examples
    --------
    >>> spread([60.0, 62.0, 64.0])
    '62.0 ± 2.0'
    >>> spread([60.0], expected=3)
    '60.0 (1 of 3)'
    """
    if not values:
        return NOTHING
    text = f"{statistics.fmean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.{digits}f}"
    return text + (f" ({len(values)} of {expected})" if expected is not None and len(values) < expected else "")


def compared(values: Sequence[float], published: float | None, digits: int = 1, lower_is_better: bool = True, expected: int | None = None) -> Cell:
    """Return the mean of some values, marked by whether it is below or above the published figure."""
    text = spread(values, digits, expected)
    if published is None or not values:
        return Cell(text)
    difference = statistics.fmean(values) - published
    if difference == 0.0:
        return Cell(f"{text} =")
    return Cell(f"{text} {'▼' if difference < 0 else '▲'}", "better" if (difference < 0) == lower_is_better else "worse")


def metric(side: str, name: str) -> Figure:
    """Return the function that takes one figure of one side from a run; None where there is none."""

    def take(run: RunResult) -> float | None:
        found = run.sides.get(side)
        return found.overall.get(name) if found else None

    return take


def averaged(names: Sequence[str], take: Callable[[Side], float | None]) -> Figure:
    """Return the function that takes the mean of several sides' figures from a run, whatever their sizes."""

    def mean(run: RunResult) -> float | None:
        values = [take(run.sides[name]) for name in names if name in run.sides]
        found = [value for value in values if value is not None]
        return statistics.fmean(found) if len(found) == len(names) else None

    return mean


def select(results: Results, experiment: str, recipe: str, variant: str | None = None) -> list[RunResult]:
    """Return the runs of an experiment with a recipe, in the order of the seeds."""
    found = [run for run in results.runs if run.experiment == experiment and run.recipe == recipe and variant in (None, run.variant)]
    return sorted(found, key=lambda run: run.seed)


def figures(runs: Sequence[RunResult], take: Figure) -> list[float]:
    """Return one figure of each run that has it."""
    return [value for run in runs if (value := take(run)) is not None and math.isfinite(value)]


def variants(results: Results, experiment: str) -> list[str]:
    """Return the variants of an experiment for which there are runs."""
    return sorted({run.variant for run in results.runs if run.experiment == experiment})


# Sections ---------------------------------------------------------------------------------------------------------------------


def _opening(results: Results) -> list[ReportBlock]:
    """Return the title, and what must be known before any figure is read."""
    blocks: list[ReportBlock] = [Heading(TITLE, 1), Paragraph(f"Published: {results.published.source}.")]
    blocks += missing_runs(results)
    if any(run.experiment == "A" for run in results.runs):
        blocks.append(Paragraph(f"A: {RANDOM_NOTE}; the line 'clip' is the error without that leak.", warning=True))
    return blocks


def missing_runs(results: Results) -> list[ReportBlock]:
    """Return which runs the figures lack, and why."""
    blocks: list[ReportBlock] = []
    lack = "figures are missing or rest on fewer seeds"
    if results.failures:
        blocks.append(Paragraph(f"{count_of(len(results.failures), 'run')} failed: {lack}:", warning=True))
        blocks.append(Bullets(tuple(f"{failure.name}: {failure.error}" for failure in results.failures)))
    if results.unfinished:
        blocks.append(Paragraph(f"Not finished, so {lack}: {', '.join(results.unfinished)}.", warning=True))
    return blocks


def _protocol(results: Results) -> list[ReportBlock]:
    """Return what the figures are figures of, and how they are made again."""
    packages = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    blocks: list[ReportBlock] = [
        Paragraph(LEGEND),
        Heading("Protocol"),
        Bullets((*(f"{key}: {value}" for key, value in results.protocol.items()), f"versions: {packages}")),
        Paragraph(DEFINITIONS),
        Paragraph("About the published figures:"),
        Bullets(results.published.remarks),
    ]
    return [*blocks, MadeBy(results.command, results.versions)] if results.command else blocks


@dataclass(frozen=True)
class ComparisonRow:
    """A headline figure: what it is called, whose it is, and what was published.

    `variant` None is the mean over all variants of a seed; a seed that lacks one has none.
    """

    title: str
    experiment: str
    take: Figure
    published: float | None = None
    variant: str | None = ""
    lower_is_better: bool = True

    def values(self, results: Results, recipe: str) -> list[float]:
        """Return our figure for each seed."""
        runs = select(results, self.experiment, recipe, self.variant)
        by_seed = [figures([run for run in runs if run.seed == seed], self.take) for seed in results.seeds]
        wanted = len(variants(results, self.experiment)) if self.variant is None else 1
        return [statistics.fmean(values) for values in by_seed if values and len(values) == wanted]


def _glance(results: Results) -> list[ReportBlock]:
    """Return the headline figures: one line each, published and ours."""
    published = results.published
    motions = tuple(published.motions)
    error = metric("test", "mpjpe_mm")
    about = {name: experiment.mpjpe_mm for name, experiment in published.experiments.items()}
    lines = [
        ComparisonRow(EXPERIMENT_TITLES["A"], "A", error, about["A"]),
        ComparisonRow(EXPERIMENT_TITLES["clip"], "clip", error),
        ComparisonRow(f"B: {published.held_out_actor} held out (published choice)", "B", error, about["B"], published.held_out_actor),
        ComparisonRow(f"B: mean of {count_of(len(variants(results, 'B')), 'actor')}, each held out", "B", error, variant=None),
        ComparisonRow(EXPERIMENT_TITLES["C"], "C", error, about["C"]),
        *(ComparisonRow(f"CMU: {name}", "CMU", metric(name, "mpjpe_mm"), motion.mpjpe_mm) for name, motion in published.motions.items()),
        ComparisonRow("CMU: average", "CMU", averaged(motions, lambda side: side.overall.get("mpjpe_mm")), published.average_mpjpe_mm),
        ComparisonRow(
            "CMU: 3DPCK@200, average, %",
            "CMU",
            averaged(motions, lambda side: side.overall.get("pck_200")),
            published.average_pck_200,
            lower_is_better=False,
        ),
    ]
    rows: list[list[Cell | str]] = []
    for line in lines:
        found = [line.values(results, recipe) for recipe in results.recipes]
        if any(found):
            rough = "about " if line.experiment in published.experiments else ""
            given = f"{rough}{line.published:g}" if line.published is not None else NOTHING
            cells = [compared(values, line.published, 1, line.lower_is_better, len(results.seeds)) for values in found]
            rows.append([line.title, given, *cells])
    return [Heading("At a glance"), Table("MPJPE on the test side, mm", ["", "published", *_recipe_titles(results)], rows)] if rows else []


def _with_seeds(recipe: str, runs: Sequence[RunResult], results: Results) -> str:
    """Return a recipe's name, and how many seeds its figures rest on if they are fewer than were asked for."""
    count = len({run.seed for run in runs})
    return recipe + (f" ({count} of {len(results.seeds)} seeds)" if count < len(results.seeds) else "")


def _recipe_titles(results: Results) -> list[str]:
    return [f"recipe {recipe}" for recipe in results.recipes]


def _own_file(results: Results) -> list[ReportBlock]:
    """Return the tables of A, clip, B and C."""
    blocks: list[ReportBlock] = []
    for name in ("A", "clip", "B", "C"):
        if not variants(results, name):
            continue
        published = results.published.experiments.get(name)
        blocks.append(Heading(EXPERIMENT_TITLES[name]))
        if name == "A":
            blocks.append(Paragraph(RANDOM_NOTE, warning=True))
        if name == "clip":
            blocks.append(Paragraph("Not among the published experiments: 80 % / 20 % of the clips, all avatars and cameras of a clip on one side."))
        if published:
            blocks.append(Paragraph(f"Published: {published.train} / {published.test}: {published.outcome}."))
        blocks.append(_side_table(results, name, published))
    return blocks


def _side_table(results: Results, name: str, published: PublishedExperiment | None) -> Table:
    header = ["held out", "recipe", "train / test sequences", "MPJPE train", "MPJPE test", "test against train"]
    header += ["test without root", "P-MPJPE", "3DPCK@200, %", "velocity, mm/s"]
    rows: list[list[Cell | str]] = []
    about = published.mpjpe_mm if published else None
    for variant in variants(results, name):
        marked = name == "B" and variant == results.published.held_out_actor
        label = (
            f"{variant} (published choice)"
            if marked
            else variant or ("20 % of sequences" if name == "A" else "20 % of clips" if name == "clip" else "hop*")
        )
        for recipe in results.recipes:
            runs = select(results, name, recipe, variant)
            if not runs:
                continue
            train, test = (figures(runs, metric(side, "mpjpe_mm")) for side in ("train", "test"))
            others = [figures(runs, metric("test", key)) for key in ("mpjpe_no_root_mm", "p_mpjpe_mm", "pck_200", "velocity_mm_s")]
            rows.append(
                [
                    label,
                    recipe,
                    " / ".join(f"{runs[0].sides[side].sequences:,}" for side in ("train", "test") if side in runs[0].sides),
                    spread(train),
                    compared(test, about if name != "B" or marked else None, expected=len(results.seeds)),
                    _against(train, test, published),
                    *(spread(values) for values in others),
                ]
            )
    shown = set()
    if published:
        shown.add(len(rows))
        error = f"about {about:g}" if about is not None else NOTHING
        said = {True: "above", False: "below", None: NOTHING}[published.test_above_train]
        rows.append(["published", "", "about 1,200 / 300", NOTHING, error, said, *[NOTHING] * 4])
    return Table("", header, rows, labels=2, published=frozenset(shown))


def _against(train: Sequence[float], test: Sequence[float], published: PublishedExperiment | None) -> str:
    """Say whether the test error is above the train error, and whether that was published, too."""
    if not train or not test:
        return NOTHING
    above = statistics.fmean(test) > statistics.fmean(train)
    text = "above" if above else "below"
    if published is None or published.test_above_train is None:
        return text
    return f"{text}, {'as' if above == published.test_above_train else 'not as'} published"


def _cmu(results: Results) -> list[ReportBlock]:
    """Return the two published tables, and the further figures."""
    if not variants(results, "CMU"):
        return []
    motions = tuple(results.published.motions)
    blocks: list[ReportBlock] = [Heading(EXPERIMENT_TITLES["CMU"])]
    any_run = next(run for run in results.runs if run.experiment == "CMU")
    sizes = ", ".join(f"{name} {any_run.sides[name].sequences} sequences ({any_run.sides[name].frames:,} frames)" for name in motions)
    splits = "; ".join(f"recipe {recipe}: {runs[0].split}" for recipe in results.recipes if (runs := select(results, "CMU", recipe)))
    blocks.append(Paragraph(f"Trained on the whole file ({splits}). Judged on {sizes}, found by /clips/action and /clips/id."))
    published = results.published
    rows: list[list[Cell | str]] = []
    shown = set()
    for title, key, lower, given, mean in (
        ("MPJPE, mm", "mpjpe_mm", True, [motion.mpjpe_mm for motion in published.motions.values()], published.average_mpjpe_mm),
        ("3DPCK at 200 mm, %", "pck_200", False, [motion.pck_200 for motion in published.motions.values()], published.average_pck_200),
    ):
        digits = 2 if key == "pck_200" else 1
        shown.add(len(rows))
        rows.append([title, "published", *(f"{value:.{digits}f}" for value in [*given, mean])])
        takes = [*(metric(name, key) for name in motions), averaged(motions, lambda side, key=key: side.overall.get(key))]  # type: ignore[misc]
        rows += [
            [
                title,
                f"recipe {_with_seeds(recipe, runs, results)}",
                *(compared(figures(runs, take), about, digits, lower) for take, about in zip(takes, [*given, mean], strict=True)),
            ]
            for recipe in results.recipes
            if (runs := select(results, "CMU", recipe))
        ]
    blocks.append(Table("CMU benchmark", ["", "", *motions, "average"], rows, labels=2, published=frozenset(shown)))
    blocks += [_group_table(results, motions), _more_cmu(results, motions)]
    return blocks


def _group_table(results: Results, motions: Sequence[str]) -> Table:
    groups = results.published.groups_mm
    rows: list[list[Cell | str]] = [["published", *(f"{value:.2f}" for value in groups.values())]]
    for recipe in results.recipes:
        runs = select(results, "CMU", recipe)
        if runs:
            takes = {group: averaged(motions, lambda side, group=group: side.by_group_mm.get(group)) for group in groups}  # type: ignore[misc]
            title = f"recipe {_with_seeds(recipe, runs, results)}"
            rows.append([title, *(compared(figures(runs, take), groups[group]) for group, take in takes.items())])
    return Table("MPJPE by group of joints, mm (mean of the two motions)", ["", *groups], rows, published=frozenset({0}))


def _more_cmu(results: Results, motions: Sequence[str]) -> Table:
    columns: Mapping[str, tuple[str, int]] = {
        "MPJPE": ("mpjpe_mm", 1),
        "without root": ("mpjpe_no_root_mm", 1),
        "P-MPJPE": ("p_mpjpe_mm", 1),
        "N-MPJPE": ("n_mpjpe_mm", 1),
        "3DPCK@150, %": ("pck_150", 1),
        "3DPCK@200 without root, %": ("pck_200_no_root", 1),
        "AUC, %": ("auc", 1),
        "velocity, mm/s": ("velocity_mm_s", 0),
    }
    rows: list[list[Cell | str]] = [
        [name, _with_seeds(recipe, runs, results), *(spread(figures(runs, metric(name, key)), digits) for key, digits in columns.values())]
        for name in motions
        for recipe in results.recipes
        if (runs := select(results, "CMU", recipe))
    ]
    return Table("CMU, further figures (nothing was published to compare them with)", ["", "recipe", *columns], rows, labels=2)


def _histories(results: Results) -> list[ReportBlock]:
    blocks: list[ReportBlock] = [Heading("Error of each epoch")]
    if not results.runs:
        return []
    if not pictures.available():
        return [*blocks, Paragraph(f"No pictures: {pictures.MISSING}.", warning=True)]
    blocks.append(
        Paragraph(
            "MPJPE of each epoch: mean over the seeds, shaded from the lowest to the highest. 'train' is measured while training, on augmented "
            "sequences where the recipe augments; 'validation' chooses the epoch; 'test' chooses nothing."
        )
    )
    for name, title in EXPERIMENT_TITLES.items():
        wanted = variants(results, name)
        if results.published.held_out_actor in wanted:
            wanted = [results.published.held_out_actor]
        for variant in wanted[:1]:
            runs = [run for run in results.runs if run.experiment == name and run.variant == variant]
            caption = title + (f" ({variant})" if variant else "")
            blocks.append(Image(f"history-{name}.svg", pictures.draw_histories(runs, results.recipes), caption))
    return blocks


def _examples(results: Results, runs: Path | None) -> list[ReportBlock]:
    """Return pictures of the worst and the best sequence of each experiment, with the last recipe and the first seed."""
    if runs is None or not pictures.available() or not results.runs:
        return []
    blocks: list[ReportBlock] = [
        Heading("Worst and best clips"),
        Paragraph(
            "For each experiment the sequence with the largest and the one with the smallest MPJPE: five moments, the worst of the sequence among "
            "them, each with its error. Above the 2D input; below it the prediction (left side blue, right side orange) over the truth (grey), "
            "roots on top of each other."
        ),
    ]
    for name, title in EXPERIMENT_TITLES.items():
        chosen = [run for recipe in results.recipes[::-1] for run in select(results, name, recipe)]
        chosen = [run for run in chosen if run.variant in ("", results.published.held_out_actor)] or chosen
        if not chosen:
            continue
        run = chosen[0]
        blocks.append(Heading(title + (f" ({run.variant})" if run.variant else ""), 3))
        for found in read_examples(runs / run.name / "examples.npz"):
            if found.side == "validation":
                continue
            for index, (kind, sequence) in enumerate(zip(found.kinds, found.names, strict=True)):
                caption = f"{kind} of {found.side}, recipe {run.recipe}, seed {run.seed}: {sequence}, MPJPE {found.errors_mm[index]:.0f} mm"
                file = f"{name}-{found.side}-{kind}.svg".replace(" ", "_")
                blocks.append(Image(file, pictures.draw_example(found, index), caption))
    return blocks


def _novelty(results: Results) -> list[ReportBlock]:
    """Return the table of errors by the distance to the nearest training pose."""
    edges = [0.0, *DISTANCES_MM]
    rows: list[list[Cell | str]] = []
    for experiment in EXPERIMENT_TITLES:
        for recipe in results.recipes:
            runs = select(results, experiment, recipe)
            for side in dict.fromkeys(side for run in runs for side in run.sides if side not in ("train", "validation")):
                found = [{row.least_mm: row for row in run.sides[side].by_distance} for run in runs if side in run.sides]
                if any(found):
                    title = _with_seeds(recipe, runs, results)
                    rows.append([f"{experiment}: {side}", title, *(_error_and_share(found, least) for least in edges)])
    if not rows:
        return []
    header = ["", "recipe", *(f"{low:.0f} to {high:.0f} mm" for low, high in pairwise(edges)), f"from {edges[-1]:.0f} mm"]
    said = "How far a pose is from the nearest one of the training side: root mean square distance of the joints, of bodies of one size, from the"
    note = f"{said} same direction, either side. MPJPE of the frames at that distance, mm; in brackets their share."
    return [Heading("Error by distance to the nearest training pose"), Paragraph(note), Table("", header, rows, labels=2)]


def _error_and_share(found: Sequence[Mapping[float, DistanceBin]], least: float) -> str:
    """Return the mean error over all frames of some runs at a distance, and their share of all frames."""
    there = [bins[least] for bins in found if least in bins]
    frames = sum(row.frames for row in there)
    if not frames:
        return "–"
    share = 100.0 * frames / sum(row.frames for bins in found for row in bins.values())
    return f"{sum(row.frames * row.mpjpe_mm for row in there) / frames:.1f} ({share:.0f} %)"


def _core_minutes(run: RunResult) -> str:
    """Return what a run took of the processor's cores, at most: its time times its threads."""
    threads = re.match(r"processor, (\d+) thread", run.device)
    return f"{run.seconds * int(threads[1]) / 60:.1f}" if threads else NOTHING


def _runs(results: Results) -> list[ReportBlock]:
    """Return the table of all runs."""
    header = ["run", "model", "parameters", "epochs, best", "time, s", "core-minutes", "device", "split"]
    rows = [
        [
            run.name,
            run.model,
            f"{run.parameters:,}",
            f"{len(run.history)}, {run.best_epoch}",
            f"{run.seconds:.0f}",
            _core_minutes(run),
            run.device,
            run.split.removesuffix(f" ({run.note})"),
        ]
        for run in results.runs
    ]
    return [Heading("Runs"), Table("", header, rows)] if rows else []
