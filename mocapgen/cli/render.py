"""``mocapgen render``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mocapgen.cli._complete import DATA, IN_FILE, completed
from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_pairs

_OPTIONS = schema_options(
    "render-config",
    extras=completed(
        IN_FILE,
        {
            "clip": {"metavar": "ID"},
            "avatar": {"metavar": "NAME"},
            "avatars": {"metavar": "A,B,...|all"},
            "frames": {"metavar": "0,10,...|START:STOP[:STEP]"},
            "predictions": {"metavar": "PRED.H5"},
            "trail": {"metavar": "JOINT,..."},
        },
    ),
)


@click.command(
    epilog=example(
        "mocapgen render data.h5 --clip HDM_tr_kickLFront1Reps_025_120 --out kick.gif",
        "mocapgen render data.h5 --clip HDM_tr_kickLFront1Reps_025_120 --count 8 --out strip.pdf",
        "mocapgen render data.h5 --avatars all --out avatars.mp4",
        "mocapgen render data.h5 --sheet --actions 'hop*,kick*' --out sheet.png",
    )
)
@click.argument("path", metavar="DATA.H5", shell_complete=DATA, type=click.Path(path_type=Path))
@add_options(_OPTIONS)
@common_options
@click.pass_context
def render(context: click.Context, /, path: Path, **options: Any) -> None:
    """Draw clips as pictures or animations: 2D on the image, 3D beside it.

    DATA.H5 is a dataset or a predictions file.
    """
    from mocapgen.shared.config import settings
    from schemas.render import RenderConfig

    level, config = session(context).level, settings(RenderConfig, given(context, options))
    from mocapgen.figures import render

    with progress_bar(level) as progress:
        rendered = render(path, config, progress)
    if level >= 0:
        print_pairs("written", rendered.pairs)
