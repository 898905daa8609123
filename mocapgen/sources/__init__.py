"""Where clips come from. Adding a source is adding one module here with a ``SOURCE`` class."""

from mocapgen.sources.base import Clip, Listing, Source, SourceMotion, check_settings, source_class, source_names

__all__ = ["Clip", "Listing", "Source", "SourceMotion", "check_settings", "source_class", "source_names"]
