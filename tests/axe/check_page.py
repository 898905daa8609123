"""Pages looked at by axe-core, which finds what keeps people from using them: names that are missing, contrast, and the like.

``axe.min.js`` is axe-core 4.14.1 as npm has it, unchanged, under the Mozilla Public License 2.0 (``LICENSE.txt``); only tests use it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def _axe() -> str:
    return Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")


def serious(page: Any) -> list[str]:
    """Return what axe-core finds serious or critical on an open page of Playwright: a line for each element, empty if there is nothing.

    Transitions should be off: ``browser.new_context(reduced_motion="reduce")``. A page's content policy does not matter.
    """
    page.evaluate(f"() => {{ {_axe()} }}")
    result = page.evaluate("async () => await axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in result["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
