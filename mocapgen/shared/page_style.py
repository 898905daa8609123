"""The style of all pages: reports of both programs and the player. Colours, sizes, text, tables, and what is clicked, in light and dark."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Literal


@cache
def page_style() -> str:
    """Return the rules of ``mocapgen/shared/assets/page.css``, for a ``style`` element, before a page's own.

    The page's body has the class ``mocap-theme``; a page's own rules take colours, sizes and radii from the variables ``--mp-…``.
    """
    return (resources.files("mocapgen.shared") / "assets" / "page.css").read_text(encoding="utf-8")


def page_colours(theme: Literal["light", "dark"]) -> dict[str, str]:
    """Return the colours of a theme, as #rrggbb, by the names of their variables without ``--mp-``."""
    light, _, dark = page_style().partition("prefers-color-scheme: dark")
    return dict(re.findall(r"--mp-([a-z-]+): (#[0-9a-f]{6});", light if theme == "light" else dark))
