"""Measure training with the frames in memory and mapped from a cache: ``python -m benchmarks.fit_cache DATA.H5``."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

_EVERY = 0.02
"""Seconds between two looks at the memory of a process."""


@dataclass(frozen=True)
class Trained:
    """What a run has taken, and come to."""

    seconds: float
    around: float
    """Of them, before the first epoch and after the last: reading the file or making the cache, above all."""
    rate: float
    """Frames per second of the last epoch."""
    loss: tuple[float, ...]
    """Of each epoch."""
    anonymous: float
    """Most memory that is no part of a file, MB."""


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
    from benchmarks.tables import Section, Value, as_markdown, print_section
    from mocapgen.cli.info import environment

    kinds = ["memory", "disk"] if only is None else [only]
    settings = [f"test_share={1 - train_share / 0.9:.4f}", "test_every=0"]  # a tenth of the rest is for validation
    words = ["--recipe", recipe, "--stop-after", str(epochs), *(word for setting in settings for word in ("--set", setting))]
    with tempfile.TemporaryDirectory(prefix="mocapgen-") as name:
        runs = [(kind, train(data, Path(name), kind, words)) for _ in range(rounds) for kind in kinds]
    rows: list[dict[str, Value]] = []
    for number, (kind, run) in enumerate(runs):
        figures: dict[str, Value] = {"frames/s": run.rate, "peak MB, no file's": run.anonymous, "seconds": run.seconds, "not training": run.around}
        rows.append({"frames in": kind, "round": str(number // len(kinds) + 1), **figures})
    rate = {kind: statistics.median(run.rate for other, run in runs if other == kind) for kind in kinds}
    equal = "losses equal bit by bit" if len({run.loss for _, run in runs}) == 1 else "losses DIFFER"
    ratio = f"; from the cache {rate['disk'] / rate['memory']:.3f} x the speed of memory" if only is None else ""
    note = f"{data.name}, {data.stat().st_size / 1e6:,.0f} MB; {equal}{ratio}; {environment()['processor']}, {os.cpu_count()} cores."
    section = Section(f"Training, recipe {recipe}, {epochs} epochs of {100 * train_share:.3g} % of the file", note, tuple(rows))
    if markdown:
        click.echo(as_markdown([section]))
    else:
        print_section(section)


def train(data: Path, folder: Path, kind: str, words: list[str]) -> Trained:
    """Train a run in a process of its own."""
    out = folder / "run"
    command = [sys.executable, "-m", "trainer", "fit", str(data), "--out", str(out), "--overwrite", "-q", "--cache", kind, *words]
    began = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "MOCAPGEN_CACHE": str(folder / "cache")})
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, anonymous_memory(process.pid))
        time.sleep(_EVERY)
    if process.returncode:
        raise click.ClickException(f"expected {' '.join(command)} to end well, found exit status {process.returncode}")
    seconds = time.perf_counter() - began
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    around = seconds - sum(row["seconds"] for row in rows)
    return Trained(seconds, around, rows[-1]["frames_per_second"], tuple(row["loss"] for row in rows), peak)


def anonymous_memory(pid: int) -> float:
    """Return the memory of a process that is no part of a file, MB; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1e3 for line in lines if line.startswith("RssAnon:"))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.fit_cache")
