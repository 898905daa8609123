"""From keypoints to predictions."""
