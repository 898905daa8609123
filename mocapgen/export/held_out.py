"""Which actors are kept for testing, for formats that tell training from testing."""

from __future__ import annotations

from collections.abc import Sequence

from mocapgen.export.source import Item
from mocapgen.sources.selection import matches, no_match
from schemas.base import Model


class HeldOut(Model):
    """Settings of such formats."""

    test_actors: tuple[str, ...] = ()
    """Actors kept for testing; wildcards allowed; by default the last one by name, if there are several."""


def split_actors(items: Sequence[Item], options: HeldOut) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the actors for training and those for testing, by name.

    Raises
    ------
    ConfigError
        If a pattern matches no actor.
    """
    actors = sorted({item.actor for item in items})
    for pattern in options.test_actors:
        if not any(matches(actor, pattern) for actor in actors):
            raise no_match("--test-actors", "a pattern that matches an actor", pattern, [actor for actor in actors if actor])
    test = [actor for actor in actors if any(matches(actor, pattern) for pattern in options.test_actors)]
    if not options.test_actors and len(actors) > 1:
        test = actors[-1:]
    return tuple(actor for actor in actors if actor not in test), tuple(test)
