"""Small pictures of the moments that findings are about: the pose as the camera sees it, and the joint that is meant."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mocapgen.view import PlayerSequence
from schemas.inspection import Finding

SIZE = 44
"""Side of a picture, pixels."""
_MARGIN = 5.0

Moment = tuple[int, int, str]
"""Row of ``/sequences``, frame, name of the joint or nothing."""


def moment(finding: Finding, sequence: int) -> Moment:
    """Return which moment a finding is about, in the sequence that shows it."""
    return sequence, finding.frame or 0, finding.joint


def thumbnails(sequence: PlayerSequence, moments: Iterable[Moment]) -> dict[Moment, str]:
    """Return pictures of moments of one sequence as SVG, without those in which there is nothing to see."""
    drawn = {found: _drawn(sequence, *found[1:]) for found in moments if found[0] == sequence.number and found[1] < len(sequence.pixels)}
    return {found: picture for found, picture in drawn.items() if picture}


def _drawn(sequence: PlayerSequence, frame: int, joint: str) -> str:
    pixels, tree = np.asarray(sequence.pixels[frame], dtype=np.float64), sequence.tree
    seen = np.isfinite(pixels).all(axis=-1)
    bones = tree.bones[np.isin(tree.bones, np.flatnonzero(seen)).all(axis=1)]
    if not seen.any():
        return ""
    low, high = pixels[seen].min(axis=0), pixels[seen].max(axis=0)
    scale = (SIZE - 2 * _MARGIN) / max(float((high - low).max()), 1e-9)
    places = SIZE / 2 + scale * (pixels - (low + high) / 2)
    lines = dict.fromkeys("clr", "")
    for parent, child in bones:
        lines[tree.sides[child]] += "M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*places[parent], *places[child])
    marked = [place for name, place in zip(tree.names, places, strict=True) if name == joint and np.isfinite(place).all()]
    paths = "".join(f'<path class="{side}" d="{line}"/>' for side, line in lines.items() if line)
    circles = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in marked)
    return f'<svg class="thumb" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}" aria-hidden="true">{paths}{circles}</svg>'
