"""What the shell completes for `mocapgen`, asked as bash asks; names in a file, and nothing where there is no sound one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from mocapgen.cli._complete import check_ids
from mocapgen.cli.main import cli
from mocapgen.inspect.registry import checks
from mocapgen.library import build


def completed(*words: str) -> list[str]:
    found = ShellComplete(cli, {}, "mocapgen", "_MOCAPGEN_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [item.value for item in found if item.type == "plain"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "data.h5"
    build(source="sample", actions="squat,kick", actors="sa", avatars="average_man,child_10", camera="orbit:2", workers=1, out=path)
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("build", "--source", ""), ["cmu", "folder", "hdm05", "sample"]),
        (("build", "--avatars", "tall_man,average"), ["tall_man,average_man", "tall_man,average_woman"]),
        (("build", "--camera", "orb"), ["orbit:4", "orbit:8"]),
        (("build", "--profile", "mix"), ["mixamo"]),
        (("build", "--marker-set", "vic"), ["vicon41"]),
        (("inspect", "--policy", "traini"), ["training"]),
        (("inspect", "data.h5", "--select", "motion.sp"), ["motion.speed_spike"]),
        (("inspect", "--explain", "dataset.dup"), ["dataset.duplicates"]),
        (("export", "data.h5", "--format", "vid"), ["videopose3d"]),
        (("fetch", "h"), ["hdm05"]),
    ],
)
def test_names_are_completed(words: tuple[str, ...], expected: list[str]) -> None:
    assert completed(*words) == expected


@pytest.mark.parametrize(
    ("command", "option", "begin", "expected"),
    [
        ("view", "--clip", "sample_sa_s", ["sample_sa_squat_001_120"]),
        ("render", "--clip", "", ["sample_sa_kick_001_120", "sample_sa_squat_001_120"]),
        ("select", "--clips", "sample_sa_kick_001_120,sample", ["sample_sa_kick_001_120,sample_sa_squat_001_120"]),
        ("select", "--actions", "", ["kick", "squat"]),
        ("select", "--avatars", "ch", ["child_10"]),
        ("select", "--cameras", "", ["orbit:2/0", "orbit:2/1"]),
        ("export", "--actors", "s", ["sa"]),
    ],
)
def test_names_in_a_file_are_completed(data: Path, command: str, option: str, begin: str, expected: list[str]) -> None:
    assert completed(command, str(data), option, begin) == expected
    assert completed(command, str(data), "--avatars", "child_10", option, begin) == expected or option == "--avatars"


def test_where_there_is_no_sound_file_nothing_is_offered(tmp_path: Path) -> None:
    (tmp_path / "torn.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 90)
    for name in ("torn.h5", "none.h5", "."):
        assert completed("view", str(tmp_path / name), "--clip", "") == []


def test_files_are_completed_by_their_kind(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data.parent)
    Path("report.json").touch()
    assert completed("inspect", "") == ["data.h5"]
    assert completed("select", "data.h5", "--without-findings", "r") == ["report.json"]


def test_the_ids_of_checks_are_those_of_the_registry() -> None:
    assert set(check_ids()) == {*checks(), *(check.family for check in checks().values())}


def test_completion_imports_nothing_heavy() -> None:
    """Measured by what is imported, since time depends on what else the machine does: 0.3 s at most."""
    code = (
        "import sys, os\nos.environ.update(COMP_WORDS='mocapgen build --avatars t', COMP_CWORD='3', _MOCAPGEN_COMPLETE='bash_complete')\n"
        "from mocapgen.cli.main import main\n"
        "try: main([])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'h5py', 'scipy', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["plain,tall_man", "[]"]
