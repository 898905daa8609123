"""The programs as a user starts them, on the built-in source: build, inspect, read as the README says."""

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

BUILD = ["build", "--source", "sample", "--actions", "walk,hop*", "--avatars", "average_man,child_10", "--workers", "1"]


def mocapgen(*arguments, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mocapgen", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with demo/sample.h5, and what its build printed."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "demo").mkdir()
    done = mocapgen(*BUILD, "--out", "demo/sample.h5", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def pairs(text: str) -> dict[str, str]:
    return dict(match.groups() for match in re.finditer(r"^  (\S.*?) {2,}(\S.*)$", text, flags=re.MULTILINE))


def test_the_closing_table_agrees_with_the_file(built):
    folder, done = built
    assert done.stderr == ""
    values = pairs(done.stdout)
    with h5py.File(folder / "demo" / "sample.h5") as file:
        assert values["clips used"] == f"{len(file['clips/id']):,}"
        assert values["sequences"] == f"{len(file['sequences/start']):,}"
        assert values["frames"] == f"{len(file['frames/positions_3d']):,}"
        used, skipped = len(file["clips/id"]), len(file["skipped/file"])
    found = int(values["clips found"].replace(",", ""))
    assert found == used + skipped


def test_inspect_summarises_the_file(built):
    folder, _ = built
    done = mocapgen("inspect", "demo/sample.h5", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    values = pairs(done.stdout)
    with h5py.File(folder / "demo" / "sample.h5") as file:
        actions = sorted(set(file["clips/action"].asstr()[:]))
        length = file["sequences/length"][:]
    assert values["actions"] == f"{len(actions)}: {', '.join(actions)}"
    assert values["avatars"] == "2: average_man, child_10"
    assert values["frames"].startswith(f"{length.sum():,} at 30 frames/s, {length.sum() / 1800:.1f} minutes")
    assert values["lengths"] == f"{length.min()} to {length.max()} frames, median {np.median(length):g}"


def test_the_reading_example_of_the_readme_runs(built, repository, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    (example,) = [block for block in blocks if "import h5py" in block]
    monkeypatch.chdir(built[0])
    exec(compile(example, "README.md", "exec"), {})
    assert re.fullmatch(r"(average_man|child_10) \((\d+), 17, 2\) \(\2, 17, 3\)\n", capsys.readouterr().out)


def test_a_file_is_never_replaced_unasked(built):
    folder, _ = built
    before = (folder / "demo" / "sample.h5").read_bytes()
    done = mocapgen(*BUILD, "--out", "demo/sample.h5", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--overwrite" in done.stderr
    assert (folder / "demo" / "sample.h5").read_bytes() == before


def test_a_dry_run_says_the_same_and_writes_nothing(built, tmp_path):
    done = mocapgen(*BUILD, "--dry-run", "--out", "never.h5", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    planned, real = pairs(done.stdout), pairs(built[1].stdout)
    for name in ("clips found", "clips used", "clips skipped", "sequences", "frames"):
        assert planned[name] == real[name]


@pytest.mark.parametrize("content", [None, b"", b"no dataset", b"\x89HDF\r\n\x1a\n" + bytes(64)], ids=["missing", "empty", "text", "damaged"])
def test_inspect_of_something_else_is_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "data.h5").write_bytes(content)
    done = mocapgen("inspect", "data.h5", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mocapgen: error: ")
    assert "data.h5" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_avatars_are_listed(tmp_path):
    done = mocapgen("skeletons", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    from schemas.config import DEFAULT_AVATARS

    assert set(DEFAULT_AVATARS) <= {line.split()[0] for line in done.stdout.splitlines()}


def test_the_sample_motions_are_written_and_can_be_read_back(tmp_path):
    done = mocapgen("sample", "motions", "--format", "amc", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    from mocapgen import read

    clips = sorted((tmp_path / "motions").rglob("*.amc"))
    assert len(clips) >= 60
    assert len(read(clips[0])) > 1


def test_the_demo_runs_in_an_empty_folder(repository, tmp_path):
    installed = f"{sys.prefix}/.installed"
    command = ["make", "-f", repository / "Makefile", "-o", installed, f"VENV={sys.prefix}", "demo"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert pairs(done.stdout)["sources"] == "1: sample"
    with h5py.File(tmp_path / "demo/sample.h5") as file:
        assert len(file["sequences/start"]) > 100
