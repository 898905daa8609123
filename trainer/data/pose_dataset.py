"""The poses of a dataset file as a PyTorch dataset, for your own training loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.data._utils.collate import default_collate_fn_map

from schemas.errors import ConfigError
from trainer.data.batches import FrameTensors, Items, epoch_batches, fixed_items
from trainer.data.cache import Cache, load_frames


class PoseSample(NamedTuple):
    """A sequence, a window of one, or a batch of them; in a batch every array has B as its first axis.

    Parameters
    ----------
    positions_2d : (T, J, 2) float32, pixels
    positions_3d : (T, J, 3) float32, metres, camera frame
    mask : (T,) bool
        False for padding: frames beyond the end of a sequence, which repeat its last frame.
    intrinsics : (4,) float32, pixels
        fx, fy, cx, cy with u = fx x / z + cx; fy is negative where y points up.
    image : (2,) float32, pixels
        Width and height.
    name : str
        Clip, avatar and camera of the sequence; in a batch a tuple of them.
    first : int
        Frame of the sequence at which the window begins; in a batch (B,) int64.
    """

    positions_2d: Tensor
    positions_3d: Tensor
    mask: Tensor
    intrinsics: Tensor
    image: Tensor
    name: str | tuple[str, ...]
    first: int | Tensor


class PoseDataset(Dataset[PoseSample]):
    """The sequences of a dataset file, or windows of them, in memory or, where they do not fit, mapped from a cache.

    Works in a ``DataLoader`` with any number of workers and each start method: no file is open after the constructor, and the workers
    share the arrays, or map the cache. Batches are gathered at once (``__getitems__``), and :func:`collate_sequences` is the default
    collate function.

    Parameters
    ----------
    path : str or Path
        A dataset file.
    window : int, optional
        Frames of an item: each sequence is cut into windows, and the last one is padded. By default items are whole sequences.
    joints : str
        A joint set of the file.
    stride : int, optional
        Frames from the beginning of a window to that of the next; `window` by default.
    sequences : array of int, optional
        The sequences to use, by their place in the file; all by default.
    cache : {"auto", "memory", "disk"}
        Where the frames are: see :func:`trainer.data.cache.load_frames`.

    Attributes
    ----------
    joints : tuple of str
        Names of the J joints, in order.
    parents : tuple of int
        Place of each joint's parent; -1 for the root.
    fps : float
    camera_frame : {"unity", "opencv"}
    names : tuple of str
        Of the sequences that are used.

    Raises
    ------
    ConfigError
        If `window` or `stride` is less than 1, or a sequence does not exist.
    DatasetError
        If the file cannot be used.

    Examples
    --------
    >>> data = PoseDataset("walk.h5", window=81)  # doctest: +SKIP
    >>> for batch in DataLoader(data, batch_size=64, shuffle=True, num_workers=2):  # doctest: +SKIP
    ...     loss = (model(batch.positions_2d) - batch.positions_3d)[batch.mask].norm(dim=-1).mean()
    """

    def __init__(
        self,
        path: str | Path,
        *,
        window: int | None = None,
        joints: str = "h36m17",
        stride: int | None = None,
        sequences: Sequence[int] | NDArray[np.int64] | None = None,
        cache: Cache = "auto",
    ) -> None:
        for name, value in (("window", window), ("stride", stride)):
            if value is not None and value < 1:
                raise ConfigError(f"{name}: expected a number of frames from 1, found {value}")
        data = load_frames(path, joints, cache)
        used = np.arange(len(data)) if sequences is None else np.asarray(sequences, dtype=np.int64).reshape(-1)
        if not len(used) or used.min() < 0 or used.max() >= len(data):
            raise ConfigError(f"sequences: expected numbers from 0 to {len(data) - 1} of sequences in {path}, found {used.tolist()[:5]}")
        self.path = Path(path)
        self.window = window
        self.joints, self.parents, self.joint_set = data.joints.joints, data.joints.parents, data.joints
        self.fps, self.camera_frame = data.fps, data.camera_frame
        self.names = tuple(data.name(int(sequence)) for sequence in used)
        self._sequences = used
        self._items = fixed_items(data.length[used], window, stride)
        self._frames = FrameTensors(data)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        what = f"{len(self):,} sequences" if self.window is None else f"{len(self):,} windows of {self.window} frames"
        return f"PoseDataset({self.path.name}: {what}, {len(self.joints)} joints ({self.joint_set.name}), {self.fps:g} fps)"

    def __getitem__(self, index: int) -> PoseSample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"expected an index below {len(self)}, found {index}")
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> Samples:
        """Return several items, gathered at once."""
        items = self._items[np.asarray(indices, dtype=np.int64)]
        in_file = Items(self._sequences[items.sequence], items.first, items.length)
        arrays = self._frames.take(in_file, self.window or int(items.length.max()))
        batch = PoseSample(
            positions_2d=arrays["pixels"],
            positions_3d=arrays["positions"],
            mask=arrays["mask"],
            intrinsics=arrays["intrinsics"],
            image=arrays["image"],
            name=tuple([self.names[sequence] for sequence in items.sequence.tolist()]),
            first=torch.from_numpy(items.first),
        )
        return Samples(batch, items.length.tolist() if self.window is None else [self.window] * len(items))

    def batches(self, batch_size: int, seed: int = 0) -> LengthBatches:
        """Return a batch sampler that puts sequences of similar length together, so that little is padded.

        The order differs from epoch to epoch and is a pure function of the seed and the number of the epoch. Use as
        ``DataLoader(data, batch_sampler=data.batches(32))``.
        """
        return LengthBatches(self._items, batch_size, seed)


class Samples(Sequence[PoseSample]):
    """Items that were gathered together: a sequence of :class:`PoseSample`, and the batch of all of them.

    Parameters
    ----------
    batch : PoseSample
    frames : list of int
        Frames of each item alone.
    """

    def __init__(self, batch: PoseSample, frames: list[int]) -> None:
        self.batch = batch
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> PoseSample: ...
    @overload
    def __getitem__(self, index: slice) -> list[PoseSample]: ...
    def __getitem__(self, index: int | slice) -> PoseSample | list[PoseSample]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        batch, frames = self.batch, self._frames[index]
        return PoseSample(
            positions_2d=batch.positions_2d[index, :frames],
            positions_3d=batch.positions_3d[index, :frames],
            mask=batch.mask[index, :frames],
            intrinsics=batch.intrinsics[index],
            image=batch.image[index],
            name=batch.name[index],
            first=int(batch.first[index]),  # type: ignore[index]
        )


class LengthBatches:
    """A batch sampler: items of similar length together, every item once in an epoch, another order in each epoch.

    Parameters
    ----------
    items : Items
    batch_size : int
    seed : int
    """

    def __init__(self, items: Items, batch_size: int, seed: int = 0) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size: expected a number from 1, found {batch_size}")
        # The place of an item stands in for its sequence: batches come back as the places.
        self._items = Items(np.arange(len(items)), items.first, items.length)
        self._batch_size, self._seed = batch_size, seed
        self.epoch = 0
        """Number of the next epoch; counts up by itself."""

    def __len__(self) -> int:
        return -(-len(self._items) // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        batches = epoch_batches(self._items, self._batch_size, self._seed, self.epoch)
        self.epoch += 1
        return iter([batch.sequence.tolist() for batch in batches])


def collate_sequences(samples: Sequence[PoseSample], **unused: Any) -> PoseSample:
    """Return the batch of some items: padded to the longest with their last frame, which `mask` marks as False.

    Parameters
    ----------
    samples : sequence of PoseSample

    Returns
    -------
    PoseSample
        With B as the first axis of every array.
    """
    if isinstance(samples, Samples):
        return samples.batch
    frames = max(len(sample.mask) for sample in samples)

    def padded(values: Tensor) -> Tensor:
        return torch.cat([values, values[-1:].expand(frames - len(values), *values.shape[1:])])

    return PoseSample(
        positions_2d=torch.stack([padded(sample.positions_2d) for sample in samples]),
        positions_3d=torch.stack([padded(sample.positions_3d) for sample in samples]),
        mask=torch.stack([torch.nn.functional.pad(sample.mask, (0, frames - len(sample.mask))) for sample in samples]),
        intrinsics=torch.stack([sample.intrinsics for sample in samples]),
        image=torch.stack([sample.image for sample in samples]),
        name=tuple(str(sample.name) for sample in samples),
        first=torch.tensor([int(sample.first) for sample in samples]),
    )


default_collate_fn_map[PoseSample] = collate_sequences
