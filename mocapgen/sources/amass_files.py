"""Files of AMASS in a folder: which of the npz files are motions, and who does what in them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from mocapgen.formats.amass import array_names, what_else
from mocapgen.shared.zips import FAULTS
from mocapgen.sources import cmu, hdm05
from mocapgen.sources.file_tree import Tree
from schemas.errors import FormatError

_ENDING = re.compile(r"_(poses|stageii)$", re.IGNORECASE)
"""What names of motions end in: those of SMPL+H, and those of SMPL-X. Others may be motions, too."""
_NUMBERS = re.compile(r"^[0-9]+[ _-]+|[ _.-]*\(?[0-9]+\)?$")


def no_motion(tree: Tree, path: str) -> str | None:
    """Return what an npz file is if it is no motion of AMASS; None if it is one, or damaged, which reading it will say.

    Motions are told by their names if they can be: AMASS has 11,000 of them. Of others the list of their arrays is read.
    """
    if _ENDING.search(PurePosixPath(path).stem):
        return None
    try:
        with tree.open(path) as file, zipfile.ZipFile(file) as archive:
            return what_else(array_names(archive))
    except (FormatError, *FAULTS):
        return None


def said_by(path: str) -> Mapping[str, str]:
    """Return actor, action and take of a file ``DATASET/SUBJECT/NAME_poses.npz``, as far as they can be told.

    Names of HDM05 and CMU say it by themselves. Else the actor is ``DATASET_SUBJECT``, as the datasets count their subjects from one, and the
    action is the name without the numbers around it.
    """
    place = PurePosixPath(path)
    stem = _ENDING.sub("", place.stem)
    folders = place.parent.parts[-2:]
    named = hdm05.parse_name(f"{stem}.amc")
    actor = {"actor": "_".join(folders)} if folders else {}
    if named is not None:
        return {"actor": named.actor, "action": named.action, "take": named.take}
    trial = cmu.parse_name(f"{stem}.amc")
    if trial is not None and folders and folders[-1] == stem.partition("_")[0]:
        return {**actor, "action": trial.action, "take": trial.take}
    return {**actor, "action": _NUMBERS.sub("", stem) or stem, "take": stem}
