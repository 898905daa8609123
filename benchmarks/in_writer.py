"""Run ``mocapgen`` and say for how long its main process was in the writer: ``python -m benchmarks.in_writer FILE build ...``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Watch:
    """Adds up the time in some methods."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def over(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method whose time is counted."""

        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def main() -> None:
    """Run the command line that follows the name of the file, into which the seconds go."""
    from mocapgen.cli.main import main as mocapgen
    from mocapgen.store.dataset_file import DatasetFile

    watch = Watch()
    for name in ("append", "add_rows", "__enter__", "__exit__"):
        setattr(DatasetFile, name, watch.over(getattr(DatasetFile, name)))
    file, *arguments = sys.argv[1:]
    try:
        mocapgen(arguments)
    finally:
        Path(file).write_text(str(watch.seconds))


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # before NumPy is loaded, as `mocapgen build` does it: workers are forks of a process with one thread
    main()
