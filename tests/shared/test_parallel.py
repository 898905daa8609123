"""Worker processes: scripts that start them need no main guard, and one that dies is one line, whatever it was doing."""

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from mocapgen.shared.parallel import main_module_hidden

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


def test_threads_that_use_workers_at_the_same_time(monkeypatch):
    """Each hides the main module while its workers start; afterwards it is as it was."""
    main = vars(sys.modules["__main__"])
    monkeypatch.setitem(main, "__file__", "script.py")
    for _ in range(2):
        with ExitStack() as first, ExitStack() as second:
            for stack in (first, second):
                stack.enter_context(main_module_hidden())
            first.close()
            assert main["__file__"] is None
        assert main["__file__"] == "script.py"


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
    """A system that shuts down ends main process and workers alike: the former shall not take that for a fault."""
    (tmp_path / "ended.py").write_text(
        "import os, signal\n\n\ndef send(item):\n    os.kill(os.getpid(), signal.SIGTERM)\n    return bytes(3_000_000)\n"
    )
    script = (
        "from ended import send\nfrom mocapgen.shared.parallel import map_ordered\n"
        "with map_ordered(send, [1, 2], 2) as results:\n    print([len(result) for result in results])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("[3000000, 3000000]\n", "")


KILLS = """
import multiprocessing, os, random, signal, sys, threading
from large import send
from mocapgen.shared.parallel import map_ordered
from schemas.errors import MocapError

if sys.argv[1] == "spawn":
    threading.Thread(target=signal.pause, daemon=True).start()  # a process with two threads cannot be forked
chance = random.Random(1)
def kill(number, frame):
    os.kill(chance.choice(multiprocessing.active_children()).pid, signal.SIGKILL)
signal.signal(signal.SIGALRM, kill)
for _ in range(int(sys.argv[2])):
    try:
        with map_ordered(send, range(1000), 2) as results:
            next(results)
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.001, 0.03))
            for _ in results:
                pass
        print("came to its end")
    except MocapError as error:
        print(error)
    assert multiprocessing.active_children() == []
"""


@pytest.mark.parametrize(("way", "times"), [("fork", 20), ("spawn", 3)])
def test_a_worker_that_is_killed_at_any_moment_is_one_line(way, times, tmp_path):
    """Most of the time it is sending: of half a message, the main process must not wait for the rest."""
    (tmp_path / "large.py").write_text("def send(item):\n    return bytes(3_000_000)\n")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    script = [sys.executable, "-c", KILLS, way, str(times)]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.count("a worker process died") == done.stdout.count("\n") == times


def test_what_a_task_raises_is_raised_here(tmp_path):
    (tmp_path / "failing.py").write_text("def fail(item):\n    raise KeyError(item)\n")
    script = (
        "import traceback\nfrom failing import fail\nfrom mocapgen.shared.parallel import map_ordered\n"
        "try:\n    with map_ordered(fail, [7, 8], 2) as results:\n        list(results)\nexcept KeyError as error:\n    traceback.print_exc()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "KeyError: 7\nin a worker process:\n" in done.stderr
    assert "failing.py" in done.stderr
