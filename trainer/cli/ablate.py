"""``trainer ablate``."""

from __future__ import annotations

from typing import Any

import click

from mocapgen.shared.command import add_options, common_options, example
from mocapgen.shared.options import schema_options
from trainer.cli._complete import DATA, EXTRAS, RECIPE, RECIPES
from trainer.cli._series import OPTIONS, make_series, numbers, words


@click.command(
    epilog=example(
        "trainer ablate data.h5 --cmu cmu.h5 --out ablation",
        "trainer ablate data.h5 --out two --only 'composed poses,ray head' --seeds 0,1",
        "trainer ablate data.h5 --out unseen --split 'action=squat*,kick*'",
    )
)
@click.argument("data", metavar="DATA.H5", type=click.Path(), shell_complete=DATA)
@click.option("--out", type=click.Path(), required=True, help="Folder for the runs and the table.")
@click.option(
    "--recipe", default="default", show_default=True, shell_complete=RECIPE, help=f"Recipe to ablate: {', '.join(RECIPES)}, or a YAML file."
)
@click.option("--seeds", default="0", show_default=True, callback=numbers, help="Seeds; figures are means over them.")
@click.option("--only", callback=words, help="Ingredients to leave out, one at a time  [default: all of the recipe]")
@add_options(schema_options("train-config", ("split",), EXTRAS, defaults=False))
@add_options(OPTIONS)
@common_options
@click.pass_context
def ablate(context: click.Context, /, data: str, **options: Any) -> int:
    """Train a recipe without each of its ingredients.

    Writes results.json, report.html and report.md: what each ingredient contributes on the split and on CMU. Exit status 1 if a run failed.
    """
    from trainer.experiments.ablate import ablate as make

    return make_series(context, make, data, options)
