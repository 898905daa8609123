"""The import rule, read from the source text, and what a start of the command line may load."""

import ast
import subprocess
import sys

import pytest

import mocapgen.cli.main
import trainer.cli.main

OWN = {"schemas", "mocapgen", "trainer"}
ALLOWED_OWN = {"schemas": {"schemas"}, "mocapgen": {"schemas", "mocapgen"}, "trainer": {"schemas", "trainer"}}
HEAVY = ("numpy", "scipy", "h5py", "torch", "pydantic", "rich", "yaml", "ezc3d")


def imported_packages(source: str, package: str) -> set[str]:
    """Return the top-level packages that a module of `package` imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(package if node.level else str(node.module).split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value.split(".")[0])
    return found


def violations(source: str, package: str) -> set[str]:
    """Return what a module of `package` imports against the rule."""
    imports = imported_packages(source, package)
    wrong = imports & OWN - ALLOWED_OWN[package]
    if package == "schemas":
        wrong |= imports - {"schemas", "pydantic"} - sys.stdlib_module_names
    return wrong


@pytest.mark.parametrize("package", sorted(OWN))
def test_every_module_keeps_the_import_rule(repository, package):
    modules = sorted((repository / package).rglob("*.py"))
    assert modules
    wrong = {str(path.relative_to(repository)): violations(path.read_text(encoding="utf-8"), package) for path in modules}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("package", "source", "wrong"),
    [
        ("schemas", "import numpy as np", {"numpy"}),
        ("schemas", "from pydantic import BaseModel\nimport json\nfrom . import base", set()),
        ("schemas", "import mocapgen.motion", {"mocapgen"}),
        ("mocapgen", "def f():\n    from trainer.cli.main import main", {"trainer"}),
        ("mocapgen", "import importlib\nimportlib.import_module('trainer.fit')", {"trainer"}),
        ("trainer", "from mocapgen import read", {"mocapgen"}),
        ("trainer", "import torch\nfrom schemas.config import BuildConfig", set()),
    ],
)
def test_the_rule_notices(package, source, wrong):
    assert violations(source, package) == wrong


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


MOCAPGEN_HELP = [[], ["--help"], *([name, "-h"] for name in sorted(mocapgen.cli.main.cli.commands))]


@pytest.mark.parametrize("arguments", MOCAPGEN_HELP, ids=" ".join)
def test_help_of_mocapgen_loads_nothing_heavy(arguments):
    assert loaded_by_help("mocapgen.cli.main", arguments) == []


@pytest.mark.parametrize("arguments", [["--help"], *([name, "-h"] for name in sorted(trainer.cli.main.cli.commands))], ids=" ".join)
def test_help_of_trainer_loads_nothing_heavy(arguments):
    assert loaded_by_help("trainer.cli.main", arguments) == []


def test_import_of_mocapgen_loads_nothing_heavy():
    script = f"import sys, mocapgen; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ast.literal_eval(done.stdout) == []
