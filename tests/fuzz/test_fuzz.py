"""Damaged files of every kind into every command that reads them: a result or one line, in little time and memory (`make fuzz` tries for an hour)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.mutate import damage
from tests.fuzz.targets import TARGETS

CASES = 1200


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("fuzz")

    def call(*options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.fuzz.run", "--seeds", folder / "seeds", "--keep", folder / "kept", *options]
        return subprocess.run(list(map(str, command)), cwd=repository, capture_output=True, text=True, check=False)

    return call


def test_sound_files_are_read_and_old_failures_are_none(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    ended = run("--known")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_damaged_files(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    ended = run("--cases", CASES)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_damage_is_the_same_every_time_and_changes_something() -> None:
    changed: Counter[str] = Counter()
    for name, data in {
        "a.json": b'{"a": [1, 2], "b": "c"}',
        "a.yaml": b"a: [1, 2]\nb: c\n",
        "a.txt": b"1 2\n3 4\n",
        "a.c3d": bytes(range(256)),
    }.items():
        for number in range(200):
            first, second = (damage(name, data, Random(number)) for _ in range(2))
            assert first == second
            changed[name] += first != data
    assert min(changed.values()) > 150


def test_every_target_has_a_name_of_its_own() -> None:
    assert len({target.folder_name for target in TARGETS}) == len(TARGETS)
