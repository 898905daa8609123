"""Measure the trainer: ``python -m benchmarks.trainer [DATA.H5]``: loading, a step of every model, and where an epoch's time goes."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

BATCH, FRAMES = 32, 120
"""The batch that steps are measured on: sequences, and frames of each."""


@click.command(epilog="Example: python -m benchmarks.trainer data.h5 --threads 2 --json figures.json")
@click.argument("data", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--repeat", type=click.IntRange(1), default=5, show_default=True, help="How often each step is measured.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Processor threads  [default: one per usable core]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--busy", type=click.IntRange(0), default=0, help="Train beside so many programs that compute all the time, too.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to a file, too.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of tables.")
def main(data: Path | None, repeat: int, threads: int, device: str, busy: int, json_file: Path | None, markdown: bool) -> None:
    """Print how fast the trainer loads, steps and trains.

    Without DATA.H5 a file is built: of HDM05 where it is found, else of the sample source.
    """
    from benchmarks.tables import as_data, show
    from mocapgen.cli.info import environment
    from trainer.model.device import choose

    compute = choose(device, "auto", threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = data or _build(folder)
        sections = [_loading(file, repeat), _steps(file, compute, repeat), _epoch(file, folder, device, threads)]
        if busy:
            sections.append(_busy(file, folder, device, threads, busy))
    click.echo(f"Measured with {compute.describe()}; {environment()['processor']}.\n")
    show(sections, markdown)
    if json_file is not None:
        json_file.write_text(json.dumps({"compute": compute.describe(), "sections": as_data(sections)}, indent=2) + "\n")


def _build(folder: Path) -> Path:
    """Return a new dataset file."""
    from benchmarks.clips import prepare
    from mocapgen.pipeline import build
    from schemas.config import BuildConfig

    root, _ = prepare(None, folder, 10**6)
    build(BuildConfig(source="hdm05", root=root, out=folder / "data.h5", select="all", min_frames=1))
    return folder / "data.h5"


def _seconds(action: Callable[[], Any], repeat: int) -> list[float]:
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return times


def _loading(file: Path, repeat: int) -> Any:
    from benchmarks.tables import Section, Value
    from trainer.data.dataset import load

    times = _seconds(lambda: load(file), repeat)
    data = load(file)
    row: dict[str, Value] = {
        "file": f"{len(data):,} sequences",
        "frames": len(data.positions_3d),
        "seconds, best": min(times),
        "seconds, median": statistics.median(times),
    }
    return Section("Loading into memory", "Arrays of h36m17, checked for NaN. The file is in the system's cache.", (row,))


def _steps(file: Path, compute: Any, repeat: int) -> Any:
    """Time forward, backward and AdamW of each model, and the making of an augmented batch."""
    import numpy as np

    from benchmarks.tables import Section
    from schemas.train import TrainConfig
    from trainer.data.augment import augment
    from trainer.data.batches import Items, Loader
    from trainer.data.dataset import load
    from trainer.data.randomness import Randomness
    from trainer.model.networks import model_names
    from trainer.recipes.settings import read_recipe, train_config

    data = load(file)
    loader = Loader(data, compute.device)
    sequence = np.argsort(-data.length, kind="stable")[:BATCH]
    items = Items(sequence, np.zeros(len(sequence), dtype=np.int64), np.minimum(data.length[sequence], FRAMES))
    changes = train_config(read_recipe("default")).augment
    rows: list[dict[str, float | str | None]] = []
    gathering = _seconds(lambda: loader.gather(items, FRAMES), repeat + 1)
    batch = loader.gather(items, FRAMES)
    augmenting = _seconds(lambda: augment(batch, changes, data.joints, Randomness(0, 0, 0, compute.device), FRAMES), repeat + 1)
    for name in model_names():
        parts = _step_parts(TrainConfig(model=name), data, batch, compute, repeat)
        total = sum(parts.values())
        rows.append(
            {"model": name, **{part: 1000 * value for part, value in parts.items()}, "step": 1000 * total, "frames/s": BATCH * FRAMES / total}
        )
    note = (
        f"Milliseconds, median, {BATCH} sequences x {FRAMES} frames, default head and normalisation. Gathering a batch takes "
        f"{1000 * min(gathering):.1f} ms more, augmenting it as the default recipe does {1000 * min(augmenting):.1f} ms."
    )
    return Section("One step", note, tuple(rows))


def _step_parts(config: Any, data: Any, batch: Any, compute: Any, repeat: int) -> dict[str, float]:
    import torch

    from trainer.model.lift import lift
    from trainer.model.lifter import Lifter
    from trainer.model.losses import sequence_losses, weighted
    from trainer.model.optimiser import make_optimiser

    lifter = Lifter(config, data.joints).to(compute.device).train()
    lifter.bf16 = compute.bf16
    optimiser = make_optimiser(lifter, config)
    parts: dict[str, list[float]] = {"forward": [], "backward": [], "optimiser": []}

    def now() -> float:
        if compute.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    for _ in range(repeat + 2):
        begin = now()
        terms = sequence_losses(lift(lifter, batch), batch.positions, batch.mask, config.losses, data.joints.parents, False)
        loss = weighted(terms, config.losses).sum() / batch.mask.sum()
        forward = now()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        backward = now()
        optimiser.step()
        for part, seconds in zip(parts, (forward - begin, backward - forward, now() - backward), strict=True):
            parts[part].append(seconds)
    return {part: statistics.median(times[2:]) for part, times in parts.items()}


def _epoch(file: Path, folder: Path, device: str, threads: int) -> Any:
    """Train each recipe for two epochs and say what 50 would take, all of a run included."""
    from benchmarks.tables import Section
    from trainer.fit import fit
    from trainer.recipes.settings import read_recipe, recipe_names, train_config

    rows = []
    for name in recipe_names():
        config = train_config(read_recipe(name), {"device": device, "threads": threads})
        last = fit(file, config, folder / name, stop_after=2).history[-1]  # the first one warms up
        rows.append(
            {
                "recipe": f"{name} ({config.model})",
                "seconds per epoch": last["seconds"],
                "frames/s": last["frames_per_second"],
                "computing, %": 100 * last["computing_share"],
                "50 epochs, minutes": 50 * last["seconds"] / 60,
            }
        )
    note = "Split clip, a look at the other sides after each epoch included; that is computing, as are gradient and optimiser."
    return Section("Epochs", note, tuple(rows))


def _busy(file: Path, folder: Path, device: str, threads: int, most: int) -> Any:
    """Train the default recipe by the command line, alone and beside programs that compute all the time."""
    from benchmarks.tables import Section

    rows = []
    for programs in (0, most):
        out = folder / f"beside-{programs}"
        options = ["--out", str(out), "--device", device, "--threads", str(threads), "--stop-after", "2", "--quiet"]
        with _beside(programs):
            subprocess.run([sys.executable, "-m", "trainer", "fit", str(file), *options], check=True)
        last = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
        rows.append(
            {
                "beside": f"{programs} busy programs",
                "seconds per epoch": last["seconds"],
                "frames/s": last["frames_per_second"],
                "computing, %": 100 * last["computing_share"],
            }
        )
    return Section("On a busy machine", "Recipe default, split clip, second epoch, by the command line.", tuple(rows))


@contextlib.contextmanager
def _beside(programs: int) -> Iterator[None]:
    """Run so many programs that compute all the time."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in running:
            program.kill()
            program.wait()


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.trainer")
