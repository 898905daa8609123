"""Pictures of the contents of a file: the method's figure, filmstrips, avatars side by side, contact sheets, animations, recordings.

A file becomes :class:`~mocapgen.figures.drawn_sequence.DrawnSequence` objects, these become panels on one canvas in
:mod:`~mocapgen.figures.compose`, and :mod:`~mocapgen.figures.output` writes it. The virtual cameras that *make* a dataset are
elsewhere, in :mod:`mocapgen.cameras.project`.
"""

from mocapgen.figures.render_file import RenderReport, render

__all__ = ["RenderReport", "render"]
