"""The bases of all models: unknown keys are errors, instances are frozen."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler


class Model(BaseModel):
    """A frozen pydantic model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


MOST = 10**9
"""Largest count that a setting may give: frames, steps, clips; files hold them in 32 bits."""
LARGEST_SEED = 2**63 - 1
"""Random generators take seeds of 64 bits."""


_OTHERS = (
    ".csv",
    ".json",
    ".npz",
    ".npy",
    ".mat",
    ".parquet",
    ".bvh",
    ".amc",
    ".c3d",
    ".glb",
    ".gltf",
    ".trc",
    ".fbx",
    ".mp4",
    ".gif",
    ".png",
    ".html",
    ".zip",
    ".txt",
)


def wrong_dataset_name(out: PurePath) -> str:
    """Return what is wrong with the name of a dataset file to write: that it ends like a file of another kind; empty if nothing is."""
    if out.suffix.lower() not in _OTHERS:
        return ""
    return f"expected a name for an HDF5 file, such as {out.stem}.h5, found {out.name!r}; `mocapgen export` makes files of other kinds of it"


def _strict(part: Any) -> Any:
    """Return a part of pydantic's description of a model with its numbers and truth values strict."""
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    strict = {"strict": True} if part.get("type") in ("int", "float", "bool") else {}
    return {key: _strict(item) for key, item in part.items()} | strict


class Settings(Model):
    """A model of what people write: numbers are finite, and no truth value, number or text is taken for another of them.

    Pydantic's strict mode would refuse lists for tuples and texts for paths as well, and YAML and JSON have neither tuples nor paths.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """Return pydantic's description of the model, with every number and truth value strict."""
        return _strict(handler(source))
