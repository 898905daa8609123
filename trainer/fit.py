"""Train a model: this file is the whole story, top to bottom.

data -> split -> model -> epochs of (batch, augment, lift, loss, gradient, step) -> checkpoint, log -> best weights on the test side.

Everything random is a pure function of (seed, epoch, batch): the order, the augmentation, the dropout. So a checkpoint needs no
state of a generator, and a run that was killed and resumed ends with the same bits as one that was not.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mocapgen.shared.command import Stopped
from schemas.errors import ConfigError, DatasetError
from schemas.train import ModelCard, TrainConfig
from trainer import log
from trainer.data.augment import Randomness, augment
from trainer.data.batches import Batch, Items, Loader, epoch_batches, epoch_items
from trainer.data.dataset import PoseData, load
from trainer.data.splits import Split, make_split, split_from_record
from trainer.model import checkpoint
from trainer.model.device import Compute, choose
from trainer.model.lift import lift, lift_sequences
from trainer.model.lifter import Lifter
from trainer.model.losses import sequence_losses, weighted
from trainer.model.metrics import MILLIMETRES, joint_errors, root_relative, summarise
from trainer.recipes.settings import read_run

Watcher = Callable[[int, int, Mapping[str, Any]], None]
"""Is told steps done, steps in all, and the latest figures."""


@dataclass
class State:
    """How far a run is; stored in its checkpoints as JSON."""

    epoch: int = 0
    """Completed epochs."""
    batch: int = 0
    """Completed batches of the epoch after those."""
    step: int = 0
    """Completed steps in all."""
    sums: dict[str, float] = field(default_factory=dict)
    """Sums over the batches of the unfinished epoch."""
    best: float | None = None
    """Lowest validation error so far, mm."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row per completed epoch."""


@dataclass(frozen=True)
class Result:
    """What a run leaves.

    Parameters
    ----------
    folder : Path
    history : list of dict
        One row per epoch.
    metrics : dict of str to float
        Of the best weights on the test side; empty if the run was told to end earlier.
    note : str
        Warnings, one a line, or nothing.
    """

    folder: Path
    history: list[dict[str, Any]]
    metrics: dict[str, float]
    note: str


class Stopwatch:
    """Adds up the wall time of parts of a run."""

    def __init__(self) -> None:
        self.begin = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of a with-block."""
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.begin


def fit(
    data_file: str | Path,
    config: TrainConfig,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    stop_after: int | None = None,
    command: str = "",
    watch: Watcher | None = None,
) -> Result:
    """Train a model on a dataset file.

    Parameters
    ----------
    data_file : str or Path
    config : TrainConfig
    folder : str or Path
        Where everything goes (see :mod:`trainer.model.checkpoint`).
    resume : bool
        Go on after the last complete step of the run in `folder`.
    overwrite : bool
        Replace the run in `folder`.
    stop_after : int, optional
        End after this epoch, as if killed; the schedule is still that of all epochs.
    command : str
        The command line, for the run's README.
    watch : callable, optional
        Called after each step.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        If settings contradict each other or the folder, or the loss is not finite (with the sequences' names).
    DatasetError
        If the file, or the checkpoint to resume from, cannot be used.
    Stopped
        After Ctrl-C, when all is saved.
    """
    folder = Path(folder)
    _prepare(folder, resume, overwrite)
    compute = choose(config.device, config.precision, config.threads)
    data = load(data_file, config.joint_set)
    split = make_split(data, config.split, config.seed, config.test_share, config.validation_share)
    run = Run(data, split, config, compute, folder, command)
    if resume:
        run.restore()
    if compute.rank == 0:
        run.write_settings()

    with _interruptible() as interrupted:
        while run.state.epoch < min(config.epochs, stop_after or config.epochs):
            batches = run.batches(run.state.epoch)
            watch_epoch = Stopwatch()
            while run.state.batch < len(batches):
                with watch_epoch.part("data"):
                    batch = run.prepare(batches[run.state.batch])
                figures = run.train_step(batch, watch_epoch)
                if watch is not None:
                    watch(run.state.step, run.steps, figures)
                if run.agreed(interrupted()):
                    run.save_last()
                    raise Stopped(run.how_to_go_on())
            run.finish_epoch(watch_epoch)
    return run.finish(complete=run.state.epoch >= config.epochs)


class Run:
    """Model, optimiser and progress of a run, and what is done with them.

    Parameters
    ----------
    data : PoseData
    split : Split
    config : TrainConfig
    compute : Compute
    folder : Path
    command : str
    """

    def __init__(self, data: PoseData, split: Split, config: TrainConfig, compute: Compute, folder: Path, command: str) -> None:
        self.data, self.split, self.config, self.compute, self.folder, self.command = data, split, config, compute, folder, command
        self.state = State()
        self.loader = Loader(data, compute.device)
        torch.manual_seed(config.seed)
        self.lifter = Lifter(config, data.joints).to(compute.device)
        self.lifter.bf16 = compute.bf16
        self.averaged = deepcopy(self.lifter).eval() if config.ema else self.lifter
        self.optimiser = make_optimiser(self.lifter, config)
        if config.compile:
            self.lifter.compile_for_training()
        self.trained: nn.Module = DistributedDataParallel(self.lifter) if compute.world > 1 else self.lifter
        self.steps = sum(len(self.batches(epoch)) for epoch in range(config.epochs)) if config.window else config.epochs * len(self.batches(0))
        self.tensorboard = log.tensorboard_writer(folder) if config.tensorboard and compute.rank == 0 else None

    # An epoch ------------------------------------------------------------------------------------------------------------------

    def batches(self, epoch: int) -> list[Items]:
        """Return the batches of an epoch."""
        items = epoch_items(self.data, self.split.train, self.config.window, self.config.seed, epoch)
        return epoch_batches(items, self.config.batch_size, self.config.seed, epoch)

    def prepare(self, items: Items) -> Batch:
        """Return the augmented batch; every process augments the whole of it, so that all agree on every random number."""
        state, config = self.state, self.config
        batch = self.loader.gather(items, config.window)
        random = Randomness(config.seed, state.epoch, state.batch, self.compute.device)
        torch.manual_seed((config.seed * 1_000_003 + state.step) * 64 + self.compute.rank)  # dropout
        return augment(batch, config.augment, self.data.joints, random, config.window)

    def train_step(self, batch: Batch, watch: Stopwatch) -> dict[str, Any]:
        """Lift a batch, and move the weights against the gradient of its loss; returns the latest figures."""
        state, config, compute = self.state, self.config, self.compute
        frames = batch.mask.sum()
        if compute.world > 1:
            batch = batch.part(slice(compute.rank % len(batch.mask), None, compute.world))
        with watch.part("forward"):
            self.trained.train()
            predicted = lift(self.trained, batch)  # type: ignore[arg-type]
            terms = sequence_losses(predicted, batch.positions, batch.mask, config.losses, self.data.joints.parents, config.target == "absolute")
            loss = weighted(terms, config.losses)
            mean = loss.sum() / frames
            value = mean.item()
        if not math.isfinite(value):
            raise ConfigError(self._not_finite(loss, batch))
        with watch.part("backward"):
            self.optimiser.zero_grad(set_to_none=True)
            # Gradients of several processes are averaged; frames are what the loss is a mean of.
            (mean * compute.world).backward()  # type: ignore[no-untyped-call]
        with watch.part("optimiser"):
            norm = nn.utils.clip_grad_norm_(self.lifter.parameters(), config.grad_clip_norm or math.inf)
            rate = learning_rate(state.step, self.steps, config)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.step()
            state.step += 1
            state.batch += 1
            if config.ema:
                average(self.averaged, self.lifter, min(config.ema, (1 + state.step) / (10 + state.step)))
        for name, amount in (("loss", loss.sum()), ("mpjpe", terms["mpjpe"].sum()), ("frames", frames), ("norm", norm)):
            state.sums[name] = state.sums.get(name, 0.0) + amount.item()
        return {"epoch": state.epoch + 1, "loss": value, "mpjpe_mm": MILLIMETRES * state.sums["mpjpe"] / state.sums["frames"]}

    def _not_finite(self, loss: Tensor, batch: Batch) -> str:
        """Say whose loss is not finite."""
        bad = batch.items.sequence[(~torch.isfinite(loss)).cpu().numpy()]
        names = ", ".join(self.data.name(int(sequence)) for sequence in bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        return (
            f"epoch {self.state.epoch + 1}, step {self.state.step + 1}: expected a finite loss, found NaN or infinity in {names or 'their sum'}; "
            "look at them with `mocapgen inspect`, or lower learning_rate; the last complete epoch is saved"
        )

    def finish_epoch(self, watch: Stopwatch) -> None:
        """Look at the other sides, and write checkpoint and log."""
        state, config = self.state, self.config
        sums = self._summed_over_processes()
        with watch.part("evaluation"):
            validation = self.error(self.split.validation)
            look = config.test_every and (state.epoch + 1) % config.test_every == 0
            test = self.error(self.split.test) if look else None
        better = validation is None or state.best is None or validation < state.best
        rate = learning_rate(max(state.step - 1, 0), self.steps, config)
        computing = sum(watch.seconds.get(part, 0.0) for part in ("forward", "backward", "optimiser", "evaluation"))
        row = {
            "epoch": state.epoch + 1,
            "step": state.step,
            "learning_rate": rate,
            "loss": sums["loss"] / sums["frames"],
            "train_mpjpe_mm": MILLIMETRES * sums["mpjpe"] / sums["frames"],
            "validation_mpjpe_mm": validation,
            "test_mpjpe_mm": test,
            "gradient_norm": sums["norm"] / max(state.batch, 1),
            "best": better,
            "seconds": round(watch.total, 3),
            "frames_per_second": round(sums["frames"] / watch.total, 1),
            "computing_share": round(computing / watch.total, 4),
        }
        state.history.append(row)
        state.epoch, state.batch, state.sums = state.epoch + 1, 0, {}
        state.best = validation if better else state.best
        if self.compute.rank == 0:
            if better:
                checkpoint.save(self.folder / "best.safetensors", self.card(), _prefixed(checkpoint.MODEL, self.averaged.state_dict()))
            self.save_last()
            log.write_history(self.folder, state.history)
            if self.tensorboard is not None:
                for name in ("loss", "train_mpjpe_mm", "validation_mpjpe_mm", "test_mpjpe_mm", "learning_rate"):
                    if row[name] is not None:
                        self.tensorboard.add_scalar(name, row[name], state.epoch)

    def _summed_over_processes(self) -> dict[str, float]:
        """Return the sums of the epoch; each process has seen its own part of the losses."""
        sums = dict(self.state.sums)
        if self.compute.world > 1:
            both = torch.tensor([sums["loss"], sums["mpjpe"]], dtype=torch.float64, device=self.compute.device)
            torch.distributed.all_reduce(both)
            sums["loss"], sums["mpjpe"] = both.tolist()
        return sums

    def agreed(self, asked: bool) -> bool:
        """Return whether any of the processes was asked to stop: they stop after the same step, or one would wait for another for ever."""
        if self.compute.world == 1:
            return asked
        flag = torch.tensor(int(asked), device=self.compute.device)
        torch.distributed.all_reduce(flag)
        return bool(flag.item())

    def error(self, sequences: np.ndarray) -> float | None:
        """Return the root-relative MPJPE of some sequences with the weights to use, mm; None if there are none."""
        if not len(sequences):
            return None
        self.averaged.eval()
        root, rows = self.lifter.root, self.data.rows(sequences)
        predicted = lift_sequences(self.averaged, self.loader, sequences)
        errors = joint_errors(root_relative(predicted, root), root_relative(self.data.positions_3d[rows], root))
        return float(MILLIMETRES * errors.mean())

    # Files ---------------------------------------------------------------------------------------------------------------------

    def card(self) -> ModelCard:
        """Return what the model says about itself."""
        config, data, lifter = self.config, self.data, self.lifter
        origin = {"file": data.path.name, "sha256": data.sha256, "generator": data.generator, "config": data.config}
        return ModelCard(
            model=config.model,
            model_settings=lifter.network.settings.model_dump(mode="json"),
            **{name: getattr(config, name) for name in ("normalisation", "head", "target", "confidence")},
            joint_set=data.joints.name,
            joints=data.joints.joints,
            parents=data.joints.parents,
            symmetric_pairs=data.joints.pairs,
            groups=data.joints.groups,
            camera_frame=data.camera_frame,
            fps=data.fps,
            receptive_field=lifter.receptive_field,
            parameters=sum(parameter.numel() for parameter in lifter.parameters()),
            epoch=self.state.epoch,
            data=origin,
            split=self.split.describe(),
            versions=log.versions(),
        )

    def write_settings(self) -> None:
        """Write settings and split."""
        log.write_json(self.folder / "config.json", self.config.model_dump(mode="json"))
        log.write_json(self.folder / "split.json", self.split.record(self.data))

    def save_last(self) -> None:
        """Write the checkpoint to go on from."""
        if self.compute.rank != 0:
            return
        tensors = _prefixed(checkpoint.MODEL, self.lifter.state_dict())
        if self.config.ema:
            tensors |= _prefixed(checkpoint.AVERAGE, self.averaged.state_dict())
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.lifter.named_parameters()}
        for parameter, moments in self.optimiser.state.items():
            tensors |= _prefixed(f"{checkpoint.OPTIMISER}{names[parameter]}/", moments)
        checkpoint.save(self.folder / "last.safetensors", self.card(), tensors, vars(self.state))

    def restore(self) -> None:
        """Go back to the state of the run's last checkpoint, and to its split.

        Raises
        ------
        ConfigError
            If the run was started with other settings.
        DatasetError
            If there is no checkpoint, or the data is another.
        """
        found = checkpoint.read(self.folder / "last.safetensors")
        if found.card.data.get("sha256") != self.data.sha256:
            raise DatasetError(
                f"{self.data.path}: expected the file that the run was started with (sha256 {found.card.data.get('sha256')}), found another"
            )
        differences = _differences(self.folder, self.config)
        if differences:
            raise ConfigError(f"{self.folder}: expected the settings that the run was started with, found others: {'; '.join(differences)}")
        self.split = split_from_record(self.data, json.loads((self.folder / "split.json").read_text(encoding="utf-8")))
        checkpoint.load_weights(self.lifter, found.part(checkpoint.MODEL), found.path)
        if self.config.ema:
            checkpoint.load_weights(self.averaged, found.part(checkpoint.AVERAGE), found.path)
        for name, parameter in self.lifter.named_parameters():
            moments = found.part(f"{checkpoint.OPTIMISER}{name}/")
            # Step counters stay where they are: the optimiser keeps them on the processor.
            self.optimiser.state[parameter] = {key: value if key == "step" else value.to(parameter.device) for key, value in moments.items()}
        self.state = State(**found.state)

    def how_to_go_on(self) -> str:
        """Say where the run stands and how to resume it."""
        done = f"{self.state.epoch} of {self.config.epochs} epochs"
        return f"stopped and saved after {done} and {self.state.batch} steps; go on with: {self.command or 'trainer fit'} --resume".replace(
            " --resume --resume", " --resume"
        )

    def finish(self, complete: bool) -> Result:
        """Judge the best weights on the test side, draw the history, and explain the folder."""
        figures: dict[str, float] = {}
        notes = [self.split.note] if self.split.note else []
        if self.compute.rank == 0:
            if complete and len(self.split.test):
                best, _ = checkpoint.load_lifter(self.folder, self.compute.device)
                rows = self.data.rows(self.split.test)
                predicted = lift_sequences(best, self.loader, self.split.test)
                length = self.data.length[self.split.test]
                figures = summarise(
                    predicted, self.data.positions_3d[rows], length, self.data.fps, self.data.joints.parents, self.config.target == "absolute"
                )
                log.write_json(self.folder / "metrics.json", {"protocol": self.split.describe(), "test": figures})
            title = f"{self.folder.name}: {self.config.model}, split {self.split.spec}"
            if not log.plot_history(self.folder / "history.png", self.state.history, title):
                notes.append("history.png was not drawn, for want of matplotlib: pip install 'mocapgen[report]'")
            log.write_readme(self.folder, self.card(), self.config, self.command, self.split.note, figures)
            if self.tensorboard is not None:
                self.tensorboard.close()
        if self.compute.world > 1:
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()
        return Result(self.folder, self.state.history, figures, "\n".join(notes))


# Pieces -----------------------------------------------------------------------------------------------------------------------


def make_optimiser(lifter: Lifter, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW; scales and biases are not pulled towards zero."""
    matrices = [parameter for parameter in lifter.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in lifter.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def learning_rate(step: int, steps: int, config: TrainConfig) -> float:
    """Return the rate of a step: a linear rise over the warm-up, then half a cosine down to the final share."""
    warmup = config.warmup * steps
    if step < warmup:
        return config.learning_rate * (step + 1) / (math.floor(warmup) + 1)
    progress = (step - warmup) / max(steps - warmup, 1)
    share = config.final_lr_factor + (1.0 - config.final_lr_factor) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return config.learning_rate * share


@torch.no_grad()
def average(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    """Move averaged weights a step towards the model's; buffers (running statistics) are taken over."""
    torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1.0 - decay)
    for old, new in zip(averaged.buffers(), model.buffers(), strict=True):
        old.copy_(new)


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


NOT_COMPARED = frozenset({"epochs", "device", "precision", "compile", "threads", "tensorboard", "test_every"})
"""Settings that may differ when a run is resumed. With more epochs the learning rate follows the schedule of the new number."""


def _differences(folder: Path, config: TrainConfig) -> list[str]:
    """Return which settings differ from those that a run was started with."""
    old, new = read_run(folder).model_dump(), config.model_dump()
    return [f"{name} {new[name]} instead of {old[name]}" for name in new if name not in NOT_COMPARED and new[name] != old[name]]


def _prepare(folder: Path, resume: bool, overwrite: bool) -> None:
    """Check that the folder is there to be resumed, or free to be written; the first of several processes does it for all."""
    if int(os.environ.get("RANK", 0)) > 0:
        return
    started = (folder / "config.json").exists()
    if resume:
        if not started:
            raise DatasetError(f"{folder}: expected a run to resume, found none; start it without --resume")
    elif started and overwrite:
        shutil.rmtree(folder)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder}: expected a folder that is free, found {'a run' if started else 'other files'}; --resume, --overwrite or another --out"
        )
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C (or a polite kill) be noticed between two steps; a second one ends the process at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever owns that one decides
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def command_line(arguments: list[str]) -> str:
    """Return a command as it can be typed again."""
    return shlex.join(["trainer", *arguments])
