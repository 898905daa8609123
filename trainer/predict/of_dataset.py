"""Lift the projections stored in a dataset file, some sequences at a time: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mocapgen.shared.hdf5 import OpenFile, open_checked
from mocapgen.shared.layout import check_dataset
from mocapgen.shared.progress import Progress
from schemas.errors import ConfigError
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.data.batches import Loader
from trainer.data.dataset import PoseData, load, require_match
from trainer.data.parts import BATCH, FRAMES, parts
from trainer.model.lift import lift_sequences
from trainer.model.lifter import Lifter
from trainer.predict.camera import place
from trainer.predict.person import require_finite
from trainer.predict.predictions import Part, PredictionTables, write_parts


def predict_dataset(
    lifter: Lifter, card: ModelCard, path: Path, out: Path, config: PredictConfig, overwrite: bool, progress: Progress | None = None
) -> PredictionTables:
    """Write the predictions of a dataset file: the same rows, so that predictions and truth lie side by side; NaN in those of no sequence.

    Parameters
    ----------
    lifter, card
        See :func:`trainer.model.checkpoint.load_lifter`.
    path : Path
        The dataset file.
    out : Path
        The predictions file.
    config : PredictConfig
    overwrite : bool
    progress : callable, optional
        Called with frames done, frames in all, and a clip.

    Raises
    ------
    ConfigError
        If settings for keypoints were given.
    DatasetError
        If the file cannot be read or does not fit the model, or `out` cannot be written.
    """
    odd = sorted(set(config.model_fields_set) - {"causal"})
    if odd:
        raise ConfigError(f"{path}: expected no settings for keypoints with a dataset file, found {odd[0]}=...")
    data = load(path, card.joint_set, frames=False)
    require_match(data, card)
    labels = {name: getattr(data, name) for name in ("start", "length", "clip", "actor", "action", "avatar")}
    with OpenFile(path, open_checked(path, check_dataset)) as file:
        rows = file.frames
        tables = PredictionTables(
            card=card,
            sequences={**labels, "name": data.names, "camera": file.sequences["camera"]},
            cameras=file.table("cameras"),
            source={"file": path.name, "sha256": data.sha256, "fps": data.fps, "camera": "of the dataset", "settings": {}},
        )
    write_parts(out, tables, rows, _with_progress(_lifted(lifter, card, data, rows), rows, path.name, progress), overwrite)
    return tables


def _lifted(lifter: Lifter, card: ModelCard, data: PoseData, rows: int) -> Iterator[Part]:
    """Yield what was predicted, row by row of the file as far as the sequences follow each other in it, and NaN for rows of no sequence."""
    joints = len(card.joints)
    for first, end in _gaps(data, rows):
        for row in range(first, end, FRAMES):
            count = min(FRAMES, end - row)
            nothing = {name: np.full((count, joints, size), np.nan, dtype=np.float32) for name, size in (("positions_3d", 3), ("positions_2d", 2))}
            yield row, {**nothing, "confidence": np.zeros((count, joints), dtype=np.float32)}
    begun = 0
    everything = np.arange(len(data), dtype=np.int64)
    for part in parts(data, everything):
        lifted = lift_sequences(lifter, Loader(part, next(lifter.parameters()).device), np.arange(len(part)), BATCH)
        if card.target == "relative":
            intrinsics = np.repeat(part.intrinsics, part.length, axis=0).astype(np.float64)
            root = place(lifted.astype(np.float64), part.positions_2d.astype(np.float64), np.ones(lifted.shape[:2]), intrinsics)
            lifted = (lifted + root[:, None]).astype(np.float32)
        start = data.start[begun : begun + len(part)]
        require_finite(lifted, [(0, len(lifted))], data.path)
        begun += len(part)
        frames = {"positions_3d": lifted, "positions_2d": part.positions_2d, "confidence": np.ones(lifted.shape[:2], dtype=np.float32)}
        runs = np.flatnonzero(start[1:] != start[:-1] + part.length[:-1]) + 1
        for here in np.split(np.arange(len(part)), runs):
            chosen = slice(part.start[here[0]], part.start[here[-1]] + part.length[here[-1]])
            yield int(start[here[0]]), {name: values[chosen] for name, values in frames.items()}


def _gaps(data: PoseData, rows: int) -> list[tuple[int, int]]:
    """Return the first and one past the last of the rows that no sequence has."""
    order = np.argsort(data.start, kind="stable")
    begin = np.append(data.start[order], rows)
    reached = np.maximum.accumulate(np.concatenate([[0], (data.start + data.length)[order]]))
    return [(int(reached[place]), int(begin[place])) for place in np.flatnonzero(begin > reached)]


def _with_progress(found: Iterator[Part], rows: int, label: str, progress: Progress | None) -> Iterator[Part]:
    done = 0
    for first, frames in found:
        yield first, frames
        done += len(frames["confidence"])
        if progress is not None:
            progress(min(done, rows), rows, label)
