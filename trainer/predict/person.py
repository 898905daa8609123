"""Lift the keypoints of one person in a video: the model's frame rate, missing joints, the model, and the placement in front of the camera."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_JOINTS, DETECTOR_SET
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.model.lift import lift_both_ways, lift_frames
from trainer.model.lifter import Lifter
from trainer.predict.camera import assumed_intrinsics, place
from trainer.predict.causal import smooth_causally
from trainer.predict.keypoints.frames import MOST_ROWS
from trainer.predict.keypoints.layouts import to_h36m17, with_substitutes
from trainer.predict.tracks import MIN_JOINTS, Array, Flags, fill_joints, resample, segments

_GUESSED = 0.05
"""Weight of joints that are not visible in placing a person, against a confidence of 1."""


@dataclass(frozen=True, eq=False)
class LiftedTrack:
    """One person in a video, lifted; T frames at the model's rate from the beginning of the video.

    Parameters
    ----------
    positions_3d : (T, J, 3) float64, metres, camera frame
        NaN in frames in which no person is detected.
    positions_2d : (T, J, 2) float64, pixels
    confidence : (T, J) float64
        0 where a joint is missing.
    segments : list of (int, int)
        First frame and end of each segment in which the person is detected.
    image : (2,) float64, pixels
        Width and height.
    intrinsics : (4,) float64, pixels
        fx, fy, cx, cy of the assumed camera.
    """

    positions_3d: Array
    positions_2d: Array
    confidence: Array
    segments: list[tuple[int, int]]
    image: Array
    intrinsics: Array


def lift_track(
    lifter: Lifter, card: ModelCard, pixels: Array, confidence: Array, fps: float, image: tuple[int, int], config: PredictConfig, where: str | Path
) -> LiftedTrack:
    """Lift the keypoints of one person.

    Parameters
    ----------
    lifter, card
        See :func:`trainer.model.checkpoint.load_lifter`.
    pixels : (T', J, 2) float64
        The model's joints, at the frame rate of the video; 0 where a joint is missing.
    confidence : (T', J) float64
    fps : float
    image : (width, height), pixels
    config : PredictConfig
    where : str or Path
        Named in errors.

    Raises
    ------
    DatasetError
        If these cannot be pixels, hardly a joint is visible, or the model fails.
    """
    _check(pixels, fps, image, card.fps, where)
    confidence = np.where(confidence < config.min_confidence, 0.0, confidence)
    gap = 0.0 if config.causal else config.gap
    pixels, confidence = resample(pixels, confidence, fps, card.fps, gap)
    found = segments(confidence, waiting_frames(card, config), config.causal)
    if not found:
        most = (confidence > 0).sum(axis=1).max()
        raise DatasetError(
            f"{where}: expected a frame with at least {MIN_JOINTS} joints of confidence {config.min_confidence:g} or more, "
            f"found at most {most}; lower min_confidence"
        )
    size = np.array(image, dtype=np.float64)
    intrinsics = assumed_intrinsics(size, config, card.camera_frame)
    positions = np.full((*pixels.shape[:2], 3), np.nan)
    for first, end in found:
        visible = confidence[first:end] > 0
        held = np.zeros((pixels.shape[1] + 1, 2)) if config.causal else None
        filled = filled_in(card, pixels[first:end], visible, held)
        positions[first:end] = lift_person(lifter, filled, confidence[first:end], intrinsics, size)
    require_finite(positions, found, where)
    if config.causal:
        for first, end in found:
            positions[first:end] = smooth_causally(positions[first:end], card.fps, config.smooth)
    return LiftedTrack(positions, pixels, confidence, found, size, intrinsics)


def lift_person(lifter: Lifter, pixels: Array, confidence: Array, intrinsics: Array, image: Array) -> Array:
    """Lift one segment and place it in front of the camera.

    Parameters
    ----------
    lifter : Lifter
    pixels : (T, J, 2)
        Without missing joints (see :func:`trainer.predict.tracks.fill_joints`).
    confidence : (T, J)
        0 where a joint is not visible.
    intrinsics : (4,), pixels
    image : (2,), pixels

    Returns
    -------
    (T, J, 3) float64, metres, camera frame
    """
    given = confidence if lifter.graded else (confidence > 0).astype(np.float64)
    nobody = ~(confidence > 0).any(axis=1, keepdims=True)  # for some frames: the filled-in joints are better than none
    lift = lift_both_ways if lifter.graded and not lifter.network.symmetric else lift_frames
    positions = lift(lifter, pixels, np.where(nobody, 1.0, given), intrinsics, image).astype(np.float64)
    if lifter.target == "absolute":
        return positions
    weight = np.where(confidence > 0, confidence, _GUESSED)
    return positions + place(positions, pixels, weight, np.broadcast_to(intrinsics, (len(pixels), 4)))[:, None]


def filled_in(card: ModelCard, pixels: Array, visible: Flags, held: Array | None) -> Array:
    """Return pixels (T, J, 2) with joints filled in: from others by ``schemas.detectors.SUBSTITUTES``, else at their offsets from their parents."""
    if card.joint_set == DETECTOR_SET:
        pixels, known = with_substitutes(pixels, visible.astype(np.float64), card.joints)
        visible = known > 0
    return fill_joints(pixels, visible, card.parents, held)


def waiting_frames(card: ModelCard, config: PredictConfig) -> int:
    """Return for how many frames without detection a person is taken as still present."""
    return round(config.gap * card.fps)


def require_causal(lifter: Lifter, card: ModelCard, config: PredictConfig) -> None:
    """Check that a model needs no later frames if `causal` is set."""
    if config.causal and not lifter.network.causal:
        raise ConfigError(
            f"causal: expected a causal model, found {card.model}, which uses later frames; "
            "use default-causal, or train one (trainer fit DATA.H5 --recipe video-causal)"
        )


def model_input(card: ModelCard, positions: Array, confidence: Array, given: Collection[str], where: str | Path) -> tuple[Array, Array]:
    """Return a model's joints of keypoints: those that the detector sees, or the 17 of ``h36m17`` made from them.

    Parameters
    ----------
    card : ModelCard
    positions : (T, 24, 2) float64, pixels
        Joints of ``schemas.detectors.DETECTOR_JOINTS``.
    confidence : (T, 24) float64
    given : collection of str
        The joints that the detector knows (see :func:`trainer.predict.keypoints.layouts.joints_of`).
    where : str or Path
        Named in errors.

    Returns
    -------
    pixels : (T, J, 2) float64
    confidence : (T, J) float64

    Raises
    ------
    DatasetError
        If the model has joints that keypoints have not.
    """
    columns = require_joints(card, where)
    if card.joint_set != DETECTOR_SET:
        positions, confidence = to_h36m17(positions, confidence, given)
    return positions[:, columns], confidence[:, columns]


def require_joints(card: ModelCard, where: str | Path) -> list[int]:
    """Return the places of a model's joints among those of keypoints, and refuse a model with other joints."""
    names = DETECTOR_JOINTS if card.joint_set == DETECTOR_SET else tuple(H36M17)
    odd = [joint for joint in card.joints if joint not in names]
    if odd:
        raise DatasetError(
            f"{where}: keypoints have the joints of {DETECTOR_SET} and h36m17; "
            f"expected a model of these, found one of {card.joint_set} ({', '.join(odd[:3])}, ...)"
        )
    return [names.index(joint) for joint in card.joints]


def require_finite(positions: NDArray[Any], found: list[tuple[int, int]], where: str | Path) -> None:
    """Check that a model's output has no NaN within the segments (first frame, end)."""
    for first, end in found:
        bad = np.flatnonzero(~np.isfinite(positions[first:end]).all(axis=(1, 2)))
        if len(bad):
            raise DatasetError(f"{where}: expected finite positions, found NaN in frame {first + bad[0]} of the model's output; is the model sound?")


def _check(pixels: Array, fps: float, image: tuple[int, int], rate: float, where: str | Path) -> None:
    """Refuse what cannot be keypoints in pixels, or has no usable frame rate."""
    if fps < 1:
        raise DatasetError(f"{where}: expected a video of at least 1 frame per second, found {fps:g}")
    count = len(pixels) / fps * rate
    if count > MOST_ROWS:
        raise DatasetError(
            f"{where}: expected at most {MOST_ROWS:,} frames at the {rate:g} frames per second of the model, found {count:,.0f}; cut it"
        )
    largest = np.abs(pixels).max()
    if 0.0 < largest <= 2.0 and max(image) > 16:
        raise DatasetError(f"{where}: expected pixels, found numbers up to {largest:.3g}; multiply them by the size of the image")
    if largest > 1e6:
        raise DatasetError(f"{where}: expected pixels, found {largest:.3g}")
