"""``mocapgen info`` and the detection of foreign packages that bear our names."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mocapgen
from mocapgen.cli import info
from mocapgen.shared import distribution as _distribution

FOREIGN = {
    "package": ("schemas/__init__.py", "VERSION = '0.7.0'\n"),
    "module": ("schemas.py", "VERSION = '0.7.0'\n"),
    "package with our file names": ("schemas/__init__.py", "raise RuntimeError('foreign code ran')\n"),
}

HOME = Path(mocapgen.__file__).parents[1]
AGAIN = _distribution.AGAIN


def python(script: str, first_on_path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{first_on_path}{os.pathsep}{HOME}"}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=first_on_path, timeout=60)


@pytest.fixture(params=FOREIGN)
def foreign(request, tmp_path):
    """Folder with a foreign ``schemas``, as the distribution of that name would install it."""
    name, text = FOREIGN[request.param]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if "file names" in request.param:
        (path.parent / "errors.py").write_text("", encoding="utf-8")
    return tmp_path


def test_our_own_packages_are_found_beside_each_other():
    origins = {origin.name: origin for origin in _distribution.package_origins()}
    assert set(origins) == {"schemas", "mocapgen", "trainer"}
    for name, origin in origins.items():
        assert origin.found.resolve() == (HOME / name).resolve()
        assert not origin.shadowed
    assert _distribution.require_own_packages() is None


@pytest.mark.parametrize("arguments", [["--version"], ["build", "--dry-run", "--source", "sample", "--actions", "hop"]], ids=" ".join)
def test_the_command_line_minds_no_foreign_schemas(foreign, arguments):
    done = python(f"from mocapgen.cli.main import main; main({arguments!r})", foreign)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_python_interface_refuses_a_foreign_schemas(foreign):
    script = "import mocapgen\ntry:\n    mocapgen.BuildConfig\nexcept ImportError as error:\n    print(error)"
    done = python(script, foreign)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("package 'schemas': expected the one of mocapgen in ")


def test_a_foreign_trainer_is_reported_but_stops_nothing(tmp_path):
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").write_text("", encoding="utf-8")
    done = python("from mocapgen.cli.main import main; main(['info'])", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"package 'trainer': expected the one of mocapgen in {HOME / 'trainer'}" in done.stdout
    assert f"found {tmp_path / 'trainer'}" in done.stdout


def test_a_folder_without_code_does_not_shadow(tmp_path):
    (tmp_path / "schemas").mkdir()
    done = python("from mocapgen.cli.main import main; main(['--version'])", tmp_path)
    assert (done.returncode, done.stdout) == (0, f"mocapgen, version {mocapgen.__version__}\n")


def test_a_distribution_that_claims_the_same_package_is_named(tmp_path):
    metadata = tmp_path / "schemas-0.7.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: schemas\nVersion: 0.7.0\n", encoding="utf-8")
    (metadata / "top_level.txt").write_text("schemas\n", encoding="utf-8")
    done = python("from mocapgen.cli.info import package_problems; print(*package_problems(), sep='\\n')", tmp_path)
    assert done.stdout == f"package 'schemas': also installed by schemas; pip uninstall schemas, then {AGAIN}\n"


def test_a_folder_of_a_user_that_does_not_exist_is_shown(monkeypatch):
    monkeypatch.setenv("MOCAPGEN_HDM05", "~nobody.has.this.name/hdm05")
    assert info.data_places()["hdm05"] == "~nobody.has.this.name/hdm05 ($MOCAPGEN_HDM05, not there)"


def test_the_environment_is_complete(monkeypatch, tmp_path):
    monkeypatch.setenv("MOCAPGEN_HDM05", str(tmp_path))
    monkeypatch.delenv("MOCAPGEN_CMU", raising=False)
    found = info.environment()
    assert found["hdm05"] == f"{tmp_path} ($MOCAPGEN_HDM05, found)"
    assert "(fetch folder, " in found["cmu"]
    assert found["python"].split()[1] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"] == "schemas, mocapgen and trainer are this distribution's"
    assert all(found.values())


def test_versions_are_those_of_the_installed_distributions():
    versions = info.dependency_versions()
    assert versions["numpy"] == np.__version__
    assert "torch" in versions
    assert "pytest" not in versions


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 amx_bf16 sse\n\nprocessor : 1\n", ("avx2", "amx_bf16")),
        ("Features\t: fp asimd evtstrm\n", ("asimd",)),
        ("nothing known\n", ()),
    ],
)
def test_processor_flags(tmp_path, text, flags):
    (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")
    assert info.processor_flags(tmp_path / "cpuinfo") == flags
    assert info.processor_flags(tmp_path / "nothing") is None
