"""``mocapgen view``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mocapgen.cli._complete import CLIP, DATA, IN_FILE, completed
from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.options import schema_options
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_pairs
from mocapgen.shared.text import format_size

if TYPE_CHECKING:
    from mocapgen.view.write_page import ViewReport

_OPTIONS = (
    *schema_options("select-config", ("clips", "actors", "actions", "avatars", "cameras", "limit"), completed(IN_FILE)),
    click.option("--predictions", type=click.Path(path_type=Path), shell_complete=DATA, help="Predictions file to draw over the ground truth."),
    click.option("--video", type=click.Path(path_type=Path), help="Video that the predictions were made from, to show behind the 2D pane."),
    click.option("--clip", metavar="ID", shell_complete=CLIP, help="Clip to show first."),
    click.option("--frame", type=int, metavar="N", help="Frame to show first, from 0."),
    click.option("--out", type=click.Path(path_type=Path), help="HTML file to write; by default a temporary one, opened in the browser."),
    click.option("--overwrite", is_flag=True, help="Replace the file in --out."),
)


@click.command(
    epilog=example(
        "mocapgen view data.h5",
        "mocapgen view data.h5 --actions 'hop*' --avatars average_man --out hop.html",
        "mocapgen view data.h5 --predictions pred.h5 --clip HDM_bd_squat1Reps_001_120 --frame 40",
        "mocapgen view pred.h5 --video clip.mp4 --out pred.html",
    )
)
@click.argument("path", metavar="DATA.H5", shell_complete=DATA, type=click.Path(path_type=Path))
@add_options(_OPTIONS)
@common_options
@click.pass_context
def view(context: click.Context, /, path: Path, out: Path | None, overwrite: bool, **options: Any) -> None:
    """Play a dataset or predictions file in the browser.

    The page holds everything it needs and works offline: 2D and 3D side by side, every clip, avatar and camera; press ? for the keys.
    """
    from mocapgen.shared.config import select_config

    first = {name: options.pop(name) for name in ("predictions", "clip", "frame", "video")}
    selection, level = select_config(given(context, options)), session(context).level
    from mocapgen.view.write_page import view

    with progress_bar(level) as progress:
        viewed = view(path, selection, out, overwrite=overwrite, progress=progress, **first)
    if level >= 0:
        print_viewed(viewed)


def print_viewed(viewed: ViewReport) -> None:
    """Print what a page shows and where it is."""
    complete = viewed.sequences == viewed.chosen
    left_out = "" if complete else f" of {viewed.chosen:,}: the page is full; choose with --clips, --actions, --avatars or --limit"
    pairs = {"sequences": f"{viewed.sequences:,}{left_out}", "frames": f"{viewed.frames:,}", "file": f"{viewed.path}, {format_size(viewed.size)}"}
    if viewed.predicted is not None:
        pairs["predictions"] = f"of {viewed.predicted:,} of these sequences"
    if viewed.video:
        pairs["video"] = viewed.video
    if viewed.opened is False:
        pairs["next"] = "no graphical browser was found: open the file yourself"
    print_pairs("written" if viewed.opened is None else "opened in the browser" if viewed.opened else "not opened", pairs)
