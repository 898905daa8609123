"""The functions that scripts call, as a program: ``library open_dataset data.h5`` opens a file and reads all that it holds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from schemas.errors import MocapError


def main(arguments: list[str]) -> NoReturn:
    """Call a function with a path, and end as the programs do."""
    name, path = arguments[:2]
    try:
        CALLS[name](path)
    except MocapError as error:
        sys.stderr.write(f"library: error: {error}\n")
        sys.exit(2)
    sys.exit(0)


def _dataset(path: str) -> None:
    import mocapgen

    with mocapgen.open_dataset(path) as data:
        print(data, data.config, data.clips.keys(), data.cameras, data.skeletons, data.skipped.keys(), data.joint_names)  # noqa: T201
        for row in data:
            print(row, row["positions_3d"].shape, row["positions_2d"].shape, row["quaternions"].shape)  # noqa: T201


def _predictions(path: str) -> None:
    import mocapgen

    with mocapgen.open_predictions(path) as data:
        print(data, data.model, data.source, data.joint_set, data.joints, data.joint_parents, data.cameras, data.root)  # noqa: T201
        for row in data:
            print(row, row["positions_3d"].shape)  # noqa: T201


def _samples(path: str) -> None:
    import trainer

    data = trainer.PoseDataset(path)
    for batch in data.batches(4):
        trainer.collate_sequences([data[index] for index in batch])


def _model(path: str) -> None:
    import trainer

    model = trainer.load(path, device="cpu")
    print(model, model.card)  # noqa: T201


CALLS: dict[str, Callable[[str], None]] = {"open_dataset": _dataset, "open_predictions": _predictions, "PoseDataset": _samples, "load": _model}
