"""``mocapgen build``."""

from __future__ import annotations

import re
from typing import Any

import click

from mocapgen.cli._complete import BUILD, YAML, completed
from mocapgen.cli._json_report import JSON_OPTION
from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.outputs import protected
from mocapgen.shared.parts import part_names

_SOURCES = ", ".join(part_names("mocapgen.sources", "SOURCE"))
_OPTIONS = schema_options(
    "build-config",
    extras=completed(
        BUILD,
        {
            "source": {"note": f": {_SOURCES}"},
            "categories": {"option": "--category"},
            "pattern": {"metavar": "TEXT"},
            "profile": {"metavar": "NAME|PATH"},
            "scale": {"metavar": "METRES"},
            "marker_set": {"metavar": "NAME|PATH"},
            "body_model": {"metavar": "PATH"},
            "subject": {"metavar": "NAME"},
            "camera": {"metavar": "RIG"},
            "cluster": {"metavar": "ADDRESS|local:N"},
        },
    ),
    negatable=True,
)


class _Build(click.Command):
    """The command, which says what to do with a file or folder that is named without an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            found = re.search(r"unexpected extra arguments? \((.*)\)", error.message)
            if found is None:
                raise
            file = found[1]
            if file.lower().endswith((".h5", ".hdf5")):
                ctx.fail(f"expected options only, found {file}; --out {file} writes it, `mocapgen inspect {file}` looks into it")
            ctx.fail(f"expected options only, found {file}; `mocapgen build --source folder --root {file} --out data.h5` reads motion of your own")


@click.command(
    cls=_Build,
    epilog=example(
        "mocapgen build --source hdm05 --root HDM05_cut_amc.zip --out data.h5",
        "mocapgen build --source cmu --category basketball,breakdance --long split --out cmu.h5",
        "mocapgen build --source folder --root my_mocap --dry-run",
        "mocapgen build --source cmu --root /shared/cmu --cluster tcp://scheduler:8786 --out cmu.h5",
        "mocapgen build --config build.yaml --actors bd,mm --out two_actors.h5",
        "mocapgen build --source sample --out data.h5 --json",
    ),
)
@click.option("--config", type=click.Path(), shell_complete=YAML, help="YAML file with these settings as keys; options override it.")
@add_options(_OPTIONS)
@JSON_OPTION
@common_options
@click.pass_context
def build(context: click.Context, /, config: str | None, json: bool, **options: Any) -> None:
    """Build a dataset from motion-capture clips."""
    from mocapgen.shared.config import build_config
    from mocapgen.shared.parallel import quiet_threads

    settings = build_config(given(context, options), config)
    context.with_resource(protected(config))
    with quiet_threads():  # and thus one thread, so that workers can be forks
        from mocapgen.cli._build_report import build_and_report  # after the check of the settings: a mistyped option is answered at once

    build_and_report(settings, json, session(context).level)
