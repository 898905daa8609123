"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

REPOSITORY = Path(__file__).parents[1]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of a program by their names."""
    context = click.Context(group)
    return {name: command for name in group.list_commands(context) if (command := group.get_command(context, name)) is not None}


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with real motion-capture files: $MOCAPGEN_TEST_DATA, or ../shared/data beside the repository.

    Without it a test is skipped; in continuous integration (environment variable CI) it fails.
    """
    folder = Path(os.environ.get("MOCAPGEN_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        message = f"no real data in {folder}; set MOCAPGEN_TEST_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root folder of the repository."""
    return REPOSITORY


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str, str]]:
    """Run mocapgen's command line in this process: arguments to (status, stdout, stderr)."""
    from mocapgen.cli import main as cli

    def run(*arguments: object) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium: $CHROMIUM, or the first that is installed."""
    api = pytest.importorskip("playwright.sync_api", reason="driving a browser needs the package playwright")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser found: set CHROMIUM, or install one of {', '.join(BROWSERS)}")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()
