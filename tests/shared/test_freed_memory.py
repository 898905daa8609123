"""A process that keeps what it frees has the same memory again, where the system can."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import resource
from mocapgen.shared.freed_memory import keep_freed_memory
keep_freed_memory(2**27)
for _ in range(50):
    bytearray(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_memory_is_used_again() -> None:
    faults = int(subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True).stdout)
    assert faults < 50 * 2**23 / 4096 / 4  # a quarter of what new memory each time would be
