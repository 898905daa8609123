"""``trainer experiments``."""

from __future__ import annotations

from typing import Any

import click

from mocapgen.shared.command import add_options, common_options, example
from trainer.cli._complete import DATA, EXPERIMENTS, RECIPES, SEVERAL_RECIPES
from trainer.cli._series import OPTIONS, make_series, numbers, words


@click.command(
    epilog=example(
        "trainer experiments data.h5 --cmu cmu.h5 --out experiments",
        "trainer experiments data.h5 --cmu cmu.h5 --out experiments --resume",
        "trainer experiments data.h5 --out quick --recipes paper --seeds 0 --only A,clip --epochs 5",
    )
)
@click.argument("data", metavar="DATA.H5", type=click.Path(), shell_complete=DATA)
@click.option("--out", type=click.Path(), required=True, help="Folder for the runs and the report.")
@click.option(
    "--recipes",
    default="paper,default",
    show_default=True,
    callback=words,
    shell_complete=SEVERAL_RECIPES,
    help=f"Of {', '.join(RECIPES)}, or YAML files.",
)
@click.option("--seeds", default="0,1,2", show_default=True, callback=numbers, help="Seeds; figures are means over them.")
@click.option("--only", default="A,clip,B,C,CMU", show_default=True, callback=words, shell_complete=EXPERIMENTS, help="Experiments to make.")
@add_options(OPTIONS)
@common_options
@click.pass_context
def experiments(context: click.Context, /, data: str, **options: Any) -> int:
    """Repeat the published experiments and report on them.

    Writes results.json, report.html and report.md, with the published figure beside each of ours. Exit status 1 if a run failed.
    """
    from trainer.experiments.run import experiments as make

    return make_series(context, make, data, options)
