"""Many cases: which, in how many processes, and what came of them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tests.fuzz.case import Case, case_folder
from tests.fuzz.program import PATIENCE, limit_memory, resident, run_here
from tests.fuzz.targets import Target
from tests.fuzz.verdict import GOOD, KINDS, Outcome, content, judge, run_case

TOGETHER = 200
"""Cases that one process runs: a fork costs more than most cases."""


@dataclass(frozen=True)
class Trial:
    """A case that is not set up yet.

    Parameters
    ----------
    target : Target
    number : int
    set_up : callable
        Writes the files of the case into a folder.
    sound : bool
        Whether its file is sound, so that it must be read.
    """

    target: Target
    number: int
    set_up: Callable[[Path], Case]
    sound: bool = False

    def held_against(self, outcome: Outcome) -> Outcome:
        """Return an outcome, which is wrong if a sound file was refused."""
        return replace(outcome, kind="misread") if self.sound and outcome.kind == "refused" else outcome


@dataclass
class Report:
    """What came of many cases."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    """By target and kind."""
    failures: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    """Numbers of the cases by kind, target and detail."""
    slowest: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Seconds, and bytes, at most, by target."""
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds of the processor, by target."""

    def add(self, target: str, number: int, outcome: Outcome) -> None:
        """Count a case."""
        self.counts.setdefault(target, Counter())[outcome.kind] += 1
        seconds, peak = self.slowest.get(target, (0.0, 0))
        self.slowest[target] = max(seconds, outcome.seconds), max(peak, outcome.peak)
        self.spent[target] = self.spent.get(target, 0.0) + outcome.seconds
        if outcome.kind not in GOOD:
            self.failures.setdefault((outcome.kind, target, outcome.detail), []).append(number)

    @property
    def total(self) -> Counter[str]:
        """By kind."""
        return sum(self.counts.values(), Counter[str]())

    def lines(self) -> Iterator[str]:
        """Return a table, and what failed."""
        yield f"{'target':28s}" + "".join(f"{kind:>12s}" for kind in KINDS) + f"{'mean s':>9s}{'most s':>9s}{'most MB':>9s}"
        for name, counts in sorted(self.counts.items()):
            seconds, peak = self.slowest[name]
            mean = self.spent[name] / counts.total()
            yield f"{name:28s}" + "".join(f"{counts[kind]:12,}" for kind in KINDS) + f"{mean:9.3f}{seconds:9.2f}{peak / 1e6:9.0f}"
        yield f"{'all':28s}" + "".join(f"{self.total[kind]:12,}" for kind in KINDS)
        for (kind, target, detail), numbers in sorted(self.failures.items(), key=lambda item: (item[0][0], -len(item[1]))):
            yield f"{kind}: {target}: {detail} ({len(numbers)} cases, such as {numbers[0]})"


@dataclass(frozen=True)
class Campaign:
    """Cases to be run.

    Parameters
    ----------
    trial : callable
        From a number to the trial.
    base : Path
        Folder for the files of a case, below it.
    keep : Path, optional
        Folder for what fails.
    again : str
        Command that runs a case again, after its target and number.
    """

    trial: Callable[[int], Trial]
    base: Path
    keep: Path | None = None
    again: str = ""

    def run_alone(self, number: int, base: Path) -> Outcome:
        """Run a case in a process of its own; keep it if it fails."""
        trial = self.trial(number)
        with case_folder(base) as folder:
            case = trial.set_up(folder)
            data = case.file.read_bytes()
            outcome = trial.held_against(run_case(case, folder))
        if self.keep is not None and outcome.kind not in GOOD:
            place = self.keep / outcome.kind.replace(" ", "_") / f"{trial.target.folder_name}-{number}"
            place.mkdir(parents=True, exist_ok=True)
            (place / case.file.name).write_bytes(data)
            again = f"{self.again} --target '{trial.target.name}' --case {number}"
            (place / "case.txt").write_text(f"{outcome.detail}\n{again}\n{case}\n", errors="backslashreplace")
            shutil.copy(base / "stderr", place / "stderr.txt")
        return outcome

    def run_some(self, numbers: Sequence[int], base: Path) -> Iterator[tuple[str, int, Outcome]]:
        """Run cases, many in one process; one that fails or ends the process is run again in a process of its own, and that is what counts."""
        numbers = list(numbers)
        while numbers:
            ours, theirs = multiprocessing.Pipe(duplex=False)
            child = os.fork()
            if child == 0:
                try:
                    ours.close()
                    self._run_here(numbers[:TOGETHER], base, theirs)
                finally:
                    os._exit(0)
            theirs.close()
            done = 0
            while done < len(numbers) and ours.poll(PATIENCE):
                try:
                    outcome = ours.recv()
                except EOFError:
                    break
                if outcome.kind not in GOOD:
                    break
                yield self.trial(numbers[done]).target.name, numbers[done], outcome
                done += 1
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            ours.close()
            if done < min(len(numbers), TOGETHER):
                yield self.trial(numbers[done]).target.name, numbers[done], self.run_alone(numbers[done], base)
                done += 1
            del numbers[:done]

    def _run_here(self, numbers: Sequence[int], base: Path, results: Connection) -> None:
        """Run cases in this process, up to the first that fails."""
        limit_memory()
        begin = resident()
        for number in numbers:
            trial = self.trial(number)
            with case_folder(base) as folder:
                case = trial.set_up(folder)
                before = content(folder)
                outcome = trial.held_against(judge(case, run_here(case.arguments, folder, begin), before, folder))
            results.send(outcome)
            if outcome.kind not in GOOD:
                return

    def run(self, numbers: range, jobs: int) -> Report:
        """Run cases in several processes that share nothing; Ctrl-C ends them and reports on what is done."""
        report, begin, shown = Report(), time.monotonic(), time.monotonic()
        open_ends: list[Connection] = []
        children = []
        for job in range(jobs):
            ours, theirs = multiprocessing.Pipe(duplex=False)
            children.append(os.fork())
            if children[-1] == 0:
                try:
                    for result in self.run_some(numbers[job::jobs], self.base / f"job{job}"):
                        theirs.send(result)
                except Exception:
                    traceback.print_exc()
                finally:
                    os._exit(0)
            theirs.close()
            open_ends.append(ours)
        try:
            while open_ends:
                for end in wait(open_ends):
                    try:
                        report.add(*end.recv())
                    except EOFError:
                        open_ends.remove(end)
                if time.monotonic() - shown > 10:
                    shown = time.monotonic()
                    print(f"{report.total.total():,} of {len(numbers):,} cases in {shown - begin:.0f} s", file=sys.stderr)  # noqa: T201
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            return report
        for child in children:
            os.waitpid(child, 0)
        if report.total.total() != len(numbers):
            raise RuntimeError(f"expected {len(numbers)} cases, found {report.total.total()}: a process that runs cases has died")
        return report
