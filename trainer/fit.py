"""Train a model: the steps of a run, from top to bottom; what it writes into its folder is in :mod:`trainer.runs`.

data -> split -> model -> epochs of (batch, augment, lift, loss, gradient, step) -> checkpoint, history -> best weights on the test side.

Everything random is a pure function of (seed, epoch, batch): the order, the augmentation, the dropout. So a checkpoint needs no
state of a generator, and a run that was killed and resumed ends with the same bits as one that was not.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mocapgen.shared.command import Stopped
from mocapgen.shared.outputs import protected
from mocapgen.shared.text import one_line
from schemas.errors import ConfigError
from schemas.train import ModelCard, TrainConfig
from trainer.data.augment import augment
from trainer.data.batches import Batch, Items, Loader, epoch_batches, epoch_items
from trainer.data.cache import load_frames
from trainer.data.composition import parts
from trainer.data.dataset import PoseData
from trainer.data.randomness import Randomness
from trainer.data.splits import Split, make_split
from trainer.model import checkpoint
from trainer.model.device import Compute, choose
from trainer.model.lift import lift, lift_sequences
from trainer.model.lifter import Lifter
from trainer.model.losses import sequence_losses, weighted
from trainer.model.metrics import MILLIMETRES, ErrorTotals, joint_errors, root_relative
from trainer.model.optimiser import lr_factor, make_average, make_optimiser, make_schedule
from trainer.model.threads import AtOnce, side_by_side
from trainer.runs.card import make_card
from trainer.runs.folder import check_run_folder, clear_folder, read_split, require_same_settings, write_json, write_settings
from trainer.runs.history import HistoryWriter, epoch_row, plot_history
from trainer.runs.interrupt import interruptible
from trainer.runs.lock import locked
from trainer.runs.processes import sharing_errors, start_command
from trainer.runs.readme import write_readme
from trainer.runs.state import RunState, restore, save_best, save_last
from trainer.runs.timer import Timer

ProgressCallback = Callable[[int, int, Mapping[str, Any]], None]
"""Called with the steps done, the steps in all, and the latest figures (`epoch`, `epochs`, ...); after an epoch with its row of the history."""

_PARTS = ("loss", "mpjpe")
"""Sums over the frames of an epoch of which each process has its part."""
_AT_ONCE = 65_536
"""Frames that are evaluated at once, about."""


@dataclass(frozen=True)
class Result:
    """The result of a run.

    Parameters
    ----------
    folder : Path
    history : list of dict
        One row per epoch.
    metrics : dict of str to float
        Of the best weights on the test side; empty if the run ended earlier.
    note : str
        Warnings, one a line, or nothing.
    """

    folder: Path
    history: list[dict[str, Any]]
    metrics: dict[str, float]
    note: str


def fit(
    data_file: str | Path,
    config: TrainConfig,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    stop_after: int | None = None,
    command: str = "",
    progress: ProgressCallback | None = None,
) -> Result:
    """Train a model on a dataset file.

    Parameters
    ----------
    data_file : str or Path
    config : TrainConfig
    folder : str or Path
        Where everything goes (see :mod:`trainer.runs`).
    resume : bool
        Continue after the last complete step of the run in `folder`.
    overwrite : bool
        Replace the run in `folder`.
    stop_after : int, optional
        End after this epoch, as if killed; the schedule is still that of all epochs.
    command : str
        The command line, for the run's README.
    progress : callable, optional
        Called after each step and each epoch.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        If settings contradict each other or the folder, another process trains in it, or the loss is not finite (with the sequences' names).
    DatasetError
        If the file, or the checkpoint to resume from, cannot be used.
    Stopped
        After Ctrl-C, when all is saved.
    """
    folder = Path(folder)
    with protected(data_file, config.split):
        compute = choose(config.device, config.precision, config.threads)
        with sharing_errors(compute):
            check_run_folder(folder, resume, overwrite)
            data = load_frames(data_file, config.joint_set, config.cache)
            split = make_split(data, config.split, config.seed, config.test_share, config.validation_share)
            run = Run(data, split, config, compute, folder, command)
            with locked(folder):
                check_run_folder(folder, resume, overwrite)  # another process may have trained here meanwhile
                run.begin(resume)
                with interruptible() as interrupted:
                    _train(run, stop_after or config.epochs, interrupted, progress)
                return run.finish(complete=run.state.epoch >= config.epochs)


def _train(run: Run, stop_after: int, interrupted: Callable[[], bool], progress: ProgressCallback | None) -> None:
    """Train the epochs that are left, and save after each."""
    while run.state.epoch < min(run.config.epochs, stop_after):
        batches = run.batches(run.state.epoch)
        timer = Timer(run.state.seconds)
        with run.workers() as workers:
            following = workers.submit(run.prepare, batches, run.state.batch)
            for number in range(run.state.batch, len(batches)):
                with timer.part("data"):
                    batch = following.result()
                with timer.part("gradient"):
                    shares = run.begin_step(batch, workers)
                if number + 1 < len(batches):
                    with timer.part("data"):  # by the first thread that has done its share
                        following = workers.submit(run.prepare, batches, number + 1)
                figures = run.finish_step(shares, timer)
                if progress is not None:
                    progress(run.state.step, run.steps, figures)
                if run.compute.any(interrupted()):
                    run.stop(timer)
                    raise Stopped(run.resume_hint())
        run.finish_epoch(timer)
        if progress is not None:
            row = run.state.history[-1]
            progress(run.state.step, run.steps, {**row, "epochs": run.config.epochs, "mpjpe_mm": row["train_mpjpe_mm"]})


@dataclass(frozen=True)
class Share:
    """What was computed of some of the sequences of a batch.

    Parameters
    ----------
    batch : Batch
        Those B sequences.
    frames : Tensor
        Frames of the whole batch.
    loss, mpjpe : (B,) float
        Summed over the frames of each sequence.
    gradient : tuple of Tensor
        Of the summed loss, divided by `frames`.
    """

    batch: Batch
    frames: Tensor
    loss: Tensor
    mpjpe: Tensor
    gradient: tuple[Tensor, ...]


class Run:
    """Model, optimiser and progress of a run, and its steps.

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
        self.state = RunState()
        self.loader = Loader(data, compute.device)
        torch.manual_seed(config.seed)
        self.lifter = Lifter(config, data.joints).to(compute.device)
        self.lifter.bf16 = compute.bf16
        self.parameters = tuple(self.lifter.parameters())
        self.average = make_average(self.lifter, config.ema) if config.ema else None
        self.optimiser = make_optimiser(self.lifter, config)
        if config.compile:
            self.lifter.compile_for_training()
        self.trained: nn.Module = DistributedDataParallel(self.lifter) if compute.world > 1 else self.lifter
        self.steps = sum(len(self.batches(epoch)) for epoch in range(config.epochs)) if config.window else config.epochs * len(self.batches(0))
        self.schedule = make_schedule(self.optimiser, config, self.steps)
        self.writer: HistoryWriter | None = None

    def begin(self, resume: bool) -> None:
        """Go back to the last checkpoint, or remove an old run; write the settings."""
        if resume:
            self.restore()
        clear_folder(self.folder, resume)
        if self.compute.rank == 0:
            write_settings(self.folder, self.config, self.split, self.data)
            self.writer = HistoryWriter(self.folder, self.config.tensorboard)

    @property
    def averaged(self) -> Lifter | None:
        """The model with averaged weights, if the run averages."""
        return cast("Lifter", self.average.module) if self.average is not None else None

    @property
    def model(self) -> Lifter:
        """The model with the weights to use."""
        return self.averaged or self.lifter

    # An epoch ------------------------------------------------------------------------------------------------------------------

    def batches(self, epoch: int) -> list[Items]:
        """Return the batches of an epoch."""
        items = epoch_items(self.data, self.split.train, self.config.window, self.config.seed, epoch)
        return epoch_batches(items, self.config.batch_size, self.config.seed, epoch)

    def prepare(self, batches: list[Items], number: int) -> Batch:
        """Return an augmented batch; every process augments the whole of it, so that all agree on every random number."""
        config = self.config
        batch = self.loader.gather(batches[number], config.window)
        random = Randomness(config.seed, self.state.epoch, number, self.compute.device)
        return augment(batch, config.augment, self.data.joints, random, config.window)

    def workers(self) -> AbstractContextManager[Executor]:
        """Return what computes the steps of an epoch: threads that each take a share of every batch, where its sequences do not affect each other."""
        separate = self.lifter.network.separable and self.compute.world == 1 and not self.config.compile
        return side_by_side(self.compute.device) if separate else nullcontext(AtOnce())

    def begin_step(self, batch: Batch, workers: Executor) -> list[Future[Share]]:
        """Let losses and gradient of a batch be computed: of a GPU or process at once, by threads in shares of two sequences or more."""
        compute, frames = self.compute, batch.mask.sum()
        torch.manual_seed((self.config.seed * 1_000_003 + self.state.step) * 64 + compute.rank)  # dropout
        self.trained.train()
        count = 1 if isinstance(workers, AtOnce) else max(min(compute.threads, len(batch.mask) // 2), 1)
        weight = 1.0
        if compute.world > 1:
            rows, weight = compute.part(len(batch.mask))
            batch = batch.part(rows)
        return [workers.submit(self._share, batch.part(slice(first, None, count)), frames, weight) for first in range(count)]

    def _share(self, batch: Batch, frames: Tensor, weight: float) -> Share:
        """Return losses and gradient of some of the sequences of a batch that has `frames` in all; they count by `weight`."""
        config = self.config
        predicted = lift(self.trained, batch)  # type: ignore[arg-type]
        terms = sequence_losses(predicted, batch.positions, batch.mask, config.losses, self.data.joints.parents, config.target == "absolute")
        loss = weight * weighted(terms, config.losses)
        mean = loss.sum() / frames
        if self.trained is self.lifter:
            gradient = torch.autograd.grad(mean, self.parameters, materialize_grads=True)
        else:
            self.optimiser.zero_grad(set_to_none=True)
            # Gradients of several processes are averaged; frames are what the loss is a mean of.
            (mean * self.compute.world).backward()  # type: ignore[no-untyped-call]
            gradient = tuple(cast("Tensor", parameter.grad) for parameter in self.parameters)
        return Share(batch, frames, loss.detach(), weight * terms["mpjpe"].detach(), gradient)

    def finish_step(self, futures: list[Future[Share]], timer: Timer) -> dict[str, Any]:
        """Move the weights against the gradient; returns the latest figures."""
        state, config, world = self.state, self.config, self.compute.world
        with timer.part("gradient"):
            shares = [future.result() for future in futures]
            frames = shares[0].frames
            loss, error = (torch.stack([getattr(share, name).sum() for share in shares]).sum() for name in ("loss", "mpjpe"))
            value = (loss / frames).item()
        if not math.isfinite(value):
            raise ConfigError(self._not_finite(shares))
        with timer.part("optimiser"):
            gradient = shares[0].gradient
            for share in shares[1:]:
                torch._foreach_add_(gradient, share.gradient)
            for parameter, values in zip(self.parameters, gradient, strict=True):
                parameter.grad = values
            norm = nn.utils.clip_grad_norm_(self.parameters, config.grad_clip_norm or math.inf)
            self.optimiser.step()
            self.schedule.step()
            if self.average is not None:
                self.average.update_parameters(self.lifter)
            state.step, state.batch = state.step + 1, state.batch + 1
        norm = torch.nan_to_num(norm)  # JSON has no infinity
        for name, amount in (("loss", loss), ("mpjpe", error), ("frames", frames), ("norm", norm)):
            state.sums[name] = state.sums.get(name, 0.0) + amount.item()
        mpjpe = MILLIMETRES * state.sums["mpjpe"] / state.sums["frames"]  # of this process's part of the frames, as is the loss
        return {"epoch": state.epoch + 1, "epochs": config.epochs, "loss": world * value, "mpjpe_mm": world * mpjpe}

    def _not_finite(self, shares: list[Share]) -> str:
        """Return the error message for a loss that is not finite, with the sequences."""
        bad = np.concatenate([share.batch.items.sequence[(~torch.isfinite(share.loss)).cpu().numpy()] for share in shares])
        names = ", ".join(self.data.name(int(sequence)) for sequence in bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        return one_line(
            f"epoch {self.state.epoch + 1}, step {self.state.step + 1}",
            f"expected a finite loss, found NaN or infinity in {names or 'their sum'}",
            "; inspect them with `mocapgen inspect`, or lower learning_rate; the last complete epoch is saved",
        )

    def finish_epoch(self, timer: Timer) -> None:
        """Evaluate on the other sides, and write checkpoints and history."""
        state, config = self.state, self.config
        sums = self.total_sums()
        with timer.part("evaluation"):
            validation = self.error(self.split.validation)
            test = self.error(self.split.test) if config.test_every and (state.epoch + 1) % config.test_every == 0 else None
        better = validation is None or state.best is None or validation < state.best
        rate = config.learning_rate * lr_factor(max(state.step - 1, 0), self.steps, config)
        state.history.append(epoch_row(state, sums, rate, validation, test, better, timer))
        state.epoch, state.batch, state.sums, state.seconds = state.epoch + 1, 0, {}, {}
        state.best = validation if better else state.best
        if better and self.compute.rank == 0:
            save_best(self.folder, self.card(), self.model)
        self.save_last()
        if self.writer is not None:
            self.writer.write(state.history)

    def total_sums(self) -> dict[str, float]:
        """Return the sums of the epoch so far over all processes, each of which has its part of some of them."""
        return {**self.state.sums, **self.compute.sum({name: self.state.sums[name] for name in _PARTS})}

    def error(self, sequences: np.ndarray) -> float | None:
        """Return the root-relative MPJPE of some sequences with the weights to use, mm; None if there are none."""
        if not len(sequences):
            return None
        root, total, count = self.lifter.root, 0.0, 0
        for predicted, true, _ in self._lifted(self.model.eval(), sequences):
            errors = joint_errors(root_relative(predicted, root), root_relative(true, root))
            total, count = total + float(errors.sum()), count + errors.size
        return MILLIMETRES * total / count

    def _lifted(self, lifter: Lifter, sequences: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield predictions, truth and lengths of some sequences at a time, of the joints that are compared."""
        data, reported = self.data, self.data.joints.reported
        group = (np.cumsum(data.length[sequences]) - 1) // _AT_ONCE
        for chosen in np.split(sequences, np.flatnonzero(np.diff(group)) + 1):
            predicted = lift_sequences(lifter, self.loader, chosen)[:, reported]
            yield predicted, data.positions_3d[data.rows(chosen), reported], data.length[chosen]

    # Files ---------------------------------------------------------------------------------------------------------------------

    def card(self) -> ModelCard:
        """Return the description of the model as it is now."""
        return make_card(self.config, self.data, self.split, self.lifter, self.state.epoch)

    def save_last(self) -> None:
        """Write the checkpoint to resume from."""
        if self.compute.rank == 0:
            save_last(self.folder, self.card(), self.state, self.lifter, self.averaged, self.optimiser)

    def stop(self, timer: Timer) -> None:
        """Save within an epoch, and wait until that is done."""
        self.state.sums, self.state.seconds = self.total_sums(), timer.so_far
        self.save_last()
        self.compute.wait()

    def restore(self) -> None:
        """Go back to the run's last checkpoint, and to its split.

        Raises
        ------
        ConfigError
            If the run was started with other settings.
        DatasetError
            If there is no checkpoint, or the data is another.
        """
        require_same_settings(self.folder, self.config)
        self.state = restore(self.folder, self.data, self.lifter, self.averaged, self.optimiser)
        if self.compute.rank > 0:
            self.state.sums |= dict.fromkeys(_PARTS if self.state.sums else (), 0.0)
        self.split = read_split(self.folder, self.data)
        self.schedule = make_schedule(self.optimiser, self.config, self.steps, self.state.step)
        if self.average is not None:
            self.average.n_averaged.fill_(1 + self.state.step)

    def resume_hint(self) -> str:
        """Return how far the run is, and the command that resumes it."""
        done = f"{self.state.epoch} of {self.config.epochs} epochs"
        resume = f"{self.command.removesuffix(' --resume')} --resume" if self.command else "resume=True"
        return f"stopped and saved after {done} and {self.state.batch} steps; go on with: {resume}"

    def finish(self, complete: bool) -> Result:
        """Evaluate the best weights on the test side, draw the history, and write the README."""
        figures: dict[str, float] = {}
        notes = [self.split.note] if self.split.note else []
        if self.config.augment.composition.probability and not parts(self.data.joints):
            notes.append("augment.composition: nothing was composed; expected limbs to the left and right of a joint of the middle, found none")
        if self.writer is not None:
            if complete and len(self.split.test):
                best, _ = checkpoint.load_lifter(self.folder, self.compute.device)
                totals = ErrorTotals(self.data.fps, self.data.joints.compared.parents, self.config.target == "absolute")
                for predicted, true, length in self._lifted(best, self.split.test):
                    totals.add(predicted, true, length)
                figures = totals.overall()
                write_json(self.folder / "metrics.json", {"protocol": self.split.describe(), "test": figures})
            title = f"{self.folder.name}: {self.config.model}, split {self.split.spec}"
            if not plot_history(self.folder / "history.png", self.state.history, title):
                notes.append("history.png was not drawn: matplotlib is not installed; pip install 'mocapgen[report]'")
            write_readme(self.folder, self.card(), self.config, self.command, self.split.note, figures)
            self.writer.close()
        self.compute.close()
        return Result(self.folder, self.state.history, figures, "\n".join(notes))


def command_line(arguments: list[str]) -> str:
    """Return a command as it can be typed again, with the torchrun that it was started by."""
    return shlex.join([*start_command(), *arguments])
