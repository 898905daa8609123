"""The published experiments: the figures to compare with, and what ``trainer experiments`` and ``trainer ablate`` write."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from schemas.base import Model, Settings


class PublishedExperiment(Model):
    """An experiment on the training file, as it was published."""

    train: str
    """The training side, in words."""
    test: str
    """The test side, in words."""
    outcome: str
    """What was published about it, in words."""
    mpjpe_mm: float | None = None
    """Test error, if one was given."""
    test_above_train: bool | None = None
    """Whether the test error was above the train error, if that was said."""


class PublishedMotion(Model):
    """One kind of motion of the benchmark on another database, as it was published, and how its sequences are found in a file."""

    mpjpe_mm: float
    """Root-relative MPJPE."""
    pck_200: float
    """3DPCK at 200 mm, percent."""
    actions: tuple[str, ...]
    """Patterns for ``/clips/action``, case ignored; ``*`` stands for anything."""
    clips: tuple[str, ...]
    """Patterns for ``/clips/id``; one of either kind suffices."""


class Published(Model):
    """All published figures that the project compares itself with."""

    source: str
    """Where they come from."""
    remarks: tuple[str, ...]
    """What has to be known to compare with them, one line each."""
    experiments: dict[str, PublishedExperiment]
    """By name: A, B, C."""
    held_out_actor: str
    """Who is left out in the published choice of experiment B."""
    motions: dict[str, PublishedMotion]
    """The two kinds of motion of the benchmark, by name."""
    average_mpjpe_mm: float
    """Mean of the two motions' MPJPE."""
    average_pck_200: float
    """Mean of the two motions' 3DPCK."""
    groups_mm: dict[str, float]
    """MPJPE of each group of joints, mean of the two motions, in the published order."""


DISTANCES_MM = (25.0, 50.0, 75.0, 100.0, 150.0, 200.0)
"""Limits between which poses are put together by their distance from the nearest one of the training side, mm."""


class DistanceBin(Settings):
    """The error of poses that are about as far from the nearest one of the training side (root mean square over joints, of bodies of one size)."""

    least_mm: float
    """Smallest distance of these poses; the largest is the next limit."""
    frames: int
    """How many frames."""
    mpjpe_mm: float
    """Root-relative MPJPE of these frames, root counted."""


class Side(Settings):
    """How a trained model does on some sequences; `docs/metrics.md` defines the figures."""

    sequences: int
    """How many sequences."""
    frames: int
    """How many frames."""
    overall: dict[str, float]
    """Every metric over all frames."""
    by_group_mm: dict[str, float]
    """Root-relative MPJPE of each group of joints."""
    by_distance: tuple[DistanceBin, ...] = ()
    """The error by the distance to the nearest pose of the training side; bins without a frame are left out."""

    @model_validator(mode="after")
    def _check(self) -> Side:
        if "mpjpe_mm" not in self.overall:
            raise ValueError("overall: expected mpjpe_mm among the metrics, found none")
        return self


class EpochFigures(Settings):
    """One row of a run's history."""

    epoch: int
    """Number of the epoch, from 1."""
    loss: float
    """Mean loss of the training side."""
    train_mpjpe_mm: float
    """Mean error of the training side while it was trained on, augmentation included, over all joints that are lifted."""
    validation_mpjpe_mm: float | None
    """Error of the part that chooses the epoch."""
    test_mpjpe_mm: float | None
    """Error of the test side, which chooses nothing."""


class RunResult(Settings):
    """What one training run has reached."""

    name: str
    """Its folder below ``runs/``."""
    experiment: str
    """A, clip, B, C, CMU, or ablation."""
    variant: str
    """Who is left out (B), which ingredient is (ablation), or nothing."""
    recipe: str
    """Settings that it began with."""
    seed: int
    """Seed of the split, the weights, the order and the augmentation."""
    config: dict[str, Any]
    """All its settings."""
    data_sha256: str
    """Digest of the file trained on."""
    benchmark_sha256: str
    """Digest of the file of another database that it was evaluated on, if any."""
    split: str
    """The split in one line."""
    note: str
    """A warning about the split, or nothing."""
    model: str
    """The network."""
    parameters: int
    """Number of trained numbers."""
    seconds: float
    """Wall time of its epochs."""
    device: str
    """Where it was trained."""
    best_epoch: int
    """Epoch whose weights were evaluated."""
    sides: dict[str, Side] = Field(min_length=1)
    """By name: train, validation, test, and the motions of the benchmark."""
    history: tuple[EpochFigures, ...] = Field(min_length=1)
    """One row per epoch."""


class Failure(Model):
    """A run that came to nothing."""

    name: str
    """Its folder below ``runs/``."""
    error: str
    """Why, in one line."""


class Results(Model):
    """``results.json``: everything that the tables of a report are made of."""

    protocol: dict[str, str]
    """What the figures are figures of."""
    command: str
    """The command that makes them again."""
    versions: dict[str, str]
    """Program, Python and packages."""
    seeds: tuple[int, ...] = Field(min_length=1)
    """Seeds that were asked for."""
    recipes: tuple[str, ...] = Field(min_length=1)
    """Recipes that were asked for."""
    published: Published
    """The figures that are compared with."""
    runs: tuple[RunResult, ...]
    """Finished runs."""
    failures: tuple[Failure, ...]
    """Runs that failed."""
    unfinished: tuple[str, ...] = ()
    """Runs that are not finished, where the report is about those that are."""
