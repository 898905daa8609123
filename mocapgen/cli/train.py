"""``mocapgen train``: the commands of ``trainer``, for where something else is called trainer.

The commands are found by their folder, like those of this program; they come with the distribution, so nothing is imported from ``trainer`` here.
"""

from __future__ import annotations

import click

from mocapgen.shared.command import CommandFolder, common_options, example
from mocapgen.shared.cores import sleep_while_waiting
from mocapgen.shared.distribution import require_own_packages


class TrainerCommands(CommandFolder):
    """The commands of ``trainer``."""

    package = "trainer.cli"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, once it is sure that they are those of this distribution."""
        require_own_packages(("trainer",))
        return super().list_commands(ctx)


@click.group(cls=TrainerCommands, epilog=example("mocapgen train fit data.h5 --out runs/first", "mocapgen train evaluate runs/first other.h5"))
@common_options
def train() -> None:
    """Train and evaluate models: the commands of trainer."""
    sleep_while_waiting()
