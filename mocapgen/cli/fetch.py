"""``mocapgen fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mocapgen.shared.command import common_options, example, session
from mocapgen.shared.completion import names
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_pairs
from mocapgen.shared.text import format_size

if TYPE_CHECKING:
    from mocapgen.sources.archives import Archive
    from mocapgen.sources.fetch import Fetched


@click.command(
    epilog=example(
        "mocapgen fetch hdm05", "mocapgen fetch hdm05 --format c3d --to /data/mocap", "mocapgen fetch cmu --url https://mirror.example/cmu.zip"
    )
)
@click.argument("source", metavar="hdm05|cmu", shell_complete=names(("hdm05", "cmu")))
@click.option("--format", type=click.Choice(["amc", "c3d"]), help="Which of the database's archives  [default: amc]")
@click.option("--to", type=click.Path(path_type=Path), help="Folder to download to  [default: the one that build reads]")
@click.option("--url", help="Address of a mirror  [default: where the archive is published]")
@click.option("--force", is_flag=True, help="Download again, even if the content has changed.")
@click.option("--insecure", is_flag=True, help="Accept http and redirects to it, and another checksum than the one that ships.")
@common_options
@click.pass_context
def fetch(context: click.Context, /, source: str, format: str | None, to: Path | None, url: str | None, force: bool, insecure: bool) -> None:
    """Download a database's official archive.

    An interrupted download continues where it stopped. An archive that was downloaded before is verified.
    """
    from mocapgen.sources.archives import archive_of
    from mocapgen.sources.fetch import fetch

    archive, level = archive_of(source, format), session(context).level
    if level >= 0:
        print_pairs(archive.title, archive.terms)
    with progress_bar(level, sizes=True) as progress:
        found = fetch(archive, url, to, force, progress, insecure)
    if level >= 0:
        print_fetched(found, archive, to)


def print_fetched(found: Fetched, archive: Archive, to: Path | None) -> None:
    """Print what a download left, and how to build from it."""
    root = f" --root {found.path}" if to else ""
    format = "" if archive.format == "amc" else f" --format {archive.format}"
    title = "downloaded" if found.downloaded else "already there, and unchanged"
    size, build = format_size(found.size), f"mocapgen build --source {archive.source}{format}{root} --out data.h5"
    print_pairs(title, {"file": f"{found.path}, {size}", "sha256": found.sha256, "next": build})
