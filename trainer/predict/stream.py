"""Live prediction: one frame of keypoints in, one pose out."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from trainer.model.checkpoint import load_lifter
from trainer.model.device import choose
from trainer.model.lift import reach
from trainer.predict.camera import assumed_intrinsics
from trainer.predict.causal import CausalSmoother
from trainer.predict.keypoints import LAYOUTS, to_detector
from trainer.predict.person import filled_in, lift_person, model_input, require_causal, require_joints, waiting_frames
from trainer.predict.tracks import MIN_JOINTS, Array


class Stream:
    """A causal model in live use; gives the same as :func:`~trainer.predict.predict.predict` with `causal` for the whole video.

    Parameters
    ----------
    model : str or Path
        The name of a model that ships, a run's folder or a checkpoint.
    config : PredictConfig
        `image` is needed. `layout` is that of the frames, ``h36m17`` by default.
    device : str
    threads : int

    Raises
    ------
    ConfigError
        If the model is not causal, the size of the image is missing, or frames would come at another rate than the model's.
    DatasetError
        If the checkpoint cannot be used.

    Examples
    --------
    >>> stream = Stream("default-causal", PredictConfig(image=(1920, 1080), layout="coco17"))  # doctest: +SKIP
    >>> for keypoints in detector:  # doctest: +SKIP
    ...     pose = stream.push(keypoints)
    """

    def __init__(self, model: str | Path, config: PredictConfig, device: str = "cpu", threads: int = 1) -> None:
        self._lifter, self.card = load_lifter(model, choose(device, "fp32", threads).device)
        self._config = config.model_copy(update={"causal": True})
        require_causal(self._lifter, self.card, self._config)
        if config.image is None:
            raise ConfigError("image: expected the size of the image, (width, height) in pixels, found none")
        if config.fps is not None and abs(config.fps - self.card.fps) > 1e-6 * self.card.fps:
            raise ConfigError(f"fps: expected frames at the model's rate of {self.card.fps:g} frames per second, found {config.fps:g}")
        if (config.layout or "h36m17") not in LAYOUTS:
            raise ConfigError(f"layout: expected one of {', '.join(LAYOUTS)}, found {config.layout!r}")
        self._names = LAYOUTS[config.layout or "h36m17"]
        require_joints(self.card, "stream")
        self._image = np.array(config.image, dtype=np.float64)
        self._intrinsics = assumed_intrinsics(self._image, config, self.card.camera_frame)
        self._frames: deque[tuple[Array, Array]] = deque(maxlen=reach(self._lifter)[0] + 1)
        self._smoother = CausalSmoother(self.card.fps, config.smooth)
        self.reset()

    @property
    def fps(self) -> float:
        """Frames per second at which :meth:`push` is to be called."""
        return self.card.fps

    def reset(self) -> None:
        """Forget everything: the next frame is the first."""
        self._frames.clear()
        self._smoother.reset()
        self._held = np.zeros((len(self.card.joints) + 1, 2))
        self._absent = 0

    def push(self, keypoints: NDArray[np.floating]) -> NDArray[np.float32] | None:
        """Take a frame.

        Parameters
        ----------
        keypoints : (K, 2) or (K, 3) float, pixels
            With or without confidence; joints that are not finite are missing.

        Returns
        -------
        (J, 3) float32, metres, camera frame
            Joints in the order of ``card.joints``. None while no person is detected.

        Raises
        ------
        DatasetError
            If the frame has another shape.
        """
        points = np.asarray(keypoints, dtype=np.float64)
        if points.ndim != 2 or points.shape[0] != len(self._names) or points.shape[1] not in (2, 3):
            raise DatasetError(f"frame: expected keypoints of shape ({len(self._names)}, 2 or 3), found {points.shape}")
        if points.shape[1] == 2:
            points = np.concatenate([points, np.ones((len(points), 1))], axis=1)
        pixels, confidence = model_input(self.card, *to_detector(points[None], self._names), self._names, "stream")
        confidence = np.where(confidence < self._config.min_confidence, 0.0, confidence)
        self._absent = 0 if (confidence > 0).sum() >= MIN_JOINTS else self._absent + 1
        if self._absent and (not self._frames or self._absent > waiting_frames(self.card, self._config)):
            self.reset()
            return None
        filled = filled_in(self.card, pixels, confidence > 0, self._held)
        self._frames.append((filled[0], confidence[0]))
        window, certainty = (np.stack(arrays) for arrays in zip(*self._frames, strict=True))
        pose = lift_person(self._lifter, window, certainty, self._intrinsics, self._image)[-1]
        return self._smoother.push(pose).astype(np.float32)
