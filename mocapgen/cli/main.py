"""The command line of ``mocapgen``: each module of this folder is a command.

Nothing heavy is imported before a command runs: ``mocapgen --help`` needs click and the standard library only.
"""

from __future__ import annotations

from types import MappingProxyType

import click

from mocapgen.shared.command import CONTEXT_SETTINGS, CommandFolder, common_options, example, run
from mocapgen.shared.version import __version__


class MocapgenCommands(CommandFolder):
    """The commands of ``mocapgen``."""

    package = "mocapgen.cli"
    elsewhere = MappingProxyType({"trainer": ("fit", "evaluate", "predict", "experiments", "ablate", "models")})


@click.group(
    cls=MocapgenCommands,
    context_settings=CONTEXT_SETTINGS,
    epilog=example("mocapgen build --source sample --out data.h5", "mocapgen inspect data.h5"),
)
@click.version_option(__version__, prog_name="mocapgen")
@common_options
def cli() -> None:
    """Turn motion-capture databases into paired 2D/3D human pose datasets."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    run(cli, arguments, "mocapgen")
