"""Cameras: placement and projection."""
