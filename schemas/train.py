"""Training: what a run is asked to do, and what a trained model says about itself.

The command line, recipes and ``--config run.yaml`` all end in :class:`TrainConfig`; every checkpoint carries a :class:`ModelCard`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from schemas.base import Model
from schemas.conventions import CameraFrame

MODEL_FORMAT = "mocapgen-model"
MODEL_VERSION = 1

Normalisation = Literal["image", "ray", "root", "centred"]
Target = Literal["relative", "absolute"]
Range = tuple[float, float]


class Losses(Model):
    """Weights of the terms that are added up; a weight of 0 leaves a term out."""

    mpjpe: float = Field(default=1.0, ge=0)
    """Mean per-joint position error, metres: the published loss."""
    velocity: float = Field(default=0.0, ge=0)
    """Error of the displacement from frame to frame, metres."""
    bone_length: float = Field(default=0.0, ge=0)
    """Absolute error of bone lengths, metres."""
    laplacian_time: float = Field(default=0.0, ge=0)
    """Error of each joint's difference from the mean of its neighbours in time, metres."""
    laplacian_skeleton: float = Field(default=0.0, ge=0)
    """Error of each joint's difference from the mean of its neighbours in the skeleton, metres."""
    root: float = Field(default=1.0, ge=0)
    """Error of the root's position relative to its depth, no unit; counts with target `absolute` only."""


class CameraAugmentation(Model):
    """New virtual cameras: the sequence is turned and tilted about the middle of its root path and projected again."""

    probability: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are seen from a new camera."""
    turn: float = Field(default=180.0, ge=0, le=180)
    """Largest azimuth to either side, degrees; 180 is all the way round."""
    stay: float = Field(default=0.0, ge=0, le=1)
    """Share of the new cameras that stay where they are, with the focal length they have: the person turns, and nothing else changes."""
    elevation: Range = (-10.0, 35.0)
    """Height of the camera above the horizon, degrees."""
    roll: float = Field(default=0.0, ge=0, le=180)
    """Largest rotation about the optical axis to either side, degrees."""
    tumble: float = Field(default=0.0, ge=0, le=1)
    """Share of the new cameras whose orientation is any rotation at all, upside down included."""
    distance: Range = (1.0, 1.6)
    """Distance in multiples of the least one at which the whole sequence is in view."""
    focal: Range = (0.85, 1.6)
    """Focal length in multiples of the recorded one."""
    offset: float = Field(default=0.5, ge=0, le=1)
    """How far the sequence may stand from the middle of the image, as a share of the room there is."""

    @model_validator(mode="after")
    def _check(self) -> CameraAugmentation:
        for name in ("elevation", "distance", "focal"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: expected the smaller number first, found {low} and {high}")
        if self.distance[0] < 1.0 or self.focal[0] <= 0.0:
            raise ValueError("distance must be at least 1 and focal above 0")
        return self


class Augmentation(Model):
    """Changes made to the training side on the fly, from the stored 3D; everything off by default."""

    flip: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are mirrored left to right."""
    reverse: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that run backwards."""
    stretch: Range = (1.0, 1.0)
    """Factor of the playing speed, drawn between the two."""
    bend: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences in which every joint turns what hangs from it by an angle that stays: poses that were never recorded."""
    bend_angle: float = Field(default=40.0, ge=0, le=90)
    """Standard deviation of these angles, degrees, for the bodies that are bent most; others draw a smaller one."""
    camera: CameraAugmentation = CameraAugmentation()
    """New virtual cameras."""
    noise: float = Field(default=0.0, ge=0)
    """Standard deviation of each frame's independent 2D error, as a share of the person's size in the image."""
    drift: float = Field(default=0.0, ge=0)
    """Standard deviation of a 2D error that lasts for the whole sequence, in the same unit."""
    jitter: float = Field(default=0.0, ge=0, le=1)
    """Share of joints in single frames that jump by a tenth of the person's size."""
    missing: float = Field(default=0.0, ge=0, lt=1)
    """Share of joints that a detector would miss, in stretches of some frames; wants `confidence`."""

    @model_validator(mode="after")
    def _check(self) -> Augmentation:
        low, high = self.stretch
        if not 0.1 <= low <= high <= 10.0:
            raise ValueError(f"stretch: expected two factors between 0.1 and 10, the smaller first, found {low} and {high}")
        return self


class TrainConfig(Model):
    """Everything that ``trainer fit`` can be told."""

    model: str = "stmixer"
    """A registered model (`trainer fit --help` lists them)."""
    model_settings: dict[str, Any] = Field(default={})
    """Settings of that model (width, depth, kernel, ...); each has a default."""
    normalisation: Normalisation = "centred"
    """How pixels become the model's input."""
    head: Literal["direct", "ray"] = "ray"
    """`direct`: the network gives positions. `ray`: it gives depths, and positions lie on the rays through the pixels."""
    target: Target = "relative"
    """Positions relative to the root, or the root's path in the camera frame as well."""
    confidence: bool = False
    """Whether the model is told a confidence for each joint."""
    joint_set: str = "h36m17"
    """Joints that are lifted: a joint set of the file."""

    split: str = "clip"
    """`clip`, `random`, `actor=NAME`, `action=PATTERN`, a file with one clip id of the test side per line, or `all`: no test side."""
    test_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of the test side, for `clip` and `random`."""
    validation_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of the training side that is held out to choose the best epoch; 0 trains on all of it and takes the last."""
    window: int | None = Field(default=None, ge=2)
    """Train on windows of this many frames; by default on whole sequences."""

    epochs: int = Field(default=50, ge=1)
    """How often every training sequence is seen; 50 is the published number."""
    batch_size: int = Field(default=32, ge=1)
    """Sequences (or windows) in a batch, over all processes."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Highest learning rate of AdamW."""
    final_rate: float = Field(default=0.01, ge=0, le=1)
    """Share of the learning rate that is left at the end of the cosine decay; 1 keeps it constant."""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    """Share of all steps over which the learning rate rises from 0."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Decoupled weight decay of AdamW, on matrices and kernels only."""
    clip_norm: float = Field(default=1.0, ge=0)
    """Largest norm of the gradient; 0 leaves it alone."""
    ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay of the averaged weights that are then the model's; 0 takes the weights as they are."""
    losses: Losses = Losses()
    """Weights of the loss terms."""
    augment: Augmentation = Augmentation()
    """Changes made to the training side."""

    seed: int = Field(default=0, ge=0)
    """Seed of the split, the initial weights, the order and the augmentation."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, or `cuda:N`."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` is bf16 on a GPU and on processors with AMX or AVX-512 BF16, where it is faster; fp32 elsewhere."""
    compile: bool = False
    """Compile the network with torch.compile: some seconds at the start, faster steps on a GPU."""
    threads: int = Field(default=0, ge=0)
    """Processor threads; 0 is one per usable core."""
    test_every: int = Field(default=1, ge=0)
    """Epochs between looks at the test side, for the history only (nothing is chosen by it); 0 never looks."""
    tensorboard: bool = False
    """Write TensorBoard event files beside the logs."""

    @model_validator(mode="after")
    def _check(self) -> TrainConfig:
        if self.augment.missing > 0 and not self.confidence:
            raise ValueError("augment.missing: wants confidence: true, or the model could not tell a missing joint from a seen one")
        return self


class ModelCard(Model):
    """What a trained model needs to be used, and where it comes from; stored inside its checkpoint."""

    format: Literal["mocapgen-model"] = "mocapgen-model"
    """Always the same: says what the file is."""
    version: int = MODEL_VERSION
    """Readers refuse a newer one."""
    model: str
    """The registered network."""
    model_settings: dict[str, Any]
    """All its settings, defaults included."""
    normalisation: Normalisation
    """How pixels become its input."""
    head: Literal["direct", "ray"]
    """How its output becomes positions."""
    target: Target
    """Whether it gives the root's path."""
    confidence: bool
    """Whether it takes a confidence for each joint."""
    joint_set: str
    """Name of the joint set."""
    joints: tuple[str, ...]
    """Names, in order."""
    parents: tuple[int, ...]
    """Parent of each joint; -1 for the root."""
    symmetric_pairs: tuple[tuple[int, int], ...]
    """Left and right joint of each pair."""
    groups: tuple[str, ...]
    """Group of each joint for reports; empty if in none."""
    camera_frame: CameraFrame
    """Axes of its output."""
    fps: float
    """Frame rate it was trained at."""
    receptive_field: int
    """Frames that one frame of its output depends on."""
    parameters: int
    """Number of trained numbers."""
    epoch: int
    """Completed epochs."""
    data: dict[str, Any]
    """File it was trained on: name, sha256, generator, config."""
    split: str
    """The split in one line."""
    versions: dict[str, str]
    """Program, Python and packages."""


class Row(Model):
    """Errors of the sequences that share a label."""

    sequences: int
    """How many sequences."""
    frames: int
    """How many frames."""
    mpjpe_mm: float
    """Root-relative MPJPE, root counted."""
    pck_200: float
    """3DPCK at 200 mm, root counted, percent."""


class Evaluation(Model):
    """How a model does on a file, as ``trainer evaluate --json`` writes it. `docs/metrics.md` defines every figure."""

    protocol: dict[str, str]
    """What the figures are figures of: split, root, joints, fps, 2D source, data, model."""
    note: str
    """A warning in one line, or nothing."""
    overall: dict[str, float]
    """Every metric over all frames."""
    by_action: dict[str, Row]
    """By motion class."""
    by_actor: dict[str, Row]
    """By who was recorded."""
    by_avatar: dict[str, Row]
    """By who performs it."""
    by_joint_mm: dict[str, float]
    """Root-relative MPJPE of each joint."""
    by_group_mm: dict[str, float]
    """Root-relative MPJPE of each group of joints."""
    by_sequence: dict[str, Row]
    """By sequence, worst first."""
