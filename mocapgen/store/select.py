"""Keep some sequences of a dataset file: ``mocapgen select``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.outputs import writing
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import matches, no_match
from mocapgen.store.copying import CopiedSequences, CopyPlan, origin, report, surplus, take, write
from mocapgen.store.findings import Flagged, flagged
from mocapgen.store.reader import Dataset, open_dataset
from schemas.errors import ConfigError, DatasetError
from schemas.report import SubsetReport
from schemas.subset import Derivation, SelectConfig

_FEWER = "let fewer findings count: severity='error', or checks=..."


def select_sequences(
    path: str | Path,
    config: SelectConfig,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> SubsetReport:
    """Write the sequences of a dataset that pass some conditions to a file of their own.

    Clips, cameras and skeletons that no sequence needs any more are left out; what ``/skipped`` says of the build is kept. The
    attribute ``config`` holds the settings, and name, digest and configuration of the file it was made from.

    Parameters
    ----------
    path : str or Path
        A dataset file.
    config : SelectConfig
        The conditions; every one that is given must be met.
    out : str or Path, optional
        The file to write; without it, only report.
    overwrite : bool
        Whether to replace `out`.
    progress : callable, optional
        Called with frames done, frames in all, and the last clip.

    Returns
    -------
    SubsetReport

    Raises
    ------
    ConfigError
        If a pattern matches nothing, nothing passes all conditions, or `out` is the file itself.
    DatasetError
        If the file cannot be read, or `out` cannot be written.
    """
    path, out = Path(path), None if out is None else Path(out)
    with writing(out, overwrite=overwrite, inputs=[path, config.without_findings]), open_dataset(path) as data:
        if not len(data):
            raise DatasetError(f"{path}: expected at least one sequence to select from, found none; see `mocapgen inspect`")
        found = None if config.without_findings is None else flagged(data, config)
        plan = _plan(data, np.flatnonzero(selected(data, config, found)), () if found is None else found.notes)
        if out is not None:
            settings = config.model_dump(mode="json", exclude_defaults=True)
            if config.without_findings is not None:
                settings["without_findings"] = config.without_findings.name  # no path, so that the file is the same everywhere
            write(plan, Derivation(command="select", inputs=(origin(data),), settings=settings), out, overwrite, progress)
        return report(plan, len(data), out)


def _plan(data: Dataset, rows: NDArray[np.intp], notes: tuple[str, ...]) -> CopyPlan:
    clips, clip = np.unique(data.sequences["clip"][rows], return_inverse=True)
    cameras, camera = np.unique(data.sequences["camera"][rows], return_inverse=True)
    foreign = surplus(data)
    return CopyPlan(
        parts=(CopiedSequences(data, rows, clip, camera),),
        clips=take(data.clips, clips),
        cameras=take(data.table("cameras"), cameras),
        skipped=data.skipped,
        notes=(*notes, *((f"not copied, since the schema does not know it: {', '.join(foreign)}",) if foreign else ())),
    )


def selected(data: Dataset, config: SelectConfig, found: Flagged | None = None) -> NDArray[np.bool_]:
    """Return which sequences of a dataset a selection keeps, (S,) bool.

    Parameters
    ----------
    data : Dataset
    config : SelectConfig
    found : Flagged, optional
        The sequences with findings, if the settings name a report and it has been read.

    Raises
    ------
    ConfigError
        If a pattern matches nothing, or no sequence is kept.
    """
    rules = _rules(data, config)
    if config.without_findings is not None:
        found = found or flagged(data, config)
        if found.rows.all():
            raise ConfigError(f"without_findings={config.without_findings.name!r}: expected sequences without findings, found none; {_FEWER}")
        rules[f"without_findings={config.without_findings.name!r}"] = ~found.rows
    keep = np.logical_and.reduce(list(rules.values())) if rules else np.ones(len(data), dtype=bool)
    if config.limit is not None:
        clip = data.sequences["clip"]
        keep &= np.isin(clip, np.unique(clip[keep])[: config.limit])
    if not keep.any():
        raise _nothing(data, rules)
    if config.invert:
        keep = ~keep
        if not keep.any():
            raise ConfigError(f"invert: expected something to be left over, found that all {len(data):,} sequences of {data.path} pass")
    return keep


def _rules(data: Dataset, config: SelectConfig) -> dict[str, NDArray[np.bool_]]:
    """Return for each condition that is given, as it is typed, which sequences meet it."""
    clip = data.sequences["clip"]
    rigs = data.table("cameras")["rig"]
    columns: dict[str, tuple[str, tuple[str, ...], list[tuple[str, ...]]]] = {
        "clips": ("a clip", config.clips, [(name,) for name in data.clips["id"]]),
        "actors": ("an actor", config.actors, [(name,) for name in data.clips["actor"]]),
        "actions": ("an action", config.actions, [(name,) for name in data.clips["action"]]),
        "sources": ("a source", config.sources, [(name,) for name in data.clips["source"]]),
        "avatars": ("an avatar", config.avatars, [(name,) for name in data.sequences["avatar"]]),
        "cameras": ("a camera or rig", config.cameras, [(name, name.rpartition("/")[0] or name) for name in rigs]),
    }
    rows = {"avatars": np.arange(len(data)), "cameras": data.sequences["camera"]}
    rules = {}
    for option, (what, patterns, names) in columns.items():
        if patterns:
            rules[f"{option}={','.join(patterns)!r}"] = _matching(option, what, patterns, names)[rows.get(option, clip)]
    length = data.sequences["length"]
    if config.min_frames is not None:
        rules[f"min_frames={config.min_frames}"] = length >= config.min_frames
    if config.max_frames is not None:
        rules[f"max_frames={config.max_frames}"] = length <= config.max_frames
    return rules


def _matching(option: str, what: str, patterns: Sequence[str], rows: list[tuple[str, ...]]) -> NDArray[np.bool_]:
    """Return which rows have a name that matches a pattern; each pattern must match something."""
    known = sorted({name for row in rows for name in row})
    wanted: set[str] = set()
    for pattern in patterns:
        found = {name for name in known if matches(name, pattern)}
        if not found:
            raise no_match(option, f"a pattern that matches {what}", pattern, known)
        wanted |= found
    return np.array([not wanted.isdisjoint(row) for row in rows], dtype=bool)


def _nothing(data: Dataset, rules: dict[str, Any]) -> ConfigError:
    """Return the error of conditions that no sequence meets, with how many meet each of them."""
    length = data.sequences["length"]
    if len(rules) == 1:
        (asked,) = rules
        return ConfigError(f"{asked}: expected sequences that match, found none in {data.path}: they have {length.min()} to {length.max()} frames")
    counts = ", ".join(f"{asked}: {np.count_nonzero(met):,}" for asked, met in rules.items())
    return ConfigError(f"{data.path}: expected sequences that meet all conditions, found none of {len(data):,} ({counts}); loosen one of them")
