"""Read the frames of a dataset file some sequences at a time, for what looks at each of them once: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.hdf5 import OpenFile, open_checked
from mocapgen.shared.layout import check_dataset
from trainer.data.dataset import PoseData, detector_frames, lifted_joints, require_finite

FRAMES = 4096
"""Frames of a part, about: those of whole sequences."""
BATCH = 1024
"""Frames of a batch, about, that is lifted of a part: enough batches for all threads, and little memory in each."""

_OF_SEQUENCES = ("clip", "recording", "actor", "action", "avatar", "camera", "intrinsics", "image", "up")


def parts(data: PoseData, sequences: NDArray[np.int64], frames: int = FRAMES) -> Iterator[PoseData]:
    """Yield sequences of a file, with their frames, in the order given; the next ones are read meanwhile.

    Parameters
    ----------
    data : PoseData
        The file, with or without frames.
    sequences : (n,) int64
    frames : int
        How many to read at once, about.

    Raises
    ------
    DatasetError
        If frames are damaged, or not finite: once their part is reached.
    """
    group = (np.cumsum(data.length[sequences]) - 1) // frames
    groups = np.split(sequences, np.flatnonzero(np.diff(group)) + 1)
    with OpenFile(data.path, open_checked(data.path, check_dataset)) as file, ThreadPoolExecutor(1) as thread:
        found = (thread.submit(_part, file, data, chosen) for chosen in groups)
        for part, _ in pairwise(chain(found, [None])):
            assert part is not None
            yield part.result()


def _part(file: OpenFile, data: PoseData, chosen: NDArray[np.int64]) -> PoseData:
    length = data.length[chosen]
    start = np.cumsum(length) - length

    def rows(name: str) -> NDArray[np.float32]:
        places = zip(data.start[chosen].tolist(), length.tolist(), chosen.tolist(), strict=True)
        return np.concatenate([file.reader.read(name, first, count, sequence) for first, count, sequence in places])

    _, columns = lifted_joints(file, data.joints.name)
    if columns is None:
        table = {"start": start, "length": length, "avatar": data.avatar[chosen]}
        positions, pixels = detector_frames(file, rows("positions_3d"), rows("quaternions"), table, data.intrinsics[chosen])
    else:
        positions, pixels = rows("positions_3d")[:, columns], rows("positions_2d")[:, columns]
    labels = {name: getattr(data, name)[chosen] for name in _OF_SEQUENCES}
    part = replace(data, positions_3d=positions, positions_2d=pixels, start=start, length=length, **labels)
    require_finite(part)
    return part
