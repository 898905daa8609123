"""``trainer evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mocapgen.shared.command import add_options, common_options, example, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.tables import make_console, print_pairs, print_table, say
from trainer.cli._complete import DATA, EXTRAS, MODEL
from trainer.cli._kinds import require_dataset, require_model

if TYPE_CHECKING:
    from schemas.train import Evaluation

_DETAILED = ("By joint",)
"""Tables that only -v prints."""


@click.command(epilog=example("trainer evaluate runs/first data.h5", "trainer evaluate runs/first cmu.h5 --json cmu.json --markdown cmu.md"))
@click.argument("model", metavar="MODEL", type=click.Path(), shell_complete=MODEL)
@click.argument("data", metavar="DATA.H5", type=click.Path(), shell_complete=DATA)
@click.option(
    "--side",
    type=click.Choice(["auto", "all", "train", "validation", "test"]),
    default="auto",
    show_default=True,
    help="Side of the run's split; auto: the test side of the file trained on, all of any other file.",
)
@click.option("--json", "json_file", type=click.Path(), help="Write all figures as JSON.")
@click.option("--markdown", "markdown_file", type=click.Path(), help="Write the tables as Markdown.")
@click.option("--overwrite", is_flag=True, help="Replace the files in --json and --markdown.")
@add_options(schema_options("train-config", ("device", "threads"), EXTRAS))
@common_options
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    model: str,
    data: str,
    side: Any,
    json_file: str | None,
    markdown_file: str | None,
    overwrite: bool,
    device: str,
    threads: int,
) -> None:
    """Evaluate a trained model on a dataset file.

    MODEL is a model that ships (`trainer models` lists them), the folder of a run, or a checkpoint; a run in the current folder goes before a
    model of its name.
    """
    require_model(model, "trainer evaluate", data)
    require_dataset(data)
    from mocapgen.shared.files import write_file
    from mocapgen.shared.outputs import writing
    from trainer.evaluate import as_markdown
    from trainer.evaluate import evaluate as evaluate_model
    from trainer.model.shipped import model_files

    with writing(json_file, markdown_file, overwrite=overwrite, inputs=[data, *model_files(model)]):
        evaluation, level = evaluate_model(model, data, side, device, threads), session(context).level
        for file, text in ((json_file, evaluation.model_dump_json(indent=2) + "\n"), (markdown_file, as_markdown(evaluation))):
            if file is not None:
                write_file(Path(file), text, overwrite)
    if level >= 0:
        print_evaluation(evaluation, level)
        from trainer.cli._verdict import verdict

        say("", *verdict(evaluation, model, side))


def print_evaluation(evaluation: Evaluation, level: int) -> None:
    """Print what was evaluated and all tables; the detailed ones, and what identifies the file, only if `level` is above 0."""
    from trainer.evaluate import tables

    console = make_console()
    if not console.is_terminal:
        console.width = 160  # a pipe has no width: keep the columns whole
    about = evaluation.protocol | ({"note": evaluation.note} if evaluation.note else {})
    if level <= 0:
        about |= {name: about[name].partition(end)[0] for name, end in (("root", " (figures"), ("data", ", sha256"))}
    print_pairs("evaluated", about)
    for title, header, rows in tables(evaluation):
        if level > 0 or title not in _DETAILED:
            say("")
            print_table(console, title, header, rows)
