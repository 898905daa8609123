"""All outputs of all commands, each with a command line that writes it: what :mod:`tests.e2e.test_outputs` and docs/outputs.md speak of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import click
import numpy as np

from mocapgen.cli.main import cli as mocapgen
from tests.conftest import commands_of
from tests.fuzz.seeds import FRAMES, SMALL, call, documents, motions
from tests.trainer.predict.keypoints.figures import keypoints
from tests.videos import write_video
from trainer.cli.main import cli as trainer

PROGRAMS = {"mocapgen": mocapgen, "trainer": trainer}
Kind = Literal["file", "folder", "run", "series", "archive"]
"""A file, or files in a folder: of an export or samples, of a training, of several, or what is downloaded."""
RUN = ("best.safetensors", "best.json", "last.safetensors", "config.json", "split.json", "log.csv", "log.jsonl", "README.md")


@dataclass(frozen=True)
class Output:
    """An output of a command."""

    command: str
    """Program and command."""
    option: str
    """As it is typed; the metavar of an argument."""
    line: str
    """Arguments in a folder with the seeds; ``OUT`` is the output."""
    inputs: tuple[str, ...] = ()
    """Files that the line reads."""
    suffix: str = ""
    """What the name of the output must end in."""
    kind: Kind = "file"
    replaces: bool = True
    """Whether there is an option --overwrite."""
    runs: bool = True
    """Whether the line can be run to its end here and in a moment."""
    other: str = field(default="")
    """A second output of the same command, given in addition."""

    @property
    def id(self) -> str:
        """Name for people."""
        return f"{self.command} {self.option}"


_MODEL = tuple(f"run/{name}" for name in RUN)
_INSPECT = "inspect data.h5 --select structure"
_LIFT = "predict run person.json --fps 30 --threads 1"
OUTPUTS = (
    Output(
        "mocapgen build",
        "--out",
        "build --config build.yaml --root clips --table table.csv --profile profile.yaml --avatars avatar.json --marker-set markers.yaml --out OUT",
        ("build.yaml", "clips/HDM_sa_walk_001_120.amc", "clips/HDM_sa.asf", "table.csv", "profile.yaml", "avatar.json", "markers.yaml"),
        ".h5",
    ),
    Output("mocapgen build", "--out", "build --config build.yaml --root clips.zip --out OUT", ("build.yaml", "clips.zip"), ".h5"),
    Output("mocapgen convert", "OUT", "convert HDM_sa_walk_001_120.amc OUT", ("HDM_sa_walk_001_120.amc", "HDM_sa.asf"), ".bvh"),
    Output("mocapgen convert", "OUT", "convert HDM_sa_walk_001_120.amc OUT --asf HDM_sa.asf", ("HDM_sa.asf",), ".amc"),
    Output("mocapgen convert", "OUT", "convert walk.bvh OUT", ("walk.bvh",), ".glb"),
    Output("mocapgen convert", "OUT", "convert kick.bvh OUT --profile profile.yaml", ("kick.bvh", "profile.yaml"), ".amc", runs=False),
    Output("mocapgen convert", "OUT", "convert walk.c3d OUT --marker-set markers.yaml", ("walk.c3d", "markers.yaml"), ".trc", runs=False),
    Output("mocapgen export", "--out", "export data.h5 --format bvh --out OUT", ("data.h5",), kind="folder"),
    Output("mocapgen export", "--out", "export data.h5 --format npz --out OUT", ("data.h5",), ".npz"),
    Output(
        "mocapgen export", "--out", "export person.h5 --format bvh --avatar avatar.json --out OUT", ("person.h5", "avatar.json"), ".bvh", runs=False
    ),
    Output("mocapgen fetch", "--to", "fetch hdm05 --url http://127.0.0.1:9/none.zip --to OUT", kind="archive", replaces=False, runs=False),
    Output(
        "mocapgen inspect",
        "--json",
        f"{_INSPECT} --policy policy.yaml --split run --json OUT",
        ("data.h5", "policy.yaml", "run/split.json"),
    ),
    Output(
        "mocapgen inspect",
        "--json",
        f"{_INSPECT} --html b --split run/split.json --json OUT",
        ("data.h5", "run/split.json"),
        other="--html",
    ),
    Output(
        "mocapgen inspect",
        "--html",
        f"{_INSPECT} --policy policy.yaml --split run --html OUT",
        ("data.h5", "policy.yaml", "run/split.json"),
    ),
    Output("mocapgen merge", "--out", "merge data.h5 more.h5 --out OUT", ("data.h5", "more.h5"), ".h5"),
    Output("mocapgen render", "--out", "render data.h5 --predictions pred.h5 --dpi 20 --out OUT", ("data.h5", "pred.h5"), ".png"),
    Output("mocapgen render", "--out", "render data.h5 --size 64x64 --frames 0:3 --out OUT", ("data.h5",), ".gif"),
    Output("mocapgen render", "--out", "render data.h5 --size 64x64 --frames 0:3 --out OUT", ("data.h5",), ".mp4"),
    Output("mocapgen render", "--out", "render person.h5 --video clip.mp4 --out OUT", ("person.h5", "clip.mp4"), ".mp4", runs=False),
    Output("mocapgen render", "--rrd", "render data.h5 --predictions pred.h5 --rrd OUT", ("data.h5", "pred.h5"), ".rrd", runs=False),
    Output("mocapgen sample", "OUT", "sample OUT --format bvh", kind="folder", replaces=False),
    Output("mocapgen select", "--out", "select data.h5 --actors sa --out OUT", ("data.h5",), ".h5"),
    Output("mocapgen view", "--out", "view data.h5 --predictions pred.h5 --out OUT", ("data.h5", "pred.h5"), ".html"),
    Output("mocapgen view", "--out", "view person.h5 --video clip.mp4 --out OUT", ("person.h5", "clip.mp4"), ".html", runs=False),
    Output(
        "trainer ablate", "--out", "ablate data.h5 --cmu more.h5 --recipe run.yaml --out OUT", ("data.h5",), kind="series", replaces=False, runs=False
    ),
    Output("trainer evaluate", "--json", "evaluate run data.h5 --side all --threads 1 --json OUT", ("data.h5", *_MODEL)),
    Output("trainer evaluate", "--json", "evaluate run data.h5 --side all --threads 1 --markdown b --json OUT", ("data.h5",), other="--markdown"),
    Output("trainer evaluate", "--markdown", "evaluate run data.h5 --side all --threads 1 --markdown OUT", ("data.h5", *_MODEL)),
    Output(
        "trainer experiments",
        "--out",
        "experiments data.h5 --recipes run.yaml --only A --out OUT",
        ("data.h5",),
        kind="series",
        replaces=False,
        runs=False,
    ),
    Output("trainer export", "--out", "export run --out OUT", _MODEL, ".onnx", runs=False),
    Output("trainer fit", "--out", "fit data.h5 --recipe run.yaml --config train.yaml --out OUT", ("data.h5", "run.yaml", "train.yaml"), kind="run"),
    Output("trainer predict", "--out", f"{_LIFT} --out OUT", ("person.json", *_MODEL), ".h5"),
    Output(
        "trainer predict",
        "--out",
        "predict run openpose --layout h36m17 --fps 30 --image 1920x1080 --threads 1 --out OUT",
        ("openpose/*.json",),
        ".h5",
    ),
    Output("trainer predict", "--out", "predict run data.h5 --threads 1 --out OUT", ("data.h5",), ".h5"),
    Output(
        "trainer predict",
        "--keypoints-out",
        "predict run clip.mp4 --detector-model model.task --out pred2.h5 --keypoints-out OUT",
        ("clip.mp4", "model.task", *_MODEL),
        ".json",
        runs=False,
    ),
    Output("trainer predict", "--keypoints-out", "predict run clip.mp4 --out b.json --keypoints-out OUT", (), ".json", runs=False, other="--out"),
)

READS = {
    "mocapgen build": {"config", "root", "table", "profile", "marker_set", "body_model"},
    "mocapgen convert": {"source", "asf", "profile", "marker_set", "body_model"},
    "mocapgen export": {"path", "avatar"},
    "mocapgen inspect": {"path", "policy", "split"},
    "mocapgen merge": {"paths"},
    "mocapgen render": {"path", "predictions", "video"},
    "mocapgen select": {"path", "without_findings"},
    "mocapgen view": {"path", "predictions", "video"},
    "trainer ablate": {"data", "cmu"},
    "trainer evaluate": {"model", "data"},
    "trainer experiments": {"data", "cmu"},
    "trainer export": {"model"},
    "trainer fit": {"data", "config"},
    "trainer predict": {"model", "source", "detector_model"},
}
"""Parameters of each command that are read, though they are paths."""


def outputs_of_programs() -> Iterator[tuple[str, str]]:
    """Yield command and option of whatever takes a path and is not read: what a new option is until it is listed in :data:`READS`."""
    for name, program in PROGRAMS.items():
        for command, found in commands_of(program).items():
            for parameter in found.params:
                is_path = isinstance(parameter.type, click.Path) or "PATH" in (parameter.metavar or "")
                if is_path and parameter.name not in READS.get(f"{name} {command}", ()):
                    yield f"{name} {command}", parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.name).upper()


def make_world(folder: Path) -> None:
    """Write whatever the lines read into a new folder."""
    for part in ("clips", "openpose"):
        (folder / part).mkdir(parents=True)
    motions(folder)
    documents(folder)
    clips = f"build --source hdm05 --root {folder}/clips --select all --fps 60 --min-frames 1 --workers 1 --avatars average_man"
    call(mocapgen.main, f"{clips} --out {folder}/data.h5")
    call(mocapgen.main, f"{clips} --camera random:2 --actors sb --out {folder}/more.h5")
    (folder / "run.yaml").write_text(json.dumps(SMALL))
    call(trainer.main, f"fit {folder}/data.h5 --recipe {folder}/run.yaml --out {folder}/run")
    values = keypoints("h36m17", FRAMES).round(2).tolist()
    about = {"layout": "h36m17", "fps": 30, "width": 1920, "height": 1080}
    (folder / "person.json").write_text(json.dumps({"keypoints": values, **about}))
    for number, frame in enumerate(values):
        points = [value for point in frame for value in point]
        (folder / "openpose" / f"clip_{number:012d}_keypoints.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": points}]}))
    call(trainer.main, f"predict {folder}/run {folder}/data.h5 --out {folder}/pred.h5 --threads 1")
    call(trainer.main, f"predict {folder}/run {folder}/person.json --out {folder}/person.h5 --threads 1")
    write_video(folder / "clip.mp4", [np.full((48, 64, 3), 40 * number, dtype=np.uint8) for number in range(3)])
    (folder / "model.task").write_bytes(b"weights")


def outcome(folder: Path, instead: Mapping[str, bytes] = MappingProxyType({})) -> dict[str, bytes]:
    """Return what every file below a folder holds, without hidden ones; `instead` says what some should hold."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    shown = {name: path for name, path in files.items() if not any(part.startswith(".") for part in Path(name).parts)}
    return {name: path.read_bytes() for name, path in shown.items()} | dict(instead)
