"""Every output of every command: never onto what is read, never onto what is no file, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.outputs import OUTPUTS, Output, outputs_of_programs

FILES = [output for output in OUTPUTS if output.kind == "file"]
OLD = b"an older file, which must survive"


pytestmark = pytest.mark.usefixtures("three_samples")


@pytest.fixture
def world(seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with all that is read: the current one."""
    folder = tmp_path / "world"
    shutil.copytree(seeds, folder)
    monkeypatch.chdir(folder)
    return folder


Run = Callable[..., tuple[object, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Write an output to a place; returns exit status and standard error."""
    from mocapgen.cli.main import main as mocapgen
    from trainer.cli.main import main as trainer

    def write(output: Output, place: Path | str, *more: str) -> tuple[object, str]:
        program = mocapgen if output.command.startswith("mocapgen") else trainer
        words = [str(place) if word == "OUT" else word for word in output.line.split()]
        with pytest.raises(SystemExit) as end:
            program([*words, *more])
        return end.value.code, capsys.readouterr().err

    return write


def state(folder: Path) -> dict[str, str]:
    """Return everything below a folder: what it is, and what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file" if path.is_file() else "other"
        found[str(path.relative_to(folder))] = kind + (hashlib.sha256(path.read_bytes()).hexdigest() if kind == "file" else "")
    return found


def overwrite(output: Output) -> list[str]:
    return ["--overwrite"] if output.replaces else []


def refused(status: object, error: str) -> bool:
    return status == 2 and error.count("\n") == 1 and ": error: " in error and len(error) <= 301


def test_every_output_of_every_command_is_here() -> None:
    assert set(outputs_of_programs()) == {(output.command, output.option) for output in OUTPUTS}


def _onto_inputs() -> list[tuple[Output, str]]:
    return [(output, name) for output in FILES for name in output.inputs]


@pytest.mark.parametrize(("output", "name"), _onto_inputs(), ids=[f"{output.id}, {name}" for output, name in _onto_inputs()])
def test_onto_what_is_read(world: Path, run: Run, output: Output, name: str) -> None:
    """By its name, by another spelling, by a symbolic and by a hard link."""
    target = next(world.glob(name))
    (world / f"soft{output.suffix}").symlink_to(target)
    os.link(target, world / f"hard{output.suffix}")
    before = state(world)
    for place in (target.relative_to(world), world / "clips" / ".." / target.relative_to(world)):
        status, error = run(output, place, *overwrite(output))
        assert refused(status, error), error
        assert output.suffix not in ("", target.suffix) or "than one that is read" in error
    for link in ("soft", "hard"):
        status, error = run(output, world / f"{link}{output.suffix}", *overwrite(output))
        assert refused(status, error), error
        assert "expected another file to write than one that is read" in error
    assert state(world) == before


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.id)
def test_onto_what_is_no_file(world: Path, run: Run, output: Output) -> None:
    os.mkfifo(world / f"fifo{output.suffix}")
    (world / f"device{output.suffix}").symlink_to("/dev/null")
    (world / f"loop{output.suffix}").symlink_to(f"loop{output.suffix}")
    (world / f"folder{output.suffix}").mkdir()
    (world / f"folder{output.suffix}" / "mine.txt").write_bytes(OLD)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"socket{output.suffix}")  # relative: such a name is short
    before = state(world)
    for name in ("fifo", "device", "socket", "loop", *(["folder"] if output.kind == "file" else [])):
        status, error = run(output, f"{name}{output.suffix}", *overwrite(output))
        assert refused(status, error), (name, error)
    assert refused(*run(output, "/dev/null", *overwrite(output)))
    assert state(world) == before
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.id)
def test_a_file_that_is_there(world: Path, run: Run, output: Output) -> None:
    """A file stays without --overwrite, and always where a folder is written."""
    place = world / f"mine{output.suffix}"
    place.write_bytes(OLD)
    before = state(world)
    status, error = run(output, place, *(overwrite(output) if output.kind != "file" else []))
    assert refused(status, error), error
    assert state(world) == before


@pytest.mark.parametrize("output", [output for output in OUTPUTS if output.other], ids=lambda output: output.id)
def test_two_outputs_in_one_file(world: Path, run: Run, output: Output) -> None:
    (world / "b").write_bytes(OLD)
    (world / "b.json").symlink_to("b")
    before = state(world)
    for place in ("b", "b.json", str(world / "b.json")):
        status, error = run(output, place, "--overwrite")
        assert refused(status, error), error
    assert state(world) == before


DONE = ((0, ""), (1, ""))
"""Without findings and with some."""
RUNNING = [output for output in FILES if output.runs]
FOLDERS = [output for output in OUTPUTS if output.kind == "folder"]


@pytest.mark.parametrize("output", RUNNING, ids=lambda output: output.id + output.suffix)
def test_a_link_stays_and_what_it_leads_to_is_written(world: Path, run: Run, output: Output) -> None:
    """With the bytes that a plain file gets; a link to a file that is not there makes it."""
    elsewhere = world / "elsewhere"
    elsewhere.mkdir()
    name = f"link{output.suffix}"
    (world / name).symlink_to(elsewhere / name)
    assert run(output, name) in DONE
    assert (world / name).is_symlink()
    written = (elsewhere / name).read_bytes()
    (elsewhere / name).write_bytes(OLD)
    assert run(output, name, "--overwrite") in DONE
    assert (world / name).is_symlink()
    assert (elsewhere / name).read_bytes() == written
    assert not [path for path in elsewhere.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("old", [False, True], ids=["new", "over an old file"])
@pytest.mark.parametrize("output", [*RUNNING, *FOLDERS], ids=lambda output: output.id + output.suffix)
def test_a_full_disk(world: Path, run: Run, output: Output, old: bool) -> None:
    """Here a limit of the size of files: one line, nothing lost, nothing left."""
    place = world / f"full{output.suffix}"
    if old and output.kind == "file":
        place.write_bytes(OLD)
    before = state(world)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, limits[1]))
    try:
        status, error = run(output, place, *overwrite(output))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused(status, error), error
    assert "cannot be written: File too large; nothing was changed" in error
    assert state(world) == before


# Folders --------------------------------------------------------------------------------------------

FIT = next(output for output in OUTPUTS if output.kind == "run")


def command(line: str) -> Output:
    return replace(FIT, line=line)


def test_what_lies_in_the_folder_of_a_run_that_is_replaced_stays(world: Path, run: Run) -> None:
    """Only what training wrote is replaced: not the dataset that lies there, and not a thesis."""
    for name in ("data.h5", "thesis.txt"):
        shutil.copy("data.h5", world / "run" / name)
    (world / "run" / "metrics.json").write_bytes(OLD)
    kept = (world / "run" / "data.h5").read_bytes()
    assert run(command("fit run/data.h5 --recipe run.yaml --seed 1 -q --overwrite --out OUT"), "run") == (0, "")
    assert [(world / "run" / name).read_bytes() == kept for name in ("data.h5", "thesis.txt")] == [True, True]
    assert (world / "run" / "metrics.json").read_bytes() != OLD
    assert json.loads((world / "run" / "config.json").read_text())["seed"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "fit data.h5 --recipe run.yaml --config run/config.json --overwrite --out OUT",
        "fit run/log.csv --recipe run.yaml --overwrite --out OUT",
        "fit data.h5 --recipe run.yaml --split run/README.md --overwrite --out OUT",
        "fit gone.h5 --recipe run.yaml --overwrite --out OUT",
        "fit person.json --recipe run.yaml --overwrite --out OUT",
        "fit data.h5 --recipe run.yaml --split actor=nobody --overwrite --out OUT",
        "fit data.h5 --recipe run.yaml --out OUT",
        "experiments data.h5 --recipes run.yaml --only A --out OUT",
        "ablate data.h5 --recipe run.yaml --out OUT",
    ],
)
def test_an_old_run_stays_until_the_new_one_can_begin(world: Path, run: Run, line: str) -> None:
    before = state(world)
    status, error = run(command(line), "run")
    assert refused(status, error), error
    assert state(world) == before


def test_a_series_of_runs_never_reports_onto_what_it_reads(world: Path, run: Run) -> None:
    (world / "series").mkdir()
    os.link("data.h5", world / "series" / "results.json")
    os.link("run.yaml", world / "series" / "report.md")
    before = state(world)
    for line in ("experiments data.h5 --recipes run.yaml --only A --resume --out OUT", "ablate data.h5 --recipe run.yaml --resume --out OUT"):
        status, error = run(command(line), "series")
        assert refused(status, error), error
        assert "than one that is read" in error
    assert state(world) == before


def test_a_dataset_may_lie_beside_the_clips_that_it_is_built_from(world: Path, run: Run) -> None:
    build = replace(OUTPUTS[0], line="build --config build.yaml --root . --out OUT")
    assert run(build, "again.h5") == (0, "")
    first = (world / "again.h5").read_bytes()
    assert run(build, "again.h5", "--overwrite") == (0, "")
    assert (world / "again.h5").read_bytes() == first


@pytest.mark.parametrize("name", ["HDM_sb_kick_001_120.amc", "HDM_sb.asf"])
def test_clips_that_are_not_selected_are_data_as_well(world: Path, run: Run, name: str) -> None:
    """Also where they are found by an environment variable, or beside a single file."""
    before = state(world)
    for root, actors in (("clips", "sa"), ("clips/HDM_sb_walk_001_120.amc", "sb")):
        if root == "clips" or name.endswith(".asf"):
            build = replace(OUTPUTS[0], line=f"build --config build.yaml --root {root} --actors {actors} --overwrite --out OUT")
            status, error = run(build, f"clips/{name}")
            assert refused(status, error), error
    assert state(world) == before


def test_files_of_an_export_that_are_there(world: Path, run: Run) -> None:
    """One of them is what is exported, by a hard link: nothing is written."""
    export = next(output for output in OUTPUTS if output.kind == "folder")
    assert run(export, "motions", "-q") == (0, "")
    assert refused(*run(export, "motions"))
    assert run(export, "motions", "-q", "--overwrite") == (0, "")
    first = sorted(world.glob("motions/**/*.bvh"))[0]
    first.unlink()
    os.link("data.h5", first)
    before = state(world)
    status, error = run(export, "motions", "--overwrite")
    assert refused(status, error), error
    assert state(world) == before
