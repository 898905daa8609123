"""One hostile name through every output of both programs."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mocapgen import BuildConfig, build
from mocapgen.cli import main as mocapgen
from mocapgen.shared.text import LONGEST_LINE, printable
from tests.conftest import commands_of
from tests.hostile import FILE_NAME, NAME, rename
from trainer.cli import main as trainer

NEEDS_NO_FILE = {"fetch", "info", "skeletons", "models"}
"""Commands that show no names but those of the package, their own arguments and the folders of the user."""
TRIED = {"mocapgen": set(), "trainer": set()}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A dataset and a run: ``data.h5``, names in it hostile; ``joints.h5``, those of the joints too; a file and a run that are called so."""
    pytest.importorskip("torch")
    from schemas.train import TrainConfig
    from trainer.fit import fit

    folder = tmp_path_factory.mktemp("hostile")
    plain = folder / "plain.h5"
    who = {"actors": ("sa", "sb"), "actions": ("kick",), "avatars": ("average_man",)}
    build(BuildConfig(source="sample", select="one-per-actor", camera="orbit:2", workers=1, out=plain, **who))
    rename(plain, folder / "data.h5")
    rename(plain, folder / "joints.h5", joints=True)
    rename(plain, folder / f"{FILE_NAME}.h5")
    sizes = {"model_settings": {"width": 16, "depth": 1}, "normalisation": "image", "head": "direct", "epochs": 1, "batch_size": 4, "threads": 1}
    fit(folder / "data.h5", TrainConfig(model="cvmnet", split="random", device="cpu", **sizes), folder / f"run{FILE_NAME}")
    return folder


@pytest.fixture
def run(place, capsys, monkeypatch):
    """Run a command in that place: arguments to what it printed. Nothing that it prints does anything to a terminal, and an error is a line."""
    monkeypatch.chdir(place)

    def call(program, *arguments, status=0):
        with pytest.raises(SystemExit) as end:
            {"mocapgen": mocapgen, "trainer": trainer}[program].main([str(argument) for argument in arguments])
        TRIED[program].add(arguments[0])
        captured = capsys.readouterr()
        assert end.value.code == status, captured.err
        for line in (captured.out + captured.err).split("\n"):
            assert printable(line) == line
        if status == 2:
            assert captured.err.count("\n") == 1
            assert len(captured.err) <= LONGEST_LINE + 1
        return captured.out

    return call


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.run, self.inside = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag == "script" and "type" not in dict(attrs) else ""

    def handle_data(self, data):
        if self.inside:
            self.run.append(data)


def harmless_page(path: Path) -> None:
    page = Tags(path.read_text(encoding="utf-8"))
    assert not [tag for tag, attributes in page.tags if any(name.startswith("on") for name in attributes) or attributes.get("src") == "x"]
    assert not [script for script in page.run if "hacked" in script]
    (policy,) = [attributes["content"] for _, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def harmless_markdown(text: str) -> None:
    assert printable(text.replace("\n", "")) == text.replace("\n", "")
    text = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "code", text)
    assert "<" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    widths = []
    for line in text.splitlines():
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)))
            assert widths[-1] == widths[0]
        else:
            widths = []


@pytest.mark.parametrize("file", ["data", "joints", FILE_NAME])
def test_inspect_and_view(run, place, file):
    name = f"{file}.h5"
    found = 1 if file == "joints" else 0  # names of joints that are none
    run("mocapgen", "inspect", name, "-v", "--html", "inspect.html", "--json", "inspect.json", "--overwrite", status=found)
    harmless_page(place / "inspect.html")
    assert json.loads((place / "inspect.json").read_text())["summary"]["generator"] == NAME
    assert json.loads(run("mocapgen", "inspect", name, "--json", "-", status=found))["summary"]["generator"] == NAME
    run("mocapgen", "view", name, "--out", "view.html", "--overwrite")
    harmless_page(place / "view.html")
    run("mocapgen", "view", name, "--out", "none.html", "--clip", NAME + NAME, status=2)


def test_select_and_merge(run, place):
    run("mocapgen", "select", "data.h5", "--limit", 1, "--out", f"{FILE_NAME}select.h5")
    run("mocapgen", "select", "data.h5", "--actions", "none", "--out", "none.h5", status=2)
    run("mocapgen", "merge", "data.h5", "plain.h5", "--out", f"{FILE_NAME}merge.h5")
    run("mocapgen", "merge", "data.h5", "joints.h5", "--out", "none.h5", status=2)


NEEDED = {"gltf": "pygltflib", "parquet": "pyarrow"}
"""Packages that formats want."""


@pytest.mark.parametrize("file", ["data", "joints"])
@pytest.mark.parametrize("format", ["bvh", "csv", "gltf", "mmpose", "npz", "parquet", "trc", "videopose3d"])
def test_exports(run, place, file, format):
    if format in NEEDED:
        pytest.importorskip(NEEDED[format])
    out = place / f"{file}-{format}"
    if format == "npz":
        run("mocapgen", "export", f"{file}.h5", "--format", format, "--out", f"{out}.npz", "-v")
        with np.load(f"{out}.npz") as arrays:
            assert all(printable(name) == name for name in arrays)
        return
    if format == "parquet":
        run("mocapgen", "export", f"{file}.h5", "--format", format, "--out", f"{out}.parquet", "-v")
        return
    run("mocapgen", "export", f"{file}.h5", "--format", format, "--out", out, "-v")
    for path in out.rglob("*"):
        assert re.fullmatch(r"[\w.+=@-]+", path.name)
        assert not path.name.startswith("-")
        if path.suffix in (".bvh", ".csv", ".trc"):
            assert all(letter in "\n\t" or printable(letter) == letter for letter in path.read_text(encoding="utf-8"))
        if path.suffix == ".csv":
            assert not path.read_text(encoding="utf-8").startswith("=")
    json.loads((out / "export.json").read_text(encoding="utf-8"))
    run("mocapgen", "export", f"{file}.h5", "--format", format, "--out", out, "--actors", "none", status=2)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "gif"])
def test_pictures(run, place, suffix):
    pytest.importorskip("matplotlib")
    run("mocapgen", "render", f"{FILE_NAME}.h5", "--out", f"{FILE_NAME}.{suffix}")
    if suffix == "svg":
        drawing = ET.parse(place / f"{FILE_NAME}.svg")
        assert not [part for part in drawing.iter() if part.tag.endswith(("script", "image", "}a", "foreignObject"))]


def test_recordings_for_rerun(run, place):
    pytest.importorskip("rerun")
    run("mocapgen", "render", "data.h5", "--rrd", "data.rrd")


def test_training(run, place):
    folder = place / f"run{FILE_NAME}"
    harmless_markdown((folder / "README.md").read_text(encoding="utf-8"))
    run("trainer", "fit", "data.h5", "--out", "none", "--split", "actor=none", status=2)
    run("trainer", "evaluate", folder.name, "data.h5", "--side", "all", "--markdown", "e.md", "--json", "e.json", "-v")
    harmless_markdown((place / "e.md").read_text(encoding="utf-8"))
    assert json.loads((place / "e.json").read_text(encoding="utf-8"))
    run("trainer", "evaluate", folder.name, "joints.h5", "--side", "all")
    run("trainer", "evaluate", f"none{FILE_NAME}", "data.h5", status=2)
    run("trainer", "predict", folder.name, f"a**b{FILE_NAME}.json", "--out", "none.h5", status=2)
    run("trainer", "predict", folder.name, f"{FILE_NAME}.h5", "--out", f"pred{FILE_NAME}.h5")
    run("mocapgen", "inspect", f"pred{FILE_NAME}.h5", "-v", "--html", "pred.html", status=1)  # by a model that has learnt nothing
    harmless_page(place / "pred.html")
    run("mocapgen", "view", f"pred{FILE_NAME}.h5", "--out", "pred_view.html")
    harmless_page(place / "pred_view.html")
    run("mocapgen", "view", "data.h5", "--predictions", f"pred{FILE_NAME}.h5", "--out", "both.html")
    run("mocapgen", "export", f"pred{FILE_NAME}.h5", "--format", "trc", "--out", "pred-trc")


def test_exported_models_and_series(run, place):
    from trainer.experiments import report, report_html

    blocks = [report.Heading(NAME, 1), report.Paragraph(NAME, warning=True), report.Bullets((NAME,)), report.Table(NAME, [NAME], [[NAME]])]
    report_html.write_blocks([*blocks, report.Image("x.png", b"", NAME)], place / "report")
    harmless_page(place / "report" / "report.html")
    text = (place / "report" / "report.md").read_text(encoding="utf-8").replace("](pictures/x.png)", "")
    harmless_markdown("\n".join(line for line in text.splitlines() if not line.startswith(">")))
    run("trainer", "export", f"none{FILE_NAME}", "--out", "model.onnx", status=2)
    run("trainer", "experiments", f"none{FILE_NAME}.h5", "--out", f"series{FILE_NAME}", status=2)
    run("trainer", "ablate", f"none{FILE_NAME}.h5", "--out", f"series{FILE_NAME}", status=2)


def test_files_that_are_called_so(run, place):
    folder = place / f"motions{FILE_NAME}"
    folder.mkdir()
    run("mocapgen", "export", "plain.h5", "--format", "bvh", "--actors", "sa", "--camera", 0, "--out", f"{folder.name}/{FILE_NAME}.bvh")
    run("mocapgen", "convert", f"{folder.name}/{FILE_NAME}.bvh", f"{FILE_NAME}.amc")
    run("mocapgen", "build", "--source", "folder", "--root", folder.name, "--dry-run", "-v", status=2)  # the only file cannot be named
    (folder / "plain [red]$x$<b>.bvh").write_bytes((folder / f"{FILE_NAME}.bvh").read_bytes())
    (folder / "odd [red]|.bvh").write_text("HIERARCHY")
    assert "[red]$x$<b>" in run("mocapgen", "build", "--source", "folder", "--root", folder.name, "--dry-run", "-v")
    run("mocapgen", "convert", f"{folder.name}/odd [red]|.bvh", "none.amc", status=2)
    run("mocapgen", "sample", f"{FILE_NAME}.h5", status=2)


@pytest.mark.parametrize("command", sorted(NEEDS_NO_FILE))
def test_arguments_that_are_none(run, command):
    run("trainer" if command == "models" else "mocapgen", command, NAME, status=2)


def test_unknown_commands(run):
    run("mocapgen", NAME, status=2)
    run("trainer", f"--{NAME}", status=2)


def test_every_command_was_tried():
    if not TRIED["trainer"]:
        pytest.skip("the other tests of this file did not run here")
    assert {*commands_of(mocapgen.cli)} - {"train"} <= TRIED["mocapgen"]  # that one is trainer
    assert {*commands_of(trainer.cli)} <= TRIED["trainer"]


def test_pages_do_nothing_in_a_browser(run, place, browser):
    run("mocapgen", "inspect", "data.h5", "--html", "a.html", "--overwrite")
    run("mocapgen", "view", "data.h5", "--out", "b.html", "--overwrite")
    page = browser.new_page()
    refused = []
    page.on("console", lambda message: None if "WebGL" in message.text else refused.append(message.text))
    page.on("pageerror", lambda error: refused.append(str(error)))
    for name in ("a.html", "b.html"):
        page.goto((place / name).as_uri())
        page.wait_for_selector(".mocap-player h1")
        assert page.evaluate("window.hacked") is None
    # A script that had got in all the same would not run.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    assert all("Content Security Policy" in message for message in refused)
    page.close()
