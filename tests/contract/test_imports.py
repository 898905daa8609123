"""The import rule, as contracts of import-linter and as text, and what a start of the command line may load."""

import ast
import os
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

import mocapgen.cli.main
import trainer.cli.main
from tests.conftest import commands_of

HEAVY = ("numpy", "scipy", "h5py", "torch", "pydantic", "rich", "yaml", "ezc3d", "dask", "distributed")
PACKAGES = ("schemas", "mocapgen", "trainer")

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache', '--no-logo'])"


def lint_imports(folder):
    """Return exit status and output of lint-imports, run in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run([sys.executable, "-c", LINT], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


@pytest.fixture
def copied(repository, tmp_path):
    """Return a copy of the packages' source text, with the contracts."""
    shutil.copy(repository / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(repository / package, tmp_path / package, ignore=lambda folder, names: [n for n in names if "." in n and n[-3:] != ".py"])
    return tmp_path


def circle(modules):
    """Return the modules of a circle of imports, packages' own files included; empty if there is none."""
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def module_imports():
    """Return the modules that each module imports, those imported inside functions or for types included."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_contracts_hold(repository):
    status, output = lint_imports(repository)
    assert status == 0, output


@pytest.mark.parametrize(
    ("file", "added", "message"),
    [
        ("schemas/camera.py", "import mocapgen.core.motion", "schemas.camera -> mocapgen.core.motion"),
        ("mocapgen/core/motion.py", "def f():\n    from trainer.cli.main import main", "mocapgen.core.motion -> trainer.cli.main"),
        ("trainer/fit.py", "from mocapgen.core.motion import Motion", "trainer.fit -> mocapgen.core.motion"),
        ("trainer/fit.py", "from mocapgen import read", "trainer.fit -> mocapgen "),
        (
            "mocapgen/core/motion.py",
            "if TYPE_CHECKING:\n    from mocapgen.store.reader import Dataset",
            "mocapgen.core is not allowed to import mocapgen.store",
        ),
        ("mocapgen/pipeline.py", "def f():\n    import mocapgen", "mocapgen.pipeline -> mocapgen "),
        ("mocapgen/core/skeleton.py", "def f():\n    from mocapgen.core import motion", "No cycles are allowed in mocapgen.core"),
        ("trainer/data/dataset.py", "if TYPE_CHECKING:\n    from trainer.data.splits import Split", "No cycles are allowed in trainer.data"),
    ],
    ids=lambda value: value.split("\n")[-1].strip(),
)
def test_a_forbidden_import_or_a_circle_is_found(copied, file, added, message):
    (copied / file).write_text(f"{(copied / file).read_text()}\n\n{added}\n")
    status, output = lint_imports(copied)
    assert status == 1
    assert message in output


def test_no_module_is_in_a_circle():
    assert circle(module_imports()) == []


def test_a_circle_of_a_package_with_its_module_is_found():
    imports = module_imports()
    assert "mocapgen.sources.base" in imports["mocapgen.sources"]
    added = {"mocapgen.sources": imports["mocapgen.sources"], "mocapgen.sources.base": {"mocapgen.sources"}}
    assert set(circle(added)) == {"mocapgen.sources", "mocapgen.sources.base"}


def imported_modules(text):
    """Return the modules that a text imports from anywhere, also inside functions and by import_module("name")."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def violations(text, package):
    """Return what a module of `package` imports against the rule, imports by name and by packages of others included."""
    imports = imported_modules(text)
    if package == "schemas":
        return {name for name in imports if name.split(".")[0] not in {"schemas", "pydantic"} | sys.stdlib_module_names}
    if package == "mocapgen":
        return {name for name in imports if name.split(".")[0] == "trainer"}
    return {name for name in imports if name.split(".")[0] == "mocapgen" and not name.startswith("mocapgen.shared.")}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_keeps_the_import_rule(repository, package):
    modules = sorted((repository / package).rglob("*.py"))
    assert modules
    wrong = {str(path.relative_to(repository)): violations(path.read_text(encoding="utf-8"), package) for path in modules}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("package", "text", "wrong"),
    [
        ("schemas", "import numpy as np", {"numpy"}),
        ("schemas", "from pydantic import BaseModel\nimport json\nfrom . import base", set()),
        ("schemas", "import mocapgen.motion", {"mocapgen.motion"}),
        ("mocapgen", "def f():\n    from trainer.cli.main import main", {"trainer.cli.main"}),
        ("mocapgen", "import importlib\nimportlib.import_module('trainer.fit')", {"trainer.fit"}),
        ("trainer", "from mocapgen import read", {"mocapgen"}),
        ("trainer", "import importlib\nimportlib.import_module('mocapgen.core.motion')", {"mocapgen.core.motion"}),
        ("trainer", "import torch\nfrom schemas.config import BuildConfig\nfrom mocapgen.shared.files import write_file", set()),
    ],
)
def test_the_rule_notices(package, text, wrong):
    assert violations(text, package) == wrong


def loaded_by_help(module: str, arguments: list[str]) -> list[str]:
    script = (
        "import sys\n"
        f"sys.argv = ['program', *{arguments!r}]\n"
        f"from {module} import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        f"print('LOADED', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert "Usage: " in done.stdout
    return ast.literal_eval(done.stdout.rsplit("LOADED", 1)[1].strip())


MOCAPGEN_HELP = [[], ["--help"], *([name, "-h"] for name in sorted(commands_of(mocapgen.cli.main.cli)))]


@pytest.mark.parametrize("arguments", MOCAPGEN_HELP, ids=" ".join)
def test_help_of_mocapgen_loads_nothing_heavy(arguments):
    assert loaded_by_help("mocapgen.cli.main", arguments) == []


@pytest.mark.parametrize("arguments", [["--help"], *([name, "-h"] for name in sorted(commands_of(trainer.cli.main.cli)))], ids=" ".join)
def test_help_of_trainer_loads_nothing_heavy(arguments):
    assert loaded_by_help("trainer.cli.main", arguments) == []


def test_import_of_mocapgen_loads_nothing_heavy():
    script = f"import sys, mocapgen; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ast.literal_eval(done.stdout) == []
