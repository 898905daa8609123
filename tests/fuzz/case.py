"""One case: a damaged file, a command that reads it in a process of its own, and what may be said of how that ended."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import re
import resource
import select
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from random import Random
from typing import NoReturn

from tests.fuzz.mutate import damage
from tests.fuzz.targets import TARGETS, Target

MOST_SECONDS = 2.0
"""Of the processor, for any input below 10 MB, beyond the start of the program."""
MOST_BYTES = 500 * 10**6
"""Of memory, likewise."""
_PATIENCE = 30.0
"""Seconds by the clock until a case is ended: much more than it may take of the processor, since other work may run meanwhile."""
_ROOM = 3 * 10**9
"""Bytes of addresses beyond the start of the program, so that a case that believes a size does not stop the machine."""
LONGEST = 300
GOOD = ("ok", "refused")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FRAME = re.compile(r'File "[^"]*?/((?:mocapgen|trainer|schemas)/[^"]+)", line (\d+), in (\S+)')


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Parameters
    ----------
    kind : str
        ``ok`` and ``refused`` are right. Wrong are ``exception``, ``signal``, ``slow``, ``memory``, ``message`` (a refusal that is not one line that
        names the file, or output with control characters) and ``left behind`` (a file that was half written, an input that was changed).
    detail : str
        In a line; the same for cases that fail in the same place.
    seconds : float
        Of the processor.
    peak : int
        Bytes of memory beyond the start of the program.
    """

    kind: str
    detail: str
    seconds: float
    peak: int


@dataclass(frozen=True)
class Case:
    """A damaged file and the command that reads it.

    Parameters
    ----------
    target : Target
    file : Path
        The damaged file.
    arguments : list of str
        The program and what follows.
    """

    target: Target
    file: Path
    arguments: list[str]

    def __str__(self) -> str:
        return shlex.join(self.arguments)


def draw(seed: int, number: int, targets: tuple[Target, ...] = TARGETS) -> tuple[Target, Random]:
    """Return the target of a case, and what decides all else of it."""
    random = Random(f"{seed}/{number}")
    return random.choices(targets, [target.weight for target in targets])[0], random


def make_case(target: Target, random: Random, seeds: Path, folder: Path) -> Case:
    """Damage a file of a target, and write the files of the case into an empty folder."""
    origin = seeds / target.folder
    name = random.choice(target.files)
    others = [(origin / other).read_bytes() for other in target.files if PurePath(other).suffix == PurePath(name).suffix]
    data = damage(name, (origin / name).read_bytes(), random, target.words, others)
    return set_up(target, name, data, random.choice(target.commands), seeds, folder)


def set_up(target: Target, name: str, data: bytes, command: str, seeds: Path, folder: Path) -> Case:
    """Write the files of a case into an empty folder.

    Parameters
    ----------
    target : Target
    name : str
        The damaged file, relative to the seeds or to the folder of the target.
    data : bytes
        What it holds.
    command : str
        One of the target's.
    seeds, folder : Path
        Folder of sound files, and of the case.
    """
    if target.folder:
        shutil.copytree(seeds / target.folder, folder / target.folder)
    file = folder / target.folder / (name if target.folder else PurePath(name).name)
    file.write_bytes(data)
    for other in target.beside:
        shutil.copy(seeds / other, folder)
    text = data.decode("utf-8", "surrogateescape").replace("\0", "")[:100_000]
    known = {"file": str(file.relative_to(folder)), "seeds": str(seeds), "folder": target.folder, "text": text}
    return Case(target, file, [word.format(**known) for word in command.split()])


def run_case(case: Case, folder: Path) -> Outcome:
    """Run a case whose files lie in a folder, and judge it."""
    before = _content(folder)
    status, seconds, peak, hung = _run(case.arguments, folder)
    out, err = ((folder.parent / name).read_bytes() for name in ("stdout", "stderr"))
    kind, detail = "ok", ""
    if hung:
        kind, detail = "slow", f"nothing after {_PATIENCE:g} s; " + case.arguments[1]
    elif os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGXCPU:
        kind, detail = "signal", f"signal {os.WTERMSIG(status)}; {' '.join(case.arguments[:2])}"
    elif peak > MOST_BYTES:
        kind, detail = "memory", " ".join(case.arguments[:2])
    elif seconds > MOST_SECONDS:
        kind, detail = "slow", " ".join(case.arguments[:2])
    elif (code := os.WEXITSTATUS(status)) not in (0, 1, 2):
        kind, detail = "exception", _place(case.arguments, folder)
    elif code == 2:
        kind, detail = _judged(err, case)
        if kind == "refused" and (left := _changed(before, _content(folder), case.target.folder)):
            kind, detail = "left behind", f"{' '.join(case.arguments[:2])}: {left}"
    elif code != 2 and (odd := _UNPRINTABLE.search(_text(out) + _text(err))):
        kind, detail = "message", f"control character {odd[0]!r} in what {' '.join(case.arguments[:2])} prints"
    return Outcome(kind, detail, seconds, peak)


def _run(arguments: list[str], folder: Path) -> tuple[int, float, int, bool]:
    """Return status, seconds of the processor, bytes of memory and whether it had to be ended, of a command in a process of its own."""
    begin = _resident()
    child = os.fork()
    if child == 0:
        _be(arguments, folder)
    handle = os.pidfd_open(child)
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        hung = not waiting.poll(_PATIENCE * 1000)
        if hung:
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    finally:
        os.close(handle)
    return status, usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss * 1024 - begin, 0), hung


def _be(arguments: list[str], folder: Path) -> NoReturn:
    """Be the program, as this process."""
    status = 99
    try:
        os.chdir(folder)
        for name, number in (("stdout", 1), ("stderr", 2)):
            os.dup2(os.open(folder.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        temporary = folder.parent / "temporary"
        temporary.mkdir(exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        resource.setrlimit(resource.RLIMIT_AS, (_addresses() + _ROOM, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CPU, (10, 12))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace")
        sys.argv = arguments
        from mocapgen.cli.main import main as mocapgen
        from trainer.cli.main import main as trainer

        {"mocapgen": mocapgen, "trainer": trainer}[arguments[0]](arguments[1:])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _judged(err: bytes, case: Case) -> tuple[str, str]:
    """Return whether a refusal is one line of ours."""
    text, program = _text(err), case.arguments[0]
    lines = text.splitlines()
    shown = re.sub(r"[\d']+|0x\w+", "_", lines[-1] if lines else "")[:120]
    start = f"{program}: error: "
    names = {case.file.name, case.target.folder} - {""}
    if len(lines) != 1 or not text.startswith(start):
        return "message", f"{len(lines)} lines: {shown}"
    if _UNPRINTABLE.search(text):
        return "message", f"control characters: {shown!r}"
    if len(lines[0]) - len(start) > LONGEST and "--help')" not in text:
        return "message", f"{len(lines[0])} characters: {shown}"
    if case.target.names_file and not text.startswith(f"{start}--") and not any(name in text for name in names):
        return "message", f"no name of the file: {shown}"
    return "refused", ""


def _place(arguments: list[str], folder: Path) -> str:
    """Return type and place of an exception, by running the case again."""
    for left in folder.glob("out*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    _run([*arguments, "--debug"], folder)
    text = _text((folder.parent / "stderr").read_bytes())
    frames = _FRAME.findall(text)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", f"{arguments[0]}: error"))]
    where = "{}:{} {}".format(*frames[-1]) if frames else "?"
    return f"{(lines[-1] if lines else '?')[:90]} at {where}; {' '.join(arguments[:2])}"


def _content(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, and its digest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[str(path.relative_to(folder))] = hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else ""
    temporary = folder.parent / "temporary"
    return found | {f"TMPDIR/{path.name}": "" for path in (temporary.iterdir() if temporary.exists() else ())}


def _changed(before: dict[str, str], after: dict[str, str], folder: str) -> str:
    """Return in words what a refusal has left or changed; empty if nothing."""
    more, changed = sorted(set(after) - set(before)), [name for name in before if after.get(name) != before[name]]
    if changed:
        return f"changed {changed[0]}"
    return f"wrote {re.sub(r'[0-9a-f]{8,}|[.][^/]*$', '_', more[0])}" if more else ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _addresses() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@contextlib.contextmanager
def case_folder(base: Path) -> Iterator[Path]:
    """Make an empty folder for a case, which is removed after it."""
    folder = base / "case"
    for path in (folder, base / "temporary"):
        shutil.rmtree(path, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder


def freeze() -> None:
    """Keep the objects of this process as they are, so that forks share their memory."""
    gc.collect()
    gc.freeze()
