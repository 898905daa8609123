"""``trainer predict``."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from typing import Any

import click

from mocapgen.shared.command import add_options, common_options, example, given, require_packages, session
from mocapgen.shared.kinds import kind_of
from mocapgen.shared.options import schema_options
from mocapgen.shared.tables import say
from trainer.cli._complete import EXTRAS, MODEL
from trainer.cli._kinds import require_model, require_source

_OPTIONS = (
    click.option("--out", required=True, type=click.Path(), help="Predictions file to write (HDF5)."),
    *schema_options("predict-config", extras=EXTRAS, negatable=True),
    click.option("--overwrite", is_flag=True, help="Replace the file in --out."),
    *schema_options("train-config", ("device", "threads"), EXTRAS),
)


@click.command(
    epilog=example(
        "trainer predict runs/first clip.mp4 --out pred.h5 --keypoints-out keypoints.json",
        "trainer predict runs/first keypoints.json --layout coco17 --fps 25 --image 1920x1080 --out pred.h5",
        "trainer predict runs/first openpose_folder --fps 30 --image 1280x720 --fov 50 --out pred.h5",
        "trainer predict runs/first data.h5 --out pred.h5",
    )
)
@click.argument("model", metavar="MODEL", type=click.Path(), shell_complete=MODEL)
@click.argument("source", metavar="SOURCE", type=click.Path())
@add_options(_OPTIONS)
@common_options
@click.pass_context
def predict(context: click.Context, /, model: str, source: str, out: str, overwrite: bool, device: str, threads: int, **options: Any) -> None:
    """Lift a video, or 2D keypoints, to 3D.

    MODEL is a model that ships (`trainer models` lists them), the folder of a run, or a checkpoint; a run in the current folder goes before a
    model of its name. SOURCE is a video; keypoints of any detector, a JSON or npz file or a folder of OpenPose's JSON files; or a dataset file
    whose projections are lifted.
    """
    require_model(model, "trainer predict", source, f" --out {shlex.quote(out)}")
    require_source(source)
    if "video" in kind_of(source) and find_spec("torch") is None:  # all at once; with PyTorch, what is to be written is looked at before
        require_packages("torch", "safetensors", "av", *(["mediapipe"] if options["detector"] in (None, "mediapipe") else []))
    from mocapgen.shared.config import settings
    from mocapgen.shared.progress import progress_bar
    from schemas.predictions import PredictConfig
    from trainer.predict.predict import predict as lift

    level = session(context).level
    with progress_bar(level) as progress:
        written = lift(model, source, out, settings(PredictConfig, given(context, options)), device, threads, overwrite, progress)
    if level >= 0:
        say(f"{out}: {written.describe()}", *(f"note: {note}" for note in written.notes))
