"""``mocapgen skeletons``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mocapgen.shared.command import common_options, example
from mocapgen.shared.tables import print_columns

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
    rows = [(avatar.name, f"{avatar.stature:.2f} m", avatar.sex, avatar.age) for avatar in avatars]
    print_columns([("name", "stature", "sex", "age"), *rows], [(), *((avatar.description,) for avatar in avatars)])
