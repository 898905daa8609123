"""Checks of the whole dataset: balance, completeness, duplicates, and leaks between the sides of a split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from mocapgen.inspect.dataset_view import DatasetView
from mocapgen.inspect.registry import check
from schemas.inspection import Finding

_LISTED = 5


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _imbalance(dataset: DatasetView, what: str, of_row: NDArray[Any], max_ratio: float, where: str) -> Iterator[Finding]:
    """Compare how many frames there are of each name; `of_row` is the name of each row that can be trusted."""
    frames: Counter[str] = Counter()
    for name, length in zip(of_row, dataset.sequences["length"][dataset.rows].tolist(), strict=True):
        frames[str(name)] += length
    if len(frames) < 2:
        return
    most, least = frames.most_common(1)[0], frames.most_common()[-1]
    ratio = most[1] / least[1]
    if ratio > max_ratio:
        there = f"{most[1]:,} of {most[0]} and {least[1]:,} of {least[0]}"
        text = f"expected at most {max_ratio:g} times as many frames of one {what} as of another, found {there}"
        yield dataset.finding(text, value=ratio, where=where)


@check("dataset.actor_balance", "info", "dataset", "times")
def actor_balance(dataset: DatasetView, *, max_ratio: float = 5.0) -> Iterator[Finding]:
    """Some actors have far more frames than others."""
    yield from _imbalance(dataset, "actor", dataset.clips["actor"][dataset.sequences["clip"][dataset.rows]], max_ratio, "/clips/actor")


@check("dataset.action_balance", "info", "dataset", "times")
def action_balance(dataset: DatasetView, *, max_ratio: float = 10.0) -> Iterator[Finding]:
    """Some actions have far more frames than others."""
    yield from _imbalance(dataset, "action", dataset.clips["action"][dataset.sequences["clip"][dataset.rows]], max_ratio, "/clips/action")


@check("dataset.avatar_balance", "info", "dataset", "times")
def avatar_balance(dataset: DatasetView, *, max_ratio: float = 1.5) -> Iterator[Finding]:
    """Some avatars have more frames than others, though every clip can be played on every avatar."""
    yield from _imbalance(dataset, "avatar", dataset.sequences["avatar"][dataset.rows], max_ratio, "/sequences/avatar")


@check("dataset.missing_avatars", "warning", "dataset")
def missing_avatars(dataset: DatasetView, *, min_share: float = 0.8) -> Iterator[Finding]:
    """A clip is not played on an avatar that nearly all other clips are played on."""
    played: defaultdict[int, set[str]] = defaultdict(set)
    for row in dataset.rows.tolist():
        played[int(dataset.sequences["clip"][row])].add(str(dataset.sequences["avatar"][row]))
    counts = Counter(avatar for avatars in played.values() for avatar in avatars)
    usual = sorted(avatar for avatar, count in counts.items() if count >= min_share * len(played))
    for clip, avatars in sorted(played.items()):
        lacking = [avatar for avatar in usual if avatar not in avatars]
        if lacking:
            text = f"expected sequences on {_listed(usual)}, as for most clips, found none on {_listed(lacking)}"
            yield dataset.finding(text, clip=str(dataset.clips["id"][clip]))


@check("dataset.unused", "warning", "dataset")
def unused(dataset: DatasetView) -> Iterator[Finding]:
    """Clips, cameras or avatars belong to no sequence."""
    table = dataset.sequences
    for clip in sorted(set(range(len(dataset.clips["id"]))) - set(table["clip"].tolist())):
        yield dataset.finding("expected a sequence of the clip, found none", clip=str(dataset.clips["id"][clip]), where="/clips")
    cameras = sorted(set(range(len(dataset.data.cameras))) - set(table["camera"].tolist()))
    if cameras:
        yield dataset.finding(f"expected a sequence of every camera, found none of rows {_listed([str(row) for row in cameras])}", where="/cameras")
    for avatar in sorted(set(dataset.data.file["/skeletons"]) - set(map(str, table["avatar"]))):
        yield dataset.finding(f"expected a sequence of every avatar, found none of {avatar}", where=f"/skeletons/{avatar}")


@check("dataset.lengths", "info", "dataset", "frames")
def lengths(dataset: DatasetView, *, min_frames: int = 2, max_frames: int = 100_000) -> Iterator[Finding]:
    """A sequence is shorter or longer than wanted."""
    for row in dataset.rows.tolist():
        length = int(dataset.sequences["length"][row])
        if not min_frames <= length <= max_frames:
            far = min_frames - length if length < min_frames else length - max_frames
            yield dataset.finding(f"expected {min_frames:,} to {max_frames:,} frames, found {length:,}", sequence=row, value=far)


@check("dataset.duplicates", "warning", "dataset")
def duplicates(dataset: DatasetView) -> Iterator[Finding]:
    """A sequence is an exact copy of another."""
    first: dict[bytes, int] = {}
    for row, found in sorted(dataset.gathered.items()):
        known = first.setdefault(found.digest, row)
        if known != row:
            text = f"expected a motion of its own, found exactly that of sequence {known}: {dataset.name(known)}"
            yield dataset.finding(text, sequence=row)


@check("dataset.near_duplicates", "warning", "dataset", "frames")
def near_duplicates(dataset: DatasetView, *, max_degrees: float = 0.8, max_share: float = 0.1, min_seconds: float = 0.5) -> Iterator[Finding]:
    """Two clips show the same motion, perhaps shifted in time or cut another way."""
    for match in dataset.matches(max_degrees, max_share, min_seconds):
        first, second = (str(dataset.clips["id"][clip]) for clip in (match.first, match.second))
        shift = f"{abs(match.offset):g} frames {'later' if match.offset > 0 else 'earlier'}" if match.offset else "at the same frames"
        text = f"expected another motion than that of {second}, found {match.frames:,} frames within {match.degrees:.2f}° of it, there {shift}"
        yield dataset.finding(text, clip=first, value=match.frames)


@check("dataset.split_leak", "error", "dataset", needs="split")
def split_leak(dataset: DatasetView, *, max_degrees: float = 0.8, max_share: float = 0.1, min_seconds: float = 0.5) -> Iterator[Finding]:
    """A clip, or a near-copy of it, is on two sides of the split."""
    sides: defaultdict[str, set[str]] = defaultdict(set)
    clips: dict[str, str] = {}
    assert dataset.split is not None
    for row in dataset.rows.tolist():
        clip = int(dataset.sequences["clip"][row])
        recording = str(dataset.recordings[clip])
        sides[recording].update(dataset.split.of(dataset.name(row)))
        clips.setdefault(recording, str(dataset.clips["id"][clip]))
    for recording, both in sides.items():
        if len(both) > 1:
            yield dataset.finding(f"expected a recording on one side, found sequences of it on {' and '.join(sorted(both))}", clip=clips[recording])
    for match in dataset.matches(max_degrees, max_share, min_seconds):
        one, two = (sides[str(dataset.recordings[clip])] for clip in (match.first, match.second))
        if one and two and one != two:
            first, second = (str(dataset.clips["id"][clip]) for clip in (match.first, match.second))
            text = f"expected near-copies on one side, found this one on {' and '.join(sorted(one))} and {second} on {' and '.join(sorted(two))}"
            yield dataset.finding(text, clip=first)


@check("dataset.split_names", "warning", "dataset", needs="split")
def split_names(dataset: DatasetView) -> Iterator[Finding]:
    """The split names sequences that the file does not have, or leaves some out."""
    assert dataset.split is not None
    here = {dataset.name(row): row for row in dataset.rows.tolist()}
    named = frozenset[str]().union(*dataset.split.sides.values())
    absent = sorted(named - set(here))
    if absent:
        yield dataset.finding(f"expected the sequences that the split names, found no {_listed(absent)}: another file?", value=len(absent))
    missing = sorted(set(here) - named)
    if missing:
        yield dataset.finding(f"expected every sequence on a side, found {len(missing):,} on none: {_listed(missing)}", value=len(missing))
