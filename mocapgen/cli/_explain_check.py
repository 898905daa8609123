"""What ``mocapgen inspect --explain`` prints: the manual's words about a check, which are part of every installation."""

from __future__ import annotations

import difflib
import re

from mocapgen.cli._inspect_report import print_checks
from mocapgen.inspect.registry import Check, checks
from mocapgen.inspect.report_html import paragraphs
from mocapgen.shared.tables import print_pairs, say
from mocapgen.shared.terminal import say_marked
from mocapgen.shared.text import matches_id, one_line, quoted
from schemas.errors import ConfigError


def explain_checks(pattern: str) -> None:
    """Print what the manual says of the checks that an id, a pattern such as ``motion.*`` or a family means; of all only what they find.

    Raises
    ------
    ConfigError
        If there is no such check, with those of a similar id.
    """
    if not pattern:
        print_checks(checks().values())
        return
    found = [id for id in (*checks(), *paragraphs()) if matches_id(id, pattern)]
    if not found:
        near = difflib.get_close_matches(pattern[:100], checks(), n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        advice = f"; {hint}`mocapgen inspect --list-checks` lists all"
        raise ConfigError(one_line("explain", f"expected the id of a check, found {quoted(pattern)}", advice))
    for place, id in enumerate(dict.fromkeys(found)):
        say(*[""] * (place > 0))
        _explain(id, checks().get(id))


def _explain(id: str, check: Check | None) -> None:
    if check is None:  # a heading of the manual that is about checks as such
        say(id)
    else:
        limits = ", ".join(f"{name} {value:g}" for name, value in check.limits.items())
        pairs = {"finds": check.title, "severity": check.severity, "of": " and ".join(kind.replace("dataset", "datasets") for kind in check.kinds)}
        pairs |= {"value": check.unit} if check.unit else {}
        pairs |= {"limits": f"{limits}; a policy sets others"} if limits else {}
        print_pairs(id, pairs | {"leave out": f"mocapgen inspect DATA.H5 --ignore {id}"})
        say("")
    say_marked("", _plain(paragraphs().get(id, "")) or "the manual's page about checks is not installed", 0)


def _plain(markdown: str) -> str:
    """Return a paragraph of Markdown as text: links as what they are called, nothing bold."""
    return re.sub(r"\*\*([^*]+)\*\*", r"\1", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown))
