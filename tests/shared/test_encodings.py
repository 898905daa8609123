"""Standard streams whose encoding does not have what is to be printed."""

import os
import subprocess
import sys

import pytest

SCRIPT = (
    "from mocapgen.shared.streams import outlive_readers; from mocapgen.shared.tables import say; outlive_readers(); "
    "say('caf\\u00e9 \\u2026 \\u6f22 \\udc80'); say('\\u2026', error=True)"
)


@pytest.mark.parametrize(("encoding", "line"), [("utf-8", "café … 漢 \\udc80"), ("latin-1", "café \\u2026 \\u6f22 \\udc80")])
def test_what_an_encoding_does_not_have_is_escaped(encoding, line):
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, env=os.environ | {"PYTHONIOENCODING": encoding})
    assert done.stdout.decode(encoding).splitlines() == [line]
