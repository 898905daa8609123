"""Motion-capture databases to paired 2D/3D human pose datasets.

Everything a script needs is here and loaded at first use, so that ``import mocapgen`` costs nothing:

>>> import mocapgen
>>> config = mocapgen.BuildConfig(source="sample", out="data.h5")
>>> report = mocapgen.build(config)                                     # doctest: +SKIP
>>> motion = mocapgen.read("HDM_bd_squat1Reps_001_120.amc")             # doctest: +SKIP
>>> positions = mocapgen.forward_kinematics(motion)                     # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocapgen.shared.version import __version__

if TYPE_CHECKING:
    from mocapgen.core.kinematics import forward_kinematics
    from mocapgen.core.motion import Motion, Skeleton
    from mocapgen.formats import read
    from mocapgen.pipeline import build
    from mocapgen.store.merge import merge_datasets
    from mocapgen.store.reader import open_dataset
    from mocapgen.store.select import select_sequences
    from schemas.config import BuildConfig
    from schemas.subset import SelectConfig

__all__ = [
    "BuildConfig",
    "Motion",
    "SelectConfig",
    "Skeleton",
    "__version__",
    "build",
    "forward_kinematics",
    "merge_datasets",
    "open_dataset",
    "read",
    "select_sequences",
]

_HOME = {
    "BuildConfig": "schemas.config",
    "Motion": "mocapgen.core.motion",
    "SelectConfig": "schemas.subset",
    "Skeleton": "mocapgen.core.motion",
    "build": "mocapgen.pipeline",
    "forward_kinematics": "mocapgen.core.kinematics",
    "merge_datasets": "mocapgen.store.merge",
    "open_dataset": "mocapgen.store.reader",
    "read": "mocapgen.formats",
    "select_sequences": "mocapgen.store.select",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mocapgen' has no attribute {name!r}")
    import importlib

    from mocapgen.shared.distribution import require_own_packages

    require_own_packages()
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
