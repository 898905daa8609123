"""The distribution as pip installs it: its wheel, and environments of its own beside the packages that it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest


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


@pytest.fixture(scope="session")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(repository)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment that has what the distribution needs, but not the distribution."""
    made = Environment(tmp_path / "environment", tmp_path / "work")
    made.folder.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.prefix)], check=True, timeout=120)
    # As a line of a .pth file the folder of our own packages comes after the new one's, and its .pth files do not count: no editable install of ours.
    (made.packages / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
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
