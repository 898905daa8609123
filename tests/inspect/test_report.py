"""The report holds everything that was found, is a valid page that needs nothing else, and names in it are text."""

from __future__ import annotations

import re
import shlex
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from mocapgen import open_dataset
from mocapgen.cli.main import cli
from mocapgen.inspect.registry import checks
from mocapgen.inspect.report import report_page
from mocapgen.inspect.report_findings import Places, findings_section
from mocapgen.inspect.report_html import first_sentence, inline, paragraphs
from mocapgen.inspect.run import Survey, survey
from mocapgen.inspect.thumbnails import thumbnails
from mocapgen.shared.text import printable
from mocapgen.store.joint_tree import JointTree
from mocapgen.view import PlayerSequence
from mocapgen.view.page import player_parts
from schemas.inspection import CheckResult, Finding, Inspection, Summary
from tests.contract.test_documented_commands import accept
from tests.inspect.defects import all_defects
from tests.view.conftest import unpack

NASTY = "</script><img src=x onerror=alert(1)>\"'&amp;{{css}}\u202e漢"
PLANTED = ("motion.speed_spike", "structure.not_finite", "camera.projection", "kinematics.quaternion_norm", "dataset.duplicates", "structure.unknown")
VOID = {"meta", "link", "img", "input", "br", "hr"}
SHAPES = {"path", "rect", "circle", "polygon", "line"}


class Page(HTMLParser):
    """A page, parsed: elements, what stands in tables, and complaints about markup that a browser would have to mend."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.complaints: list[str] = []
        self.cells: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        self.complaints += [f"{tag} is left open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) < len(attrs):
            self.complaints.append(f"{tag} has an attribute twice")
        if tag in ("p", "div", "table", "details", "section") and "p" in self.open[-1:]:
            self.complaints.append(f"{tag} in a p")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID | SHAPES:
            self.complaints.append(f"{tag} closes itself")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.complaints.append(f"{tag} closes something else, at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for found, attributes in self.elements if found == tag and attributes.get(name) is not None]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def damaged(clean_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with several things wrong with it, and names that are markup."""
    path = Path(shutil.copy(clean_files["unity"], tmp_path_factory.mktemp("damaged") / "data #1 é.h5"))
    with h5py.File(path, "r+") as file:
        for check in PLANTED:
            next(defect for defect in all_defects() if defect.check == check).plant(file)
        for name in ("id", "action", "actor"):
            file[f"/clips/{name}"][0] = NASTY
    return path


@pytest.fixture(scope="module")
def found(damaged: Path) -> Survey:
    return survey(damaged, workers=1, measuring=True, threshold="info")


@pytest.fixture(scope="module")
def page(found: Survey, damaged: Path) -> str:
    return report_page(found, damaged)


def rows(page: str) -> list[str]:
    """The rows of the tables of findings."""
    return [
        row for table in re.findall(r'<table class="findings">(.*?)</table>', page) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", table)
    ]


def shown(html: str) -> str:
    return Page(html).text


def test_every_finding_is_there_in_the_order_of_the_inspection(found, page):
    inspection, there = found.inspection, rows(page)
    assert len(inspection.findings) == len(there) > 20
    assert {finding.check for finding in inspection.findings} >= set(PLANTED)
    left = Counter(shown(row) for row in there)
    for finding in inspection.findings:
        match = next((row for row in left if left[row] and says(row, finding)), None)
        assert match, finding
        left[match] -= 1
    assert re.findall(r'<details class="check" data-check="([^"]+)"', page) == list(dict.fromkeys(finding.check for finding in inspection.findings))


def says(row: str, finding: Finding) -> bool:
    """Whether a row, as text, tells of a finding: place, message, avatar, frame and joint."""
    message = printable(finding.message.removeprefix(f"{finding.joint}: ") if finding.joint else finding.message)
    wanted = [" ".join(message.split()), printable(finding.clip or finding.where), finding.avatar, finding.joint]
    frame = "" if finding.frame is None else f" {finding.frame:,} "
    return all(word in row for word in wanted) and frame in f"{row} "


def test_the_page_is_valid_and_asks_for_nothing(page):
    parsed = Page(page)
    assert parsed.complaints == []
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids)) > 60
    player = unpack(page).header
    lengths = {row["number"]: row["frames"] for row in player["sequences"]}
    for link in parsed.all("a", "href"):
        moment = re.fullmatch(r"#sequence=(\d+)(?:&frame=(\d+))?(?:&joint=[\w%.-]+)?", link)
        assert (int(moment[2] or 0) < lengths[int(moment[1])]) if moment else (link[:1] == "#" and link[1:] in ids), link
    for name in ("src", "action", "data", "poster", "srcset"):
        assert [value for tag, attributes in parsed.elements for key, value in attributes.items() if key == name] == [], name
    assert parsed.all("link", "href") == ["data:,"]
    assert not re.search(r"https?://|url\(|@import", page.partition("</head>")[0] + re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    assert [key for _, attributes in parsed.elements for key in attributes if key.startswith("on")] == []
    labels = set(parsed.all("section", "aria-labelledby"))
    assert labels <= set(ids)
    tables = [attributes for tag, attributes in parsed.elements if tag == "table"]
    assert len(tables) == sum(tag == "caption" for tag, _ in parsed.elements)
    assert set(parsed.all("th", "scope")) == {"col", "row"}
    assert len(parsed.all("th", "scope")) == sum(tag == "th" for tag, _ in parsed.elements)


def test_names_are_text(page):
    parsed = Page(page)
    assert [tag for tag, _ in parsed.elements if tag == "img"] == []
    assert sum(tag == "script" for tag, _ in parsed.elements) == 4  # the player's data in three parts, and the script of the page
    assert "\u202e" not in page
    assert printable(NASTY) in parsed.text


def test_the_summary_is_that_of_the_file(page, found, damaged):
    parsed, summary = Page(page).text, found.inspection.summary
    for said in (damaged.name, f"{summary.frames:,} frames", f"{summary.sequences} sequences", "policy default", "30 frames/s", "2 avatars"):
        assert said in parsed or " ".join(reversed(said.split(" ", 1))) in parsed, said
    for severity in ("error", "warning"):
        assert f"{found.inspection.count(severity):,} {severity}s" in parsed
    for caption in ("By action", "By actor", "By avatar"):
        assert caption in parsed
    assert re.search(rf"average_man</th><td[^>]*>{summary.clips}</td>", page)


def test_each_check_is_explained_where_its_findings_are(page, found):
    ids = {id for id, check in checks().items() if "dataset" in check.kinds}
    assert {result.id for result in found.inspection.checks} == ids
    parsed = shown(page)
    for id in ids:
        assert f'id="check-{id.replace(".", "-").replace("_", "-")}"' in page
        assert shown(inline(paragraphs()[id])) in parsed
    for id in PLANTED:
        assert len(first_sentence(id)) > 20
        assert f'data-check="{id}"' in page


def test_links_of_a_finding_lead_to_its_moment(page, found):
    spike = next(finding for finding in found.inspection.findings if finding.check == "motion.speed_spike")
    assert f'href="#sequence={spike.sequence}&amp;frame={spike.frame}&amp;joint={spike.joint}"' in page


def test_a_finding_has_a_picture_of_its_moment(page, found, damaged):
    spike = next(finding for finding in found.inspection.findings if finding.check == "motion.speed_spike")
    part = page[page.index('data-check="motion.speed_spike"') :]
    picture = part[part.index("<svg") : part.index("</svg>")]
    with open_dataset(damaged) as data:
        pixels = data[spike.sequence]["positions_2d"][spike.frame].astype(float)
        joint = data.skeletons[spike.avatar].names.index(spike.joint)
    x, y = (float(re.search(rf'<circle.* c{axis}="([\d.]+)"', picture)[1]) for axis in "xy")
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    assert (x, y) == pytest.approx(22.0 + 34.0 / (high - low).max() * (pixels[joint] - (low + high) / 2.0), abs=0.06)
    assert picture.count("M") == len(pixels) - 1  # as many bones as joints that have a parent


def test_a_moment_without_a_place_has_no_picture():
    tree, camera = JointTree(("a", "LeftHand"), (-1, 0)), None
    pixels = np.array([[[0.0, 0.0], [1.0, 2.0]], [[np.nan] * 2] * 2, [[5.0, 5.0], [np.nan] * 2]])
    sequence = PlayerSequence(3, {}, "", camera, 30.0, tree, np.zeros((3, 2, 3)), pixels)
    drawn = thumbnails(sequence, [(3, 0, "LeftHand"), (3, 1, ""), (3, 2, "LeftHand"), (3, 9, ""), (4, 0, "")])
    assert set(drawn) == {(3, 0, "LeftHand"), (3, 2, "LeftHand")}
    assert '<path class="l" d="M13.5 5.0L30.5 39.0"/><circle cx="30.5" cy="39.0"' in drawn[3, 0, "LeftHand"]
    assert "<path" not in drawn[3, 2, "LeftHand"]


def test_the_foot_says_how_the_page_was_made(page, damaged):
    command = shown(re.search(r"<footer.*?<code>(.*?)</code>", page)[1])
    accept(command)
    assert shlex.split(command) == ["mocapgen", "inspect", damaged.name, "--threshold", "info", "--html", "report.html"]


def test_columns_of_which_there_is_nothing_are_left_out():
    own = {"title": "t", "severity": "info", "unit": "", "explain": "", "limits": {}, "findings": 1}
    results = tuple(CheckResult(id=id, **own) for id in ("dataset.balance", "motion.jitter"))
    findings = (
        Finding(check="dataset.balance", severity="info", message="m", where="/clips", value=2.0),
        Finding(check="motion.jitter", severity="info", message="m", clip="c", frame=3, joint="Hips"),
    )
    summary = Summary(size=1)
    inspection = Inspection(
        file="x.h5", sha256="0", generator="g", policy="default", threshold="warning", summary=summary, checks=results, findings=findings, notes=()
    )
    section = findings_section(inspection, Places("x.h5", {}, frozenset(), frozenset(), {}))
    heads = [re.findall(r'<th scope="col"[^>]*>([^<]+)', head) for head in re.findall(r"<thead>.*?</thead>", section)]
    assert heads == [["Where and what", "Value"], ["Where and what", "Frame", "Joint"]]


def test_the_player_begins_with_the_worst_and_has_all_with_findings(page, found):
    header = unpack(page).header
    assert header["start"]["sequence"] == next(finding.sequence for finding in found.inspection.findings if finding.sequence is not None)
    assert {finding.sequence for finding in found.inspection.findings} - {None} <= {row["number"] for row in header["sequences"]}


def test_the_player_has_some_without_findings(damaged):
    found = survey(damaged, workers=1, measuring=True, select="motion.speed_spike")
    (sequence,) = {finding.sequence for finding in found.inspection.findings}
    header = unpack(report_page(found, damaged)).header
    assert header["start"]["sequence"] == sequence
    assert len(header["sequences"]) == 1 + 12


def test_what_does_not_fit_into_the_player_comes_with_a_command_that_shows_it(found, damaged):
    empty = player_parts([], "").size
    page = report_page(found, damaged, player_bytes=empty + 30_000)
    there = {row["number"] for row in unpack(page).header["sequences"]}
    assert 0 < len(there) < 8
    assert {int(number) for number in re.findall(r'href="#sequence=(\d+)', page)} <= there
    commands = [re.sub(r"&lt;.*", "", found_) for found_ in re.findall(r'<details class="elsewhere">.*?<code>(.*?)</code>', page)]
    assert commands
    for command in {shown(command) for command in commands if "&" not in command}:
        accept(command)
        words = shlex.split(command)
        assert words[:3] == ["mocapgen", "view", damaged.name]
        moments = [(finding.clip, finding.avatar, finding.frame or 0) for finding in found.inspection.findings]
        assert (words[words.index("--clip") + 1], words[words.index("--avatars") + 1], int(words[words.index("--frame") + 1])) in moments
    missing = {finding.sequence for finding in found.inspection.findings if finding.sequence is not None} - there
    assert f"{len(missing)} sequences with findings did not fit" in page


def test_the_size_is_bounded_however_much_is_found():
    result = CheckResult(
        id="motion.speed_spike", title="t", severity="warning", unit="m/s", explain="", limits={}, findings=9000, sequences=9000, clips=1800
    )
    findings = tuple(
        Finding(check=result.id, severity="warning", message="m" * 100, sequence=5 * n + k, clip=f"c{n}", avatar=f"a{k}", frame=7, value=9e3 - n)
        for n in range(200)
        for k in range(5)
    )
    summary = Summary(size=1)
    inspection = Inspection(
        file="x.h5", sha256="0", generator="g", policy="default", threshold="warning", summary=summary, checks=(result,), findings=findings, notes=()
    )
    places = Places("x.h5", {}, frozenset(range(1000)), frozenset(range(500)), {})
    whole = findings_section(inspection, places)
    assert len(rows(whole)) == 1000
    assert "8,000 more, none of them worse" in whole
    some = findings_section(inspection, places, most_bytes=100_000)
    assert len(some.encode()) < 102_000
    kept = len(rows(some))
    assert 100 < kept < 1000
    assert f"{9000 - kept:,} more, none of them worse" in some
    assert re.findall(r"<b>(c\d+)</b>|>(c\d+)</a>", some)[0] == ("", "c0")
    assert "+4 avatars" in some


@pytest.mark.parametrize("path", ["/clips", "/frames/positions_3d", "/skeletons", "/sequences/camera"])
def test_files_with_parts_missing_have_a_report(path, clean, tmp_path):
    broken = Path(shutil.copy(clean, tmp_path / "broken.h5"))
    with h5py.File(broken, "r+") as file:
        del file[path]
    found = survey(broken, workers=1, measuring=True, select="structure,camera")
    page = report_page(found, broken)
    assert Page(page).complaints == []
    assert found.inspection.exit_status == 1
    assert len(rows(page)) == len(found.inspection.findings)


def test_a_clean_file_says_so(clean):
    found = survey(clean, workers=1, measuring=True)
    page = report_page(found, clean)
    assert "Nothing was found by" in page
    assert '<p class="verdict mp-tag mp-good">nothing found</p>' in page
    assert Page(page).complaints == []
    assert len(unpack(page).header["sequences"]) == 12


def test_the_same_file_makes_the_same_page(clean):
    one, two = (report_page(survey(clean, workers=count, measuring=True, select="dataset"), clean) for count in (1, 2))
    assert one == two


def inspected(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["inspect", *map(str, arguments), "--workers", "1", "--select", "structure.rows"], standalone_mode=False)


def test_the_command_writes_it_whole_and_replaces_nothing_unasked(clean, tmp_path):
    target = tmp_path / "report.html"
    assert inspected(clean, "--html", target).return_value == 0
    page = target.read_bytes()
    assert page.startswith(b"<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert "say overwrite=True" in str(inspected(clean, "--html", target).exception)
    assert inspected(clean, "--html", target, "--json", tmp_path / "found.json", "--overwrite").return_value == 0
    assert target.read_bytes() == page
    assert (tmp_path / "found.json").is_file()


def test_the_command_refuses_targets_that_cannot_be(clean, tmp_path):
    copy = Path(shutil.copy(clean, tmp_path / "data.h5"))
    before = copy.read_bytes()
    assert "expected another file" in str(inspected(copy, "--html", copy, "--overwrite").exception)
    assert "expected different files to write" in str(inspected(copy, "--html", tmp_path / "a", "--json", tmp_path / "a").exception)
    assert "expected an existing folder" in str(inspected(copy, "--html", tmp_path / "none" / "a.html").exception)
    assert copy.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["data.h5"]
