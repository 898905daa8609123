"""Limits of what is taken for keypoints."""

MOST_JOINTS = 2000
"""Of a person: four times the points of body, hands and face together that any detector sees."""
