"""Datasets made from datasets: the settings of ``mocapgen select``, and the origin that such files record."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from schemas.base import MOST, Model, Settings
from schemas.inspection import Severity


class SelectConfig(Settings):
    """Which sequences of a dataset are kept: those that pass every condition given."""

    clips: tuple[str, ...] = ()
    """Only these clips: ids or wildcards."""
    actors: tuple[str, ...] = ()
    """Only these actors: names or wildcards."""
    actions: tuple[str, ...] = ()
    """Only these actions: names or wildcards."""
    sources: tuple[str, ...] = ()
    """Only these sources, such as `hdm05`: names or wildcards."""
    avatars: tuple[str, ...] = ()
    """Only these avatars: names or wildcards."""
    cameras: tuple[str, ...] = ()
    """Only these cameras (`orbit:8/3`) or rigs (`orbit:8`): names or wildcards."""
    min_frames: int | None = Field(default=None, ge=1, le=MOST)
    """Shorter sequences are left out."""
    max_frames: int | None = Field(default=None, ge=1, le=MOST)
    """Longer sequences are left out."""
    limit: int | None = Field(default=None, ge=1, le=MOST)
    """Largest number of clips: the first that meet the conditions."""
    without_findings: Path | None = None
    """Report of `mocapgen inspect --json`: sequences in which it found something are left out."""
    severity: Severity = "warning"
    """With a report: findings that are milder are let pass."""
    checks: tuple[str, ...] = ()
    """With a report: only findings of these checks count: ids, patterns such as `motion.*`, families."""
    whole_clips: bool = False
    """With a report: leave out all sequences of a clip that it found something in, on every avatar and from every camera."""
    invert: bool = False
    """Keep the sequences that do not meet the conditions."""

    @model_validator(mode="after")
    def _check(self) -> SelectConfig:
        if self.min_frames is not None and self.max_frames is not None and self.min_frames > self.max_frames:
            raise ValueError(f"min_frames ({self.min_frames}) must not exceed max_frames ({self.max_frames})")
        if self.without_findings is None and (self.checks or self.whole_clips or self.severity != "warning"):
            raise ValueError("severity=..., checks=... and whole_clips=True say which findings count: name the report, too (without_findings=...)")
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
