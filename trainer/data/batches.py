"""From sequences to batches: their order (a pure function of seed and epoch), and their padded, masked tensors."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.cache import map_frames
from trainer.data.dataset import PoseData

PAD_TO = 8
"""Batches are padded to multiples of this many frames, so that few different shapes occur."""
POOL = 16
"""Batches whose sequences are sorted by length together: little padding, and still a different mixture in every epoch."""


@dataclass(frozen=True, eq=False)
class Items:
    """What a batch is made of: sequences, or windows of them.

    Parameters
    ----------
    sequence, first, length : (B,) int64
        Sequence, first frame in it, and number of frames.
    """

    sequence: NDArray[np.int64]
    first: NDArray[np.int64]
    length: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sequence)

    def __getitem__(self, chosen: Any) -> Items:
        return Items(self.sequence[chosen], self.first[chosen], self.length[chosen])


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded sequences. Frames beyond a sequence's end hold its last frame again and are False in `mask`.

    Parameters
    ----------
    positions : (B, T, J, 3) float32, metres, camera frame
    pixels : (B, T, J, 2) float32
    mask : (B, T) bool
        False for padding.
    intrinsics : (B, 4) float32, pixels
        fx, fy, cx, cy.
    image : (B, 2) float32, pixels
        Width and height.
    up : (B, 3) float32, camera frame
        The world's vertical.
    confidence : (B, T, J) float32
        1 where a joint is visible, 0 where it is missing.
    items : Items
        The sequences of the rows.
    """

    positions: Tensor
    pixels: Tensor
    mask: Tensor
    intrinsics: Tensor
    image: Tensor
    up: Tensor
    confidence: Tensor
    items: Items

    def part(self, rows: slice) -> Batch:
        """Return some of the rows, for one of several processes."""
        names = ("positions", "pixels", "mask", "intrinsics", "image", "up", "confidence", "items")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


class FrameTensors:
    """The frames of a file as tensors on one device, and padded items gathered from them.

    Holds tensors only, so that worker processes share them without a copy. Frames that are mapped from a cache stay there: batches of them go to
    the device, and other processes map the file themselves.

    Parameters
    ----------
    data : PoseData
    device : torch.device or str
    """

    def __init__(self, data: PoseData, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._home = torch.device("cpu") if data.cache else self.device
        self._cache, self._joints = data.cache, len(data.joints.joints)
        self._start = torch.from_numpy(data.start)
        self._positions, self._pixels, self._intrinsics, self._image = (
            _tensor(np.ascontiguousarray(array)).to(self._home) for array in (data.positions_3d, data.positions_2d, data.intrinsics, data.image)
        )

    def __getstate__(self) -> dict[str, Any]:
        mapped = ("_positions", "_pixels") if self._cache else ()
        return {name: value for name, value in vars(self).items() if name not in mapped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._cache is not None:
            self._positions, self._pixels = map(_tensor, map_frames(self._cache, self._joints))

    def take(self, items: Items, frames: int) -> dict[str, Tensor]:
        """Return `positions`, `pixels`, `mask`, `intrinsics` and `image` of :class:`Batch`, padded to a number of frames."""
        sequence = torch.from_numpy(items.sequence)
        first = (self._start[sequence] + torch.from_numpy(items.first)).to(self._home)
        sequence, length = sequence.to(self._home), torch.from_numpy(items.length).to(self._home)
        step = torch.arange(frames, device=self._home)
        rows = first[:, None] + torch.minimum(step, length[:, None] - 1)
        flat = rows.reshape(-1)
        taken = {
            "positions": self._positions.index_select(0, flat).reshape(*rows.shape, self._joints, 3),
            "pixels": self._pixels.index_select(0, flat).reshape(*rows.shape, self._joints, 2),
            "mask": step < length[:, None],
            "intrinsics": self._intrinsics[sequence],
            "image": self._image[sequence],
        }
        return {name: values.to(self.device) for name, values in taken.items()}


def _tensor(array: NDArray[Any]) -> Tensor:
    """Return an array as a tensor without a copy; a mapped one must not be written to, which PyTorch cannot see to and warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array)


class Loader(FrameTensors):
    """The data of a file, its frames on a device, and batches gathered from them."""

    def __init__(self, data: PoseData, device: torch.device | str = "cpu") -> None:
        super().__init__(data, device)
        self.data = data
        self._up = torch.from_numpy(np.ascontiguousarray(data.up)).to(self.device)

    def gather(self, items: Items, pad_to: int | None = None) -> Batch:
        """Return a batch.

        Parameters
        ----------
        items : Items
        pad_to : int, optional
            Number of frames; by default the longest item, rounded up to a multiple of :data:`PAD_TO`.
        """
        arrays = self.take(items, pad_to or -(-int(items.length.max()) // PAD_TO) * PAD_TO)
        confidence = torch.ones(arrays["positions"].shape[:3], device=self.device)
        up = self._up[torch.from_numpy(items.sequence).to(self.device)]
        return Batch(**arrays, up=up, confidence=confidence, items=items)


def fixed_items(length: NDArray[np.int64], window: int | None, stride: int | None = None) -> Items:
    """Return all sequences as a whole, or cut into windows that begin at the same frames in every epoch.

    Parameters
    ----------
    length : (S,) int64
        Frames of each sequence.
    window : int, optional
        Frames of a window; the last one of a sequence, and that of a short sequence, may be shorter.
    stride : int, optional
        Frames from the beginning of a window to that of the next; `window` by default.
    """
    if window is None:
        return Items(np.arange(len(length)), np.zeros_like(length), length)
    stride = stride or window
    count = -(-np.maximum(length - window, 0) // stride) + 1
    sequence = np.repeat(np.arange(len(length)), count)
    first = stride * (np.arange(len(sequence)) - np.repeat(np.cumsum(count) - count, count))
    items = Items(sequence, first, np.minimum(window, length[sequence] - first))
    return items[items.length > 0]


def epoch_items(data: PoseData, sequences: NDArray[np.int64], window: int | None, seed: int, epoch: int) -> Items:
    """Return all items of an epoch: whole sequences, or windows whose phase differs from epoch to epoch.

    Every frame is in exactly one window; the first and the last window of a sequence may be shorter.
    """
    length = data.length[sequences]
    if window is None:
        return Items(sequences, np.zeros_like(length), length)
    random = np.random.default_rng([seed, epoch, 1])
    phase = np.where(length > window, random.integers(0, window, len(length)), 0)
    rows = []
    for sequence, frames, cut in zip(sequences, length, phase, strict=True):
        edges = np.unique(np.concatenate([[0], np.arange(cut, frames, window), [frames]]))
        rows.append(np.stack([np.full(len(edges) - 1, sequence), edges[:-1], np.diff(edges)], axis=1))
    return Items(*np.concatenate(rows).T)


def epoch_batches(items: Items, batch_size: int, seed: int, epoch: int) -> list[Items]:
    """Return the batches of an epoch: every item once, items of similar length together, the batches in random order.

    A pure function of its arguments: a resumed run needs no state of a generator.
    """
    random = np.random.default_rng([seed, epoch, 0])
    order = random.permutation(len(items))
    pool = batch_size * POOL
    batches = []
    for begin in range(0, len(order), pool):
        chosen = order[begin : begin + pool]
        chosen = chosen[np.argsort(items.length[chosen], kind="stable")]
        batches += [items[chosen[i : i + batch_size]] for i in range(0, len(chosen), batch_size)]
    return [batches[index] for index in random.permutation(len(batches))]


def whole_sequences(data: PoseData, sequences: NDArray[np.int64], frames: int = 8192) -> Iterator[Items]:
    """Yield whole sequences in batches of similar length, about `frames` padded frames in each, for evaluation."""
    order = sequences[np.argsort(data.length[sequences], kind="stable")]
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and (end + 1 - begin) * data.length[order[end]] <= frames:
            end += 1
        chosen = order[begin:end]
        yield Items(chosen, np.zeros(len(chosen), dtype=np.int64), data.length[chosen])
        begin = end
