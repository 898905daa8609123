"""Every output, killed (SIGKILL) at each step that touches the disk: the name holds what it held, or all that is new."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.outputs import OUTPUTS, Output, outcome

OLD = b"an older file, which must survive"
MOST = int(os.environ.get("MOCAPGEN_KILLS", "2"))
"""Kills of each output; a large number tries every step."""
STEPS = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate")


def in_a_child(work: Callable[[], object], counter: Path, kill_at: int = 0) -> int:
    """Do work in a forked process that kills itself before its step of that number; return the status, negative for a signal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12: there are threads; the child uses none of them
        child = os.fork()
    if child == 0:
        status = 99
        try:
            sys.addaudithook(_counting(counter, kill_at))
            work()
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _counting(counter: Path, kill_at: int) -> Callable[[str, tuple[Any, ...]], None]:
    log = os.open(counter, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    steps, child = 0, os.getpid()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        # Processes that the command starts are no concern, nor is __pycache__, which Python writes at the first time only.
        if (event in STEPS or opened) and os.getpid() == child and "__pycache__" not in str(arguments[0]):
            steps += 1
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(log, b".")

    return watch


RUNNING = [output for output in OUTPUTS if output.runs]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("output", RUNNING, ids=lambda output: output.id + output.suffix)
def test_killed(seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three_samples: None, output: Output) -> None:
    from mocapgen.cli.main import main as mocapgen
    from trainer.cli.main import main as trainer

    world = tmp_path / "world"
    shutil.copytree(seeds, world)
    monkeypatch.chdir(world)
    counter, name = tmp_path / "steps", f"out{output.suffix}"
    more = ["--overwrite"] if output.kind == "file" else []
    program = mocapgen if output.command.startswith("mocapgen") else trainer
    words = [*(name if word == "OUT" else word for word in output.line.split()), "-q", *more]

    def prepare() -> None:
        remove(world / name)
        if output.kind == "file":
            (world / name).write_bytes(OLD)

    def step(number: int = 0) -> int:
        prepare()
        return in_a_child(lambda: program(words), counter, number)

    assert step() in (0, 1)
    count = counter.stat().st_size
    assert count >= 3
    before, new = outcome(seeds), outcome(world)
    old = outcome(world, {name: OLD})
    killed, tries = 0, min(MOST, count)
    for number in {count - round(place * (count - 1) / max(tries - 1, 1)) for place in range(tries)}:  # from the last step to the first
        status = step(number)
        assert status in (-signal.SIGKILL, 0, 1)  # the first run may have had steps that others spare
        killed += status == -signal.SIGKILL
        found = outcome(world)
        if output.kind == "run":
            assert found.keys() - before.keys() <= new.keys() - before.keys()
        elif output.kind == "folder":
            assert found in (before, new)
        else:
            assert found in (old, new)
    assert killed >= tries // 2
    assert step() in (0, 1)  # whatever was left behind is in nobody's way
    assert outcome(world).keys() == new.keys()


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
