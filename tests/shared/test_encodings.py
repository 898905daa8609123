"""Standard streams whose encoding does not have what is to be printed."""

import io
import os
import subprocess
import sys

import pytest

from mocapgen.shared import streams

SCRIPT = (
    "from mocapgen.shared.streams import outlive_readers; from mocapgen.shared.tables import say; outlive_readers(); "
    "say('caf\\u00e9 \\u2026 \\u6f22 \\udc80'); say('\\u2026', error=True)"
)


@pytest.mark.parametrize(("encoding", "line"), [("utf-8", "café … 漢 \\udc80"), ("latin-1", "café \\u2026 \\u6f22 \\udc80")])
def test_what_an_encoding_does_not_have_is_escaped(encoding, line):
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, env=os.environ | {"PYTHONIOENCODING": encoding})
    assert done.stdout.decode(encoding).splitlines() == [line]


def test_a_console_that_takes_characters_stays_what_it_is(monkeypatch):
    """As that of Windows: bytes that are written to its handle would be read in another encoding."""

    class Console(io.RawIOBase):
        written = b""

        def fileno(self):
            return 1

        def writable(self):
            return True

        def write(self, data):
            self.written += bytes(data)
            return len(data)

    console = Console()
    monkeypatch.setattr(streams.sys, "stdout", io.TextIOWrapper(io.BufferedWriter(console), "utf-8", line_buffering=True))
    monkeypatch.setattr(streams.sys, "stderr", io.StringIO())
    streams.outlive_readers()
    print("\u00b0 \udc80", file=streams.sys.stdout)
    assert console.written.decode() == "\u00b0 \\udc80\n"
