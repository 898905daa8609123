"""``mocapgen skeletons``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mocapgen.shared.command import common_options, example
from mocapgen.shared.tables import make_console

if TYPE_CHECKING:
    from schemas.skeleton import Avatar


@click.command(epilog=example("mocapgen skeletons"))
@common_options
def skeletons() -> None:
    """List the built-in avatars."""
    from mocapgen.anatomy.avatars import avatar_names, load_avatar

    print_avatars([load_avatar(name) for name in avatar_names()])


def print_avatars(avatars: Sequence[Avatar]) -> None:
    """Print a table of avatars."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "stature", "sex", "age", "description"):
        table.add_column(title, justify="right" if title == "stature" else "left", no_wrap=title != "description")
    for avatar in avatars:
        table.add_row(avatar.name, f"{avatar.stature:.2f} m", avatar.sex, avatar.age, avatar.description)
    make_console().print(table, soft_wrap=False)
