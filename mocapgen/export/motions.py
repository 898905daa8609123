"""The motions of sequences, for formats that have a skeleton and rotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mocapgen.core.motion import Motion
from mocapgen.export.base import ExportOutput
from mocapgen.export.export_input import ExportInput, Item
from mocapgen.retarget.in_world import predicted_motion, recorded_motion
from mocapgen.store.reader import Dataset
from schemas.errors import ConfigError, RetargetError


def motions(source: ExportInput, items: Sequence[Item], avatar: str | None, output: ExportOutput) -> Iterator[tuple[Item, Motion]]:
    """Return the motion of each sequence in the world, one at a time; in the end, note how far they are from the positions in the file.

    Parameters
    ----------
    source : ExportInput
    items : sequence of Item
    avatar : str or None
        Avatar whose bone lengths are used for predictions.
    output : ExportOutput

    Raises
    ------
    ConfigError
        If an avatar is given for a dataset file, or there is none of that name.
    RetargetError
        If predictions cannot be solved to rotations.
    """
    if avatar is not None and not source.predicted:
        raise ConfigError("avatar: expected only with predictions, found with a dataset file, whose sequences have avatars; try avatars=...")
    skeletons = source.data.skeletons if isinstance(source.data, Dataset) else {}
    deviations: dict[str, float] = {}
    for done, item in enumerate(items):
        output.step(done, len(items), item.name)
        positions = source.world(item)
        if skeletons:
            skeleton = skeletons[item.row.avatar]
            motion, deviations[item.name] = recorded_motion(source.rotations(item), positions, item.row.camera, skeleton, source.fps, item.name)
        else:
            at = {joint: positions[:, place] for place, joint in enumerate(source.bones)}
            try:
                motion, deviations[item.name] = predicted_motion(at, item.row.avatar, avatar, source.fps, item.name)
            except RetargetError as error:
                raise RetargetError(f"{source.path}: {item.name}: {error}") from None
        yield item, motion
    _tell(deviations, source.predicted, output)


def _tell(deviations: dict[str, float], predicted: bool, output: ExportOutput) -> None:
    """Say how far what was written is from the positions in the file."""
    worst = max(deviations, key=lambda name: deviations[name])
    if predicted:
        mean = 1000.0 * float(np.mean(list(deviations.values())))
        message = f"joints are {mean:.1f} mm from those predicted, on average, since bones keep their lengths"
        output.notes.append(message + (f"; most in {worst}: {1000 * deviations[worst]:.1f} mm" if len(deviations) > 1 else ""))
        output.about["mean_error_mm"] = {name: round(1000.0 * error, 3) for name, error in deviations.items()}
    elif deviations[worst] > 0.001:
        output.notes.append(f"{worst}: rotations and positions in the file disagree by up to {1000 * deviations[worst]:.1f} mm; rotations are used")
