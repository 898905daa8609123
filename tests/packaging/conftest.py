"""The distribution as pip installs it: its wheel, and environments of its own beside the packages that it needs."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement


@dataclass(frozen=True)
class Environment:
    """A virtual environment, used from a folder of the user's."""

    prefix: Path
    folder: Path

    @property
    def packages(self) -> Path:
        """Where pip installs."""
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.prefix)}))

    def run(self, *words: object, path: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the folder."""
        scripts = Path(sysconfig.get_path("scripts", vars={"base": str(self.prefix)}))
        program, *arguments = map(str, words)
        variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
        variables |= {"PYTHONPATH": path} if path else {}
        return subprocess.run([scripts / program, *arguments], cwd=self.folder, env=variables, capture_output=True, text=True, timeout=300)

    def pip(self, *words: object) -> None:
        """Run pip for the environment; nothing is downloaded."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.prefix), "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *map(str, words)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr

    def install(self, *what: object) -> None:
        """Install, without what it needs: that is there already."""
        self.pip("install", "--no-deps", "--no-index", "--no-build-isolation", *what)

    def provide(self, requirements: Iterable[str]) -> None:
        """Let there be distributions that this test's own environment has, and what they ask for, and nothing else; nothing is downloaded."""
        for needs in needed(requirements):
            here = Path(str(needs.locate_file("")))
            for name in {file.parts[0] for file in needs.files or ()} - {"..", "__pycache__"}:
                if not (self.packages / name).exists():
                    (self.packages / name).symlink_to(here / name)


@pytest.fixture(scope="session")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the source archive of this repository, and the wheel that is built from that."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(repository)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


def needed(requirements: Iterable[str]) -> Iterator[Distribution]:
    """Yield the distributions that requirements ask for, and those that these ask for in turn."""
    open_, seen = [Requirement(line) for line in requirements], set()
    while open_:
        requirement = open_.pop()
        found = distribution(requirement.name)
        yield found
        for line in found.requires or ():
            further = Requirement(line)
            wanted = further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in (requirement.extras or {""}))
            if wanted and str(further) not in seen:
                seen.add(str(further))
                open_.append(further)


def asked_for(wheel: Path, extra: str = "") -> list[str]:
    """Return the requirements of a wheel, those of an extra included."""
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        lines = email.message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    return [line for line in lines if (marker := Requirement(line).marker) is None or marker.evaluate({"extra": extra})]


def make_environment(folder: Path) -> Environment:
    """Make an environment with nothing in it."""
    made = Environment(folder / "environment", folder / "work")
    made.folder.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.prefix)], check=True, timeout=120)
    return made


@pytest.fixture
def environment(tmp_path: Path, wheel: Path) -> Environment:
    """An environment that has what the distribution needs, but not the distribution."""
    made = make_environment(tmp_path)
    made.provide(asked_for(wheel))
    return made


@pytest.fixture
def neighbour(tmp_path: Path) -> Callable[[str, Mapping[str, str]], Path]:
    """Make the wheel of another distribution: its name and its files' texts to its path."""

    def make(name: str, files: Mapping[str, str]) -> Path:
        information = f"{name}-0.7.0.dist-info"
        contents = {
            **files,
            f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.7.0\n",
            f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = f"{information}/RECORD"
        contents[record] = "".join(f"{path},,\n" for path in (*contents, record))
        path = tmp_path / f"{name}-0.7.0-py3-none-any.whl"
        with ZipFile(path, "w") as archive:
            for file, text in contents.items():
                archive.writestr(file, text)
        return path

    return make
