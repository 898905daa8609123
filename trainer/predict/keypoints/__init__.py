"""2D keypoints of other tools, converted to the joints that models use: one file per file format, and one with the joint layouts."""

from trainer.predict.keypoints.keypoints import Keypoints, Person
from trainer.predict.keypoints.layouts import LAYOUTS, joints_of, split_confidence, to_detector, to_h36m17
from trainer.predict.keypoints.read import read_keypoints

__all__ = ["LAYOUTS", "Keypoints", "Person", "joints_of", "read_keypoints", "split_confidence", "to_detector", "to_h36m17"]
