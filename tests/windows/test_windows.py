"""Both programs in a Python that lacks what Windows' lacks (sitecustomize.py): what they write is byte for byte what they write here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the simulation reads /proc")

HERE = Path(__file__).parent
COMMANDS = """
mocapgen build --source sample --actors sa,sb --actions walk --avatars average_man --camera front --workers 2 --out data.h5
mocapgen build --source sample --actors sa,sb --actions walk --avatars average_man --camera front --workers 1 --out data.h5 --overwrite
mocapgen select data.h5 --actors sa --out a.h5
mocapgen select data.h5 --actors sb --out b.h5
mocapgen merge a.h5 b.h5 --out both.h5
mocapgen inspect both.h5 --html report.html --json report.json
mocapgen view both.h5 --out page.html
mocapgen render both.h5 --out still.png
mocapgen export both.h5 --format bvh --out bvh
mocapgen export both.h5 --format csv --out csv
mocapgen export both.h5 --format csv --out csv --overwrite
mocapgen export both.h5 --format npz --out both.npz
mocapgen export both.h5 --format trc --out trc
mocapgen convert bvh/sample_sa_walk_001_120-average_man.bvh again.c3d
mocapgen info
"""
TRAINING = """
mocapgen build --source sample --actors sa,sb --actions kick,hop --avatars average_man,child_10 --camera orbit:2 --workers 1 --out both.h5
trainer fit both.h5 --out run --epochs 1 --split random --model cvmnet --set threads=1
trainer fit both.h5 --out run --epochs 2 --split random --model cvmnet --set threads=1 --resume
trainer evaluate run both.h5 --json evaluation.json
trainer predict run both.h5 --out pred.h5
trainer predict run both.h5 --out pred.h5 --overwrite
"""
RUN = """
import importlib, sys
for line in sys.argv[1:]:
    program, *arguments = line.split()
    try:
        importlib.import_module(f"{program}.cli.main").main(arguments)
    except SystemExit as end:
        if end.code not in (0, 1):  # 1: findings
            sys.exit(f"{line}: {end.code}")
"""
AS_THERE = {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONIOENCODING": "cp1252"}
PROBE = """
import os, pathlib, select, signal, sys
exec(compile(open(sys.argv[1], encoding="utf-8").read(), "ours", "exec"), {"__name__": "mocapgen.probe", "sys": sys, "pathlib": pathlib})
"""


def run(folder: Path, commands: str, *path: Path) -> Path:
    folder.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, (*path, *filter(None, sys.path))))}
    command = [sys.executable, "-c", RUN, *commands.strip().splitlines()]
    done = subprocess.run(command, cwd=folder, env=environment | (AS_THERE if path else {}), capture_output=True)
    assert done.returncode == 0, done.stderr.decode("cp1252", "replace")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_there_is_what_is_written_here(tmp_path: Path) -> None:
    here, there = run(tmp_path / "here", COMMANDS), run(tmp_path / "there", COMMANDS, HERE)
    assert files(there) == files(here)


def test_a_model_is_trained_resumed_and_used(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder = run(tmp_path / "there", TRAINING, HERE)
    assert not [path for path in folder.rglob("*") if path.name.startswith(".") and path.name != ".lock"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os; os.pread", "AttributeError"),
        ("from signal import SIGKILL", "ImportError"),
        ("import fcntl", "ModuleNotFoundError"),
        ("import os, select; select.select([os.pipe()[0]], [], [], 0)", "OSError"),
        ("import os; os.open('a', os.O_WRONLY | os.O_CREAT)", "AssertionError"),
        ("file = open('a', 'wb'); pathlib.Path('a').unlink()", "PermissionError"),
        ("open('b', 'wb').close(); file = open('a', 'wb'); pathlib.Path('b').replace('a')", "PermissionError"),
        ("open('a', 'wb').close(); open('b', 'wb').close(); pathlib.Path('a').rename('b')", "FileExistsError"),
        ("open('aux.h5', 'wb')", "OSError"),
        ("pathlib.Path('what?').mkdir()", "OSError"),
        ("pathlib.Path(sys.argv[1]).read_text()", "EncodingWarning"),
        ("import os, sys; assert (os.name, sys.platform) == ('nt', 'win32')", ""),
    ],
)
def test_the_simulation_refuses_what_windows_refuses(tmp_path: Path, code: str, error: str) -> None:
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(HERE), **AS_THERE}
    done = subprocess.run([sys.executable, "-c", PROBE, "code.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.stderr.strip().splitlines() or [""])[-1].partition(":")[0] == error
