"""Select the clips of a source: pure functions over a listing, the same for every source.

The order of the rules: the user's filters, then clips known to be faulty, then copies, then the choice of one file for each
clip and of one clip for each action and actor. All of it is settled before anything is read, hence the same for any number of workers; what
only reading can tell (damage, length) is left to the caller, who takes the first usable clip of every group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from mocapgen.shared.text import matches, no_match
from mocapgen.sources.base import Clip, Listing
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.report import Skip

_OPTIONS = {"actors": "--actors", "actions": "--actions", "categories": "--category"}
"""What a dataset file calls the settings, in the reasons why a clip was skipped."""

FURTHER_TAKE = "--select all takes every clip"
"""How the report on a clip ends that is not used since another one of its action and actor is."""

_Rule = tuple[str, str, Sequence[str], Callable[[Clip], Sequence[str]]]
"""What is compared, the setting that gives the patterns, the patterns, and the names of a clip."""


@dataclass(frozen=True)
class ClipSelection:
    """What to read."""

    groups: tuple[tuple[Clip, ...], ...]
    """Candidates of which the first usable one is used, as from :func:`candidate_groups`."""
    skipped: tuple[Skip, ...]
    """Everything that is already known to be left out, sorted by file."""
    wanted: tuple[Clip, ...] = ()
    """The clips that pass the user's filters."""


def select_clips(listing: Listing, config: BuildConfig) -> ClipSelection:
    """Apply all rules to what a source found.

    Parameters
    ----------
    listing : Listing
    config : BuildConfig
        Its ``actors``, ``actions``, ``categories`` and ``select`` (``one-per-actor`` if unset).

    Returns
    -------
    ClipSelection
        Every clip of the listing is either in a group or skipped.

    Raises
    ------
    ConfigError
        If a filter matches nothing, or the filters together leave nothing.
    """
    for pattern in config.categories:
        if not any(matches(name, pattern) for name in listing.categories):
            raise no_match("categories", "a category that there are clips of", pattern, sorted(listing.categories))
    wanted, filtered = filter_clips(listing.clips, config.actors, config.actions, config.categories)
    faults = [clip.fault for clip in wanted if clip.fault is not None]
    unique, repeated = drop_duplicates([clip for clip in wanted if clip.fault is None])
    skipped = [*listing.skipped, *filtered, *faults, *repeated]
    skipped.sort(key=lambda skip: (skip.file, skip.reason, skip.detail))
    return ClipSelection(tuple(candidate_groups(unique, config.select or "one-per-actor")), tuple(skipped), tuple(wanted))


def filter_clips(
    clips: Sequence[Clip], actors: Sequence[str] = (), actions: Sequence[str] = (), categories: Sequence[str] = ()
) -> tuple[list[Clip], list[Skip]]:
    """Keep the clips of some actors, actions and categories.

    Parameters
    ----------
    clips : sequence of Clip
    actors, actions, categories : sequence of str
        Names or wildcards (``*``, ``?``, ``[ab]``), in any case; none means all. A clip of several categories is kept for any of them.

    Returns
    -------
    kept : list of Clip
        In the given order.
    skipped : list of Skip
        ``not selected``, with the option that excludes it.

    Raises
    ------
    ConfigError
        If a pattern matches no clip at all (with the names that there are), or no clip passes all filters.
    """
    rules: list[_Rule] = [
        ("actor", "actors", actors, lambda clip: (clip.actor,)),
        ("action", "actions", actions, lambda clip: (clip.action,)),
        ("category", "categories", categories, lambda clip: clip.categories),
    ]
    for what, option, patterns, names_of in rules:
        names = sorted({name for clip in clips for name in names_of(clip)})
        for pattern in patterns:
            if clips and not any(matches(name, pattern) for name in names):
                wanted = "a category that there are clips of" if what == "category" else f"a pattern that matches an {what}"
                raise no_match(option, wanted, pattern, names)
    kept, skipped = [], []
    for clip in clips:
        broken = next((rule for rule in rules if not _passes(clip, rule)), None)
        if broken is None:
            kept.append(clip)
            continue
        what, option, patterns, names_of = broken
        detail = f"{what} {' '.join(names_of(clip)) or 'unknown'} is not among {_OPTIONS[option]} {','.join(patterns)}"
        skipped.append(Skip(file=clip.file, reason="not selected", detail=detail))
    if clips and not kept:
        asked = " with ".join(f"{option}={','.join(patterns)!r}" for _, option, patterns, _ in rules if patterns)
        raise ConfigError(f"{asked}: expected clips that match {'both' if asked.count(' with ') == 1 else 'all'}, found none; loosen one of them")
    return kept, skipped


def _passes(clip: Clip, rule: _Rule) -> bool:
    _, _, patterns, names_of = rule
    return not patterns or any(matches(name, pattern) for name in names_of(clip) for pattern in patterns)


def drop_duplicates(clips: Sequence[Clip]) -> tuple[list[Clip], list[Skip]]:
    """Keep the first of clips with the same bytes and suffix: under another one they are damaged.

    Parameters
    ----------
    clips : sequence of Clip
        Bytes are compared by ``sha256``, where the source has set it.

    Returns
    -------
    kept : list of Clip
    skipped : list of Skip
        ``duplicate``, naming the file that is kept.
    """
    first: dict[str, Clip] = {}
    kept, skipped = [], []
    for clip in clips:
        key = None if clip.sha256 is None else clip.sha256 + PurePosixPath(clip.file).suffix.lower() + (clip.subject or "")
        if key is None or key not in first:
            kept.append(clip)
            if key is not None:
                first[key] = clip
        else:
            skipped.append(Skip(file=clip.file, reason="duplicate", detail=f"the same bytes as {first[key].file}"))
    return kept, skipped


def candidate_groups(clips: Sequence[Clip], select: Literal["one-per-actor", "all"]) -> list[tuple[Clip, ...]]:
    """Group the clips of which one is to be used.

    Parameters
    ----------
    clips : sequence of Clip
        Those with the same id (in any case) in order of preference.
    select : 'one-per-actor' or 'all'
        `all`: a group holds the clips of one id, such as the same motion in several formats. `one-per-actor`: it holds an actor's
        takes of an action (names compared in any case; what the first clip of an id says counts for the others) in order of the
        take, numbers by value.

    Returns
    -------
    list of tuple of Clip
        In the order of each group's first clip among `clips`.
    """
    same: dict[str, list[Clip]] = {}
    for clip in clips:
        same.setdefault(clip.id.casefold(), []).append(clip)
    if select == "all":
        return [tuple(group) for group in same.values()]
    groups: dict[tuple[str, str], list[list[Clip]]] = {}
    for candidates in same.values():
        groups.setdefault((candidates[0].action.casefold(), candidates[0].actor.casefold()), []).append(candidates)
    for takes in groups.values():
        takes.sort(key=lambda candidates: (_natural(candidates[0].take), candidates[0].id, candidates[0].file))
    return [tuple(clip for candidates in takes for clip in candidates) for takes in groups.values()]


def not_needed(clip: Clip, used: Clip) -> Skip:
    """Return the report on a candidate that was not tried since an earlier one of its group is used."""
    if clip.id.casefold() == used.id.casefold():
        return Skip(file=clip.file, reason="duplicate", detail=f"the same clip id as {used.file}")
    return Skip(
        file=clip.file,
        reason="not selected",
        detail=f"one clip for each action and actor: {used.id} is used; {FURTHER_TAKE}",
    )


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """Return a key that orders numbers within a text by value: 2 before 10."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", text))
