"""Optical markers: from labelled points to a skeleton that moves."""

from mocapgen.markers.gaps import Gap, fill_gaps
from mocapgen.markers.solve import solve

__all__ = ["Gap", "fill_gaps", "solve"]
