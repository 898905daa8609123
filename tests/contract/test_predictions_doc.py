"""``docs/predictions.md`` lists the file's arrays and attributes as the schema has them."""

import re

import pytest

from schemas.predictions import PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT, PREDICTIONS_VERSION, PredictConfig, PredictionAttributes
from trainer.predict.keypoints import LAYOUTS
from trainer.predict.tracks import MIN_JOINTS


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "predictions.md").read_text(encoding="utf-8")


def rows(page: str, header: str) -> list[list[str]]:
    body = page.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in body]


def test_every_array_is_listed(page):
    expected = [[array.path, array.dtype, ", ".join(map(str, array.shape)), array.unit, array.meaning] for array in PREDICTIONS_LAYOUT.arrays]
    assert rows(page, "array") == expected


def test_every_attribute_is_listed(page):
    found = rows(page, "attribute")
    assert [name for name, _ in found] == list(PredictionAttributes.model_fields)
    assert found[0][1] == PREDICTIONS_FORMAT
    assert PREDICTIONS_VERSION in found[1][1]


def test_defaults_and_layouts_are_those_of_the_code(page):
    plain = re.sub(r"\s+", " ", page)
    config = PredictConfig()
    assert f"`--min-confidence` ({config.min_confidence})" in plain
    assert f"`--gap` ({config.gap} s)" in plain
    assert f"at least {MIN_JOINTS} joints are seen" in plain
    assert all(f"`{layout}` (" in plain for layout in LAYOUTS)
