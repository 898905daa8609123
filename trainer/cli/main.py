"""The command line of ``trainer``: each module of this folder is a command.

Nothing heavy is imported before a command runs: ``trainer --help`` needs click and the standard library only.
"""

from __future__ import annotations

import click

from mocapgen.shared.command import CONTEXT_SETTINGS, CommandFolder, common_options, example, run
from mocapgen.shared.cores import sleep_while_waiting
from mocapgen.shared.version import __version__


class TrainerCommands(CommandFolder):
    """The commands of ``trainer``."""

    package = "trainer.cli"


@click.group(
    cls=TrainerCommands,
    context_settings=CONTEXT_SETTINGS,
    epilog=example("trainer fit data.h5 --out runs/first", "trainer evaluate runs/first other.h5"),
)
@click.version_option(__version__, prog_name="trainer")
@common_options
def cli() -> None:
    """Train and evaluate models that lift 2D motion to 3D."""
    sleep_while_waiting()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    run(cli, arguments, "trainer")
