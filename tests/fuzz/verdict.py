"""What may be said of how a case ended: a result or a refusal in one line, in little time and memory; all else is wrong."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from tests.fuzz.case import Case
from tests.fuzz.program import PATIENCE, Ended, run_alone

MOST_SECONDS = 2.0
"""Of the processor, for any input below 10 MB, beyond the start of the program."""
MOST_BYTES = 500 * 10**6
"""Of memory, likewise."""
LONGEST = 300
"""Characters of a refusal."""
GOOD = ("ok", "refused")
KINDS = (*GOOD, "exception", "signal", "slow", "memory", "message", "left behind", "misread", "unsound")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NO_NUMBER = re.compile(rb"(?i)(?<![\w.])-?(?:nan|inf|infinity)(?![\w.])")
MADE_ANEW = ("build", "predict")
"""Commands whose numbers are their own; predictions have none where nobody was seen."""
_FRAME = re.compile(r'File "[^"]*?/((?:mocapgen|trainer|schemas)/[^"]+)", line (\d+), in (\S+)')


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Parameters
    ----------
    kind : str
        ``ok`` and ``refused`` are right. Wrong are ``exception``, ``signal``, ``slow``, ``memory``, ``message`` (a refusal that is not one line that
        names the file, or output with control characters), ``left behind`` (a file that was half written, an input that was changed),
        ``misread`` (a sound file that was refused) and ``unsound`` (a result with numbers that are none).
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


def judge(case: Case, ended: Ended, before: dict[str, str], folder: Path) -> Outcome:
    """Return how a case ended.

    Parameters
    ----------
    case : Case
    ended : Ended
        What the system says.
    before : dict
        What :func:`content` said of the folder before.
    folder : Path
        Of the case; what the program printed lies beside it.
    """
    out, err = ((folder.parent / name).read_bytes() for name in ("stdout", "stderr"))
    command = " ".join(case.arguments[:2])
    kind, detail = "ok", command
    if ended.hung:
        kind, detail = "slow", f"nothing after {PATIENCE:g} s; {command}"
    elif ended.status < 0 and ended.status != -signal.SIGXCPU:
        kind, detail = "signal", f"signal {-ended.status}; {command}"
    elif ended.peak > MOST_BYTES:
        kind = "memory"
    elif ended.seconds > MOST_SECONDS + case.target.takes:
        kind = "slow"
    elif ended.status not in (0, 1, 2):
        kind = "exception"
    elif ended.status == 2:
        kind, detail = _refusal(_text(err), case)
        if kind == "refused" and (left := _changed(before, content(folder))):
            kind, detail = "left behind", f"{command}: {left}"
    elif ended.status == 0 and (said := _unsound(case.arguments[1], folder)):
        kind, detail = "unsound", f"{command}: {said}"
    elif odd := _UNPRINTABLE.search(_text(out) + _text(err)):
        kind, detail = "message", f"control character {odd[0]!r} in what {command} prints"
    return Outcome(kind, detail, ended.seconds, ended.peak)


def _unsound(command: str, folder: Path) -> str:
    """Return in words what is wrong with the files that were written; empty if nothing."""
    for path in sorted(folder.glob("out.*")):
        if path.suffix in (".bvh", ".amc", ".trc") and _NO_NUMBER.search(path.read_bytes()):
            return f"no number in {path.suffix}"
        if path.suffix == ".h5" and command in MADE_ANEW:
            with h5py.File(path) as file:
                for name, data in file["/frames"].items():
                    values = data[()]
                    if values.dtype.kind == "f" and (np.isinf(values).any() or (command == "build" and np.isnan(values).any())):
                        return f"no number in /frames/{name}"
        if path.suffix == ".json":
            try:
                json.loads(path.read_bytes(), parse_constant=_refuse)
            except ValueError as error:
                return f"no JSON: {error}"
    return ""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is none of JSON's words")


def run_case(case: Case, folder: Path) -> Outcome:
    """Run a case in a process of its own, and judge it; of an exception find the place."""
    before = content(folder)
    outcome = judge(case, run_alone(case.arguments, folder), before, folder)
    if outcome.kind != "exception":
        return outcome
    for name in set(content(folder)) - set(before):
        left = folder / name
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    run_alone([*case.arguments, "--debug"], folder)
    text = _text((folder.parent / "stderr").read_bytes())
    frames = _FRAME.findall(text)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", f"{case.arguments[0]}: error"))]
    where = "{}:{} {}".format(*frames[-1]) if frames else "?"
    return Outcome("exception", f"{(lines or ['?'])[-1][:90]} at {where}; {outcome.detail}", outcome.seconds, outcome.peak)


def _refusal(text: str, case: Case) -> tuple[str, str]:
    """Return whether a refusal is one line of ours."""
    program = case.arguments[0]
    lines = text.splitlines()
    shown = re.sub(r"[\d']+|0x\w+", "_", lines[-1] if lines else "")[:120]
    start = f"{program}: error: "
    names = {case.file.name, case.target.folder} - {""}
    names |= {option for option, value in pairwise(case.arguments) if option.startswith("--") and value.endswith(case.file.name)}
    if case.arguments[1] == "merge" and all(line.startswith(start) for line in lines):
        text, lines = lines[0], lines[:1]  # it lists all that files differ in
    if len(lines) != 1 or not text.startswith(start):
        return "message", f"{len(lines)} lines: {shown}"
    if "not enough memory" in text:
        return "memory", shown
    if _UNPRINTABLE.search(text):
        return "message", f"control characters: {shown!r}"
    if len(lines[0]) - len(start) > LONGEST and "--help')" not in text:
        return "message", f"{len(lines[0])} characters: {shown}"
    if case.target.names_file and not text.startswith(f"{start}--") and not any(name in text for name in names):
        return "message", f"no name of the file: {shown}"
    return "refused", shown


def content(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, and its digest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[str(path.relative_to(folder))] = hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else ""
    temporary = folder.parent / "temporary"
    return found | {f"TMPDIR/{path.name}": "" for path in (temporary.iterdir() if temporary.exists() else ())}


def _changed(before: dict[str, str], after: dict[str, str]) -> str:
    """Return in words what a refusal has left or changed; empty if nothing."""
    more, changed = sorted(set(after) - set(before)), [name for name in before if after.get(name) != before[name]]
    if changed:
        return f"changed {changed[0]}"
    return f"wrote {re.sub(r'[0-9a-f]{8,}|[.][^/]*$', '_', more[0])}" if more else ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
