"""Lift whole sequences with a trained model."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.data.batches import Batch, Items, Loader, whole_sequences
from trainer.model.lifter import Lifter, absolute
from trainer.model.threads import side_by_side

WINDOW = 2048
"""Frames of a long video that are lifted at once: memory does not grow with its length."""


def lift(lifter: Lifter, batch: Batch) -> torch.Tensor:
    """Return the model's positions of a batch, (B, T, J, 3) (see :meth:`trainer.model.lifter.Lifter.forward`)."""
    positions: torch.Tensor = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, batch.confidence)
    return positions


def lift_sequences(lifter: Lifter, loader: Loader, sequences: NDArray[np.int64], frames: int = 8192) -> NDArray[np.float32]:
    """Lift sequences of a file.

    Parameters
    ----------
    lifter : Lifter
        In evaluation mode, on the loader's device.
    loader : Loader
    sequences : (n,) int64
    frames : int
        Of a batch, about: each thread holds what the network computes of one.

    Returns
    -------
    (F, J, 3) float32, metres
        In the order of ``loader.data.rows(sequences)``. Camera frame with target ``absolute``, else relative to the root.
    """
    data = loader.data
    length = data.length[sequences]
    first = dict(zip(sequences.tolist(), (np.cumsum(length) - length).tolist(), strict=True))
    out = np.empty((int(length.sum()), len(data.joints.joints), 3), dtype=np.float32)

    def lift_batch(items: Items) -> None:
        rows = np.concatenate([np.arange(size) + first[sequence] for sequence, size in zip(items.sequence.tolist(), items.length, strict=True)])
        with torch.inference_mode():  # known to one thread only
            batch = loader.gather(items)
            positions = lift(lifter, batch)
            if lifter.target == "absolute":
                positions = absolute(positions, lifter.root)
            out[rows] = positions[batch.mask].cpu().numpy()

    with side_by_side(loader.device) as workers:
        list(workers.map(lift_batch, whole_sequences(data, sequences, frames)))
    return out


def lift_frames(
    lifter: Lifter, pixels: NDArray[np.float64], confidence: NDArray[np.float64], intrinsics: NDArray[np.float64], image: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Lift one sequence of any length that is in no file.

    Long ones are lifted in windows that overlap by the frames of the model's receptive field, so that the result is the same.

    Parameters
    ----------
    lifter : Lifter
        In evaluation mode, on any device.
    pixels : (T, J, 2)
    confidence : (T, J)
        0 for joints that are missing.
    intrinsics : (4,), pixels
        fx, fy, cx, cy.
    image : (2,), pixels
        Width and height.

    Returns
    -------
    (T, J, 3) float32, metres
        Camera frame with target ``absolute``, else relative to the root.
    """
    device = next(lifter.parameters()).device
    before, after = reach(lifter)
    out = np.empty((*pixels.shape[:2], 3), dtype=np.float32)

    def tensor(array: NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(device)[None]

    camera = tensor(intrinsics), tensor(image)

    def lift_window(begin: int) -> None:
        first, end = max(begin - before, 0), min(begin + WINDOW + after, len(pixels))
        mask = torch.ones(1, end - first, dtype=torch.bool, device=device)
        with torch.inference_mode():
            positions = lifter(tensor(pixels[first:end]), *camera, mask, tensor(confidence[first:end]))
            if lifter.target == "absolute":
                positions = absolute(positions, lifter.root)
            out[begin : begin + WINDOW] = positions[0, begin - first : begin - first + WINDOW].cpu().numpy()

    with side_by_side(device) as workers:
        list(workers.map(lift_window, range(0, len(pixels), WINDOW)))
    return out


def lift_both_ways(
    lifter: Lifter, pixels: NDArray[np.float64], confidence: NDArray[np.float64], intrinsics: NDArray[np.float64], image: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Lift one sequence as it is and mirrored left to right, and return the mean of both: what a model has learnt of one side serves the other.

    Arguments, result and errors are those of :func:`lift_frames`, which is called twice.
    """
    mirror, centre = lifter.mirror, np.array([2.0 * intrinsics[2], 0.0])
    plain = lift_frames(lifter, pixels, confidence, intrinsics, image)
    other = lift_frames(lifter, centre + pixels[:, mirror] * [-1.0, 1.0], confidence[:, mirror], intrinsics, image)
    return np.asarray(0.5 * (plain + other[:, mirror] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)), dtype=np.float32)


def reach(lifter: Lifter) -> tuple[int, int]:
    """Return how many frames before and after are enough for a frame's output to be the same; before, whole patches."""
    frames, patch = lifter.receptive_field - 1, lifter.network.patch
    if lifter.network.causal:
        return frames, 0
    half = -(-(frames - patch + 1) // 2) + patch - 1
    return -(-half // patch) * patch, half
