"""Optical markers: from labelled points to a skeleton that moves."""

from mocapgen.markers.data import Markers
from mocapgen.markers.solve import solve

__all__ = ["Markers", "solve"]
