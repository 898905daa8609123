"""Cameras: where they stand, and what they see."""
