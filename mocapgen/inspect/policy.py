"""Which checks run, how severe their findings are, and with which limits: the policy, and what is selected or ignored."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mocapgen.inspect.registry import Check, Kind, checks
from mocapgen.shared.config import checked
from mocapgen.shared.documents import find_document, read_yaml
from mocapgen.shared.text import did_you_mean, matches_id, one_line, quoted, split_list
from schemas.errors import ConfigError
from schemas.inspection import Policy, Severity

_FOLDER = Path(__file__).parent / "policies"
DEFAULT = "default"


@dataclass(frozen=True)
class PlannedCheck:
    """A check as it is to be run.

    Parameters
    ----------
    check : Check
    severity : str
        Of its findings.
    limits : dict of str to float
    left_out : str
        Why it is not to be run; empty if it is.
    """

    check: Check
    severity: Severity
    limits: dict[str, float]
    left_out: str = ""


def policy_names() -> tuple[str, ...]:
    """Return the names of the built-in policies; ``default`` is what the checks say themselves."""
    return (DEFAULT, *sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load_policy(name_or_path: str | Path) -> Policy:
    """Load a built-in policy by name, or your own by the path of its YAML file.

    Raises
    ------
    ConfigError
        If there is no such policy or file, or it names a key, check, severity or limit that does not exist.
    """
    if str(name_or_path) == DEFAULT:
        return Policy(description="What the checks say themselves.")
    path = find_document("policy", name_or_path, _FOLDER, policy_names())
    policy = checked(Policy, _read(path), f"policy {path}", first=True)
    _check_names(path, policy)
    return policy


def _read(path: Path) -> dict[str, Any]:
    content = read_yaml(path, "a policy", f"policy {path}", required=True)
    severities = content.get("severities")
    if isinstance(severities, dict):  # YAML 1.1 reads a bare `off` as false
        content["severities"] = {key: "off" if value is False else value for key, value in severities.items()}
    return content


def _check_names(path: Path, policy: Policy) -> None:
    for pattern in policy.severities:
        _require_match(f"policy {path}: severities", pattern)
    for id, limits in policy.limits.items():
        if id not in checks():
            raise ConfigError(one_line(f"policy {path}", f"limits: unknown check {quoted(id)}; {did_you_mean(id, checks())}"))
        known = checks()[id].limits
        for name in limits:
            if name not in known:
                raise ConfigError(one_line(f"policy {path}", f"limits: unknown limit {quoted(name)} of {id}; {did_you_mean(name, known)}"))


def _require_match(where: str, pattern: str) -> None:
    if not any(matches_id(id, pattern) for id in checks()):
        families = sorted({check.family for check in checks().values()})
        near = difflib.get_close_matches(pattern[:100], [*checks(), *families], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"see --list-checks; families are {', '.join(families)}"
        raise ConfigError(f"{where}: expected the id of a check or a pattern such as 'motion.*', found {quoted(pattern)}; {hint}")


def _patterns(option: str, values: Sequence[str] | str) -> tuple[str, ...]:
    """Return the patterns of an option that takes comma lists; giving it without a name is a mistake."""
    patterns = split_list(tuple(values) if not isinstance(values, str) else values)
    if values and not patterns:
        raise ConfigError(f"{option}: expected ids of checks or patterns, found nothing; leave the option out")
    for pattern in patterns:
        _require_match(option, pattern)
    return patterns


def plan(
    policy: Policy, select: Sequence[str] | str, ignore: Sequence[str] | str, given: frozenset[str], kind: Kind | None = None
) -> tuple[PlannedCheck, ...]:
    """Decide for every check of a kind of file whether it is run, and how.

    Parameters
    ----------
    policy : Policy
    select, ignore : sequence of str
        Ids, patterns or families, also as comma lists; nothing selected means all. What is selected by its full id is run even if the
        policy leaves it out.
    given : frozenset of str
        What was given of what checks may need (``split``).
    kind : str, optional
        Of the file: ``dataset`` or ``predictions``; by default the checks of both.

    Raises
    ------
    ConfigError
        If a pattern matches no check, or only checks for the other kind of file are selected.
    """
    selected, ignored = _patterns("select", select), _patterns("ignore", ignore)
    usable = [check for check in checks().values() if kind is None or kind in check.kinds]
    if selected and not any(matches_id(check.id, pattern) for check in usable for pattern in selected):
        what = "predictions" if kind == "predictions" else "datasets"
        raise ConfigError(f"select: expected checks that are for {what}, found only {', '.join(selected)}; --list-checks says what each is for")
    return tuple(_planned(check, policy, selected, ignored, given) for check in usable)


def _planned(check: Check, policy: Policy, selected: tuple[str, ...], ignored: tuple[str, ...], given: frozenset[str]) -> PlannedCheck:
    severity: str = check.severity
    for pattern, wanted in policy.severities.items():
        severity = wanted if matches_id(check.id, pattern) else severity
    reason = ""
    if any(matches_id(check.id, pattern) for pattern in ignored):
        reason = "ignored"
    elif selected and not any(matches_id(check.id, pattern) for pattern in selected):
        reason = "not selected"
    elif check.needs and check.needs not in given:
        reason = f"needs --{check.needs}"
    elif severity == "off" and check.id not in selected:
        reason = "left out by the policy"
    limits = dict(_typed(check.limits, policy.limits.get(check.id, {})))
    return PlannedCheck(check, check.severity if severity == "off" else severity, limits, reason)  # type: ignore[arg-type]


def _typed(own: Mapping[str, float], changed: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    """Return limits with a policy's in place of the check's own; whole numbers stay whole."""
    for name, value in own.items():
        new = changed.get(name, value)
        yield name, int(new) if isinstance(value, int) and float(new).is_integer() else new
