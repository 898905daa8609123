"""``docs/file-format.md`` lists the file's arrays and attributes as the schema has them, and its readers are short."""

from __future__ import annotations

import re

import pytest

from schemas.conventions import FILE_FORMAT, SCHEMA_VERSION
from schemas.dataset import CHUNK_FRAMES, LAYOUT, RootAttributes


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "file-format.md").read_text(encoding="utf-8")


def rows(page: str, header: str) -> list[list[str]]:
    """Return the rows of all tables with a header."""
    tables = [part.split("\n\n", 1)[0].splitlines()[1:] for part in page.split(f"| {header} |\n")[1:]]
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for lines in tables for line in lines]


def test_every_array_is_listed(page):
    expected = [[array.path, array.dtype, ", ".join(map(str, array.shape)) or "scalar", array.unit, array.meaning] for array in LAYOUT.arrays]
    assert rows(page, "array | type | shape | unit | meaning") == expected


def test_every_attribute_is_listed(page):
    found = rows(page, "attribute | type | meaning")
    kinds = {name: "f8" if field.annotation is float else "str" for name, field in RootAttributes.model_fields.items()}
    assert {name: kind for name, kind, _ in found} == kinds
    assert [name for name, _, _ in found] == list(kinds)
    assert f"`{FILE_FORMAT}`" in page
    assert f"schema {SCHEMA_VERSION};" in page
    assert f"chunks of {CHUNK_FRAMES} rows" in page


@pytest.mark.parametrize("language", ["python", "matlab", "julia"])
def test_reader_has_about_ten_lines(page, language):
    (reader,) = re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in reader.splitlines() if line.strip()]
    assert len(lines) <= 12
    for array in ("sequences/start", "sequences/length", "frames/positions_2d", "frames/positions_3d", "clips/id", "cameras/K"):
        assert array in reader
        assert f"/{array}" in {known.path for known in LAYOUT.arrays}
