"""The closing report of a command as JSON, for programs: on standard output, in place of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mocapgen.shared.markup import json_for_terminal

if TYPE_CHECKING:
    from schemas.base import Model

JSON_OPTION = click.option("--json", is_flag=True, help="Print the closing report as JSON, in place of the tables.")


def print_json(report: Model) -> None:
    """Print a report as JSON, such that nothing in it does anything to a terminal."""
    click.echo(json_for_terminal(report.model_dump_json(indent=2)))
