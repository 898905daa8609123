"""Objects that show themselves in a notebook as the player.

The player stands far above the objects that it shows, so they know only that there is one: :mod:`mocapgen` names it when it is imported.
"""

from __future__ import annotations

from mocapgen.shared.facade import load

_player: str | None = None


def set_player(home: str) -> None:
    """Name the function that turns an object into HTML, as ``module:name``; it is loaded at first use."""
    global _player
    _player = home


class Playable:
    """Something that a notebook shows as the player."""

    def _repr_html_(self) -> str | None:
        html: str | None = None if _player is None else load(_player)(self)
        return html
