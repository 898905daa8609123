"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


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
    from mocapgen import cli

    def run(*arguments: object) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return end.value.code, captured.out, captured.err

    return run
