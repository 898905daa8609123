"""What a detector of 2D keypoints is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray


class Detector(ABC):
    """Finds people in the pictures of one video, which come in the order of time; to be used in a ``with`` block.

    A subclass is a file of this folder that defines ``DETECTOR``. It imports its package when it is made, not before.

    Parameters
    ----------
    model : Path, optional
        A file with the detector's weights, where it can be chosen.

    Raises
    ------
    ConfigError
        If a package or the weights are missing: in one line, with how to get them.
    """

    layout: ClassVar[str]
    """Which joints it finds: a layout of :mod:`trainer.predict.keypoints`."""

    @abstractmethod
    def __init__(self, model: Path | None = None) -> None: ...

    @property
    @abstractmethod
    def version(self) -> str:
        """Name and version, for the record."""

    @abstractmethod
    def people(self, image: NDArray[np.uint8], time: float) -> list[NDArray[np.float64]]:
        """Return the people in a picture.

        Parameters
        ----------
        image : (height, width, 3) uint8
            Red, green, blue.
        time : float, seconds
            Later than that of the picture before.

        Returns
        -------
        list of (K, 3) float64
            x and y in pixels from the outer corner of the top left pixel, and confidence from 0 to 1, for each joint of the layout.
        """

    def close(self) -> None:  # noqa: B027 # most have nothing to close
        """Free what the detector holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Any:
        self.close()
