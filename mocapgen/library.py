"""The public functions that take settings as keywords, and text where the command line does: see :mod:`mocapgen`."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from mocapgen import pipeline
from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.retarget import transfer
from mocapgen.shared.config import build_config, select_config
from mocapgen.shared.progress import Progress
from mocapgen.store.select import select_sequences
from mocapgen.view import write_page
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.keywords import BuildSettings, SelectSettings
from schemas.report import BuildReport, SubsetReport
from schemas.skeleton import Avatar


def build(config: BuildConfig | None = None, progress: Progress | None = None, **settings: Unpack[BuildSettings]) -> BuildReport:
    """Build a dataset file: ``build(source="sample", actions="walk", out="walk.h5")``.

    Parameters
    ----------
    config : BuildConfig, optional
        All settings at once, in place of keywords.
    progress : callable, optional
        Called with clips done, clips in all, and the name of the last one.
    **settings
        The fields of :class:`~schemas.config.BuildConfig`. Lists may be text with commas (``actions="walk,run*"``), the image size
        ``"1920x1080"`` or ``(1920, 1080)``.

    Returns
    -------
    BuildReport

    Raises
    ------
    ConfigError, SourceError, FormatError, RetargetError, DatasetError
        One line each. Clips that cannot be used are skipped and reported, unless ``strict``.
    """
    if config is not None and settings:
        raise ConfigError(f"build: expected a BuildConfig or settings as keywords, found both ({', '.join(settings)})")
    if isinstance(size := settings.get("image"), tuple):
        settings["image"] = "x".join(map(str, size))
    return pipeline.build(config or build_config(settings), progress)


def retarget(motion: Motion, target: str | Path | Avatar | Skeleton, *, plant_feet: bool = True) -> Motion:
    """Return a motion on another skeleton: ``retarget(motion, "average_man")``.

    Parameters
    ----------
    motion : Motion
    target : str, Path, Avatar or Skeleton
        Name of a built-in avatar (:func:`~mocapgen.anatomy.avatars.avatar_names`), path of an avatar's JSON file, or any skeleton of a person.
    plant_feet : bool
        Keep planted feet planted and above the floor, by a small correction of the legs.

    Returns
    -------
    Motion
        Same frames and rate, on the target's skeleton: see :func:`mocapgen.retarget.transfer.retarget`.

    Raises
    ------
    ConfigError
        If there is no such avatar.
    RetargetError
        If a skeleton is not understood.
    """
    if isinstance(target, str | Path):
        target = load_avatar(target)
    return transfer.retarget(motion, avatar_skeleton(target) if isinstance(target, Avatar) else target, plant_feet)


def select(
    path: str | Path,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
    **conditions: Unpack[SelectSettings],
) -> SubsetReport:
    """Write some sequences of a dataset to a file of their own: ``select("data.h5", "walks.h5", actions="walk*")``.

    Parameters
    ----------
    path : str or Path
        A dataset file.
    out : str or Path, optional
        The file to write; without it, only report.
    overwrite : bool
        Whether to replace `out`.
    progress : callable, optional
        Called with frames done, frames in all, and the last clip.
    **conditions
        The fields of :class:`~schemas.subset.SelectConfig`; all that are given must be met. Lists may be text with commas.

    Returns
    -------
    SubsetReport

    Raises
    ------
    ConfigError
        If a pattern matches nothing, nothing meets all conditions, or `out` is the file itself.
    DatasetError
        If the file cannot be read, or `out` cannot be written.
    """
    return select_sequences(path, select_config(conditions), out, overwrite, progress)


def view(
    path: str | Path,
    out: str | Path | None = None,
    *,
    predictions: str | Path | None = None,
    clip: str | None = None,
    frame: int | None = None,
    video: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **conditions: Unpack[SelectSettings],
) -> write_page.ViewReport:
    """Show a dataset or predictions file in the browser: ``view("data.h5", actions="walk*")``.

    Parameters
    ----------
    path : str or Path
        A dataset or predictions file.
    out : str or Path, optional
        The page to write; by default a temporary file that is opened in the browser.
    predictions : str or Path, optional
        A predictions file whose sequences are drawn over those of the dataset.
    clip : str, optional
        Id of the clip to show first.
    frame : int, optional
        Frame to show first, from 0.
    video : str or Path, optional
        The video that a predictions file was made from, to show behind the 2D pane.
    overwrite : bool
        Whether to replace `out`.
    progress : callable, optional
        Called with sequences done, sequences in all, and the clip.
    **conditions
        Which sequences: the fields of :class:`~schemas.subset.SelectConfig`. Lists may be text with commas.

    Returns
    -------
    ViewReport
        Where the page is and what is on it. The call does not wait for the browser.

    Raises
    ------
    ConfigError, DatasetError
        See :func:`mocapgen.view.write_page.view`.
    """
    return write_page.view(
        path,
        select_config(conditions),
        out,
        predictions=predictions,
        clip=clip,
        frame=frame,
        video=video,
        overwrite=overwrite,
        progress=progress,
    )
