"""Memory and time of commands on a dataset file of gigabytes, beside the time of reading it: ``python -m benchmarks.large``."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

_BLOCK = 4096  # rows


@click.command(
    epilog="Example: python -m benchmarks.large big.h5 --make 5e9 && python -m benchmarks.large big.h5 --only select,merge --markdown",
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--make", type=float, metavar="BYTES", help="Build DATA first, of about so many bytes: the clips of --source, seen by many cameras.")
@click.option("--source", default="sample", show_default=True, help="Source of --make; hdm05 and others are looked for where builds look.")
@click.option("--only", help="Commands, separated by commas; by default all.")
@click.option("--model", default="default", show_default=True, help="Model of predict and evaluate.")
@click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Where to write what is made; by default the system's temporary folder.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(data: Path, make: float | None, source: str, only: str | None, model: str, folder: Path | None, markdown: bool) -> None:
    """Print peak memory and time of the commands that read a dataset file, and how many times as long as reading it once they take.

    What is written is removed again; up to twice the size of DATA is needed for a moment.
    """
    from benchmarks.process import run_program
    from benchmarks.tables import Section, Value, show
    from mocapgen.cli.info import environment
    from mocapgen.shared.text import format_size

    if make is not None:
        build(data, make, source)
    cpu = time.process_time()
    reading, sequences, frames = read(data)
    wanted = only.split(",") if only else None
    rows: list[dict[str, Value]] = [{"command": "read all frames (h5py)", "seconds": reading, "processor s": time.process_time() - cpu}]
    rows[0] |= {"x reading": 1.0, "peak MB, main process": None, "peak MB, largest worker": None, "writes": None}
    with tempfile.TemporaryDirectory(prefix="mocapgen-", dir=folder) as name:
        for shown, program, arguments in commands(data, Path(name), model):
            if wanted is None or arguments[0] in wanted:
                run = run_program(arguments, program=program, accepted=(0, 1))  # inspect ends with 1 if it finds something
                row: dict[str, Value] = {"command": shown, "seconds": run.seconds, "processor s": run.cpu_seconds, "x reading": run.seconds / reading}
                row |= {"peak MB, main process": run.main, "peak MB, largest worker": run.worker}
                rows.append(row | {"writes": format_size(sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file()))})
            if arguments[0] != "select":  # what select has written is merged
                for path in Path(name).glob("*"):
                    path.unlink() if path.is_file() else clear(path)
    amount = f"{format_size(data.stat().st_size)}, {sequences:,} sequences, {frames:,} frames"
    note = f"{amount}. Each process's own peak (VmHWM). {environment()['processor']}."
    section = Section("Large files", note, tuple(rows))
    show([section], markdown)


def clear(folder: Path) -> None:
    """Remove a folder with all that is in it."""
    import shutil

    shutil.rmtree(folder)


def build(data: Path, size: float, source: str) -> None:
    """Build a file of about so many bytes: as many cameras as that takes."""
    from benchmarks.process import run_program

    def with_cameras(count: int) -> int:
        options = ["--select", "all", "--min-frames", "1", "--camera", f"orbit:{count}", "--out", str(data), "--overwrite"]
        run_program(["build", "-q", "--source", source, *options])
        return data.stat().st_size

    few, more = with_cameras(2), with_cameras(8)
    with_cameras(max(8 + math.ceil((size - more) / ((more - few) / 6)), 1))  # the first cameras of a clip take more than the others


def read(data: Path) -> tuple[float, int, int]:
    """Read every array of the frames once, in blocks, as h5py does it; return the seconds, and how many sequences and frames there are."""
    import h5py

    began = time.perf_counter()
    with h5py.File(data) as file:
        for array in file["/frames"].values():
            for first in range(0, len(array), _BLOCK):
                array[first : first + _BLOCK]
        return time.perf_counter() - began, len(file["/sequences/start"]), len(file["/frames/in_view"])


def commands(data: Path, folder: Path, model: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield commands: as they are shown, their program, and their arguments."""
    import h5py

    with h5py.File(data) as file:
        avatars = sorted(set(file["/sequences/avatar"].asstr()[()]))
        ids = file["/clips/id"].asstr()
        clips = ",".join(ids[: max(len(ids) // 100, 1)])
    half, rest = folder / "half.h5", folder / "rest.h5"
    yield "inspect", "mocapgen", ["inspect", "-q", str(data)]
    yield "inspect --html", "mocapgen", ["inspect", "-q", str(data), "--html", str(folder / "a.html")]
    yield "view", "mocapgen", ["view", "-q", str(data), "--out", str(folder / "a.html")]
    chosen = ["--avatars", ",".join(avatars[: max(len(avatars) // 2, 1)])]
    yield "select, half of it", "mocapgen", ["select", "-q", str(data), *chosen, "--out", str(half)]
    yield "select, the other half", "mocapgen", ["select", "-q", str(data), *chosen, "--invert", "--out", str(rest)]
    yield "merge of both", "mocapgen", ["merge", "-q", str(half), str(rest), "--out", str(folder / "all.h5")]
    for format, out in (("npz", "a.npz"), ("mmpose", "m"), ("videopose3d", "v")):
        yield f"export --format {format}", "mocapgen", ["export", "-q", str(data), "--format", format, "--out", str(folder / out)]
    for format in ("csv", "bvh", "trc", "gltf"):  # a file for each sequence: of some clips
        shown, some = f"export --format {format}, 1 % of the clips", ["--clips", clips, "--out", str(folder / format)]
        yield shown, "mocapgen", ["export", "-q", str(data), "--format", format, *some]
    yield "evaluate", "trainer", ["evaluate", "-q", model, str(data), "--json", str(folder / "a.json")]
    yield "predict", "trainer", ["predict", "-q", model, str(data), "--out", str(folder / "p.h5")]


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.large")
