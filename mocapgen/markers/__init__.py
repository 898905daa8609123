"""Optical markers: from labelled points to a skeleton that moves."""

from mocapgen.markers.data import Markers
from mocapgen.markers.gaps import Gap, fill_gaps
from mocapgen.markers.sets import load_marker_set
from mocapgen.markers.solve import solve

__all__ = ["Gap", "Markers", "fill_gaps", "load_marker_set", "solve"]
