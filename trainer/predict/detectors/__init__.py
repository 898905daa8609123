"""Detectors of 2D keypoints in videos, each a file of this folder that defines ``DETECTOR``, and the way from a video to keypoints.

Adding a detector is adding a file: it is found by its name.
"""

from trainer.predict.detectors.base import Detector
from trainer.predict.detectors.detect import Detections, detect, detector_names, write_keypoints

__all__ = ["Detections", "Detector", "detect", "detector_names", "write_keypoints"]
