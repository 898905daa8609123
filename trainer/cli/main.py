"""The command line of the trainer: every command is a few lines over one public function.

Nothing heavy is imported before a command runs: ``trainer --help`` needs click and the standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mocapgen.shared.parts import part_names
from trainer._command import CONTEXT_SETTINGS, Verbosity, common_options, example, run

_HOME = Path(__file__).parents[1]
_MODELS = ", ".join(part_names("trainer.model.networks", "NETWORK"))
_RECIPES = ", ".join(sorted(path.stem for path in (_HOME / "recipes").glob("*.yaml")))

_FIT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--model", help=f"Network: {_MODELS}  [default: the recipe's]"),
    click.option("--split", help="Test side: clip, random, actor=NAME, action=PATTERN, a file of clip ids, or all (train on all)  [default: clip]"),
    click.option("--epochs", type=int, help="How often every sequence is seen  [default: the recipe's]"),
    click.option("--batch-size", type=int, help="Sequences in a batch  [default: the recipe's]"),
    click.option("--window", type=int, help="Train on windows of this many frames  [default: whole sequences]"),
    click.option("--target", type=click.Choice(["relative", "absolute"]), help="Relative to the root, or its path as well  [default: relative]"),
    click.option("--joint-set", help="Joints to lift: a joint set of the file  [default: h36m17]"),
    click.option("--seed", type=int, help="Seed of everything random  [default: 0]"),
    click.option("--device", help="auto, cpu, cuda or cuda:N  [default: auto]"),
    click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="auto is bf16 where that is faster  [default: auto]"),
    click.option("--threads", type=int, help="Processor threads  [default: one per usable core]"),
    click.option("--compile", "compile", is_flag=True, help="Compile the network with torch.compile."),
    click.option("--tensorboard", is_flag=True, help="Write TensorBoard files, too."),
)


_SERIES_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--cmu", type=click.Path(), help="Dataset file with CMU's basketball and break dance."),
    click.option("--epochs", type=int, help="How often every sequence is seen  [default: the recipe's]"),
    click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any other setting, for all runs; repeatable."),
    click.option("--device", help="auto, cpu, cuda or cuda:N  [default: auto]"),
    click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="auto is bf16 where that is faster  [default: auto]"),
    click.option("--threads", type=int, help="Processor threads  [default: one per usable core]"),
    click.option("--compile", "compile", is_flag=True, help="Compile the networks with torch.compile."),
    click.option("--resume", is_flag=True, help="Keep the finished runs in --out and go on with the others."),
    click.option("--finished", is_flag=True, help="Report on the finished runs in --out, and train nothing."),
)


def _series_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_SERIES_OPTIONS):
        command = option(command)
    return command


def _words(context: click.Context, parameter: click.Parameter, text: str | None) -> list[str] | None:
    """Return the words of a list such as ``A,B``."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    """Return the numbers of a list such as ``0,1,2``."""
    try:
        numbers = [int(word) for word in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"expected whole numbers such as 0,1,2, found {text!r}") from None
    if min(numbers) < 0:
        raise click.BadParameter(f"expected numbers from 0, found {min(numbers)}")
    return numbers


def _fit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_FIT_OPTIONS):
        command = option(command)
    return command


def _given(context: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the user typed, so that a default never overrides recipe or configuration file."""
    return {name: value for name, value in options.items() if context.get_parameter_source(name) is not ParameterSource.DEFAULT}


@click.group(context_settings=CONTEXT_SETTINGS, epilog=example("trainer fit data.h5 --out runs/first", "trainer evaluate runs/first other.h5"))
@click.version_option(package_name="mocapgen", prog_name="trainer")
@common_options
def cli() -> None:
    """Train and evaluate models that lift 2D motion to 3D."""


@cli.command(
    epilog=example(
        "trainer fit data.h5 --out runs/first",
        "trainer fit data.h5 --recipe paper --split random --out runs/published",
        "trainer fit data.h5 --out runs/first --resume",
        "torchrun --nproc-per-node 4 -m trainer fit data.h5 --out runs/four",
    )
)
@click.argument("data", metavar="DATA.H5", type=click.Path())
@click.option("--out", type=click.Path(), help="Folder of the run  [default: runs/DATA-RECIPE-SPLIT-sSEED]")
@click.option("--recipe", default="default", show_default=True, help=f"Settings to begin with: {_RECIPES}, or a YAML file.")
@click.option("--config", type=click.Path(), help="YAML file with settings that override the recipe's.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any other setting, such as augment.flip=0.5; repeatable.")
@_fit_options
@click.option("--resume", is_flag=True, help="Go on with the run in --out, with the settings that it was started with.")
@click.option("--stop-after", type=click.IntRange(1), help="End after this epoch; --resume goes on.")
@click.option("--overwrite", is_flag=True, help="Replace the run in --out.")
@common_options
@click.pass_context
def fit(
    context: click.Context,
    /,
    data: str,
    out: str | None,
    recipe: str,
    config: str | None,
    assignments: tuple[str, ...],
    resume: bool,
    stop_after: int | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Train a model on a dataset file."""
    from trainer.cli.console import print_result, progress_bar
    from trainer.recipes.settings import default_folder, run_config

    verbosity = context.ensure_object(Verbosity)
    given = _given(context, options)
    settings = run_config(recipe, config, assignments, given, out if resume else None)
    folder = out or default_folder(data, recipe, settings)
    from trainer import fit as training  # after the check of the settings, so that a mistyped option is answered at once

    with progress_bar(verbosity.level) as watch:
        result = training.fit(
            data,
            settings,
            folder,
            resume=resume,
            overwrite=overwrite,
            stop_after=stop_after,
            command=training.command_line(sys.argv[1:]),
            watch=watch,
        )
    print_result(result, verbosity.level)


@cli.command(epilog=example("trainer evaluate runs/first data.h5", "trainer evaluate runs/first cmu.h5 --json cmu.json --markdown cmu.md"))
@click.argument("model", metavar="RUN", type=click.Path())
@click.argument("data", metavar="DATA.H5", type=click.Path())
@click.option(
    "--side",
    type=click.Choice(["auto", "all", "train", "validation", "test"]),
    default="auto",
    show_default=True,
    help="Side of the run's split; auto is the test side of the file trained on, and all of any other file.",
)
@click.option("--json", "json_file", type=click.Path(), help="Write all figures as JSON.")
@click.option("--markdown", "markdown_file", type=click.Path(), help="Write the tables as Markdown.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Processor threads  [default: one per usable core]")
@common_options
@click.pass_context
def evaluate(
    context: click.Context, /, model: str, data: str, side: Any, json_file: str | None, markdown_file: str | None, device: str, threads: int
) -> None:
    """Judge a trained model on a dataset file.

    RUN is the folder of a run, or a checkpoint.
    """
    from trainer.cli.console import print_evaluation
    from trainer.evaluate import as_markdown
    from trainer.evaluate import evaluate as judge

    evaluation = judge(model, data, side, device, threads)
    for file, text in ((json_file, evaluation.model_dump_json(indent=2) + "\n"), (markdown_file, as_markdown(evaluation))):
        if file is not None:
            Path(file).write_text(text, encoding="utf-8")
    print_evaluation(evaluation, context.ensure_object(Verbosity).level)


@cli.command(
    epilog=example(
        "trainer experiments data.h5 --cmu cmu.h5 --out experiments",
        "trainer experiments data.h5 --cmu cmu.h5 --out experiments --resume",
        "trainer experiments data.h5 --out quick --recipes paper --seeds 0 --only A,clip --epochs 5",
    )
)
@click.argument("data", metavar="DATA.H5", type=click.Path())
@click.option("--out", type=click.Path(), required=True, help="Folder for the runs and the report.")
@click.option("--recipes", default="paper,default", show_default=True, callback=_words, help=f"Of {_RECIPES}, or YAML files.")
@click.option("--seeds", default="0,1,2", show_default=True, callback=_numbers, help="Figures are means over them.")
@click.option("--only", default="A,clip,B,C,CMU", show_default=True, callback=_words, help="Experiments to make.")
@_series_options
@common_options
@click.pass_context
def experiments(context: click.Context, /, data: str, cmu: str | None, **options: Any) -> int:
    """Make the published experiments and report on them.

    Writes results.json, report.html and report.md, with the published figure beside each of ours. Exit status 1 if a run failed.
    """
    from trainer.cli.console import print_series, series_view
    from trainer.experiments.run import experiments as make
    from trainer.fit import command_line

    level = context.ensure_object(Verbosity).level
    named = {name: options.pop(name) for name in ("out", "recipes", "seeds", "only", "assignments", "resume", "finished")}
    results = make(data, cmu, **named, options=_given(context, options), command=command_line(sys.argv[1:]), **series_view(level))
    return print_series(results, named["out"], level)


@cli.command(
    epilog=example(
        "trainer ablate data.h5 --cmu cmu.h5 --out ablation",
        "trainer ablate data.h5 --out two --only 'flip,ray head' --seeds 0,1",
        "trainer ablate data.h5 --out unseen --split 'action=squat*,kick*'",
    )
)
@click.argument("data", metavar="DATA.H5", type=click.Path())
@click.option("--out", type=click.Path(), required=True, help="Folder for the runs and the table.")
@click.option("--recipe", default="default", show_default=True, help=f"Recipe to take apart: {_RECIPES}, or a YAML file.")
@click.option("--seeds", default="0", show_default=True, callback=_numbers, help="Figures are means over them.")
@click.option("--only", callback=_words, help="Ingredients to leave out, one at a time  [default: all that the recipe has]")
@click.option("--split", help="As of `trainer fit`  [default: clip]")
@_series_options
@common_options
@click.pass_context
def ablate(context: click.Context, /, data: str, cmu: str | None, **options: Any) -> int:
    """Train a recipe without each of its ingredients.

    Writes results.json, report.html and report.md: what each ingredient contributes on the split and on CMU. Exit status 1 if a run failed.
    """
    from trainer.cli.console import print_series, series_view
    from trainer.experiments.ablate import ablate as make
    from trainer.fit import command_line

    level = context.ensure_object(Verbosity).level
    named = {name: options.pop(name) for name in ("out", "recipe", "seeds", "only", "assignments", "resume", "finished")}
    results = make(data, cmu, **named, options=_given(context, options), command=command_line(sys.argv[1:]), **series_view(level))
    return print_series(results, named["out"], level)


def _size(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """Return the numbers of a size such as ``1920x1080``."""
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.strip().isdecimal() and height.strip().isdecimal()):
        raise click.BadParameter(f"expected WIDTHxHEIGHT in pixels such as 1920x1080, found {text!r}")
    return int(width), int(height)


@cli.command(
    epilog=example(
        "trainer predict runs/first keypoints.json --layout coco17 --fps 25 --image 1920x1080 --out pred.h5",
        "trainer predict runs/first openpose_folder --fps 30 --image 1280x720 --fov 50 --out pred.h5",
        "trainer predict runs/first data.h5 --out pred.h5",
    )
)
@click.argument("model", metavar="RUN", type=click.Path())
@click.argument("source", metavar="KEYPOINTS", type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="Predictions file to write (HDF5).")
@click.option("--layout", help="Joints: h36m17, coco17 or body_25  [default: what the file says]")
@click.option("--fps", type=float, help="Frame rate of the video  [default: what the file says]")
@click.option("--image", callback=_size, metavar="WIDTHxHEIGHT", help="Size of the image in pixels  [default: what the file says]")
@click.option("--focal", type=float, help="Focal length of the camera in pixels  [default: the image's diagonal]")
@click.option("--fov", type=float, help="Its vertical field of view in degrees, instead.")
@click.option("--min-confidence", type=float, help="Less sure joints count as not seen  [default: 0.1]")
@click.option("--gap", type=float, help="Seconds over which joints are interpolated and a person is waited for  [default: 0.25]")
@click.option("--causal", is_flag=True, help="Let no frame depend on a later one, as in live use; wants a causal model.")
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Processor threads  [default: one per usable core]")
@common_options
@click.pass_context
def predict(context: click.Context, /, model: str, source: str, out: str, overwrite: bool, device: str, threads: int, **options: Any) -> None:
    """Lift 2D keypoints to 3D.

    RUN is the folder of a run, or a checkpoint. KEYPOINTS is a JSON or npz file, a folder of OpenPose's JSON files, or a dataset
    file whose projections are lifted.
    """
    from trainer.predict.predict import predict as lift
    from trainer.predict.predict import predict_config

    written = lift(model, source, out, predict_config(_given(context, options)), device, threads, overwrite)
    if context.ensure_object(Verbosity).level >= 0:
        click.echo("\n".join([f"{out}: {written.describe()}", *(f"note: {note}" for note in written.notes)]))


@cli.command(epilog=example("trainer export runs/first --format onnx --out model.onnx"))
@click.argument("model", metavar="RUN", type=click.Path())
@click.option("--format", "kind", type=click.Choice(["onnx"]), default="onnx", show_default=True, help="What to write.")
@click.option("--out", required=True, type=click.Path(), help="File to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
@common_options
@click.pass_context
def export(context: click.Context, /, model: str, kind: str, out: str, overwrite: bool) -> None:
    """Write a model for use without PyTorch, and check that it gives the same numbers.

    RUN is the folder of a run, or a checkpoint.
    """
    from trainer.predict.onnx import export_onnx

    exported = export_onnx(model, out, overwrite)
    if context.ensure_object(Verbosity).level >= 0:
        click.echo(exported.describe())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    run(cli, arguments, "trainer")
