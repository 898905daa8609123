"""Motion-capture databases to paired 2D/3D human pose datasets.

Everything a script needs is here and loaded at first use, so that ``import mocapgen`` costs nothing:

>>> import mocapgen
>>> motion = mocapgen.read("walk.bvh")                                                        # doctest: +SKIP
>>> motion.positions()                                                                        # doctest: +SKIP
>>> report = mocapgen.build(source="sample", actions="walk", out="walk.h5")                   # doctest: +SKIP
>>> mocapgen.inspect("walk.h5").findings                                                      # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocapgen.shared.distribution import follow_command, require_own_packages
from mocapgen.shared.facade import install
from mocapgen.shared.notebook import set_player
from mocapgen.shared.version import __version__

if TYPE_CHECKING:
    from mocapgen.anatomy.avatars import avatar_names
    from mocapgen.cameras.camera import Camera
    from mocapgen.core.kinematics import forward_kinematics
    from mocapgen.core.motion import Motion, Skeleton
    from mocapgen.core.resample import resample
    from mocapgen.inspect.run import inspect
    from mocapgen.library import build, retarget, select, view
    from mocapgen.reading import read, write
    from mocapgen.reading.convert import convert
    from mocapgen.store.merge import merge_datasets as merge
    from mocapgen.store.predictions import Predictions, open_predictions
    from mocapgen.store.reader import Dataset, open_dataset
    from schemas.config import BuildConfig
    from schemas.errors import MocapError
    from schemas.subset import SelectConfig

__distribution__ = "mocapgen"

__all__ = [
    "BuildConfig",
    "Camera",
    "Dataset",
    "MocapError",
    "Motion",
    "Predictions",
    "SelectConfig",
    "Skeleton",
    "__version__",
    "avatar_names",
    "build",
    "convert",
    "forward_kinematics",
    "inspect",
    "merge",
    "open_dataset",
    "open_predictions",
    "read",
    "resample",
    "retarget",
    "select",
    "view",
    "write",
]

_HOMES = {
    "BuildConfig": "schemas.config:BuildConfig",
    "Camera": "mocapgen.cameras.camera:Camera",
    "Dataset": "mocapgen.store.reader:Dataset",
    "MocapError": "schemas.errors:MocapError",
    "Motion": "mocapgen.core.motion:Motion",
    "Predictions": "mocapgen.store.predictions:Predictions",
    "SelectConfig": "schemas.subset:SelectConfig",
    "Skeleton": "mocapgen.core.motion:Skeleton",
    "avatar_names": "mocapgen.anatomy.avatars:avatar_names",
    "build": "mocapgen.library:build",
    "convert": "mocapgen.reading.convert:convert",
    "forward_kinematics": "mocapgen.core.kinematics:forward_kinematics",
    "inspect": "mocapgen.inspect.run:inspect",
    "merge": "mocapgen.store.merge:merge_datasets",
    "open_dataset": "mocapgen.store.reader:open_dataset",
    "open_predictions": "mocapgen.store.predictions:open_predictions",
    "read": "mocapgen.reading:read",
    "resample": "mocapgen.core.resample:resample",
    "retarget": "mocapgen.library:retarget",
    "select": "mocapgen.library:select",
    "view": "mocapgen.library:view",
    "write": "mocapgen.reading:write",
}

follow_command()
install(__name__, _HOMES, require_own_packages)
set_player("mocapgen.view.notebook:notebook_html")
