"""A trained model for notebooks and programs: NumPy in, NumPy out, no files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mocapgen.shared.config import checked
from schemas.errors import ConfigError
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.model.checkpoint import load_lifter
from trainer.model.device import choose
from trainer.model.lifter import Lifter
from trainer.predict.keypoints import split_confidence
from trainer.predict.person import lift_track
from trainer.predict.tracks import Array
from trainer.predict.world.people import place_people


class TrainedModel:
    """A trained model, ready to use; :func:`load` reads one.

    Parameters
    ----------
    path : Path
    lifter : Lifter
    card : ModelCard

    Attributes
    ----------
    joints : tuple of str
        Names of the J joints, in the order of :meth:`lift`'s input and output. Of models of ``h36m17``: pelvis, right_hip, right_knee,
        right_ankle, left_hip, left_knee, left_ankle, spine, thorax, neck, head_top, left_shoulder, left_elbow, left_wrist,
        right_shoulder, right_elbow, right_wrist.
    fps : float
        Frame rate at which the model was trained.
    card : ModelCard
        Everything else that is known of the model.
    """

    def __init__(self, path: Path, lifter: Lifter, card: ModelCard) -> None:
        self.path = path
        self.card = card
        self.joints: tuple[str, ...] = card.joints
        self.fps = card.fps
        self._lifter = lifter

    def __repr__(self) -> str:
        card = self.card
        root = "with the root's path" if card.target == "absolute" else "root placed over the keypoints"
        return f"TrainedModel({self.path}: {card.model}, {len(card.joints)} joints ({card.joint_set}), {card.fps:g} fps, {root})"

    def lift(
        self,
        points: ArrayLike,
        image: tuple[int, int],
        *,
        fov: float | None = None,
        focal: float | None = None,
        fps: float | None = None,
        min_confidence: float = 0.1,
        gap: float = 0.25,
        to_pixels: bool = True,
        smooth: float = 1.0,
        bone_lengths: bool = True,
        hold_feet: bool = True,
        pitch: float | None = None,
        height: float | None = None,
    ) -> NDArray[np.float32]:
        """Lift the keypoints of one person in a video to 3D.

        Parameters
        ----------
        points : (T, J, 2) or (T, J, 3) float, pixels
            In the order of `joints`, with or without confidence (0 to 1). NaN, or confidence 0: the joint is not visible.
        image : (width, height), pixels
        fov : float, optional
            Vertical field of view of the camera, degrees.
        focal : float, optional
            Focal length, pixels, in place of `fov`; without either the diagonal of the image.
        fps : float, optional
            Frame rate of the points; by default the model's. At another rate they are resampled for the model, and its output back.
        min_confidence : float
            Joints with a lower confidence are taken as not visible.
        gap : float
            Seconds for which missing joints are interpolated, and for which a person may be missing altogether.
        to_pixels : bool
            Move joints that are seen clearly a third of the way to their pixels.
        smooth : float
            How much poses and paths are smoothed: 0 not at all, 1 as was measured to be best.
        bone_lengths : bool
            Give the person bones of constant length.
        hold_feet : bool
            Hold planted feet in place.
        pitch : float, optional
            Degrees by which the camera looks down; by default found from the person.
        height : float, optional
            Of the person, metres; by default as the model sees it.

        Returns
        -------
        (T, J, 3) float32, metres, camera frame
            NaN in frames in which no person is detected.

        Raises
        ------
        ConfigError
            If `points` has another shape, or a setting is out of range.
        DatasetError
            If hardly a joint is visible, or the points cannot be pixels.
        """
        values = self._points(points)
        settings = {"image": image, "fov": fov, "focal": focal, "fps": fps, "min_confidence": min_confidence, "gap": gap}
        settings |= {"to_pixels": to_pixels, "smooth": smooth, "bone_lengths": bone_lengths, "hold_feet": hold_feet, "floor": hold_feet}
        settings |= {"pitch": pitch, "height": height}
        config = checked(PredictConfig, settings, first=True)
        pixels, confidence = split_confidence(values)
        rate = self.fps if config.fps is None else config.fps
        size = int(image[0]), int(image[1])
        track = lift_track(self._lifter, self.card, pixels, confidence, rate, size, config, "points")
        track = place_people([track], self.card, config).tracks[0]
        return _at_frames(track.positions_3d, len(values), self.fps / rate).astype(np.float32)

    def _points(self, points: ArrayLike) -> Array:
        """Return points as (T, J, 3): pixels and confidence."""
        values = np.asarray(points, dtype=np.float64)
        if values.ndim != 3 or not len(values) or values.shape[1] != len(self.joints) or values.shape[2] not in (2, 3):
            raise ConfigError(f"points: expected shape (frames, {len(self.joints)}, 2 or 3), found {values.shape}")
        if values.shape[2] == 2:
            values = np.concatenate([values, np.ones((*values.shape[:2], 1))], axis=2)
        return values


def load(path: str | Path, device: str = "auto", threads: int = 0) -> TrainedModel:
    """Load a trained model.

    Parameters
    ----------
    path : str or Path
        The name of a model that ships (``default``), a run's folder (its best weights), or a checkpoint.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    threads : int
        Processor threads; 0 is one per usable core.

    Returns
    -------
    TrainedModel

    Raises
    ------
    ConfigError
        If the device is unknown or not there.
    DatasetError
        If the checkpoint cannot be used.

    Examples
    --------
    >>> model = load("runs/first")  # doctest: +SKIP
    >>> positions = model.lift(points, image=(1920, 1080), fov=60)  # doctest: +SKIP
    """
    lifter, card = load_lifter(path, choose(device, "fp32", threads).device)
    return TrainedModel(Path(path), lifter, card)


def _at_frames(positions: Array, count: int, step: float) -> Array:
    """Return positions at `count` frames that are `step` frames of `positions` apart, linearly interpolated; the last one is held."""
    at = np.minimum(np.arange(count) * step, len(positions) - 1)
    nearest = np.round(at)
    at = np.where(np.abs(at - nearest) < 1e-6, nearest, at)
    before, after = np.floor(at).astype(np.intp), np.ceil(at).astype(np.intp)
    share = (at - before)[:, None, None]
    return np.asarray(np.where(share == 0.0, positions[before], (1.0 - share) * positions[before] + share * positions[after]))
