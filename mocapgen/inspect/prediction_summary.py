"""The summary of a predictions file: which model made it, from what, and what was measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocapgen.inspect.prediction_figures import PredictionFigures
from mocapgen.inspect.prediction_view import UNKNOWN_FLOOR, InspectedPredictions
from schemas.inspection import Summary


def in_sequences(data: InspectedPredictions) -> NDArray[np.bool_]:
    """Return which frames of the file belong to a sequence, (F,)."""
    covered = np.zeros(data.frames + 1, dtype=np.int64)
    np.add.at(covered, data.sequences["start"], 1)
    np.add.at(covered, data.sequences["start"] + data.sequences["length"], -1)
    return np.asarray(np.cumsum(covered)[:-1] > 0)


def with_predictions(summary: Summary, data: InspectedPredictions, figures: PredictionFigures) -> Summary:
    """Return the summary with what only predictions have."""
    card, source = data.model, data.source
    rigs = sorted({camera.rig for camera in data.cameras})
    floor = "" if UNKNOWN_FLOOR not in rigs else "; the floor is not known"
    clips = len(set(data.clips["file"].tolist()))
    measured = figures.summary()
    if data.frames:
        measured["frames without a person, %"] = round(100.0 * float(np.mean(~in_sequences(data))), 4)
    predicted = {
        "made from": ", ".join(str(source[name]) for name in ("file", "layout") if source.get(name)) or "unknown",
        "model": f"{card.get('model', 'unknown')}, {card.get('epoch', 'unknown')} epochs on {dict(card.get('data') or {}).get('file', 'unknown')}",
        "joints": f"{len(data.joint_names)} ({data.joint_set}), root {data.root}",
        "camera": f"{', '.join(rigs)}{floor}",
    }
    update = {"kind": "predictions", "clips": clips, "windows": clips, "predicted": predicted, "figures": measured}
    return summary.model_copy(update=update)


def prediction_notes(data: InspectedPredictions) -> tuple[str, ...]:
    """Return what could not be looked at."""
    if not any(camera.rig == UNKNOWN_FLOOR for camera in data.cameras):
        return ()
    return ("the camera is assumed, so that nobody knows where the floor is: checks that need it looked at nothing",)
