"""The exported JSON schemas are those of the models, complete and described."""

import json

import pytest

from schemas import dataset
from tools import export_schemas as export


def test_committed_files_are_up_to_date():
    assert export.drift() == (), "run python -m tools.export_schemas"


def test_check_tells_a_changed_a_missing_and_a_surplus_file(tmp_path, capsys):
    names = sorted(export.exported())
    assert export.main(["--folder", str(tmp_path)]) == 0
    assert export.main(["--check", "--folder", str(tmp_path)]) == 0
    (tmp_path / names[0]).write_text("{}", encoding="utf-8")
    (tmp_path / names[1]).unlink()
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert export.main(["--check", "--folder", str(tmp_path)]) == 1
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {names[0], names[1], "old.json"}
    assert export.main(["--folder", str(tmp_path)]) == 0
    assert export.drift(tmp_path) == ()


def objects(schema):
    yield schema
    yield from schema.get("$defs", {}).values()


@pytest.mark.parametrize("name", sorted(name for name in export.exported() if name.endswith(".schema.json")))
def test_every_field_is_described_and_unknown_keys_are_forbidden(name):
    for schema in objects(json.loads(export.exported()[name])):
        if schema.get("type") != "object":
            continue
        assert schema["additionalProperties"] is False, schema["title"]
        for field, content in schema["properties"].items():
            assert content.get("description"), f"{schema['title']}.{field}"


def test_the_exported_layout_is_valid_and_complete():
    layout = dataset.Layout.model_validate_json(export.exported()["dataset-layout.json"])
    assert layout == dataset.LAYOUT
    assert len({array.path for array in layout.arrays}) == len(layout.arrays)
