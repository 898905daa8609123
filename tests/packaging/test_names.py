"""``schemas`` and ``trainer`` are names that others use, too: the installed commands work beside a file or another distribution called so."""

import pytest

from tests.packaging.conftest import asked_for, make_environment

FOREIGN = "raise RuntimeError('foreign code ran')\n"
BUILD = ["build", "--source", "sample", "--actions", "hop", "--avatars", "average_man"]

SPAWN = """
import sys
from mocapgen.entry import mocapgen
from mocapgen.shared.distribution import own_packages_first
with own_packages_first():
    from mocapgen.shared import parallel
parallel._may_fork = lambda: False
sys.argv = ["mocapgen", *sys.argv[1:]]
mocapgen()
"""


@pytest.fixture
def environment(environment, wheel):
    """An environment with all that ``trainer`` needs, without the distribution."""
    environment.provide(asked_for(wheel, "train"))
    return environment


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(request, wheel, repository, tmp_path_factory):
    """An environment with the distribution, and a folder with files of the user's own."""
    made = make_environment(tmp_path_factory.mktemp(request.param))
    made.provide(asked_for(wheel, "train"))
    if request.param == "editable":
        made.provide(["hatchling", "hatch-fancy-pypi-readme", "editables"])
        made.install("--editable", repository)
    else:
        made.install(wheel)
    for name in ("trainer.py", "schemas.py"):
        (made.folder / name).write_text(FOREIGN, encoding="utf-8")
    return made


@pytest.mark.parametrize(
    "command", [["trainer", "models"], ["mocapgen", "train", "models"], ["python", "-m", "mocapgen", "train", "models"]], ids=" ".join
)
def test_the_users_own_files_of_these_names_change_nothing(installed, command):
    plain = installed.run("trainer", "models")
    done = installed.run(*command, path=".")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == plain.stdout
    assert "default" in done.stdout


def test_nor_do_they_for_worker_processes(installed):
    (installed.folder / "spawn.py").write_text(SPAWN, encoding="utf-8")
    done = installed.run("python", "spawn.py", *BUILD, "--workers", 2, "--out", "data.h5", path=".")
    assert (done.returncode, done.stderr) == (0, "")
    assert (installed.folder / "data.h5").exists()


def test_a_script_is_told_that_its_own_file_hides_ours(installed):
    done = installed.run("python", "-c", "import mocapgen; mocapgen.BuildConfig", path=".")
    assert done.stderr.splitlines()[-1].endswith("(pip uninstall schemas, or check PYTHONPATH and the current folder)")
    assert f"found {installed.folder}" in done.stderr or "found schemas.py" in done.stderr


@pytest.mark.parametrize("name", ["schemas", "trainer"])
def test_a_distribution_of_the_name_that_came_first_changes_nothing(environment, neighbour, wheel, name):
    environment.install(neighbour(name, {f"{name}/__init__.py": FOREIGN, f"{name}/other.py": ""}))
    environment.install(wheel)
    done = environment.run("trainer", "models")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["schemas", "trainer"])
def test_a_distribution_that_overwrites_ours_is_named_and_the_advice_helps(environment, neighbour, wheel, name):
    environment.install(wheel)
    environment.install(neighbour(name, {f"{name}/__init__.py": FOREIGN}))
    told = (
        f"{name}/__init__.py: expected mocapgen's file, found that of {name}; "
        f"pip uninstall {name}, then install mocapgen again with pip's --force-reinstall --no-deps\n"
    )
    for command in (["trainer", "models"], ["mocapgen", "train", "models"]):
        done = environment.run(*command)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(f"{command[0]}: error: ")
        assert done.stderr.endswith(told)
    environment.pip("uninstall", "--yes", name)
    assert "found nothing; install mocapgen again" in environment.run("trainer", "models").stderr
    environment.install("--force-reinstall", wheel)
    assert environment.run("trainer", "models").returncode == 0


def test_what_needs_no_trainer_works_without_it_and_info_tells(environment, neighbour, wheel):
    environment.install(wheel)
    environment.install(neighbour("trainer", {"trainer/__init__.py": FOREIGN, "trainer/fit.py": FOREIGN}))
    assert environment.run("mocapgen", "skeletons").returncode == 0
    done = environment.run("mocapgen", "info")
    assert (done.returncode, done.stderr) == (0, "")
    assert "trainer/__init__.py: expected mocapgen's file, found that of trainer; pip uninstall trainer, then install" in done.stdout
    told = "not as installed: trainer/__init__.py, trainer/fit.py; install mocapgen again with pip's --force-reinstall --no-deps"
    assert told in done.stdout.replace("\\", "/")
