"""Lift whole sequences with a trained model."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.batches import Batch, Loader, whole_sequences
from trainer.lifter import Lifter, absolute


def lift(lifter: Lifter, batch: Batch) -> torch.Tensor:
    """Return the model's positions of a batch, (B, T, J, 3) (see :meth:`trainer.lifter.Lifter.forward`)."""
    positions: torch.Tensor = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, batch.confidence)
    return positions


def lift_sequences(lifter: Lifter, loader: Loader, sequences: NDArray[np.int64]) -> NDArray[np.float32]:
    """Lift sequences of a file.

    Parameters
    ----------
    lifter : Lifter
        In evaluation mode, on the loader's device.
    loader : Loader
    sequences : (n,) int64

    Returns
    -------
    (F, J, 3) float32, metres
        In the order of ``loader.data.rows(sequences)``. Camera frame with target ``absolute``, else relative to the root.
    """
    data = loader.data
    length = data.length[sequences]
    first = dict(zip(sequences.tolist(), (np.cumsum(length) - length).tolist(), strict=True))
    out = np.empty((int(length.sum()), len(data.joints.joints), 3), dtype=np.float32)
    with torch.inference_mode():
        for items in whole_sequences(data, sequences):
            batch = loader.gather(items)
            positions = lift(lifter, batch)
            if lifter.target == "absolute":
                positions = absolute(positions, lifter.root)
            rows = np.concatenate([np.arange(size) + first[sequence] for sequence, size in zip(items.sequence.tolist(), items.length, strict=True)])
            out[rows] = positions[batch.mask].cpu().numpy()
    return out
