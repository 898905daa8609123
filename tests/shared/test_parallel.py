"""Worker processes do not import the script that runs: it needs no main guard."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import mocapgen
print("script")
main = sys.modules["__main__"]
before = dict(main.__dict__)
report = mocapgen.build(source="sample", actions="walk", avatars="average_man", out="walk.h5", workers=2)
assert all(main.__dict__[name] is before[name] for name in ("__spec__", "__file__") if name in before)
assert ("__file__" in main.__dict__) == ("__file__" in before)
print(report.sequences)
"""


@pytest.mark.parametrize("way", ["file", "standard input", "command"])
def test_a_script_without_a_main_guard_builds_with_workers(way, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    arguments = {"file": [str(script)], "standard input": ["-"], "command": ["-c", SCRIPT]}[way]
    text = SCRIPT if way == "standard input" else None
    done = subprocess.run([sys.executable, *arguments], input=text, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "script\n5\n", "")


def test_a_worker_that_dies_is_one_line(tmp_path):
    (tmp_path / "deadly.py").write_text("import os\n\n\ndef die(item):\n    os._exit(9)\n")
    script = (
        "from deadly import die\nfrom mocapgen.shared.parallel import map_ordered\nfrom schemas.errors import MocapError\n"
        "try:\n    with map_ordered(die, [1, 2, 3], 2) as results:\n        list(results)\nexcept MocapError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("a worker process died (killed, or out of memory)")
    assert done.stdout.count("\n") == 1


def test_what_a_worker_sends_is_sent_before_it_ends(tmp_path):
    """A system that shuts down ends main process and workers alike: of half a result, the former would wait for the rest."""
    (tmp_path / "ended.py").write_text(
        "import os, signal\n\n\ndef send(item):\n    os.kill(os.getpid(), signal.SIGTERM)\n    return bytes(30_000_000)\n"
    )
    script = (
        "from ended import send\nfrom mocapgen.shared.parallel import map_ordered\n"
        "with map_ordered(send, [1, 2], 2) as results:\n    print([len(result) for result in results])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("[30000000, 30000000]\n", "")
