"""``docs/conventions.md`` says what ``schemas/conventions.py`` says."""

import re

import pytest

from schemas import conventions


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "conventions.md").read_text(encoding="utf-8")


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("`", ""))


def table(page: str, heading: str) -> list[list[str]]:
    """Return the rows, below the header, of the table that follows a heading."""
    section = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows[2:]]


def name_or_none(cell: str) -> str | None:
    return None if cell == "-" else cell


@pytest.mark.parametrize("frame", conventions.CAMERA_FRAMES)
def test_every_sentence_of_the_file_attributes_stands_on_the_page(page, frame):
    for name, sentence in conventions.file_conventions(frame).items():
        assert plain(sentence) in plain(page), name


def test_coordinate_systems_have_the_right_axes(page):
    rows = {row[0]: row[2] for row in table(page, "Coordinate systems")}
    unity, opencv = (conventions.file_conventions(frame) for frame in ("unity", "opencv"))
    assert rows["world"] == conventions.WORLD_FRAME
    assert rows["camera, `unity` (default)"] == unity["camera_axes"]
    assert rows["camera, `opencv"] == opencv["camera_axes"]
    assert rows["body, in `unity` files"] == unity["body_axes"]
    assert rows["body, in `opencv` files"] == opencv["body_axes"]
    assert rows["image"] == f"{unity['pixels']}; pixels"


def test_joint_table(page):
    rows = table(page, "Joints")
    assert [(joint, name_or_none(parent)) for joint, parent, _ in rows] == list(conventions.JOINT_PARENTS.items())
    assert {joint for joint, _, end in rows if end == "yes"} == conventions.END_POINTS


def test_joint_set_table(page):
    rows = table(page, "Joint set `h36m17`")
    assert [(name, joint) for name, joint, _, _ in rows] == list(conventions.H36M17.items())
    assert {name: name_or_none(parent) for name, _, parent, _ in rows} == conventions.H36M17_PARENTS
    groups = {group: tuple(name for name, _, _, found in rows if found == group) for group in conventions.H36M17_GROUPS}
    assert {group: set(names) for group, names in groups.items()} == {group: set(names) for group, names in conventions.H36M17_GROUPS.items()}
    assert [name for name, _, _, group in rows if group == "-"] == ["spine"]
