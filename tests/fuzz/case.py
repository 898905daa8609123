"""A case: a damaged file, and the command that reads it."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from random import Random

from tests.fuzz.mutate import damage
from tests.fuzz.targets import TARGETS, Target


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


@contextlib.contextmanager
def case_folder(base: Path) -> Iterator[Path]:
    """Make an empty folder for a case, which is removed after it."""
    folder = base / "case"
    for path in (folder, base / "temporary"):
        shutil.rmtree(path, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
