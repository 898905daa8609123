"""The command line of the trainer. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mocapgen", prog_name="trainer")
def cli() -> None:
    """Train and evaluate models that lift 2D motion to 3D (the commands are not part of this version)."""


def main() -> None:
    """Run the command line and end the process with its exit status."""
    cli(prog_name="trainer")
