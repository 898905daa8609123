"""Parts of a folder: found by what they define, without loading any."""

import sys

import pytest

from mocapgen.shared.parts import load_part, part_names
from schemas.errors import ConfigError


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "drawer").mkdir()
    texts = {
        "__init__": "raise RuntimeError('imported')",
        "spoon": "SIZE: int = 3\n",
        "fork": "import spoon\n\nSIZE = 4\n",
        "box": "# SIZE = 5\ndef f():\n    SIZE = 6\n",
        "_lid": "SIZE = 7\n",
        "open": "def SIZE():\n    pass\n",
        "other": "SIZES = 8\n",
    }
    for name, text in texts.items():
        (tmp_path / "drawer" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "drawer"
    part_names.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "drawer"]:
        del sys.modules[name]


def test_names_are_those_of_modules_that_define_it(package):
    assert part_names("drawer", "SIZE") == ("fork", "open", "spoon")
    assert part_names("drawer") == ("box", "fork", "open", "other", "spoon")
    assert "drawer" not in sys.modules


def test_a_part_is_loaded_by_its_name(package):
    (package / "__init__.py").write_text("")
    assert load_part("drawer", "SIZE", "spoon", "--size") == 3
    with pytest.raises(ConfigError, match=r"^--size: expected one of fork, open, spoon, found 'box'$"):
        load_part("drawer", "SIZE", "box", "--size")


@pytest.mark.parametrize(
    ("package", "defines", "names"),
    [
        ("mocapgen.sources", "SOURCE", "cmu folder hdm05 sample"),
        ("mocapgen.cameras.rigs", "place", "front orbit random"),
        ("mocapgen.export", "EXPORTER", "bvh csv gltf mmpose npz parquet trc videopose3d"),
        ("mocapgen.formats", "FORMAT", "amass asf_amc bvh c3d glb gltf trc"),
        ("trainer.model.networks", "NETWORK", "cvmnet stmixer symmixer videopose"),
    ],
)
def test_parts_of_this_project(package, defines, names):
    assert part_names(package, defines) == tuple(names.split())
