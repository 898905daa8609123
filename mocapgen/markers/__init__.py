"""Optical markers: from labelled points to a skeleton that moves."""

from mocapgen.markers.data import Markers

__all__ = ["Markers"]
