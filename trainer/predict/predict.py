"""Lift the people in a video, 2D keypoints of other tools, or the projections in a dataset file, with a trained model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from mocapgen.shared.inputs import open_regular
from mocapgen.shared.outputs import writing
from mocapgen.shared.progress import Progress
from mocapgen.shared.video import is_video
from schemas.base import wrong_dataset_name
from schemas.detectors import DETECTOR_SET, SUBSTITUTES
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.model.checkpoint import load_lifter
from trainer.model.device import choose
from trainer.model.lifter import Lifter
from trainer.model.shipped import model_files
from trainer.predict.keypoints import Keypoints, joints_of, read_keypoints
from trainer.predict.keypoints.content import files_of, is_pattern
from trainer.predict.keypoints.hdf5 import is_foreign
from trainer.predict.of_dataset import predict_dataset
from trainer.predict.person import LiftedTrack, lift_track, model_input, require_causal, require_joints
from trainer.predict.predictions import PredictionArrays, PredictionTables, write
from trainer.predict.tracks import Array, Flags
from trainer.predict.video import check_settings, keypoints_of_video
from trainer.predict.world.people import place_people

_HDF5 = b"\x89HDF\r\n\x1a\n"


def predict(
    model: str | Path,
    source: str | Path,
    out: str | Path,
    config: PredictConfig | None = None,
    device: str = "auto",
    threads: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PredictionTables:
    """Write a predictions file.

    Parameters
    ----------
    model : str or Path
        The name of a model that ships (``default``), a run's folder (its best weights), or a checkpoint.
    source : str or Path
        A video, keypoints (see :func:`trainer.predict.keypoints.read_keypoints`), or a dataset file whose projections are lifted.
    out : str or Path
    config : PredictConfig, optional
    device : str
    threads : int
    overwrite : bool
    progress : callable, optional
        Called with (done, total, label) while people are detected in a video, or a dataset is lifted.

    Returns
    -------
    PredictionTables
        What was written: :class:`~trainer.predict.predictions.PredictionArrays`, or, of a dataset file, all but the frames, which may not fit
        into memory.

    Raises
    ------
    ConfigError
        If a setting does not fit the model or the file.
    DatasetError
        If a file cannot be read, used or written.
    """
    source, out, config = Path(source), Path(out), config or PredictConfig()
    if wrong := wrong_dataset_name(out):
        raise ConfigError(f"out: {wrong}")
    inputs = [*model_files(model), *_files(source), config.detector_model]
    with writing(out, config.keypoints_out, overwrite=overwrite, inputs=inputs):
        video = is_video(source)
        check_settings(video, source, config)
        compute = choose(device, "fp32", threads)
        lifter, card = load_lifter(model, compute.device)
        require_causal(lifter, card, config)
        if is_hdf5(source) and not is_foreign(source):
            return predict_dataset(lifter, card, source, out, config, overwrite, progress)
        predictions = _predict(lifter, card, source, config, video, overwrite, progress)
        write(out, predictions, overwrite)
        return predictions


def _files(source: Path) -> list[Path]:
    """Return the files that a source consists of: itself, or those of a folder or pattern that may hold keypoints."""
    if is_pattern(source):
        return files_of(source)
    return [file for pattern in ("*", "*/*") for file in source.glob(pattern) if file.suffix.lower() in (".json", ".txt")] or [source]


def _predict(
    lifter: Lifter, card: ModelCard, source: Path, config: PredictConfig, video: bool, overwrite: bool, progress: Progress | None
) -> PredictionArrays:
    require_joints(card, source)
    keypoints = keypoints_of_video(source, config, overwrite, progress) if video else read_keypoints(source, config.layout, config.fps, config.image)
    return of_keypoints(lifter, card, keypoints, source, config)


def is_hdf5(path: Path) -> bool:
    """Return whether a file is HDF5 by its content, or by its name if there is none."""
    if not path.exists():
        return path.suffix.lower() in (".h5", ".hdf5")
    if path.is_dir():
        return False
    with open_regular(path, "a dataset file, keypoints or a video") as file:
        return file.read(len(_HDF5)) == _HDF5


# Keypoints ----------------------------------------------------------------------------------------


def of_keypoints(lifter: Lifter, card: ModelCard, keypoints: Keypoints, where: Path, config: PredictConfig) -> PredictionArrays:
    """Lift the keypoints of one person, or of several with the setting ``person=all``.

    Parameters
    ----------
    lifter, card
        See :func:`trainer.model.checkpoint.load_lifter`.
    keypoints : Keypoints
    where : Path
        The file they come from: its name and digest are recorded, and errors name it.
    config : PredictConfig

    Returns
    -------
    PredictionArrays
        For each person one row per frame at the model's rate from the beginning of the video, and one sequence per segment in which the person is
        detected.

    Raises
    ------
    DatasetError
        See :func:`trainer.predict.person.lift_track`.
    """
    lifted = _lift_people(lifter, card, keypoints, where, config)
    placed = place_people([track for _, track in lifted], card, config)
    tracks = placed.tracks
    confidence = _joined([track.confidence for track in tracks])
    positions_2d = _joined([track.positions_2d for track in tracks])
    return PredictionArrays(
        card=card,
        positions_3d=_joined([track.positions_3d for track in tracks]),
        positions_2d=np.where(confidence[..., None] > 0, positions_2d, np.nan),
        confidence=confidence,
        sequences=_sequences(lifted, where.stem, card.fps, config.person == "all"),
        cameras=placed.cameras,
        source={
            "file": where.name,
            "sha256": _digest(where),
            "fps": keypoints.fps,
            "layout": keypoints.layout,
            "people": len(keypoints.people),
            "camera": placed.camera,
            "settings": config.model_dump(mode="json", exclude_none=True),
        },
        notes=(*keypoints.notes, *_notes(tracks, card), *placed.notes),
    )


def _joined(arrays: list[Array]) -> Array:
    """Return arrays one after the other; a single one is not copied, as that of a long video is large."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _lift_people(lifter: Lifter, card: ModelCard, keypoints: Keypoints, where: Path, config: PredictConfig) -> list[tuple[int, LiftedTrack]]:
    """Return the number, from 1, and the track of everybody who is asked for; of several people those who are hardly seen are left out."""
    chosen = keypoints.chosen(config.person, where)
    image = keypoints.width, keypoints.height
    lifted: list[tuple[int, LiftedTrack]] = []
    refused: DatasetError | None = None
    for number, person in enumerate(chosen, start=1):
        given = joints_of(keypoints.layout, person.confidence)
        pixels, confidence = model_input(card, person.positions, person.confidence, given, where)
        try:
            lifted.append((number, lift_track(lifter, card, pixels, confidence, keypoints.fps, image, config, where)))
        except DatasetError as error:
            refused = refused or error
    if refused is not None and not lifted:
        raise refused
    return lifted


def _sequences(lifted: list[tuple[int, LiftedTrack]], clip: str, fps: float, everybody: bool) -> dict[str, Any]:
    """Return the table of the segments of a video; their names contain the person, if it is not one alone, and the time at which they begin."""
    table: dict[str, list[Any]] = {"start": [], "length": [], "name": [], "actor": []}
    row = 0
    for number, track in lifted:
        actor = f"person {number}" if everybody else ""
        for first, end in track.segments:
            words = [clip, *([actor] if actor else []), *([f"{first / fps:.3f} s"] if len(track.segments) > 1 else [])]
            for column, value in zip(table.values(), (row + first, end - first, " ".join(words), actor), strict=True):
                column.append(value)
        row += len(track.positions_3d)
    count = len(table["start"])
    return {**table, "clip": [clip] * count, "action": [""] * count, "avatar": [""] * count, "camera": [0] * count}


def _notes(tracks: list[LiftedTrack], card: ModelCard) -> tuple[str, ...]:
    """Return what a user should know before using the result."""
    confidence = _joined([track.confidence for track in tracks])
    positions = _joined([track.positions_2d for track in tracks])
    visible: Flags = confidence > 0
    width, height = tracks[0].image
    notes = []
    made = SUBSTITUTES if card.joint_set == DETECTOR_SET else ()  # models of these joints are trained without them
    never = [joint for joint, once in zip(card.joints, np.any(visible, axis=0).tolist(), strict=True) if not once and joint not in made]
    if never:
        advice = "" if card.confidence else "; a model trained with confidence=true and augment.missing=0.1 handles missing joints better"
        notes.append(f"never visible, and guessed: {', '.join(never)}{advice}")
    there = np.zeros(len(tracks[0].confidence), dtype=bool)
    for track in tracks:
        for first, end in track.segments:
            there[first:end] = True
    if not there.all():
        who = "no person" if len(tracks) == 1 else "none of them"
        notes.append(f"{who} detected in {np.count_nonzero(~there)} of {len(there)} frames; they belong to no sequence")
    outside = float(np.mean(np.any((positions < 0) | (positions > tracks[0].image), axis=2), where=visible))
    if outside > 0.5:
        notes.append(f"{100 * outside:.0f} % of the keypoints lie outside the image of {width:.0f} x {height:.0f} pixels; is the image size right?")
    return tuple(notes)


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the files of a folder or pattern in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(path.glob("*.json")) if path.is_dir() else sorted(_files(path)):
        with open_regular(name, "a file of keypoints") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()
