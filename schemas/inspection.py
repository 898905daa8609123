"""Findings of an inspection, policies for their severity, and the report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Model, Settings

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""From the mildest to the worst."""

Family = Literal["structure", "kinematics", "camera", "motion", "prediction", "dataset"]

CHECK_FAILED = "inspect.check_failed"
"""Id of the findings that say that a check itself failed; it belongs to no family and cannot be left out."""


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
    value: float | None = Field(default=None, allow_inf_nan=False)
    """How bad, in the check's unit: findings of one check are sorted by it, largest first."""


class Policy(Settings):
    """What matters: which checks run, how severe their findings are, and their limits."""

    description: str = ""
    """For whom this policy is, in one sentence."""
    severities: dict[str, Severity | Literal["off"]] = Field(default={})
    """Severity by check id or pattern (`motion.*`), in place of the check's own; `off` leaves it out. Later ones win."""
    limits: dict[str, dict[str, float]] = Field(default={})
    """Limits by check id, in place of the check's own."""


class Tally(Model):
    """How much there is of one actor, action, avatar, ..."""

    name: str
    """Its name, as the file says it."""
    clips: int = Field(ge=0)
    """Recordings: windows of one recording are one clip."""
    sequences: int = Field(ge=0)
    """Rows of `/sequences`."""
    frames: int = Field(ge=0)
    """Frames of all its sequences."""


class Lengths(Model):
    """How long sequences are, in frames."""

    shortest: int
    """The shortest one."""
    median: float
    """Half of them are longer."""
    longest: int
    """The longest one."""


class Summary(Model):
    """What is in a dataset or predictions file and how much of it; what a damaged file does not tell is empty or zero."""

    kind: Literal["dataset", "predictions"] = "dataset"
    """What `mocapgen build` writes, or what `trainer predict` writes."""
    size: int = Field(ge=0)
    """Size of the file, bytes."""
    schema_version: str = ""
    """Version of the schema."""
    generator: str = ""
    """Program and version that wrote the file."""
    camera_frame: str = ""
    """`unity` or `opencv`."""
    fps: float | None = Field(default=None, allow_inf_nan=False)
    """Frames per second."""
    joints: int = 0
    """Joints of the frame arrays."""
    clips: int = 0
    """Recordings: windows of one recording are one clip."""
    windows: int = 0
    """Rows of `/clips`: as many as clips, or more if some were split."""
    cameras: int = 0
    """Rows of `/cameras`."""
    sequences: int = 0
    """Rows of `/sequences`."""
    frames: int = 0
    """Frames of all sequences."""
    lengths: Lengths | None = None
    """How long sequences are; none if there are no sequences."""
    sources: tuple[Tally, ...] = ()
    """Where the motion comes from."""
    actors: tuple[Tally, ...] = ()
    """Who was recorded."""
    actions: tuple[Tally, ...] = ()
    """Motion classes."""
    avatars: tuple[Tally, ...] = ()
    """Who performs."""
    rigs: tuple[Tally, ...] = ()
    """Camera rigs."""
    skipped: dict[str, int] = Field(default={})
    """What was found and not used: how many, by reason."""
    predicted: dict[str, str] = Field(default={})
    """Of predictions: by which model, from what, of which joints, with which camera."""
    figures: dict[str, float] = Field(default={})
    """Of predictions: what was measured over all sequences, by name with its unit; what could not be measured is not there."""


class CheckResult(Model):
    """One check and its result."""

    id: str
    """`family.name`."""
    title: str
    """What it finds, in one line."""
    severity: Severity
    """Of its findings, after the policy."""
    unit: str
    """Unit of its findings' value; empty if they have none."""
    explain: str
    """The command that prints what the manual says of it."""
    limits: dict[str, float]
    """Its limits, after the policy."""
    left_out: str = ""
    """Why it was not run; empty if it was."""
    unread: int = 0
    """Sequences that it could not check because arrays that it needs are damaged or missing, which other checks report."""
    findings: int = 0
    """How many there are; :attr:`Inspection.findings` holds the worst thousand of a check."""
    sequences: int = 0
    """Different sequences among them."""
    clips: int = 0
    """Different clips among them."""
    rows: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Rows of `/sequences` that it found something in, all of them."""
    clip_ids: tuple[str, ...] = ()
    """Clips of which it found something that is about no single sequence, all of them."""


class Inspection(Model):
    """What came of inspecting a file."""

    file: str
    """Name of the file, without its folder."""
    sha256: str
    """Digest of the whole file."""
    generator: str
    """Program and version that inspected."""
    policy: str
    """Name of the policy: `default`, `training`, `archive` or that of a file."""
    threshold: Severity
    """Findings as severe as this, or more so, count for the exit status."""
    split: str = ""
    """The split that was looked at, in the words of the run; empty if none was."""
    summary: Summary
    """What is in the file."""
    checks: tuple[CheckResult, ...]
    """All checks, in the order of the families."""
    findings: tuple[Finding, ...]
    """Worst first: by severity, then check by check, there by value."""
    notes: tuple[str, ...] = ()
    """What could not be looked at, and why."""

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(severity)} of severity {severity}" for severity in reversed(SEVERITIES))
        return f"<Inspection of {self.file}: {self.summary.sequences:,} sequences, {self.summary.frames:,} frames; findings: {counts}>"

    __str__ = __repr__

    def count(self, severity: Severity) -> int:
        """Return how many findings of a severity there are, those that are not kept included."""
        kept = sum(finding.severity == severity for finding in self.findings if finding.check == CHECK_FAILED)
        return kept + sum(result.findings for result in self.checks if result.severity == severity)

    @property
    def exit_status(self) -> int:
        """0 if nothing at or above the threshold was found, else 1."""
        return int(any(self.count(severity) for severity in SEVERITIES[SEVERITIES.index(self.threshold) :]))
