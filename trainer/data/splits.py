"""Split the sequences of a file into a training, a validation and a test side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.config import checked
from mocapgen.shared.documents import MOST_RESULT_BYTES, read_json
from mocapgen.shared.inputs import read_bytes
from mocapgen.shared.text import count_of, did_you_mean, nearest, one_line, quoted
from schemas.errors import ConfigError, DatasetError
from schemas.train import SplitRecord
from trainer.data.dataset import PoseData

Array = NDArray[np.int64]

SHOWN = 3
RANDOM_NOTE = "split random: avatars and cameras of one clip are on both sides, so the test side shows motions that were trained on"


@dataclass(frozen=True, eq=False)
class Split:
    """Sides of a split, as indices of the sequences of a :class:`~trainer.data.dataset.PoseData`, each ascending.

    Parameters
    ----------
    spec : str
        As given by the user: ``clip``, ``random``, ``actor=bd``, ...
    train, validation, test : (n,) int64
        The validation side is taken from the sequences that are not tested; it may be empty.
    note : str
        A warning in one line, or nothing.
    """

    spec: str
    train: Array
    validation: Array
    test: Array
    note: str = ""

    def describe(self) -> str:
        """Return the split in one line."""
        sides = f"{len(self.train)} train, {len(self.validation)} validation, {len(self.test)} test sequences"
        return f"{self.spec}: {sides}" + (f" ({self.note})" if self.note else "")

    def record(self, data: PoseData) -> dict[str, Any]:
        """Return what a run stores: the names of the sequences on each side."""
        sides = {side: [data.names[index] for index in getattr(self, side)] for side in ("train", "validation", "test")}
        return {"spec": self.spec, "note": self.note, **sides}


def make_split(data: PoseData, spec: str = "clip", seed: int = 0, test_share: float = 0.2, validation_share: float = 0.1) -> Split:
    """Divide the sequences of a file.

    Parameters
    ----------
    data : PoseData
    spec : str
        ``clip``: all sequences of a recording on one side, so that nothing leaks. ``random``: sequence by sequence (the published split).
        ``actor=NAME`` or ``action=PATTERN`` (wildcards, several separated by commas, case ignored for actions): those are the
        test side. ``all``: there is none; the model is evaluated on other files. Anything else is a text file with the clip ids
        of the test side, one a line.
    seed : int
    test_share : float
        Of ``clip`` and ``random``.
    validation_share : float
        Share of the rest that is held out for validation: recordings, or sequences for ``random``.

    Returns
    -------
    Split
        The same one for the same file, `spec`, shares and `seed`.

    Raises
    ------
    ConfigError
        If the split is unknown, a side of it is empty, or a recording is on both sides (except with ``random``).
    """
    # By name, not by row, so that the order of the file makes no difference.
    order = np.argsort(np.array(data.names, dtype=np.str_), kind="stable")
    unit = np.array(data.names if spec == "random" else data.recording, dtype=np.str_)
    random = np.random.default_rng([seed, 0x5EED])
    test = np.isin(unit, _draw(unit[order], test_share, random)) if spec in ("clip", "random") else _chosen(data, spec)
    rest = ~test
    validation = rest & np.isin(unit, _draw(unit[order][rest[order]], validation_share, random))
    train = rest & ~validation
    sides = [np.flatnonzero(side).astype(np.int64) for side in (train, validation, test)]
    split = Split(spec, sides[0], sides[1], sides[2], RANDOM_NOTE if spec == "random" else "")
    _require_sides(data, split, validation_share)
    if spec != "random":
        require_no_leak(data, split)
    return split


def _draw(units: NDArray[np.str_], share: float, random: np.random.Generator) -> NDArray[np.str_]:
    """Return a random share of the distinct units: at least one, and not all, if the share is above 0 and there are two or more."""
    distinct = units[np.sort(np.unique(units, return_index=True)[1])]
    count = round(share * len(distinct))
    if share > 0.0 and len(distinct) > 1:
        count = min(max(count, 1), len(distinct) - 1)
    return random.permutation(distinct)[:count]


def _chosen(data: PoseData, spec: str) -> NDArray[np.bool_]:
    """Return which sequences an ``all``, ``actor=``, ``action=`` or file split puts on the test side."""
    if spec == "all":
        return np.zeros(len(data), dtype=bool)
    key, equals, text = spec.partition("=")
    if equals and key in ("actor", "action"):
        column = np.array([str(value).lower() for value in getattr(data, key)])
        patterns = [pattern.strip().lower() for pattern in text.split(",") if pattern.strip()]
        test = np.array([any(fnmatchcase(value, pattern) for pattern in patterns) for value in column], dtype=bool)
        if not test.any():
            known = sorted(set(getattr(data, key)))
            found = f"expected one of the {count_of(len(known), key)} of {data.path.name}, found none like {quoted(text)}"
            raise ConfigError(one_line(f"split {spec}", f"{found}; {did_you_mean(re.sub('[*?]', '', text), known)}"))
        return test
    if not _is_file(spec):
        rule = "split: expected clip, random, all, actor=NAME, action=PATTERN or a file of clip ids"
        raise ConfigError(one_line("", f"{rule}, found {quoted(spec)}", nearest(spec, ("clip", "random", "all", "actor=", "action="))))
    what = "a text file with one clip id a line"
    try:
        lines = read_bytes(spec, what, MOST_RESULT_BYTES, f"split {spec}", ConfigError).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(one_line(f"split {spec}", f"expected {what}, found text that is not UTF-8")) from None
    wanted = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    unknown = sorted(set(wanted) - set(data.clip))
    if unknown:
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        found = ", ".join(map(quoted, unknown[:SHOWN]))
        raise ConfigError(one_line(f"split {spec}", f"expected ids of clips in {data.path}, found {found}", more))
    return np.isin(data.clip.astype(np.str_), wanted)


def _is_file(spec: str) -> bool:
    try:
        return Path(spec).is_file()
    except (OSError, ValueError):  # too long for a file name, or with a null character
        return False


def _require_sides(data: PoseData, split: Split, validation_share: float) -> None:
    for side in ("train", *(("test",) if split.spec != "all" else ()), *(("validation",) if validation_share else ())):
        if not len(getattr(split, side)):
            found = f"expected sequences on the {side} side, found none of the {len(data)} in {data.path}"
            raise ConfigError(one_line(f"split {split.spec}", found))


def require_no_leak(data: PoseData, split: Split) -> None:
    """Check that no recording is on two sides.

    Raises
    ------
    ConfigError
        With the first recordings that are.
    """
    sides = {side: set(data.recording[getattr(split, side)]) for side in ("train", "validation", "test")}
    for first, second in (("train", "test"), ("validation", "test"), ("train", "validation")):
        both = sorted(sides[first] & sides[second])
        if both:
            more = f" and {len(both) - SHOWN} more" if len(both) > SHOWN else ""
            found = f"found on {first} and {second}: {', '.join(map(quoted, both[:SHOWN]))}{more}"
            advice = "; put all clips of a recording on one side"
            raise ConfigError(one_line(f"split {split.spec}", f"expected every recording on one side, {found}", advice))


def read_split_record(folder: Path) -> SplitRecord:
    """Return the split that a run has stored in its folder.

    Raises
    ------
    DatasetError
        If there is none, or it is damaged.
    """
    path = folder / "split.json"
    try:
        return checked(SplitRecord, read_json(path, "the split of a run", most=MOST_RESULT_BYTES), str(path), first=True)
    except ConfigError as error:
        raise DatasetError(str(error)) from None


def split_from_record(data: PoseData, record: SplitRecord) -> Split:
    """Return the split that a run has stored.

    Raises
    ------
    DatasetError
        If a sequence of it is not in the file.
    """
    row = {name: index for index, name in enumerate(data.names)}
    sides = []
    for side in ("train", "validation", "test"):
        names: Sequence[str] = getattr(record, side)
        missing = [name for name in names if name not in row]
        if missing:
            rule = f"expected the sequences of the run's split, found no {quoted(missing[0])} ({len(missing)} missing); another file?"
            raise DatasetError(one_line(str(data.path), rule))
        sides.append(np.array([row[name] for name in names], dtype=np.int64))
    return Split(record.spec, sides[0], sides[1], sides[2], record.note)
