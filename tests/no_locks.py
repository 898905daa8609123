"""A file system without locks, as seen by the processes that a test starts: `flock` fails with the error that the test chooses."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_LIBRARY = '#include <errno.h>\n#include <stdlib.h>\nint flock(int file, int what) { errno = atoi(getenv("FLOCK_ERROR")); return -1; }\n'


def without_locks(folder: Path, error: int) -> dict[str, str]:
    """Return the environment of processes whose `flock` fails with an error such as `errno.ENOLCK`; skips where no C compiler is."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or os.uname().sysname != "Linux":
        pytest.skip("a library that takes the place of flock needs Linux and a C compiler")
    library = folder / "no_locks.so"
    if not library.exists():
        subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=_LIBRARY, text=True, check=True)
    return {**os.environ, "LD_PRELOAD": str(library), "FLOCK_ERROR": str(error)}
