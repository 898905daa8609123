"""Lift 2D keypoints of other tools, or the projections in a dataset file, with a trained model."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from mocapgen.shared.files import check_target
from schemas.conventions import H36M17, CameraFrame
from schemas.dataset import LAYOUT
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.data.batches import Loader
from trainer.data.dataset import load, require_match
from trainer.model.checkpoint import load_lifter
from trainer.model.device import choose
from trainer.model.lift import lift_frames, lift_sequences
from trainer.model.lifter import Lifter
from trainer.predict.keypoints import Keypoints, read_keypoints
from trainer.predict.predictions import Predictions, write
from trainer.predict.tracks import LEAST_JOINTS, Array, Flags, complete, resample, stretches

TYPICAL_DEPTH = 4.0
"""Metres: where a person is put whose keypoints do not tell the distance."""
_NEAREST = 0.1
"""Metres: no joint is put nearer to the camera."""
_GUESSED = 0.05
"""Weight, against a confidence of 1, of joints that were not seen in placing a person."""
_HDF5 = b"\x89HDF\r\n\x1a\n"


def predict(
    model: str | Path,
    source: str | Path,
    out: str | Path,
    config: PredictConfig | None = None,
    device: str = "auto",
    threads: int = 0,
    overwrite: bool = False,
) -> Predictions:
    """Write a predictions file.

    Parameters
    ----------
    model : str or Path
        A run's folder (its best weights), or a checkpoint.
    source : str or Path
        Keypoints (see :func:`trainer.predict.keypoints.read_keypoints`), or a dataset file whose projections are lifted.
    out : str or Path
    config : PredictConfig, optional
    device : str
    threads : int
    overwrite : bool

    Returns
    -------
    Predictions
        What was written.

    Raises
    ------
    ConfigError
        If a setting does not fit the model or the file.
    DatasetError
        If a file cannot be read, used or written.
    """
    source, out, config = Path(source), Path(out), config or PredictConfig()
    check_target(out, overwrite)
    if out.exists() and source.exists() and out.samefile(source):
        raise DatasetError(f"{out}: expected another file to write to than the one that is read")
    compute = choose(device, "fp32", threads)
    lifter, card = load_lifter(model, compute.device)
    require_causal(lifter, card, config)
    if is_hdf5(source):
        predictions = of_dataset(lifter, card, source, config)
    else:
        require_joints(card, source)
        keypoints = read_keypoints(source, config.layout, config.fps, config.image)
        predictions = of_keypoints(lifter, card, keypoints, source, config)
    write(out, predictions)
    return predictions


def predict_config(settings: Mapping[str, Any]) -> PredictConfig:
    """Return checked settings.

    Raises
    ------
    ConfigError
        In one line: setting, rule, value found.
    """
    try:
        return PredictConfig(**settings)
    except ValidationError as error:
        problem = error.errors()[0]
        if not problem["loc"]:
            raise ConfigError(problem["msg"].removeprefix("Value error, ")) from None
        name = str(problem["loc"][0]).replace("_", "-")
        raise ConfigError(f"--{name}: {problem['msg'][:1].lower()}{problem['msg'][1:]}, found {problem['input']!r}") from None


def is_hdf5(path: Path) -> bool:
    """Return whether a file is HDF5 by its content, or by its name if there is none."""
    if not path.is_file():
        return path.suffix.lower() in (".h5", ".hdf5")
    with path.open("rb") as file:
        return file.read(len(_HDF5)) == _HDF5


def require_causal(lifter: Lifter, card: ModelCard, config: PredictConfig) -> None:
    """Check that a model needs no later frames if that is asked for."""
    if config.causal and not lifter.network.causal:
        raise ConfigError(
            f"--causal: expected a model that only looks back, found {card.model} trained with later frames, too; "
            "train one with `trainer fit DATA.h5 --model stmixer --set model_settings.causal=true --set model_settings.patch=1`"
        )


def require_joints(card: ModelCard, where: str | Path) -> list[int]:
    """Return the places of a model's joints among those of keypoints, and refuse a model that wants others."""
    names = tuple(H36M17)
    odd = [joint for joint in card.joints if joint not in names]
    if odd:
        raise DatasetError(
            f"{where}: keypoints have the joints of h36m17; expected a model of these, found one of {card.joint_set} ({', '.join(odd[:3])}, ...)"
        )
    return [names.index(joint) for joint in card.joints]


# Keypoints ----------------------------------------------------------------------------------------


def of_keypoints(lifter: Lifter, card: ModelCard, keypoints: Keypoints, where: Path, config: PredictConfig) -> Predictions:
    """Lift the keypoints of one person.

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
    Predictions
        One row per frame at the model's rate from the beginning of the video, and one sequence per stretch in which the person is there.

    Raises
    ------
    DatasetError
        If hardly a joint is seen, or the model fails.
    """
    _check(keypoints, where)
    columns = require_joints(card, where)
    confidence = np.where(keypoints.confidence < config.min_confidence, 0.0, keypoints.confidence)
    gap = 0.0 if config.causal else config.gap
    pixels, confidence = resample(keypoints.positions[:, columns], confidence[:, columns], keypoints.fps, card.fps, gap)
    runs = stretches(confidence, waiting_frames(card, config), config.causal)
    if not runs:
        most = (confidence > 0).sum(axis=1).max()
        raise DatasetError(
            f"{where}: expected a frame with {LEAST_JOINTS} joints or more of at least {config.min_confidence:g} confidence, "
            f"found at most {most}; see --min-confidence"
        )
    image = np.array([keypoints.width, keypoints.height], dtype=np.float64)
    intrinsics = assumed_intrinsics(image, config, card.camera_frame)
    positions = np.full((*pixels.shape[:2], 3), np.nan)
    for first, end in runs:
        seen = confidence[first:end] > 0
        held = np.zeros((pixels.shape[1] + 1, 2)) if config.causal else None
        filled = complete(pixels[first:end], seen, card.parents, held)
        positions[first:end] = lift_person(lifter, filled, confidence[first:end], intrinsics, image)
    _require_finite(positions, runs, where)
    return Predictions(
        card=card,
        positions_3d=positions,
        positions_2d=np.where(confidence[..., None] > 0, pixels, np.nan),
        confidence=confidence,
        sequences=_sequences(runs, where.stem, card.fps),
        cameras=_level_camera(intrinsics, image, card.camera_frame),
        source={
            "file": where.name,
            "sha256": _digest(where),
            "fps": keypoints.fps,
            "camera": "assumed: level, at the origin, without distortion, the principal point in the middle",
            "settings": config.model_dump(mode="json", exclude_none=True),
        },
        notes=_notes(confidence, pixels, runs, card, image),
    )


def waiting_frames(card: ModelCard, config: PredictConfig) -> int:
    """Return for how many frames a person who is not seen is taken as still there."""
    return round(config.gap * card.fps)


def assumed_intrinsics(image: Array, config: PredictConfig, frame: CameraFrame) -> Array:
    """Return fx, fy, cx, cy of a camera that nobody has calibrated, (4,) float64, pixels.

    Parameters
    ----------
    image : (2,), pixels
        Width and height.
    config : PredictConfig
        With the focal length or the vertical field of view, if one is known. Without, the focal length is the diagonal of the image:
        a field of view of 53 degrees across it, as in Kissos et al., Beyond Weak Perspective for Monocular 3D Human Pose
        Estimation, ECCV workshops 2020, and CLIFF, ECCV 2022.
    frame : {"unity", "opencv"}
        fy is negative in the former, where y points up.
    """
    focal = float(np.hypot(*image)) if config.focal is None else config.focal
    if config.fov is not None:
        focal = 0.5 * image[1] / math.tan(math.radians(0.5 * config.fov))
    return np.array([focal, -focal if frame == "unity" else focal, 0.5 * image[0], 0.5 * image[1]])


def lift_person(lifter: Lifter, pixels: Array, confidence: Array, intrinsics: Array, image: Array) -> Array:
    """Lift one stretch and put it before the camera.

    Parameters
    ----------
    lifter : Lifter
    pixels : (T, J, 2)
        Without holes (see :func:`trainer.predict.tracks.complete`).
    confidence : (T, J)
        0 where a joint was not seen.
    intrinsics : (4,), pixels
    image : (2,), pixels

    Returns
    -------
    (T, J, 3) float64, metres, camera frame
    """
    told = confidence > 0  # all that a model is trained to know: whether, not how surely
    told[~told.any(axis=1)] = True  # nobody for some frames: what was filled in is better than nothing at all
    positions = lift_frames(lifter, pixels, told.astype(np.float64), intrinsics, image).astype(np.float64)
    if lifter.target == "absolute":
        return positions
    weight = np.where(confidence > 0, confidence, _GUESSED)
    return positions + place(positions, pixels, weight, np.broadcast_to(intrinsics, (len(pixels), 4)))[:, None]


def place(relative: Array, pixels: Array, weight: Array, intrinsics: Array) -> Array:
    """Return where a pose must be moved to so that it covers its keypoints.

    Frame by frame the translation t that minimises the weighted sum of (x + t_x - a (z + t_z))² + (y + t_y - b (z + t_z))², where
    (a, b) is the ray through a joint's pixel: linear least squares, t_x and t_y eliminated by hand.

    Parameters
    ----------
    relative : (T, J, 3), metres, axes of the camera frame
    pixels : (T, J, 2)
    weight : (T, J)
        Above 0.
    intrinsics : (T, 4), pixels

    Returns
    -------
    (T, 3) float64, metres, camera frame
        At a typical depth where all keypoints coincide; never so that a joint comes to lie behind the camera.
    """
    weight = weight / weight.sum(axis=1, keepdims=True)
    rays = (pixels - intrinsics[:, None, 2:]) / intrinsics[:, None, :2]
    rest = rays * relative[..., 2:] - relative[..., :2]

    def mean(values: Array) -> Array:
        return np.einsum("tj,tjc->tc", weight, values)

    centre, mean_rest = mean(rays), mean(rest)
    spread = mean((rays - centre[:, None]) ** 2).sum(axis=1)
    common = -mean((rays - centre[:, None]) * (rest - mean_rest[:, None])).sum(axis=1)
    depth = np.where(spread > 1e-8, common / np.maximum(spread, 1e-8), TYPICAL_DEPTH)
    depth = np.maximum(depth, _NEAREST - relative[..., 2].min(axis=1))
    return np.concatenate([mean_rest + centre * depth[:, None], depth[:, None]], axis=1)


def _check(keypoints: Keypoints, where: Path) -> None:
    """Refuse what cannot be keypoints in pixels, or has no usable frame rate."""
    if keypoints.fps < 1:
        raise DatasetError(f"{where}: expected a video of at least 1 frame per second, found {keypoints.fps:g}; give --fps")
    largest = np.abs(keypoints.positions).max()
    if largest <= 2.0 and max(keypoints.width, keypoints.height) > 16:
        raise DatasetError(f"{where}: expected pixels, found numbers up to {largest:.3g}; multiply them by the size of the image")
    if largest > 1e6:
        raise DatasetError(f"{where}: expected pixels, found {largest:.3g}")


def _sequences(runs: list[tuple[int, int]], clip: str, fps: float) -> dict[str, Any]:
    """Return the table of the stretches of one video; their names say when they begin."""
    count = len(runs)
    return {
        "start": [first for first, _ in runs],
        "length": [end - first for first, end in runs],
        "name": [clip] if count == 1 else [f"{clip} {first / fps:.3f} s" for first, _ in runs],
        "clip": [clip] * count,
        **{name: [""] * count for name in ("actor", "action", "avatar")},
        "camera": [0] * count,
    }


def _level_camera(intrinsics: Array, image: Array, frame: CameraFrame) -> dict[str, Any]:
    """Return the table of one camera at the world's origin that looks level along its -z, so that who faces it faces +z."""
    focal_x, focal_y, centre_x, centre_y = intrinsics
    rotation = np.diag([1.0, 1.0 if frame == "unity" else -1.0, -1.0])
    return {
        "K": [[[focal_x, 0.0, centre_x], [0.0, focal_y, centre_y], [0.0, 0.0, 1.0]]],
        "R": rotation[None],
        "t": np.zeros((1, 3)),
        "width": [int(image[0])],
        "height": [int(image[1])],
        "rig": ["assumed"],
    }


def _require_finite(positions: NDArray[Any], runs: list[tuple[int, int]], where: Path) -> None:
    for first, end in runs:
        bad = np.flatnonzero(~np.isfinite(positions[first:end]).all(axis=(1, 2)))
        if len(bad):
            raise DatasetError(f"{where}: expected finite positions, found NaN in frame {first + bad[0]} of the model's output; is the model sound?")


def _notes(confidence: Array, pixels: Array, runs: list[tuple[int, int]], card: ModelCard, image: Array) -> tuple[str, ...]:
    """Return what is worth knowing before the result is used."""
    seen: Flags = confidence > 0
    notes = []
    never = [joint for joint, once in zip(card.joints, np.any(seen, axis=0).tolist(), strict=True) if not once]
    if never:
        advice = "" if card.confidence else "; a model trained with `--set confidence=true --set augment.missing=0.1` knows what it does not see"
        notes.append(f"never seen, and guessed: {', '.join(never)}{advice}")
    empty = len(seen) - sum(end - first for first, end in runs)
    if empty:
        notes.append(f"nobody is there in {empty} of {len(seen)} frames; they belong to no sequence")
    outside = float(np.mean(np.any((pixels < 0) | (pixels > image), axis=2), where=seen))
    if outside > 0.5:
        notes.append(f"{100 * outside:.0f} % of the keypoints lie outside the image of {image[0]:.0f} x {image[1]:.0f} pixels; is --image right?")
    return tuple(notes)


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the files of a folder in the order of their names."""
    digest = hashlib.sha256()
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


# Dataset files ------------------------------------------------------------------------------------


def of_dataset(lifter: Lifter, card: ModelCard, path: Path, config: PredictConfig) -> Predictions:
    """Lift the projections stored in a dataset file: the same rows, so that predictions and truth lie side by side.

    Raises
    ------
    ConfigError
        If settings for keypoints were given.
    DatasetError
        If the file cannot be read or does not fit the model.
    """
    odd = sorted(set(config.model_fields_set) - {"causal"})
    if odd:
        raise ConfigError(f"{path}: a dataset file says everything about its projections; expected no --{odd[0].replace('_', '-')}")
    data = load(path, card.joint_set)
    require_match(data, card)
    everything = np.arange(len(data), dtype=np.int64)
    rows = data.rows(everything)
    lifted = lift_sequences(lifter, Loader(data, next(lifter.parameters()).device), everything)
    pixels = data.positions_2d[rows]
    if card.target == "relative":
        intrinsics = np.repeat(data.intrinsics, data.length, axis=0).astype(np.float64)
        root = place(lifted.astype(np.float64), pixels.astype(np.float64), np.ones(lifted.shape[:2]), intrinsics)
        lifted = (lifted + root[:, None]).astype(np.float32)
    positions = np.full((*data.positions_2d.shape[:2], 3), np.nan, dtype=np.float32)
    positions[rows] = lifted
    _require_finite(positions, list(zip(data.start.tolist(), (data.start + data.length).tolist(), strict=True)), path)
    confidence = np.zeros(positions.shape[:2], dtype=np.float32)
    confidence[rows] = 1.0
    labels = {name: getattr(data, name) for name in ("start", "length", "clip", "actor", "action", "avatar")}
    with h5py.File(path) as file:
        cameras = {array.path.rpartition("/")[2]: file[array.path][()] for array in LAYOUT.table("/cameras")}
        return Predictions(
            card=card,
            positions_3d=positions,
            positions_2d=data.positions_2d,
            confidence=confidence,
            sequences={**labels, "name": data.names, "camera": file["/sequences/camera"][()]},
            cameras={**cameras, "rig": file["/cameras/rig"].asstr()[()]},
            source={"file": path.name, "sha256": data.sha256, "fps": data.fps, "camera": "of the dataset", "settings": {}},
        )
