"""Measure Parquet beside the dataset file and npz, written and read by the libraries that are installed: ``python -m benchmarks.parquet DATA.H5``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from benchmarks.tables import Value


@click.command(epilog="Example: python -m benchmarks.parquet data.h5 --markdown")
@click.argument("data", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(data: Path, markdown: bool) -> None:
    """Measure on the dataset file DATA.H5: each reader turns the 3D positions of every sequence into NumPy arrays."""
    from benchmarks.tables import Section, show
    from mocapgen.export import export

    with tempfile.TemporaryDirectory() as folder:
        figures: list[dict[str, Value]] = [_figures(data.name, data, None, "h5py", partial(_h5py, data))]
        for format in ("npz", "parquet"):
            path = Path(folder) / f"{format}.{format}"
            start = time.perf_counter()
            export(data, format, path)
            seconds = time.perf_counter() - start
            for reader, read in _READERS[format].items():
                try:
                    figures.append(_figures(format, path, seconds, reader, partial(read, path)))
                except ImportError:
                    click.echo(f"{reader}: not installed", err=True)
    note = "npz holds positions, pixels and visibility; Parquet, like the dataset file, rotations as well. Reading: best of three, opening included."
    show([Section("Parquet beside others", note, tuple(figures))], markdown)


def _figures(file: str, path: Path, seconds: float | None, reader: str, read: Callable[[], Any]) -> dict[str, Value]:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        read()
        times.append(time.perf_counter() - start)
    return {"file": file, "MB": path.stat().st_size / 1e6, "export, s": seconds, "read by": reader, "s": min(times)}


def _h5py(path: Path) -> Any:
    from mocapgen import open_dataset

    with open_dataset(path) as data:
        return [row["positions_3d"] for row in data]


def _npz(path: Path) -> Any:
    import numpy as np

    with np.load(path) as arrays:
        positions, starts, lengths = arrays["positions_3d"], arrays["start"], arrays["length"]
        return [positions[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def _array(value: Any) -> Any:
    return value.values.flatten().flatten().to_numpy().reshape(len(value), value.values.type.list_size, -1)


def _pyarrow(path: Path) -> Any:
    from pyarrow import parquet

    return [_array(value) for value in parquet.read_table(path, columns=["positions_3d"])["positions_3d"]]


def _polars(path: Path) -> Any:
    import polars as pl

    return [value.to_numpy() for value in pl.read_parquet(path, columns=["positions_3d"])["positions_3d"]]


def _pandas(path: Path) -> Any:
    import numpy as np
    import pandas as pd

    values = pd.read_parquet(path, columns=["positions_3d"])["positions_3d"]
    return [np.stack([np.stack(list(frame)) for frame in value]) for value in values]


def _datasets(path: Path, format: str) -> Any:
    import datasets

    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=cache).select_columns(["positions_3d"])
        rows = (row["positions_3d"] for row in loaded.with_format(format))
        return [_array(row[0]) if format == "arrow" else row for row in rows]


_READERS: dict[str, dict[str, Callable[[Path], Any]]] = {
    "npz": {"NumPy": _npz},
    "parquet": {
        "pyarrow": _pyarrow,
        "Polars": _polars,
        "pandas": _pandas,
        "datasets, arrow": partial(_datasets, format="arrow"),
        "datasets, numpy": partial(_datasets, format="numpy"),
    },
}

if __name__ == "__main__":
    main()
