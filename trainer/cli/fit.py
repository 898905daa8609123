"""``trainer fit``."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.completion import files
from mocapgen.shared.options import schema_options
from mocapgen.shared.outputs import protected
from mocapgen.shared.tables import say
from mocapgen.shared.terminal import wrapped
from trainer.cli._complete import DATA, EXTRAS, RECIPE, RECIPES
from trainer.cli._kinds import require_dataset
from trainer.cli._training import one_voice, training_bar

if TYPE_CHECKING:
    from trainer.fit import Result

_FIELDS = (
    "model",
    "split",
    "epochs",
    "batch_size",
    "window",
    "target",
    "joint_set",
    "seed",
    "device",
    "precision",
    "threads",
    "compile",
    "cache",
    "tensorboard",
)
_OPTIONS = (
    click.option("--out", type=click.Path(), help="Folder of the run  [default: runs/DATA-RECIPE-SPLIT-sSEED]"),
    click.option(
        "--recipe",
        default="default",
        show_default=True,
        shell_complete=RECIPE,
        help=f"Settings to begin with: {', '.join(RECIPES)}, or a YAML file.",
    ),
    click.option("--config", type=click.Path(), shell_complete=files(".yaml", ".yml"), help="YAML file with settings that override the recipe's."),
    click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any other setting, such as augment.flip=0.5; repeatable."),
    *schema_options("train-config", _FIELDS, EXTRAS, defaults=False),
    click.option("--resume", is_flag=True, help="Continue the run in --out with its own settings."),
    click.option("--stop-after", type=click.IntRange(1), help="Stop after this epoch; --resume continues."),
    click.option("--overwrite", is_flag=True, help="Replace the run in --out."),
)


@click.command(
    epilog=example(
        "trainer fit data.h5 --out runs/first",
        "trainer fit data.h5 --recipe paper --split random --out runs/published",
        "trainer fit data.h5 --out runs/first --resume",
        "torchrun --nproc-per-node 4 -m trainer fit data.h5 --out runs/four",
    )
)
@click.argument("data", metavar="DATA.H5", type=click.Path(), shell_complete=DATA)
@add_options(_OPTIONS)
@common_options
@click.pass_context
def fit(context: click.Context, /, data: str, **options: Any) -> None:
    """Train a model on a dataset file.

    The recipe gives the settings that no option gives.
    """
    require_dataset(data, if_run="`trainer fit DATA.H5 --out {run} --resume` goes on with it")
    from trainer.recipes.settings import default_folder, run_config

    out, recipe, config, assignments, resume, stop_after, overwrite = (options.pop(name) for name in _OF_THE_RUN)
    context.with_resource(protected(recipe, config))
    settings = run_config(recipe, config, assignments, given(context, options), out if resume else None)
    folder, command = out or default_folder(data, recipe, settings), sys.argv[1:]
    from trainer.fit import command_line, fit  # after the check of the settings, so that a mistyped option is answered at once
    from trainer.runs.processes import is_first

    more = {"resume": resume, "overwrite": overwrite, "stop_after": stop_after, "command": command_line(command)}
    level = session(context).level if is_first() else -1
    with one_voice(context), training_bar(level, epochs=True) as progress:
        result = fit(data, settings, folder, progress=progress, **more)
    if level >= 0:
        print_result(result, data)


_OF_THE_RUN = ("out", "recipe", "config", "assignments", "resume", "stop_after", "overwrite")


def print_result(result: Result, data: str) -> None:
    """Print the errors that a run has reached, its folder, and the command that says more."""
    last = result.history[-1]
    sides = [f"{side} {last[f'{side}_mpjpe_mm']:.1f} mm" for side in ("train", "validation", "test") if last[f"{side}_mpjpe_mm"] is not None]
    lines = [f"epoch {last['epoch']}: {', '.join(sides)}; computing {100 * last['computing_share']:.0f} % of the time"]
    if result.metrics:
        figures = result.metrics
        lines.append(
            f"best weights on the test side: MPJPE {figures['mpjpe_mm']:.1f} mm ({figures['mpjpe_no_root_mm']:.1f} without the root), "
            f"P-MPJPE {figures['p_mpjpe_mm']:.1f} mm, 3DPCK@200 {figures['pck_200']:.1f} %"
        )
    say(*(part for line in lines for part in wrapped(line, 2)))
    say(*filter(None, result.note.split("\n")), f"written to {result.folder}")
    if result.metrics:
        say(f"by action, actor and joint: trainer evaluate {shlex.quote(str(result.folder))} {shlex.quote(data)}")
