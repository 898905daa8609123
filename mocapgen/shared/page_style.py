"""The style of all pages: reports of both programs and the player. Colours, sizes, text, tables, and what is clicked, in light and dark."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def page_style() -> str:
    """Return the rules of ``mocapgen/shared/assets/page.css``, for a ``style`` element, before a page's own.

    The page's body has the class ``mocap-theme``; a page's own rules take colours, sizes and radii from the variables ``--mp-…``.
    """
    return (resources.files("mocapgen.shared") / "assets" / "page.css").read_text(encoding="utf-8")
