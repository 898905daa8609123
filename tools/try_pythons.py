"""Run tests with every Python that is found on this machine and that the project promises: ``make test-pythons``.

The whole test suite runs with one Python. Here the others, in ``.venv-3.N``, run what differs between Pythons and takes no PyTorch to test: files,
outputs, processes, numbers, formats, and the command line from a build to its inspection.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ("tests/shared", "tests/store", "tests/core", "tests/sources/test_files.py", "tests/formats/test_bvh.py", "tests/cli/test_cli.py")
PACKAGES = ("-e", ".[fetch,gltf]", "av", "pytest", "pytest-xdist", "hypothesis")
_ASK = "import sys, venv; print(sys.version_info[0], sys.version_info[1])"


def promised() -> tuple[str, ...]:
    """Return the Pythons that the distribution's classifiers name, such as ``3.12``."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    names = (classifier.rpartition(" :: ")[2] for classifier in classifiers if "Python :: 3." in classifier)
    return tuple(sorted(names, key=lambda name: int(name.partition(".")[2])))


def candidates(version: str) -> Iterable[Path]:
    """Yield where a Python of a version may be: on the path, and among those of pyenv and of uv."""
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    for folder in (Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"):
        yield from sorted(folder.glob(f"*{version}.*/bin/python3"), reverse=True)


def find(version: str) -> Path | None:
    """Return a Python of a version that starts and can make environments, None if there is none."""
    for path in candidates(version):
        done = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False)
        if done.returncode == 0 and ".".join(done.stdout.split()) == version:
            return path
    return None


def try_python(python: Path, version: str) -> bool:
    """Install the distribution for a Python and return whether the tests pass."""
    environment = ROOT / f".venv-{version}"
    own = environment / "bin" / "python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", environment], check=True)
    pip: list[str | Path] = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt"]
    subprocess.run([*pip, *PACKAGES], cwd=ROOT, check=True)
    test: list[str | Path] = [own, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(test, cwd=ROOT, check=False).returncode == 0


def main() -> int:
    """Try every Python but the one that runs this, and return the exit status."""
    running = ".".join(map(str, sys.version_info[:2]))
    others = {version: find(version) for version in promised() if version != running}
    passed = {version: try_python(python, version) for version, python in others.items() if python}
    told = [f"{running} runs `make test`", *(f"{version} {'passed' if good else 'FAILED'}" for version, good in passed.items())]
    told += [f"{version} is not on this machine" for version, python in others.items() if not python]
    sys.stdout.write(f"Pythons: {', '.join(told)}\n")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
