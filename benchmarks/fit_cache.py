"""Measure training with the frames in memory and mapped from a cache: ``python -m benchmarks.fit_cache DATA.H5``."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchmarks.process import Run


@dataclass(frozen=True)
class Trained:
    """What a run has taken, and come to."""

    run: Run
    around: float
    """Of its seconds, before the first epoch and after the last: reading the file or making the cache, above all."""
    rate: float
    """Frames per second of the last epoch."""
    loss: tuple[float, ...]
    """Of each epoch."""


@click.command(epilog="Example: python -m benchmarks.fit_cache data.h5 --rounds 3 --recipe paper")
@click.argument("data", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True, help="Runs of each kind, in turn.")
@click.option("--epochs", type=click.IntRange(1), default=2, show_default=True, help="Epochs of a run; the last one is measured.")
@click.option("--train-share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.72, show_default=True, help="Of the sequences.")
@click.option("--recipe", default="default", show_default=True, help="Recipe that is trained.")
@click.option("--only", type=click.Choice(["memory", "disk"]), help="One kind only: a file may not fit into memory.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(data: Path, rounds: int, epochs: int, train_share: float, recipe: str, only: str | None, markdown: bool) -> None:
    """Print frames per second, losses and peak memory of `trainer fit`, with the frames in memory and from a cache.

    The cache lies in the system's temporary folder while this runs; the first run with it makes it.
    """
    from benchmarks.tables import Section, Value, show
    from mocapgen.cli.info import environment

    kinds = ["memory", "disk"] if only is None else [only]
    settings = [f"test_share={1 - train_share / 0.9:.4f}", "test_every=0"]  # a tenth of the rest is for validation
    words = ["--recipe", recipe, "--stop-after", str(epochs), *(word for setting in settings for word in ("--set", setting))]
    with tempfile.TemporaryDirectory(prefix="mocapgen-") as name:
        runs = [(kind, train(data, Path(name), kind, words)) for _ in range(rounds) for kind in kinds]
    rows: list[dict[str, Value]] = []
    for number, (kind, run) in enumerate(runs):
        figures: dict[str, Value] = {
            "frames/s": run.rate,
            "peak MB, no file's": run.run.anonymous,
            "seconds": run.run.seconds,
            "not training": run.around,
        }
        rows.append({"frames in": kind, "round": str(number // len(kinds) + 1), **figures})
    rate = {kind: statistics.median(run.rate for other, run in runs if other == kind) for kind in kinds}
    equal = "losses equal bit by bit" if len({run.loss for _, run in runs}) == 1 else "losses DIFFER"
    ratio = f"; from the cache {rate['disk'] / rate['memory']:.3f} x the speed of memory" if only is None else ""
    note = f"{data.name}, {data.stat().st_size / 1e6:,.0f} MB; {equal}{ratio}; {environment()['processor']}, {os.cpu_count()} cores."
    section = Section(f"Training, recipe {recipe}, {epochs} epochs of {100 * train_share:.3g} % of the file", note, tuple(rows))
    show([section], markdown)


def train(data: Path, folder: Path, kind: str, words: list[str]) -> Trained:
    """Train a run in a process of its own."""
    from benchmarks.process import run_program

    out = folder / "run"
    arguments = ["fit", str(data), "--out", str(out), "--overwrite", "-q", "--cache", kind, *words]
    run = run_program(arguments, program="trainer", variables={"MOCAPGEN_CACHE": str(folder / "cache")})
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    around = run.seconds - sum(row["seconds"] for row in rows)
    return Trained(run, around, rows[-1]["frames_per_second"], tuple(row["loss"] for row in rows))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.fit_cache")
