"""Run cases: ``python -m tests.fuzz.run --cases 100000 --jobs 2``, or one of them again: ``python -m tests.fuzz.run --target bvh --case 4711``.

A process imports everything once and runs the cases in forks of it. What fails is kept, with the command that runs it again.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy is imported: threads do not survive a fork

from tests.fuzz.campaign import Campaign, Trial  # noqa: E402
from tests.fuzz.case import draw, make_case, set_up  # noqa: E402
from tests.fuzz.targets import TARGETS, Target  # noqa: E402

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that once were failures: ``TARGET/WHAT/FILE``."""
_PRELOADED = (
    *("mocapgen", "trainer", "schemas", "numpy", "scipy", "h5py", "torch", "safetensors", "pydantic", "yaml", "rich", "click", "ezc3d", "matplotlib"),
    *("PIL", "pooch", "requests", "multiprocessing", "concurrent"),
)


def prepare(seeds: Path) -> None:
    """Make the sound files, if there are none, and import what the commands need."""
    if not (seeds / "modules.json").exists():
        _in_fork(seeds)
    for name in json.loads((seeds / "modules.json").read_text()):
        if name.partition(".")[0] in _PRELOADED and name not in sys.modules:
            importlib.import_module(name)
    import torch

    import mocapgen
    import trainer

    for package in (mocapgen, trainer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with contextlib.suppress(ImportError):  # of an extra that is not installed
                if not module.name.endswith("__main__"):
                    importlib.import_module(module.name)
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


def drawn(targets: tuple[Target, ...], seed: int, seeds: Path, number: int) -> Trial:
    """Return a case that chance decides."""
    target, random = draw(seed, number, targets)
    return Trial(target, number, lambda folder: make_case(target, random, seeds, folder))


def known(targets: tuple[Target, ...], seeds: Path) -> list[Trial]:
    """Return every command of every target on the sound files, and on those that once were failures."""
    trials: list[Trial] = []
    for target in targets:
        corpus = CORPUS / target.folder_name
        files = [(name, seeds / target.folder / name, target.sound) for name in target.files]
        files += [(file.relative_to(corpus).as_posix().partition("/")[2], file, False) for file in sorted(corpus.rglob("*")) if file.is_file()]
        for name, file, sound in files:
            for command in target.commands:
                make = partial(set_up, target, name, file.read_bytes(), command, seeds)
                trials.append(Trial(target, len(trials), make, sound))
    return trials


def main() -> None:
    """Run what the command line says; end with status 1 if a case failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--target", action="append", help="only this target; repeatable")
    parser.add_argument("--case", type=int, help="run this case of --target alone, and show what it prints")
    parser.add_argument("--known", action="store_true", help="run the sound files, and those that once were failures, in place of others")
    parser.add_argument("--keep", type=Path, default=Path("fuzz"), help="folder for what failed")
    parser.add_argument("--seeds", type=Path, help="folder of sound files, made if it is not there; by default a temporary one")
    given = parser.parse_args()
    targets = tuple(target for target in TARGETS if not given.target or target.name in given.target)
    with tempfile.TemporaryDirectory(prefix="fuzz", ignore_cleanup_errors=True) as temporary:
        base, seeds = Path(temporary), Path(given.seeds or f"{temporary}/seeds").absolute()
        prepare(seeds)
        numbers, again = range(given.start, given.start + given.cases), f"python -m tests.fuzz.run --seed {given.seed}"
        trial = partial(drawn, targets, given.seed, seeds)
        if given.known:
            trials, again = known(targets, seeds), f"{again} --known"
            numbers, trial = range(len(trials)), trials.__getitem__
        campaign = Campaign(trial, base, given.keep.absolute(), again)
        if given.case is not None:
            outcome = campaign.run_alone(given.case, base / "job")
            print(outcome, *((base / "job" / name).read_text(errors="replace") for name in ("stdout", "stderr")), sep="\n")  # noqa: T201
            return
        report = campaign.run(numbers, given.jobs)
    print("\n".join(report.lines()))  # noqa: T201
    sys.exit(bool(report.failures))


if __name__ == "__main__":
    main()
