"""The colours of pictures; those of the body's sides are :mod:`mocapgen.shared.body_colours`."""

from __future__ import annotations

from dataclasses import dataclass

from mocapgen.shared.body_colours import LEFT, RIGHT


@dataclass(frozen=True)
class Theme:
    """One set of colours, as #rrggbb."""

    paper: str
    panel: str
    ink: str
    faint: str
    line: str
    shadow: str
    left: str
    right: str
    centre: str
    truth: str
    """Ground truth that lies beneath a prediction."""

    def side(self, side: str) -> str:
        """Return the colour of a side of the body: ``l`` left, ``r`` right, else neither."""
        return {"l": self.left, "r": self.right}.get(side, self.centre)


THEMES = {
    "light": Theme(
        paper="#ffffff",
        panel="#f4f6f8",
        ink="#1f2933",
        faint="#66727f",
        line="#dce1e7",
        shadow="#cfd5dd",
        left=LEFT["light"],
        right=RIGHT["light"],
        centre="#3a4552",
        truth="#b4bcc6",
    ),
    "dark": Theme(
        paper="#11161d",
        panel="#1a212a",
        ink="#e8ecf1",
        faint="#94a1b0",
        line="#303a46",
        shadow="#0b0f14",
        left=LEFT["dark"],
        right=RIGHT["dark"],
        centre="#d5dce4",
        truth="#566371",
    ),
}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(colour: str, with_colour: str, share: float) -> str:
    """Return a colour with a share, 0 to 1, of another one mixed in."""
    mixed = (round((1.0 - share) * a + share * b) for a, b in zip(rgb(colour), rgb(with_colour), strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def palette(theme: Theme) -> list[tuple[int, int, int]]:
    """Return all colours that a picture in these colours holds, at most 256: each, and its steps to what it can lie on.

    Edges of lines and letters are blends with the ground; a palette made of these needs no look at the frames, is the same for
    all of them, and so does not flicker.
    """
    inks = (theme.left, theme.right, theme.centre, theme.ink, theme.faint, theme.truth, theme.line, theme.shadow)
    colours = [rgb(colour) for colour in (theme.paper, theme.panel, *inks)]
    steps = (0.2, 0.4, 0.6, 0.8)
    colours += [rgb(blend(ink, ground, step)) for ink in inks for ground in (theme.panel, theme.paper) for step in steps]
    colours += [rgb(blend(ink, ground, step)) for ink in inks[:4] for ground in (theme.shadow, theme.line, theme.truth) for step in steps]
    return list(dict.fromkeys(colours))[:255]
