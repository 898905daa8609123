"""Read keypoints from any of the file formats, with what the file does not state given as arguments."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from schemas.errors import DatasetError
from trainer.predict.keypoints import alphapose, mmpose, openpose, own
from trainer.predict.keypoints.keypoints import Keypoints, Person
from trainer.predict.keypoints.layouts import LAYOUTS, to_detector

FORMATS = (openpose, own, mmpose, alphapose)
"""Each module has ``recognises(content)`` and ``read(content, path)``; the first that recognises what a file holds reads it."""


def read_keypoints(path: str | Path, layout: str | None = None, fps: float | None = None, image: tuple[int, int] | None = None) -> Keypoints:
    """Read keypoints.

    Parameters
    ----------
    path : str or Path
        A ``.json`` or ``.npz`` file, or a folder of OpenPose's JSON files. Of several people in a frame the one nearest to the
        person of the frame before is taken, at first the largest.
    layout : str, optional
        One of :data:`LAYOUTS`; by default the one stated in the file, else inferred from the number of joints where that is enough (25).
    fps : float, optional
        Frames per second; overrides what the file states.
    image : (width, height), optional
        Likewise.

    Raises
    ------
    DatasetError
        In one line: what is missing or does not fit, and which argument gives it.
    """
    path = Path(path)
    found = _load(path)
    values = found["keypoints"]
    chosen = layout or found.get("layout") or ("body_25" if values.shape[1] == 25 else None)
    if chosen not in LAYOUTS:
        raise DatasetError(f"{path}: expected a layout of joints (layout={'|'.join(LAYOUTS)}), found {chosen or f'{values.shape[1]} joints a frame'}")
    names = LAYOUTS[chosen]
    if values.shape[1] != len(names):
        raise DatasetError(f"{path}: expected {len(names)} joints a frame for layout {chosen}, found {values.shape[1]}; give another layout=...")
    rate = fps if fps is not None else found.get("fps")
    if not isinstance(rate, int | float) or not (math.isfinite(rate) and 0 < rate <= 1000):
        raise DatasetError(f"{path}: expected the frame rate of the video in frames per second, found {rate}; give fps=...")
    width, height = image or (found.get("width"), found.get("height"))
    if not (isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0):
        raise DatasetError(f"{path}: expected the size of the image in pixels, found {width} x {height}; give image=...")
    positions, confidence = to_detector(values, names)
    if not (confidence > 0).any():
        raise DatasetError(f"{path}: expected keypoints with a confidence above 0, found none in {len(values)} frames")
    return Keypoints((Person(positions, confidence),), float(rate), int(width), int(height), chosen)


def _load(path: Path) -> dict[str, Any]:
    """Return ``keypoints`` (T, K, 3) and whatever else a file or folder states."""
    try:
        content = _content(path)
        for module in FORMATS:
            if module.recognises(content):
                return module.read(content, path)
    except OSError as error:
        raise DatasetError(f"{path}: expected a readable file of keypoints, found: {error.strerror or error}") from None
    except (ValueError, EOFError) as error:  # NumPy, for damaged archives, those that hold objects, and ragged lists
        raise DatasetError(f"{path}: expected a .json or .npz file of keypoints, found: {' '.join(str(error).split())[:120]}") from None
    raise DatasetError(f"{path}: expected keypoints (a key 'keypoints', OpenPose's, AlphaPose's or MMPose's JSON), found none of these")


def _content(path: Path) -> Any:
    """Return what a JSON file or an archive holds; of a folder, what each of its JSON files holds."""
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise DatasetError(f"{path}: expected OpenPose's JSON files, one a frame, found no .json file")
        return openpose.OpenPoseFolder([(file, _json(file)) for file in files])
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return own.NpzContent({key: archive[key] for key in archive.files})
    return _json(path)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path}: expected JSON, found: {' '.join(str(error).split())[:120]}") from None
