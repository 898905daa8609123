"""The bases of all models: unknown keys are errors, instances are frozen."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler


class Model(BaseModel):
    """A frozen pydantic model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


MOST = 10**9
"""Largest count that a setting may give: frames, steps, clips; files hold them in 32 bits."""
LARGEST_SEED = 2**63 - 1
"""Random generators take seeds of 64 bits."""


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
