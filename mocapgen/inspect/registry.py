"""The registry of checks: a check is a small function that yields findings, registered by a decorator.

A check examines one of three things, its scope:

file      the open HDF5 file, before anything in it is trusted
sequence  one sequence at a time, as a :class:`mocapgen.inspect.sequence_view.SequenceView`, or, of a predictions file, as a
          :class:`mocapgen.inspect.prediction_view.PredictionView`
dataset   the whole dataset, as a :class:`mocapgen.inspect.dataset_view.DatasetView`: tables, and what was gathered from each sequence

A check is for datasets, for predictions, or for both (`kinds`). Its keyword arguments with defaults are its limits; a policy may set
them. Whoever runs a check fills in its id and the severity of its findings, lets it be silent about numbers that are not finite, and leaves
it out for sequences of which it cannot read what it asks for (a DatasetError): the checks of the structure report those. Adding a check is
adding a function to a module of ``mocapgen/inspect/checks``, a paragraph to ``docs/checks.md``, and two cases to the tests: one where it
fires and one where it does not.
"""

from __future__ import annotations

import importlib
import inspect as _inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal, get_args

from mocapgen.shared.parts import part_names
from schemas.inspection import Family, Finding, Severity

Scope = Literal["file", "sequence", "dataset"]
Kind = Literal["dataset", "predictions"]
"""Of files: what `mocapgen build` writes, and what `trainer predict` writes."""

_ID = re.compile(rf"^({'|'.join(get_args(Family))})\.[a-z0-9_]+$")


@dataclass(frozen=True)
class Check:
    """A registered check.

    Parameters
    ----------
    id : str
        ``family.name``; never changes.
    severity : str
        Of its findings, unless a policy says otherwise.
    scope : str
        What `run` is called with first: see the module.
    unit : str
        Unit of its findings' value; empty if they have none.
    run : callable
        Yields findings; keyword arguments are its limits.
    needs : str
        What has to be given for it to run: ``split`` or nothing.
    kinds : tuple of str
        Of files that it is for.
    """

    id: str
    severity: Severity
    scope: Scope
    unit: str
    run: Callable[..., Iterator[Finding]]
    needs: Literal["", "split"] = ""
    kinds: tuple[Kind, ...] = ("dataset",)

    @property
    def family(self) -> str:
        """The first part of its id."""
        return self.id.partition(".")[0]

    @property
    def title(self) -> str:
        """What it finds: the first line of its docstring."""
        return (_inspect.getdoc(self.run) or "").partition("\n")[0].rstrip(".")

    @cached_property
    def limits(self) -> dict[str, float]:
        """Its limits with their defaults, by name."""
        parameters = _inspect.signature(self.run).parameters
        return {name: parameter.default for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY}

    @property
    def explain(self) -> str:
        """The command that prints its paragraph of the manual."""
        return f"mocapgen inspect --explain {self.id}"

    @property
    def link(self) -> str:
        """Where its paragraph stands in the manual; GitHub and MkDocs both leave the dot out of a heading's anchor."""
        return f"docs/checks.md#{self.id.replace('.', '')}"


_REGISTER: dict[str, Check] = {}

Run = Callable[..., Iterator[Finding]]


BOTH: tuple[Kind, ...] = ("dataset", "predictions")
PREDICTIONS: tuple[Kind, ...] = ("predictions",)


def check(
    id: str, severity: Severity, scope: Scope, unit: str = "", needs: Literal["", "split"] = "", kinds: tuple[Kind, ...] = ("dataset",)
) -> Callable[[Run], Run]:
    """Return a decorator that registers a function as a check.

    Raises
    ------
    ValueError
        If the id has no known family, or is taken.
    """

    def register(function: Run) -> Run:
        if not _ID.match(id) or id in _REGISTER:
            raise ValueError(f"check id: expected a new one of the form family.name with a family of {', '.join(get_args(Family))}, found {id!r}")
        _REGISTER[id] = Check(id, severity, scope, unit, function, needs, kinds)
        return function

    return register


@cache
def checks() -> dict[str, Check]:
    """Return all checks by id, in the order of the families and of their modules' text."""
    for name in part_names("mocapgen.inspect.checks"):
        importlib.import_module(f"mocapgen.inspect.checks.{name}")
    families: tuple[Any, ...] = get_args(Family)
    return dict(sorted(_REGISTER.items(), key=lambda item: families.index(item[1].family)))
