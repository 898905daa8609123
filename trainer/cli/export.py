"""``trainer export``."""

from __future__ import annotations

import click

from mocapgen.shared.command import common_options, example, session
from mocapgen.shared.tables import say
from trainer.cli._complete import MODEL
from trainer.cli._kinds import require_model


@click.command(epilog=example("trainer export runs/first --format onnx --out model.onnx"))
@click.argument("model", metavar="MODEL", type=click.Path(), shell_complete=MODEL)
@click.option("--format", "kind", type=click.Choice(["onnx"]), default="onnx", show_default=True, help="Format to write.")
@click.option("--out", required=True, type=click.Path(), help="File to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
@common_options
@click.pass_context
def export(context: click.Context, /, model: str, kind: str, out: str, overwrite: bool) -> None:
    """Write a model for use without PyTorch, and verify that its results are the same.

    MODEL is a model that ships (`trainer models` lists them), the folder of a run, or a checkpoint; a run in the current folder goes before a
    model of its name.
    """
    require_model(model)
    from trainer.predict.onnx import export_onnx

    exported = export_onnx(model, out, overwrite)
    if session(context).level >= 0:
        say(exported.describe())
