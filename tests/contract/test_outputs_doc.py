"""The table of docs/outputs.md: a row for each output of each command, and in it what tests/e2e/test_outputs.py tries."""

from pathlib import Path

import pytest

from tests.e2e.outputs import OUTPUTS, outputs_of_programs

COLUMNS = ("onto what it reads", "onto a folder", "onto a device, pipe or socket", "a link", "a file that is there", "full disk", "killed (SIGKILL)")
OF_A_FILE = (
    *("refused",) * 3,
    "stays, its target is written",
    "stays; `--overwrite` replaces it",
    "nothing changes",
    "old or new, whole",
)


@pytest.fixture(scope="module")
def rows(repository: Path) -> list[list[str]]:
    lines = (repository / "docs" / "outputs.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert tuple(cells[0][2:]) == COLUMNS
    return cells[2:]


def test_every_output_has_its_row_and_every_row_its_output(rows: list[list[str]]) -> None:
    shown = {(row[0], row[1].partition(",")[0].strip("`")) for row in rows}
    assert shown == set(outputs_of_programs()) == {(output.command, output.option) for output in OUTPUTS}


def test_rows_say_what_is_tried(rows: list[list[str]]) -> None:
    files = {(output.command, output.option) for output in OUTPUTS if output.kind == "file"}
    for row in rows:
        if row[1].endswith("a folder"):
            assert row[4] == "refused"
        else:
            assert (row[0], row[1].partition(",")[0].strip("`")) in files
            assert tuple(row[2:]) == OF_A_FILE
