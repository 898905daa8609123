"""Datasets made from datasets: what ``mocapgen select`` can be told, and what such files say of where they come from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from schemas.base import Model


class SelectConfig(Model):
    """Which sequences of a dataset are kept: those that pass every condition given."""

    clips: tuple[str, ...] = ()
    """Ids of clips; wildcards allowed; empty means all."""
    actors: tuple[str, ...] = ()
    """Actors; wildcards allowed; empty means all."""
    actions: tuple[str, ...] = ()
    """Actions; wildcards allowed; empty means all."""
    sources: tuple[str, ...] = ()
    """Sources, such as `hdm05`; wildcards allowed; empty means all."""
    avatars: tuple[str, ...] = ()
    """Avatars; wildcards allowed; empty means all."""
    cameras: tuple[str, ...] = ()
    """Cameras (`orbit:8/3`) or whole rigs (`orbit:8`); wildcards allowed; empty means all."""
    min_frames: int | None = Field(default=None, ge=1)
    """Shorter sequences are left out."""
    max_frames: int | None = Field(default=None, ge=1)
    """Longer sequences are left out."""
    limit: int | None = Field(default=None, ge=1)
    """At most so many clips: the first of those that pass."""
    invert: bool = False
    """Keep what would be left out, and leave out what would be kept."""

    @model_validator(mode="after")
    def _check(self) -> SelectConfig:
        if self.min_frames is not None and self.max_frames is not None and self.min_frames > self.max_frames:
            raise ValueError(f"min_frames ({self.min_frames}) must not exceed max_frames ({self.max_frames})")
        return self


class Origin(Model):
    """A dataset file that another one was made from."""

    file: str
    """Its name, without the folder."""
    sha256: str
    """Digest of the whole file."""
    generator: str
    """Program and version that wrote it."""
    config: dict[str, Any]
    """Its attribute `config`: the settings of its build, or its own origins."""


class Derivation(Model):
    """The attribute `config` of a dataset file that was made from others."""

    command: Literal["merge", "select"]
    """What made it."""
    inputs: tuple[Origin, ...]
    """What it was made from, in the order given."""
    settings: dict[str, Any] = Field(default={})
    """Settings of `select` that were given (see SelectConfig)."""
