"""A name that means something to every program that shows it, and files whose every name it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np

NAME = (
    "=cmd|'/c x'!A</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>&\"'` $x_{2}$ [red]b[/] ](http://e) **b** "
    "\x1b[31m\x07\r\n../..\\C:\u202eevil\u2066|"
)
FILE_NAME = "=x|`\x1b[31m\x07\u202e$x_{2}$ [red] **b** ](e) <img src=x onerror=window.hacked=1>&\"'"
"""What Linux takes as the name of a file."""


def rename(source: Path, target: Path, joints: bool = False) -> Path:
    """Copy a dataset file and put the name before every name in it; behind those of the joints if these are asked for."""
    shutil.copy(source, target)
    group = NAME.replace("/", "\u2215").replace(".", "\u00b7")  # what HDF5 takes as the name of a group
    with h5py.File(target, "r+") as file:

        def put(path: str, before: str, behind: str = "") -> None:
            values = [before + value.decode() + behind for value in file[path][()]]
            del file[path]
            file.create_dataset(path, data=np.array(values, dtype=object), dtype=h5py.string_dtype())

        for column in ("id", "actor", "action", "take", "file", "source"):
            put(f"clips/{column}", NAME)
        for column in ("file", "reason", "detail"):
            put(f"skipped/{column}", NAME)
        put("cameras/rig", NAME)
        put("sequences/avatar", group)
        for avatar in list(file["skeletons"]):
            file.move(f"skeletons/{avatar}", f"skeletons/{group}{avatar}")
            if joints:
                put(f"skeletons/{group}{avatar}/names", "", NAME)
        if joints:
            put("joint_sets/all/names", "", NAME)
        file.attrs["generator"] = NAME
    return target
