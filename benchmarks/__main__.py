"""Measure speed and memory of every step: ``python -m benchmarks``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from benchmarks.tables import Section

_WINDOWS = 1000


@click.command(epilog="Example: python -m benchmarks --repeat 5 --json figures.json")
@click.option("--root", type=click.Path(path_type=Path, exists=True), help="HDM05, a folder or zip  [default: $MOCAPGEN_HDM05, then ../shared/data]")
@click.option("--repeat", type=click.IntRange(1), default=3, show_default=True, help="How often each step is measured.")
@click.option("--clips", type=click.IntRange(1), default=260, show_default=True, help="How many clips at most, evenly spaced.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to a file, too.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of tables.")
def main(root: Path | None, repeat: int, clips: int, json_file: Path | None, markdown: bool) -> None:
    """Print frames per second of every step of a build, beside what peers reach, and peak memory.

    Without HDM05 the sample source's clips are written out and measured instead; the first line says which.
    """
    from benchmarks.tables import as_data, as_markdown, print_section
    from mocapgen.cli.info import environment

    machine = environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kind, found = _sections(root, folder, clips, repeat)
        click.echo(f"Measured on {kind}; {machine['processor']}.\n")
        sections: list[Section] = []
        for section in found:
            sections.append(section)
            if not markdown:
                print_section(section)
    if markdown:
        click.echo(as_markdown(sections))
    if json_file is not None:
        json_file.write_text(json.dumps({"clips": kind, "environment": dict(machine), "sections": as_data(sections)}, indent=2) + "\n")


def _sections(root: Path | None, folder: Path, clips: int, repeat: int) -> tuple[str, Iterator[Section]]:
    """Return what is measured on, and the sections as they are finished."""
    from benchmarks.bvh import bvh_reading
    from benchmarks.c3d import c3d_reading
    from benchmarks.clips import load, prepare
    from benchmarks.peers import peers
    from benchmarks.process import builds
    from benchmarks.stages import Material, stages
    from benchmarks.storage import compression, windows
    from benchmarks.timing import pinned

    chosen, kind = prepare(root, folder, clips)
    material = Material(load(chosen))

    def run() -> Iterator[Section]:
        with pinned() as pinning:
            _say("steps")
            yield stages(material, repeat, pinning)
            _say("peers")
            yield peers(material, repeat, pinning)
            _say("BVH")
            yield bvh_reading(material, folder, repeat, pinning)
            _say("C3D")
            yield c3d_reading(folder, repeat, pinning)
            _say("storage")
            yield compression(material, folder, repeat, pinning)
            yield windows(material, folder, _WINDOWS, repeat, pinning)
        _say("whole builds")
        yield builds(chosen, folder, len(material.raw), repeat)

    return kind, run()


def _say(what: str) -> None:
    """Tell a person who is watching what takes so long."""
    if sys.stderr.isatty():
        click.echo(f"measuring: {what} ...", err=True)


if __name__ == "__main__":
    # Before NumPy is loaded: a single core is measured, and idle BLAS threads would only get in the way.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    main(prog_name="python -m benchmarks")
