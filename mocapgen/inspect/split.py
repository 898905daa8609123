"""Read which sequences a training run put on which side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Sides of a split.

    Parameters
    ----------
    spec : str
        What the run was asked for: ``clip``, ``random``, ...
    sides : dict of str to frozenset of str
        By side, the names of the sequences: clip, avatar, camera, separated by `` / ``.
    """

    spec: str
    sides: dict[str, frozenset[str]]

    def of(self, name: str) -> tuple[str, ...]:
        """Return the sides that a sequence is on."""
        return tuple(side for side, names in self.sides.items() if name in names)


def read_split(path: str | Path) -> Split:
    """Read the split of a run.

    Parameters
    ----------
    path : str or Path
        ``split.json`` of a run, or the run's folder.

    Raises
    ------
    ConfigError
        If it cannot be read or is no split.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "split.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise ConfigError(f"--split: expected split.json of a run, or its folder, found {path}: {reason}") from None
    if not isinstance(record, dict):
        raise ConfigError(f"--split {path}: expected an object with {', '.join(SIDES)}, found a {type(record).__name__}")
    sides = {}
    for side in SIDES:
        names = record.get(side)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigError(f"--split {path}: expected a list of names under {side!r}, found {str(names)[:40]}")
        sides[side] = frozenset(names)
    return Split(str(record.get("spec", "")), sides)
