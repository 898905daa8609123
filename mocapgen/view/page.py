"""The player as parts of a page, or as a page of its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mocapgen.shared.markup import content_policy, html_text
from mocapgen.shared.page_style import page_style
from mocapgen.view.packing import Pack, to_json
from mocapgen.view.player_sequence import PlayerSequence
from schemas.inspection import Finding

_DRAWN = ("later.js", "codec.js", "space.js", "scene.js", "draw.js", "compare.js")
_WORLD = (
    "pointers.js",
    "orbit.js",
    "body.js",
    "instances.js",
    "parts.js",
    "strokes.js",
    "ground.js",
    "picture.js",
    "lines.js",
    "over.js",
    "world.js",
)
_AROUND = ("save.js", "video.js", "info.js", "thumbnail.js", "timeline.js", "list.js", "keys.js", "controls.js")
_SCRIPTS = (*_DRAWN, *_WORLD, *_AROUND, "player.js", "start.js")


_FIRST = 200_000  # characters of data before the script: with them the player starts, while the browser reads the rest
_REST = '<script type="text/plain" data-mp="rest">'


@dataclass(frozen=True)
class Start:
    """What the player shows first.

    Parameters
    ----------
    sequence : int
        Row of ``/sequences``.
    frame : int
    joint : str
        Name of the joint to highlight; empty for none.
    """

    sequence: int
    frame: int = 0
    joint: str = ""


@dataclass(frozen=True)
class PlayerParts:
    """What a page needs to hold the player.

    Parameters
    ----------
    css : str
        For a ``style`` element: :func:`mocapgen.shared.page_style.page_style` and the player's own; no rule reaches beyond the player, but that
        elements of the class ``mocap-theme`` get the style of all pages.
    html : str
        A ``section`` element with the controls and, in ``script`` elements that are not run, the data.
    script : str
        For a ``script`` element behind it; starts the players of the page.
    shown : tuple of int
        Rows of the sequences that are in it, ascending.
    frames : int
        How many frames these have.
    """

    css: str
    html: str
    script: str
    shown: tuple[int, ...]
    frames: int

    @property
    def size(self) -> int:
        """Bytes in UTF-8."""
        return sum(len(part.encode()) for part in (self.css, self.html, self.script))


@cache
def _asset(name: str) -> str:
    return (resources.files("mocapgen.view") / "assets" / name).read_text(encoding="utf-8")


def _script() -> str:
    """Return the player's script. three.js is in a function: browsers do no more than skim it until the player calls it, after its first frame."""
    three = f"(globalThis.MocapPlayer ||= {{}}).loadThree = () => {{\n{_asset('vendor/three.min.js')}\nreturn MocapThree;\n}};\n"
    return three + "".join(_asset(name) for name in _SCRIPTS)


def filled(template: str, **values: str) -> str:
    """Return a template with its ``{{names}}`` replaced, all at once: what stands in a value stays as it is."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template)


def player_parts(
    sequences: Iterable[PlayerSequence],
    title: str,
    *,
    findings: Sequence[Finding] = (),
    max_bytes: int | None = None,
    start: Start | None = None,
    notes: Sequence[str] = (),
    whole_page: bool = False,
    video: str = "",
    chosen: int = 0,
) -> PlayerParts:
    """Return the player with its data, to be put into a page.

    Links of that page to ``#sequence=12&frame=245&joint=LeftFoot`` show that moment.

    Parameters
    ----------
    sequences : iterable of PlayerSequence
        The most important first: when they no longer fit, those that follow are left out, and not read.
    title : str
    findings : sequence of Finding
        Marked on the time line of their sequence.
    max_bytes : int, optional
        What all parts may take together; by default there is no limit. A player without sequences takes 0.7 MB, three.js most of it.
    start : Start, optional
        What to show first; by default the first sequence.
    notes : sequence of str
        Lines to show below the player.
    whole_page : bool
        Whether the player has the page to itself: it then plays at once, and keys work wherever the focus is.
    video : str
        A ``video`` element to show behind the 2D pane; see :mod:`mocapgen.view.backdrop`.
    chosen : int
        How many sequences there are: the page says so if not all of them fit. 0 if that need not be said.

    Returns
    -------
    PlayerParts

    Raises
    ------
    DatasetError
        Only what reading `sequences` raises.
    """
    css, markup, script = page_style() + _asset("player.css"), _asset("player.html"), _script()
    by_sequence: dict[int | None, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_sequence[finding.sequence].append(finding)
    around = len(to_json([title, *notes])) + 256
    room = None if max_bytes is None else max_bytes - sum(len(text.encode()) for text in (css, markup, script, video)) - around
    pack = Pack(room)
    for sequence in sequences:
        if not pack.add(sequence, by_sequence[sequence.number]):
            break
    first = None if start is None else {"sequence": start.sequence, "frame": start.frame, "joint": start.joint}
    mode, header = "page" if whole_page else "part", to_json(pack.header(title, notes, first, chosen))
    data = {"header": header, "blocks": pack.text[:_FIRST], "rest": pack.text[_FIRST:]}
    return PlayerParts(css, filled(markup, mode=mode, video=video, **data), script, pack.numbers, pack.frames)


def page_of(parts: PlayerParts, title: str) -> str:
    """Return a page with nothing but the player; it asks for nothing from anywhere."""
    script, media = f"\n{parts.script}", "data: file: 'self'" if '<video data-mp="video"' in parts.html else ""
    player, marker, rest = parts.html.partition(_REST)
    page = {"title": html_text(title), "css": parts.css, "script": script, "player": player, "rest": marker + rest}
    return filled(_asset("page.html"), policy=content_policy(script, media), **page)


def player_page(
    sequences: Iterable[PlayerSequence],
    title: str,
    *,
    findings: Sequence[Finding] = (),
    max_bytes: int | None = None,
    start: Start | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return a page with nothing but the player: one HTML text that needs nothing else; see :func:`player_parts`."""
    return page_of(player_parts(sequences, title, findings=findings, max_bytes=max_bytes, start=start, notes=notes, whole_page=True), title)
