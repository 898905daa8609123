"""What is published: the archives' contents and metadata, and the wheel at work in an environment that has nothing but what it asks for."""

import email
import re
import subprocess
import sys
import tarfile
from pathlib import PurePosixPath
from zipfile import ZipFile

import pytest

from tests.packaging.conftest import asked_for

BUILD = ["build", "--source", "sample", "--actions", "hop,walk", "--avatars", "average_man", "--out", "data.h5"]


@pytest.fixture(scope="module")
def names(wheel):
    """Paths in the wheel."""
    with ZipFile(wheel) as archive:
        return {PurePosixPath(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(wheel):
    """Of the wheel."""
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_an_index_would_take_the_archives(built):
    done = subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *built.iterdir()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_wheel_holds_the_packages_and_nothing_else(names):
    assert {path.parts[0] for path in names if not path.parts[0].endswith(".dist-info")} == {"schemas", "mocapgen", "trainer"}
    assert [path for path in names if path.suffix in {".pyc", ".h5"} or "tests" in path.parts] == []


def test_the_wheel_has_every_file_of_the_packages(names, repository):
    tracked = subprocess.run(["git", "ls-files", "schemas", "mocapgen", "trainer"], cwd=repository, capture_output=True, text=True, check=True)
    files = {PurePosixPath(line) for line in tracked.stdout.splitlines()}
    assert files
    assert files - names == set()
    assert PurePosixPath("mocapgen/inspect/checks.md") in names
    assert {PurePosixPath(f"{package}/py.typed") for package in ("schemas", "mocapgen", "trainer")} <= names


def test_licences_of_others_are_beside_what_they_are_for(names):
    vendored = {path for path in names if path.name.endswith(".min.js") or "vendor" in path.parts}
    for folder in {path.parent for path in vendored}:
        assert any(path.parent == folder and "licen" in path.name.lower() for path in names), folder


def test_the_description_leads_nowhere_that_an_index_does_not_have(metadata):
    text = metadata.get_payload()
    assert text.startswith("# mocapgen")
    assert re.findall(r"\]\((?!https?://)[^)]*\)", text) == []


def test_every_extra_is_named_by_a_command_or_is_for_developers(metadata):
    from mocapgen.shared.command import EXTRAS

    assert set(metadata.get_all("Provides-Extra")) - set(EXTRAS.values()) == {"dev"}


def test_the_source_archive_can_be_tested(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {"/".join(PurePosixPath(name).parts[1:]) for name in archive.getnames()}
    assert {"pyproject.toml", "constraints.txt", "Makefile", "README.md", "CHANGELOG.md", "LICENSE", "tests/conftest.py", "tools/manual.py"} <= inside


def test_the_wheel_works_in_an_environment_that_has_only_what_it_asks_for(wheel, environment):
    """A newcomer's first commands, away from the repository, without PyTorch and then with it."""
    environment.install(wheel)
    for command in (BUILD, ["inspect", "data.h5"], ["view", "data.h5", "--out", "player.html"], ["info"]):
        done = environment.run("mocapgen", *command)
        assert (done.returncode, done.stderr) == (0, ""), command
    assert str(environment.packages) in done.stdout
    assert (environment.folder / "player.html").stat().st_size > 100_000
    done = environment.run("trainer", "fit", "data.h5", "--out", "run")
    assert (done.returncode, done.stderr) == (
        2,
        "trainer: error: expected the package torch, which is not installed: pip install 'mocapgen[train]'\n",
    )
    environment.provide(asked_for(wheel, "train"))
    done = environment.run("trainer", "fit", "data.h5", "--epochs", 1, "--out", "run")
    assert done.returncode == 0, done.stderr
    assert (environment.folder / "run" / "best.safetensors").is_file()
