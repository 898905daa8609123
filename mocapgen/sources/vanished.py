"""Actions and actors that were asked for and of which nothing is left: whoever trains on a dataset expects its classes to be there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from mocapgen.sources.base import Clip
from schemas.report import Skip, Vanished


def vanished(wanted: Sequence[Clip], used: Iterable[Clip], skips: Iterable[Skip]) -> tuple[Vanished, ...]:
    """Return the actions and actors that none of the clips that are used shows.

    Parameters
    ----------
    wanted : sequence of Clip
        The clips that pass the user's filters.
    used : iterable of Clip
    skips : iterable of Skip
        What is not used, and why.

    Returns
    -------
    tuple of Vanished
        Actions before actors, those of most clips first. Names are compared in any case.
    """
    used = list(used)
    told: defaultdict[str, list[Skip]] = defaultdict(list)
    for skip in skips:
        told[skip.file].append(skip)
    found = []
    for kind in ("action", "actor"):
        left = {getattr(clip, kind).casefold() for clip in used}
        lost: defaultdict[str, list[Clip]] = defaultdict(list)
        for clip in wanted:
            if getattr(clip, kind).casefold() not in left:
                lost[getattr(clip, kind)].append(clip)
        found += [_vanished(kind, name, clips, told) for name, clips in sorted(lost.items(), key=lambda item: (-len(item[1]), item[0]))]
    return tuple(found)


def _vanished(kind: str, name: str, clips: Sequence[Clip], told: dict[str, list[Skip]]) -> Vanished:
    reasons = Counter(reason for clip in clips for reason in {skip.reason for skip in told[clip.file]})
    frames = [skip.frames for clip in clips for skip in told[clip.file] if skip.frames is not None]
    lengths = (min(frames), max(frames)) if frames else None
    return Vanished(kind=kind, name=name, clips=len(clips), reasons=dict(reasons.most_common()), frames=lengths)
