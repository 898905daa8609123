"""2D keypoints of other tools, converted to the joint set of the models: one file per file format, and one with the joint layouts."""

from trainer.predict.keypoints.layouts import LAYOUTS, split_confidence, to_h36m17
from trainer.predict.keypoints.read import Keypoints, read_keypoints

__all__ = ["LAYOUTS", "Keypoints", "read_keypoints", "split_confidence", "to_h36m17"]
