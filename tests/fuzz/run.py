"""Run cases: ``python -m tests.fuzz.run --cases 100000 --jobs 2``, or one of them again: ``python -m tests.fuzz.run --target bvh --case 4711``.

A process imports everything once and runs each case in a fork of it. What fails is kept, with the command that runs it again.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy is imported: threads do not survive a fork

from tests.fuzz.case import case_folder, draw, make_case, set_up  # noqa: E402
from tests.fuzz.program import PATIENCE, limit_memory, resident, run_here  # noqa: E402
from tests.fuzz.targets import TARGETS, Target  # noqa: E402
from tests.fuzz.verdict import GOOD, Outcome, content, judge, run_case  # noqa: E402

KINDS = ("ok", "refused", "exception", "signal", "slow", "memory", "message", "left behind")
CORPUS = Path(__file__).parent / "corpus"
"""Inputs that once were failures: ``TARGET/NAME/FILE``."""
TOGETHER = 50
"""Cases that one process runs: a fork costs more than most cases."""
_PRELOADED = (
    *("mocapgen", "trainer", "schemas", "numpy", "scipy", "h5py", "torch", "safetensors", "pydantic", "yaml", "rich", "click", "ezc3d", "matplotlib"),
    *("PIL", "pooch", "requests", "multiprocessing", "concurrent"),
)


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


def prepare(seeds: Path) -> None:
    """Make the sound files, if there are none, and import what the commands need."""
    if not (seeds / "modules.json").exists():
        _in_fork(seeds)
    for name in json.loads((seeds / "modules.json").read_text()):
        if name.partition(".")[0] in _PRELOADED and name not in sys.modules:
            importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()  # forks then share the memory of what is there


def _in_fork(seeds: Path) -> None:
    """Make the sound files in a process of its own, so that nothing of it is left in this one, and note what it imported."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            from tests.fuzz.seeds import make_seeds

            shutil.rmtree(seeds, ignore_errors=True)
            make_seeds(seeds)
            (seeds / "modules.json").write_text(json.dumps(sorted(sys.modules)))
            status = 0
        except BaseException as error:
            print(f"the sound files could not be made: {error!r}", file=sys.stderr, flush=True)  # noqa: T201
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(1)


def slug(target: Target) -> str:
    """Return the name of a target as one of a folder."""
    return target.name.replace(",", "").replace(" ", "_")


def run_one(target: Target, seed: int, number: int, seeds: Path, base: Path, keep: Path | None) -> Outcome:
    """Run a case in a process of its own; keep it if it fails."""
    _, random = draw(seed, number, (target,))
    with case_folder(base) as folder:
        case = make_case(target, random, seeds, folder)
        content = case.file.read_bytes()
        outcome = run_case(case, folder)
    if keep is not None and outcome.kind not in GOOD:
        place = keep / outcome.kind.replace(" ", "_") / f"{slug(target)}-{seed}-{number}"
        place.mkdir(parents=True, exist_ok=True)
        (place / case.file.name).write_bytes(content)
        again = f"python -m tests.fuzz.run --seed {seed} --target '{target.name}' --case {number}"
        (place / "case.txt").write_text(f"{outcome.detail}\n{again}\n{case}\n", errors="backslashreplace")
        shutil.copy(base / "stderr", place / "stderr.txt")
    return outcome


@dataclass(frozen=True)
class Campaign:
    """Cases to be run: which, and where their files lie."""

    targets: tuple[Target, ...]
    seed: int
    seeds: Path
    base: Path
    keep: Path | None = None

    def run(self, numbers: Sequence[int], base: Path) -> Iterator[tuple[str, int, Outcome]]:
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
                target, _ = draw(self.seed, numbers[done], self.targets)
                yield target.name, numbers[done], outcome
                done += 1
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            ours.close()
            if done < min(len(numbers), TOGETHER):
                target, _ = draw(self.seed, numbers[done], self.targets)
                yield target.name, numbers[done], run_one(target, self.seed, numbers[done], self.seeds, base, self.keep)
                done += 1
            del numbers[:done]

    def _run_here(self, numbers: Sequence[int], base: Path, results: Connection) -> None:
        """Run cases in this process, up to the first that fails."""
        limit_memory()
        begin = resident()
        for number in numbers:
            with case_folder(base) as folder:
                case = make_case(*draw(self.seed, number, self.targets), self.seeds, folder)
                before = content(folder)
                results.send(outcome := judge(case, run_here(case.arguments, folder, begin), before, folder))
            if outcome.kind not in GOOD:
                return

    def run_all(self, numbers: range, jobs: int, watch: bool = False) -> Report:
        """Run cases in several processes that share nothing."""
        report, begin, shown = Report(), time.monotonic(), time.monotonic()
        open_ends: list[Connection] = []
        for job in range(jobs):
            ours, theirs = multiprocessing.Pipe(duplex=False)
            if os.fork() == 0:
                try:
                    for result in self.run(numbers[job::jobs], self.base / f"job{job}"):
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
                if watch and time.monotonic() - shown > 10:
                    shown = time.monotonic()
                    total = report.total
                    bad = sum(total[kind] for kind in KINDS if kind not in GOOD)
                    print(f"{total.total():,} of {len(numbers):,} cases in {shown - begin:.0f} s, {bad:,} failed", file=sys.stderr)  # noqa: T201
        except KeyboardInterrupt:
            return report
        if report.total.total() != len(numbers):
            raise RuntimeError(f"expected {len(numbers)} cases, found {report.total.total()}: a process that runs cases has died")
        return report


def run_corpus(targets: tuple[Target, ...], seeds: Path, base: Path) -> Report:
    """Run every command of every target on the inputs that once were failures."""
    report = Report()
    for target in targets:
        for number, file in enumerate(sorted(path for path in (CORPUS / slug(target)).rglob("*") if path.is_file())):
            name = file.relative_to(CORPUS / slug(target)).as_posix().partition("/")[2]
            for command in target.commands:
                with case_folder(base) as folder:
                    report.add(target.name, number, run_case(set_up(target, name, file.read_bytes(), command, seeds, folder), folder))
    return report


def main() -> None:
    """Run what the command line says; end with status 1 if a case failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--target", action="append", help="only this target; repeatable")
    parser.add_argument("--case", type=int, help="run this case of --target alone, and say how it ended")
    parser.add_argument("--keep", type=Path, default=Path("fuzz"), help="folder for what failed")
    parser.add_argument("--seeds", type=Path, help="folder of sound files, made if it is not there; by default a temporary one")
    given = parser.parse_args()
    targets = tuple(target for target in TARGETS if not given.target or target.name in given.target)
    with tempfile.TemporaryDirectory(prefix="fuzz") as temporary:
        base, seeds = Path(temporary), given.seeds or Path(temporary) / "seeds"
        prepare(seeds.absolute())
        if given.case is not None:
            outcome = run_one(targets[0], given.seed, given.case, seeds.absolute(), base / "job", given.keep)
            print(outcome, (base / "job/stdout").read_text(errors="replace"), (base / "job/stderr").read_text(errors="replace"), sep="\n")  # noqa: T201
            raise SystemExit(outcome.kind not in GOOD)
        numbers = range(given.start, given.start + given.cases)
        report = Campaign(targets, given.seed, seeds.absolute(), base, given.keep).run_all(numbers, given.jobs, watch=True)
    print("\n".join(report.lines()))  # noqa: T201
    raise SystemExit(bool(report.failures))


if __name__ == "__main__":
    main()
