"""Sequences as files of other programs. Adding a format is adding one module here with an ``EXPORTER``."""

from mocapgen.export.base import Exporter, exporter, exporter_names
from mocapgen.export.export_file import ExportReport, export

__all__ = ["ExportReport", "Exporter", "export", "exporter", "exporter_names"]
