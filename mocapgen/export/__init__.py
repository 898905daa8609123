"""Sequences as files of other programs. Adding a format is adding one module here with an ``EXPORTER``."""

from mocapgen.export.base import Exporter, exporter, exporter_names
from mocapgen.export.run import Exported, export

__all__ = ["Exported", "Exporter", "export", "exporter", "exporter_names"]
