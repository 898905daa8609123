"""Which sequences of a dataset an inspection has findings in: what ``mocapgen select --without-findings`` leaves out."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.config import checked
from mocapgen.shared.documents import MOST_RESULT_BYTES, read_json
from mocapgen.shared.files import file_digest
from mocapgen.shared.text import count_of, matches_id, no_match, one_line
from mocapgen.store.reader import Dataset
from schemas.errors import ConfigError
from schemas.inspection import SEVERITIES, CheckResult, Inspection
from schemas.subset import SelectConfig


@dataclass(frozen=True, eq=False)
class Flagged:
    """The sequences that an inspection has findings in.

    Parameters
    ----------
    rows : (S,) bool
    notes : tuple of str
        How many by which check, and what concerns no sequence, one line each.
    """

    rows: NDArray[np.bool_]
    notes: tuple[str, ...]


def flagged(data: Dataset, config: SelectConfig) -> Flagged:
    """Return the sequences with findings that are severe enough, of the checks that are asked for.

    Parameters
    ----------
    data : Dataset
    config : SelectConfig
        With a report in ``without_findings``.

    Raises
    ------
    ConfigError
        If the report cannot be read, is none, is of another file or of this one before it changed, or a pattern matches none of its checks.
    """
    path = _path(config)
    inspection = _read(path, data)
    if inspection.sha256 != file_digest(data.path):
        other = f"one of {inspection.file}" if inspection.file != data.path.name else "one of another file of this name, or from before it changed"
        raise ConfigError(one_line(str(path), f"expected a report of {data.path.name}, found {other}", _advice(data)))
    counted = _counted(inspection, config)
    rows = {result.id: _rows(result, data, config) for result in counted}
    together = np.logical_or.reduce([np.zeros(len(data), dtype=bool), *rows.values()])
    severity = config.severity + " or worse" * (config.severity != "error")
    notes = [f"{int(together.sum()):,} of {len(data):,} sequences have findings of severity {severity}"]
    notes += [f"{id}: {_extent(found, data)}" for id, found in rows.items() if found.any()]
    whole = [id for id, found in rows.items() if not found.any()]
    notes += [f"about the file as a whole, and no sequence: {', '.join(whole)}"] if whole else []
    return Flagged(together, (*notes, *_partial(together, data)))


def _path(config: SelectConfig) -> Path:
    assert config.without_findings is not None
    return config.without_findings


def _rows(result: CheckResult, data: Dataset, config: SelectConfig) -> NDArray[np.bool_]:
    """Return the sequences that a check has findings in, (S,) bool."""
    if max(result.rows, default=0) >= len(data):
        said = f"expected sequences of {data.path}, of which there are {len(data):,}, found {max(result.rows)}"
        raise ConfigError(one_line(str(_path(config)), said))
    clip = data.sequences["clip"]
    rows = np.isin(data.clips["id"], result.clip_ids)[clip]
    rows[list(result.rows)] = True
    return np.isin(clip, clip[rows]) if config.whole_clips else rows


def _extent(rows: NDArray[np.bool_], data: Dataset) -> str:
    return f"{count_of(int(rows.sum()), 'sequence')} of {count_of(len(np.unique(data.sequences['clip'][rows])), 'clip')}"


def _partial(rows: NDArray[np.bool_], data: Dataset) -> list[str]:
    """Return what there is to say of clips that are left out on some avatars only: nothing if there are none."""
    clip, avatar = data.sequences["clip"], data.sequences["avatar"].astype(str)
    before, after = (Counter(found for found, _ in set(zip(clip[some].tolist(), avatar[some], strict=True))) for some in (rows | ~rows, ~rows))
    count = sum(before[found] > left for found, left in after.items())
    many = ("stays", "it") if count == 1 else ("stay", "them")
    said = f"{count_of(count, 'clip')} {many[0]} on some avatars only, which dataset.missing_avatars finds; whole_clips=True leaves {many[1]} out"
    return [said] if count else []


def _advice(data: Dataset) -> str:
    return f"; `mocapgen inspect {shlex.quote(str(data.path))} --json {shlex.quote(f'{data.path.stem}.json')}` makes one"


def _read(path: Path, data: Dataset) -> Inspection:
    content = read_json(path, "the report of an inspection", most=MOST_RESULT_BYTES)
    if not {"checks", "findings", "sha256"} <= content.keys():
        raise ConfigError(one_line(str(path), "expected a report of an inspection, found another JSON file", _advice(data)))
    return checked(Inspection, content, str(path), first=True)


def _counted(inspection: Inspection, config: SelectConfig) -> list[CheckResult]:
    """Return the checks whose findings count."""
    least = SEVERITIES.index(config.severity)
    for pattern in config.checks:
        if not any(matches_id(result.id, pattern) for result in inspection.checks):
            raise no_match("checks", "the id of a check of the report, or a pattern", pattern, [result.id for result in inspection.checks])
    return [
        result
        for result in inspection.checks
        if result.findings
        and SEVERITIES.index(result.severity) >= least
        and (not config.checks or any(matches_id(result.id, pattern) for pattern in config.checks))
    ]
