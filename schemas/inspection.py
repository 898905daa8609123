"""What an inspection finds, how a policy says what matters, and the report of it all."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.base import Model

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""From the mildest to the worst."""

Family = Literal["structure", "kinematics", "camera", "motion", "dataset"]


class Finding(Model):
    """Something that a check found."""

    check: str
    """Id of the check: `family.name`."""
    severity: Severity
    """How bad it is, after the policy."""
    message: str
    """What was expected and what was found, in one line, with units."""
    where: str = ""
    """Path in the file, such as `/frames/positions_2d`, where that says more than the clip."""
    sequence: int | None = None
    """Row of `/sequences`."""
    clip: str = ""
    """Id of the clip."""
    avatar: str = ""
    """Who performs it."""
    frame: int | None = None
    """Frame of the sequence, from 0, at which it is worst."""
    joint: str = ""
    """Name of the joint at which it is worst."""
    value: float | None = None
    """How bad, in the check's unit: findings of one check are sorted by it, largest first."""


class Policy(Model):
    """What matters: which checks run, how severe their findings are, and their limits."""

    description: str = ""
    """For whom this policy is, in one sentence."""
    severities: dict[str, Severity | Literal["off"]] = Field(default={})
    """Severity by check id or pattern (`motion.*`), in place of the check's own; `off` leaves it out. Later ones win."""
    limits: dict[str, dict[str, float]] = Field(default={})
    """Limits by check id, in place of the check's own."""
