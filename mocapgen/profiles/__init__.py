"""Source profiles: what a flavour of BVH does not say about itself, as data, and how a file is understood by it.

Adding a flavour is adding one YAML file here (or anywhere, and naming its path): ``docs/profiles.md`` describes every key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocapgen.profiles.library import Match, load_profile, profile_names, recognise

if TYPE_CHECKING:
    from mocapgen.profiles.interpretation import Interpretation, interpret
    from mocapgen.profiles.rest_pose import rebase_rest_pose

__all__ = ["Interpretation", "Match", "interpret", "load_profile", "profile_names", "rebase_rest_pose", "recognise"]

_HOME = {"Interpretation": "interpretation", "interpret": "interpretation", "rebase_rest_pose": "rest_pose"}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: they need retargeting's roles, which in turn need the profiles.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
