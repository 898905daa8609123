"""Index of CMU's trials, known without reading them: descriptions, capture rates, kinds of motion; from the tables in ``data/``."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from mocapgen.shared.config import checked
from mocapgen.shared.documents import read_yaml
from schemas.base import Settings

_DATA = Path(__file__).parent / "data"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
TrialKey = tuple[int, int]


class Category(Settings):
    """What makes a trial one of a kind: see ``data/cmu_categories.yaml``."""

    any: tuple[str, ...] = ()
    """Phrases of which one must occur in the description."""
    subjects: tuple[int, ...] = ()
    """Subjects all of whose trials belong."""
    not_: tuple[str, ...] = Field(default=(), alias="not")
    """Phrases that must not occur."""
    includes: tuple[str, ...] = ()
    """Categories all of whose trials belong."""


@dataclass(frozen=True)
class Trial:
    """A line of the index."""

    subject: int
    trial: int
    fps: float
    """Capture rate, frames per second."""
    description: str
    """Empty if there is none."""
    categories: tuple[str, ...]
    """Sorted."""


@lru_cache(maxsize=1)
def trials() -> Mapping[TrialKey, Trial]:
    """Return all trials of the database, by subject and trial."""
    with (_DATA / "cmu_index.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        found = [Trial(int(row["subject"]), int(row["trial"]), float(row["fps"]), row["description"], _kinds(row)) for row in rows]
    return {(trial.subject, trial.trial): trial for trial in found}


@lru_cache(maxsize=1)
def categories() -> Mapping[str, Category]:
    """Return the kinds of motion there are."""
    path = _DATA / "cmu_categories.yaml"
    return {name: checked(Category, rule, str(path), group=name) for name, rule in read_yaml(path, "kinds of motion").items()}


def categories_of(subject: int, description: str) -> tuple[str, ...]:
    """Return the kinds of motion that a trial belongs to, sorted.

    Parameters
    ----------
    subject : int
    description : str
        Words may be joined in CamelCase.
    """
    text = " ".join(_WORDS.findall(description)).lower()
    own = {name for name, rule in categories().items() if _belongs(rule, subject, text)}
    return tuple(sorted(own | {name for name, rule in categories().items() if own & set(rule.includes)}))


def _belongs(rule: Category, subject: int, text: str) -> bool:
    if rule.not_ and _one_of(rule.not_).search(text):
        return False
    return subject in rule.subjects or _one_of(rule.any).search(text) is not None


@lru_cache(maxsize=64)
def _one_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(" + "|".join(re.escape(phrase).replace(r"\*", r"\w*") for phrase in phrases) + r")\b")


def _kinds(row: Mapping[str, str]) -> tuple[str, ...]:
    return categories_of(int(row["subject"]), row["description"])
