"""A series of runs: each is trained, evaluated and recorded; finished ones are kept, and one that fails stops no other.

What it leaves in OUT::

    OUT/runs/NAME/         the folder of a run (see trainer.model.checkpoint), and beside its checkpoints
        result.json        what a report says of it; written last: a run that has it is finished
        evaluation-SIDE.json   all figures of each side that was evaluated
        examples.npz       some moments of its worst and best sequences, for pictures
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.command import Stopped
from mocapgen.shared.config import checked
from mocapgen.shared.documents import MOST_RESULT_BYTES, read_json
from mocapgen.shared.files import write_file
from mocapgen.shared.outputs import check_folder, check_target
from mocapgen.shared.text import count_of, one_line, quoted
from schemas.errors import ConfigError, DatasetError, MocapError
from schemas.experiments import DistanceBin, EpochFigures, Failure, Results, RunResult, Side
from schemas.train import ModelCard, SplitRecord, TrainConfig
from trainer.data.batches import Loader
from trainer.data.cache import load_frames
from trainer.data.dataset import PoseData, require_match
from trainer.data.splits import make_split, read_split_record, split_from_record
from trainer.evaluate import evaluate_predictions
from trainer.experiments.examples import Examples, read_examples, write_examples
from trainer.experiments.novelty import by_distance
from trainer.experiments.published import benchmark
from trainer.experiments.report import ReportBlock
from trainer.experiments.report_html import write_blocks
from trainer.fit import ProgressCallback, fit
from trainer.model.checkpoint import load_lifter
from trainer.model.device import choose
from trainer.model.lift import lift_sequences
from trainer.model.lifter import Lifter
from trainer.model.metrics import MILLIMETRES, joint_errors, root_relative
from trainer.recipes.settings import read_recipe, recipe_file, train_config
from trainer.runs.folder import NOT_COMPARED
from trainer.runs.history import read_history

ProgressBar = Callable[[], AbstractContextManager[ProgressCallback | None]]
PrintLine = Callable[[str], None]

RESULT = "result.json"
"""What a run's folder has once it is finished and evaluated."""
REPORTS = ("results.json", "report.html", "report.md")
"""What the folder of a series has once its runs are made."""
_MAY_DIFFER = NOT_COMPARED - {"epochs"}
"""Settings that do not change what a finished run has found out."""


def refuse(changes: Mapping[str, Any], instead: Mapping[str, str]) -> None:
    """Refuse to change settings in which the runs of a series differ by design.

    Raises
    ------
    ConfigError
        With the option that says what is wanted.
    """
    for name, option in instead.items():
        if name in changes:
            raise ConfigError(f"assignments={name}: expected settings that all runs share, found one that they differ in; use {option}=...")


def require_once(name: str, values: Sequence[object]) -> None:
    """Refuse a list that has something twice: no figure is a mean over one run and its copy.

    Raises
    ------
    ConfigError
        With what is there twice.
    """
    twice = [str(value) for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise ConfigError(one_line("", f"{name}: expected each once, found {quoted(', '.join(dict.fromkeys(twice)))} repeatedly"))


@dataclass(frozen=True)
class Job:
    """A run to be made.

    Parameters
    ----------
    experiment, variant : str
    recipe : str
    seed : int
    changes : mapping
        Settings that override the recipe's, split and seed included.
    on_benchmark : bool
        Whether it is evaluated on the benchmark of the other file as well.
    """

    experiment: str
    variant: str
    recipe: str
    seed: int
    changes: Mapping[str, Any]
    on_benchmark: bool = False

    @property
    def name(self) -> str:
        """Name of its folder."""
        parts = (Path(self.recipe).stem, self.experiment, self.variant.replace(" ", "_").replace("/", "_"), f"s{self.seed}")
        return "-".join(part for part in parts if part)

    def config(self) -> TrainConfig:
        """Return its settings, checked."""
        return train_config(read_recipe(self.recipe), self.changes, files=(recipe_file(self.recipe),))

    def command(self, data_file: Path, folder: Path) -> str:
        """Return the command that makes this run alone."""
        settings = [word for name, value in flat(self.changes) for word in ("--set", f"{name}={value}")]
        return shlex.join(["trainer", "fit", str(data_file), "--recipe", self.recipe, "--out", str(folder), *settings])


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield settings as ``--set`` takes them: names with their groups, and values."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value) if isinstance(value, list | tuple | bool) or value is None else str(value)


@dataclass
class RunSeries:
    """Where runs find their data and leave their results.

    Parameters
    ----------
    data_file : Path
        To train on.
    other_file : Path, optional
        Of another database, with the sequences of the published benchmark.
    out : Path
    resume : bool
        Keep what is there and go on.
    finished : bool
        Take the runs that are finished, and train nothing.
    command : str
        For the message after Ctrl-C.
    print_line : callable
        Called with one line of text for each run.
    progress_bar : callable
        Gives the context in which a run is trained, and who watches it.
    """

    data_file: Path
    other_file: Path | None
    out: Path
    resume: bool = False
    command: str = ""
    print_line: PrintLine = lambda line: None
    progress_bar: ProgressBar = nullcontext
    finished: bool = False
    protocol: dict[str, str] = field(default_factory=dict)
    _files: dict[tuple[Path, str], PoseData] = field(default_factory=dict)

    def load(self, path: Path, joint_set: str) -> PoseData:
        """Return a file, read once."""
        if (path, joint_set) not in self._files:
            self._files[path, joint_set] = load_frames(path, joint_set)
        return self._files[path, joint_set]

    def check(self, jobs: Sequence[Job]) -> None:
        """Find out before hours of training what cannot work: settings, files, and whether the output folder is free.

        Raises
        ------
        ConfigError, DatasetError
            In one line.
        """
        if int(os.environ.get("WORLD_SIZE", 1)) > 1:
            raise ConfigError("torchrun: expected one process for a whole series of runs, found several; share the runs out with only=... instead")
        check_folder(self.out)
        joint_sets = {job.config().joint_set for job in jobs}
        for joint_set in sorted(joint_sets):
            data = self.load(self.data_file, joint_set)
            if self.other_file is not None and any(job.on_benchmark for job in jobs):
                _require_other_clips(self.load(self.other_file, joint_set), data)
        if self.resume or self.finished:
            kept = [job for job in jobs if self._finished(job)]  # refuses runs of other settings before a report is written over
            if self.finished and not kept:
                names = ", ".join(job.name for job in jobs)
                raise ConfigError(one_line(str(self.out), f"expected a finished run of {names}, found none", "; without finished=True they are made"))
        elif self.out.exists() and any(self.out.iterdir()):
            raise ConfigError(one_line(str(self.out), "expected a folder that is free, found files; resume=True goes on, or another out=..."))
        for name in REPORTS if self.out.exists() else ():
            check_target(self.out / name, overwrite=True)

    def impossible(self, jobs: Sequence[Job]) -> dict[str, str]:
        """Return the experiments of which a split cannot be made, each with the reason; none where nothing is trained."""
        reasons: dict[str, str] = {}
        made: set[tuple[object, ...]] = set()
        for job in () if self.finished else jobs:
            config = job.config()
            wanted = config.split, config.seed, config.test_share, config.validation_share
            if (config.joint_set, *wanted) in made or job.experiment in reasons:
                continue
            try:
                make_split(self.load(self.data_file, config.joint_set), *wanted)
            except ConfigError as error:
                reasons[job.experiment] = str(error)
            made.add((config.joint_set, *wanted))
        return reasons

    def run(self, jobs: Sequence[Job]) -> tuple[tuple[RunResult, ...], tuple[Failure, ...]]:
        """Make all runs, one after the other.

        Parameters
        ----------
        jobs : sequence of Job

        Returns
        -------
        tuple of RunResult
            In the order of the jobs.
        tuple of Failure
            Runs that failed, each with the reason.

        Raises
        ------
        Stopped
            After Ctrl-C, when all is saved.
        """
        results: list[RunResult] = []
        failures: list[Failure] = []
        trained, begin = 0, time.perf_counter()
        for number, job in enumerate(jobs, 1):
            place = f"[{number:{len(str(len(jobs)))}d}/{len(jobs)}] {job.name}"
            try:
                kept = self._finished(job)
                if self.finished and kept is None:
                    continue
                result = kept or self._make(job)
            except KeyboardInterrupt:
                raise Stopped(f"stopped and saved; {len(results)} of {len(jobs)} runs are finished; go on with: {_resumed(self.command)}") from None
            except Exception as error:  # whatever it is: hours of other runs must not be lost for it
                reason = " ".join(str(error).split()) or type(error).__name__
                failures.append(Failure(name=job.name, error=reason if isinstance(error, MocapError) else f"{type(error).__name__}: {reason}"))
                self.print_line(f"{place}: failed: {failures[-1].error}")
                continue
            results.append(result)
            trained += kept is None
            spent = time.perf_counter() - begin
            left = f"; about {_duration(spent / trained * (len(jobs) - number))} left" if trained and number < len(jobs) else ""
            self.print_line(f"{place}: {_summary(result)}{', kept' if kept else f', {_duration(result.seconds)}'}{left}")
        return tuple(results), tuple(failures)

    def write(self, results: Results, blocks: Callable[[Results], list[ReportBlock]]) -> None:
        """Write the results and the report that is made of them.

        Raises
        ------
        Stopped
            After Ctrl-C: the runs are saved.
        """
        try:
            write_file(self.out / "results.json", (results.model_dump_json(indent=2) + "\n").encode())
            write_blocks(blocks(results), self.out)
        except KeyboardInterrupt:
            raise Stopped(f"stopped before the report was whole; the runs are saved; it is made with: {_resumed(self.command)}") from None

    def folder(self, name: str) -> Path:
        """Return the folder of a run."""
        return self.out / "runs" / name

    def _finished(self, job: Job) -> RunResult | None:
        """Return the result of a run that is finished, or None.

        Raises
        ------
        ConfigError
            If it was made with other settings or from other files: nothing is mixed, nothing is thrown away.
        """
        path = self.folder(job.name) / RESULT
        if not path.is_file():
            return None
        try:
            result = checked(RunResult, read_json(path, "the result of a run", most=MOST_RESULT_BYTES), first=True)
            made = checked(TrainConfig, result.config, group="config", first=True).model_dump()  # settings newer than the run have their defaults
        except ConfigError as error:
            found = str(error).removeprefix(f"{path}: ")
            rule = "expected the result of a run of this version, found another"
            raise ConfigError(one_line(str(path), f"{rule} ({found})", "; remove the file to evaluate the run again")) from None
        config = job.config()
        differences = [name for name, value in config.model_dump().items() if name not in _MAY_DIFFER and made[name] != value]
        data = self.load(self.data_file, config.joint_set)
        differences += ["the data file"] if result.data_sha256 != data.sha256 else []
        differences += ["the benchmark's file"] if result.benchmark_sha256 != self._other_sha256(job) else []
        differences += ["precision"] if config.precision != "auto" and not result.device.endswith(config.precision) else []
        if differences:
            found = f"expected a run with the same settings, found others ({', '.join(differences)})"
            raise ConfigError(one_line(str(path.parent), found, "; give those it was made with, or another out=..."))
        examples = read_examples(path.parent / "examples.npz")  # which the report draws
        if any(found.predicted.shape[2] != len(data.compared.joints.joints) for found in examples):
            rule = f"expected errors of the {len(data.compared.joints.joints)} joints of {data.compared.joints.name}, found those of others"
            raise ConfigError(one_line(str(path), f"{rule}, as earlier versions counted", "; remove the file to evaluate the run again"))
        self._remember_protocol(path.parent)
        return result

    def _make(self, job: Job) -> RunResult:
        """Train and evaluate one run."""
        folder, config = self.folder(job.name), job.config()
        begun = (folder / "last.safetensors").is_file()
        with self.progress_bar() as progress:
            fit(
                self.data_file,
                config,
                folder,
                resume=begun,
                overwrite=not begun,
                command=job.command(self.data_file, folder),
                progress=progress,
            )
        result = self._evaluate(job, config, folder)
        write_file(folder / RESULT, (result.model_dump_json(indent=2) + "\n").encode())
        return result

    def _evaluate(self, job: Job, config: TrainConfig, folder: Path) -> RunResult:
        compute = choose(config.device, "fp32", config.threads)
        lifter, card = load_lifter(folder, compute.device)
        sides: dict[str, Side] = {}
        examples: list[Examples] = []
        record = read_split_record(folder)
        trained = self.load(self.data_file, config.joint_set)
        train = split_from_record(trained, record).train
        for data, name, sequences in self._sides(job, config, card, record):
            loader = Loader(data, compute.device)
            predicted = lift_sequences(lifter, loader, sequences)
            compared = predicted[:, data.joints.reported]
            described = card.split if data.path == self.data_file else f"all {len(sequences)} sequences of {name} in {data.path.name}"
            if name == "train":  # many sequences, of which no report says more
                sides[name] = _side(data, sequences, {"mpjpe_mm": _mpjpe_mm(compared, data.compared, sequences)}, {})
                continue
            evaluation = evaluate_predictions(predicted, data, sequences, card, f"{described}; evaluated on {name}")
            distances = by_distance(compared, data.compared, sequences, trained.compared, train)
            sides[name] = _side(data, sequences, evaluation.overall, evaluation.by_group_mm, distances)
            write_file(folder / f"evaluation-{_stem(name)}.json", (evaluation.model_dump_json(indent=2) + "\n").encode())
            examples.append(Examples.pick(name, compared, data.compared, sequences, evaluation))
        write_examples(folder / "examples.npz", examples)
        self._remember_protocol(folder)
        return self._result(job, config, card, lifter, record, sides)

    def _sides(self, job: Job, config: TrainConfig, card: ModelCard, record: SplitRecord) -> Iterator[tuple[PoseData, str, NDArray[np.int64]]]:
        """Yield what a run is evaluated on: file, name, sequences."""
        data = self.load(self.data_file, config.joint_set)
        split = split_from_record(data, record)
        for name in ("train", "validation", "test"):
            if len(getattr(split, name)):
                yield data, name, getattr(split, name)
        if job.on_benchmark and self.other_file is not None:
            other = self.load(self.other_file, config.joint_set)
            require_match(other, card)
            for name, sequences in benchmark(other).items():
                yield other, name, sequences

    def _result(self, job: Job, config: TrainConfig, card: ModelCard, lifter: Lifter, record: SplitRecord, sides: Mapping[str, Side]) -> RunResult:
        folder = self.folder(job.name)
        rows = read_history(folder)
        history = tuple(EpochFigures(**row.model_dump(include=set(EpochFigures.model_fields))) for row in rows)
        return RunResult(
            name=job.name,
            experiment=job.experiment,
            variant=job.variant,
            recipe=Path(job.recipe).stem,
            seed=job.seed,
            config=config.model_dump(mode="json"),
            data_sha256=str(card.data["sha256"]),
            benchmark_sha256=self._other_sha256(job),
            split=card.split,
            note=record.note,
            model=card.model,
            parameters=card.parameters,
            seconds=round(sum(row.seconds for row in rows), 3),
            device=choose(config.device, config.precision, config.threads).describe(),
            best_epoch=max(row.epoch for row in rows if row.best),
            sides=dict(sides),
            history=history,
        )

    def _other_sha256(self, job: Job) -> str:
        return self.load(self.other_file, job.config().joint_set).sha256 if job.on_benchmark and self.other_file is not None else ""

    def _remember_protocol(self, folder: Path) -> None:
        """Keep the part of the protocol that runs share, from one of their evaluations: all that is found, where they differ."""
        for path in sorted(folder.glob("evaluation-*.json")):
            protocol = read_json(path, "an evaluation", most=MOST_RESULT_BYTES).get("protocol")
            shared = {key: protocol.get(key) if isinstance(protocol, dict) else None for key in ("root", "joints", "fps")}
            if not all(isinstance(text, str) for text in shared.values()):
                raise ConfigError(one_line(str(path), "expected an evaluation with root, joints and fps in its protocol, found none"))
            for key, text in shared.items():
                known = self.protocol.setdefault(key, str(text))
                self.protocol[key] = known if text in known.split("; ") else f"{known}; {text}"
            return


def _require_other_clips(other: PoseData, data: PoseData) -> None:
    """Refuse a benchmark of another database whose recordings are trained on.

    Raises
    ------
    DatasetError
        If a sequence of the benchmark shows a recording of `data`, or there is no sequence of one kind.
    """
    trained = set(data.content)
    judged = {str(other.content[sequence]): str(other.recording[sequence]) for sequences in benchmark(other).values() for sequence in sequences}
    both = sorted(name for content, name in judged.items() if content and content in trained)
    if both:
        found = f"found {count_of(len(both), 'recording')} that {data.path.name} has too ({quoted(both[0])})"
        raise DatasetError(one_line(str(other.path), f"expected recordings of another database than is trained on, {found}", "; train without them"))


def _side(
    data: PoseData,
    sequences: NDArray[np.int64],
    overall: Mapping[str, float],
    by_group: Mapping[str, float],
    distances: tuple[DistanceBin, ...] = (),
) -> Side:
    return Side(
        sequences=len(sequences),
        frames=int(data.length[sequences].sum()),
        overall={key: value for key, value in overall.items() if np.isfinite(value)},
        by_group_mm=dict(by_group),
        by_distance=distances,
    )


def _mpjpe_mm(predicted: NDArray[Any], data: PoseData, sequences: NDArray[np.int64]) -> float:
    root = data.joints.root
    errors = joint_errors(root_relative(predicted, root), root_relative(data.positions_3d[data.rows(sequences)], root))
    return float(MILLIMETRES * errors.mean())


def _stem(name: str) -> str:
    return name.replace(" ", "_")


def unfinished(jobs: Sequence[Job], runs: Sequence[RunResult], failures: Sequence[Failure]) -> tuple[str, ...]:
    """Return the names of the jobs that neither came to a result nor failed."""
    ended = {run.name for run in runs} | {failure.name for failure in failures}
    return tuple(job.name for job in jobs if job.name not in ended)


def _summary(result: RunResult) -> str:
    """Return the errors of a run in one line."""
    shown = [name for name in result.sides if name not in ("train", "validation")] or list(result.sides)
    return ", ".join(f"{name} {result.sides[name].overall['mpjpe_mm']:.1f} mm" for name in shown)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def from_the_start(command: str) -> str:
    """Return a command without its ``--resume`` or ``--finished``."""
    return command.replace(" --resume", "").replace(" --finished", "")


def _resumed(command: str) -> str:
    return f"{from_the_start(command) or 'the same command'} --resume"
