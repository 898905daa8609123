"""The published errors, and the sequences of a file on which they are compared."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.config import checked, read_settings
from schemas.errors import DatasetError
from schemas.experiments import Published, PublishedMotion
from trainer.data.dataset import PoseData

SHOWN = 6


@lru_cache(maxsize=1)
def published() -> Published:
    """Return the published figures: ``published.yaml`` beside this module."""
    path = Path(__file__).with_name("published.yaml")
    return checked(Published, read_settings(path, "published figures"), str(path))


def sequences_of(motion: PublishedMotion, data: PoseData) -> NDArray[np.int64]:
    """Return the sequences of a kind of motion, by the action and the id of their clips."""

    def fits(sequence: int) -> bool:
        action, clip = str(data.action[sequence]).lower(), str(data.clip[sequence])
        return any(fnmatchcase(action, pattern) for pattern in motion.actions) or any(fnmatchcase(clip, pattern) for pattern in motion.clips)

    return np.array([sequence for sequence in range(len(data)) if fits(sequence)], dtype=np.int64)


def benchmark(data: PoseData) -> dict[str, NDArray[np.int64]]:
    """Return the sequences of each published kind of motion, by its name.

    Raises
    ------
    DatasetError
        If there is none of one kind.
    """
    found = {name: sequences_of(motion, data) for name, motion in published().motions.items()}
    for name, sequences in found.items():
        if not len(sequences):
            motion, actions = published().motions[name], sorted(set(data.action))
            more = f" and {len(actions) - SHOWN} more" if len(actions) > SHOWN else ""
            raise DatasetError(
                f"{data.path}: expected sequences of {name} (/clips/action like {' or '.join(motion.actions)}, or /clips/id like "
                f"{' or '.join(motion.clips)}), found none; its actions are {', '.join(actions[:SHOWN])}{more}"
            )
    return found
