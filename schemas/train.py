"""Training: the settings of a run, and the description of a trained model.

The command line, recipes and ``--config run.yaml`` all end in :class:`TrainConfig`; every checkpoint carries a :class:`ModelCard`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from schemas.base import MOST, Model, Settings
from schemas.conventions import CameraFrame
from schemas.detectors import DETECTOR_JOINTS, DETECTOR_SET, SEEN_BY

MODEL_FORMAT = "mocapgen-model"
MODEL_VERSION = 1
LARGEST_WEIGHT = 1e6
"""Of a term of the loss."""
MOST_JOINTS = 1000
"""Joints of a model, at most."""
MOST_STEPS = 10**12
"""Steps and epochs of a run, at most."""

Normalisation = Literal["image", "ray", "root", "centred"]
Target = Literal["relative", "absolute"]
Range = tuple[float, float]

RENAMED = {
    "final_rate": "final_lr_factor",
    "clip_norm": "grad_clip_norm",
    "augment.stretch": "augment.speed",
    "augment.bend": "augment.pose_perturbation",
    "augment.bend_angle": "augment.pose_perturbation_angle",
    "augment.drift": "augment.bias",
    "augment.jitter": "augment.outliers",
    "augment.camera.turn": "augment.camera.azimuth",
    "augment.camera.stay": "augment.camera.keep_camera",
    "augment.camera.tumble": "augment.camera.random_rotation",
}
"""Settings of earlier versions, and their names now; recipes and runs that have them are refused with a message that names both."""


class Losses(Settings):
    """Weights of the terms that are added up; a weight of 0 leaves a term out."""

    mpjpe: float = Field(default=1.0, ge=0, le=LARGEST_WEIGHT)
    """Mean per-joint position error, metres: the published loss."""
    velocity: float = Field(default=0.0, ge=0, le=LARGEST_WEIGHT)
    """Error of the displacement from frame to frame, metres."""
    bone_length: float = Field(default=0.0, ge=0, le=LARGEST_WEIGHT)
    """Absolute error of bone lengths, metres."""
    laplacian_time: float = Field(default=0.0, ge=0, le=LARGEST_WEIGHT)
    """Error of each joint's difference from the mean of its neighbours in time, metres."""
    laplacian_skeleton: float = Field(default=0.0, ge=0, le=LARGEST_WEIGHT)
    """Error of each joint's difference from the mean of its neighbours in the skeleton, metres."""
    root: float = Field(default=1.0, ge=0, le=LARGEST_WEIGHT)
    """Error of the root's position relative to its depth, no unit; counts with target `absolute` only."""


class CameraAugmentation(Settings):
    """New virtual cameras: the sequence is rotated and tilted about the middle of its root path and projected again."""

    probability: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are seen from a new camera."""
    azimuth: float = Field(default=180.0, ge=0, le=180)
    """Largest azimuth to either side, degrees; 180 is all the way round."""
    keep_camera: float = Field(default=0.0, ge=0, le=1)
    """Share of the new cameras that keep position and focal length: only the person is rotated, by the azimuth."""
    elevation: Range = (-10.0, 35.0)
    """Height of the camera above the horizon, degrees."""
    roll: float = Field(default=0.0, ge=0, le=180)
    """Largest rotation about the optical axis to either side, degrees."""
    random_rotation: float = Field(default=0.0, ge=0, le=1)
    """Share of the new cameras with a uniformly random orientation, upside down included."""
    distance: Range = (1.0, 1.6)
    """Distance in multiples of the smallest one at which the whole sequence is in view."""
    focal: Range = (0.85, 1.6)
    """Focal length in multiples of the recorded one."""
    offset: float = Field(default=0.5, ge=0, le=1)
    """How far the sequence may stand from the middle of the image, as a share of the room there is."""

    @model_validator(mode="after")
    def _check(self) -> CameraAugmentation:
        for name, least, most in (("elevation", -90.0, 90.0), ("distance", 1.0, 100.0), ("focal", 0.01, 100.0)):
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(f"{name}: expected two numbers from {least:g} to {most:g}, the smaller first, found {low} and {high}")
        return self


class BodyAugmentation(Settings):
    """Other people than the avatars: their size, proportions, and knees."""

    probability: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are played by another body."""
    stature: Range = (1.2, 2.0)
    """Shortest and tallest, metres; most are adults: normally distributed about 1.72 m with a deviation of 0.08."""
    children: float = Field(default=0.2, ge=0, le=1)
    """Share of bodies whose stature is uniformly distributed over the whole range."""
    bones: float = Field(default=0.05, ge=0, le=0.3)
    """Standard deviation of the logarithm of each bone's length; both sides of the body have the same."""
    straight_knees: float = Field(default=0.8, ge=0, le=1)
    """Share of bodies with straight knees: bones of skeletons that were fitted to markers are often too long, which bends the knees."""

    @model_validator(mode="after")
    def _check(self) -> BodyAugmentation:
        if not 0.5 <= self.stature[0] <= self.stature[1] <= 3.0:
            raise ValueError(f"stature: expected two lengths between 0.5 and 3 m, the smaller first, found {self.stature[0]} and {self.stature[1]}")
        return self


class PoseComposition(Settings):
    """Poses composed of several recordings: limbs of one sequence move as those of other sequences of its batch."""

    probability: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are composed."""
    limbs: float = Field(default=0.35, ge=0, le=1)
    """Share of their legs, arms, and upper bodies that move as another's."""


class DetectorErrors(Settings):
    """The errors of real 2D detectors, joint by joint (`schemas/detectors.py` has their sizes); requires joint set `detector` and `confidence`."""

    probability: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences with errors; the others are seen exactly, with confidence 1."""
    size: Range = (0.3, 1.3)
    """Size of the errors of a sequence, in multiples of the measured ones; drawn per sequence."""
    correlation: Range = (0.3, 0.95)
    """Correlation of an error with that of the frame before; drawn per sequence."""
    bias: float = Field(default=0.03, ge=0, le=1)
    """Standard deviation of a joint's constant offset, as a share of the person's size in the image."""
    far: float = Field(default=0.02, ge=0, le=1)
    """Share of the joints that are found far away, for some frames at a time."""
    missing: float = Field(default=0.03, ge=0, le=1)
    """Share of the joints that are missing, for some frames at a time; those beyond a missing joint often are as well."""
    swapped: float = Field(default=0.15, ge=0, le=1)
    """Share of sequences in which left and right are swapped for a stretch: of the legs, the arms or all."""
    cut: float = Field(default=0.1, ge=0, le=1)
    """Share of sequences in which a part of the person is beyond the edge of the image."""
    layouts: dict[str, float] = Field(default={"coco17": 0.35, "body_25": 0.2, "halpe26": 0.1, "mpii16": 0.05, "h36m17": 0.2, "all": 0.1})
    """How often each kind of detector is imitated, as weights: joints that it does not give are missing (`SEEN_BY` in `schemas/detectors.py`)."""

    @model_validator(mode="after")
    def _check(self) -> DetectorErrors:
        odd = sorted(self.layouts.keys() - SEEN_BY.keys())
        if (
            odd
            or not any(weight > 0 for weight in self.layouts.values())
            or not all(0 <= weight <= LARGEST_WEIGHT for weight in self.layouts.values())
        ):
            raise ValueError(f"layouts: expected weights of {', '.join(SEEN_BY)}, found {odd[0] if odd else self.layouts}")
        for name in ("size", "correlation"):
            low, high = getattr(self, name)
            if not 0 <= low <= high <= 10 or (name == "correlation" and high >= 1):
                raise ValueError(f"{name}: expected the smaller number first, found {low} and {high}")
        return self


class Augmentation(Settings):
    """Data augmentation of the training side, computed from the stored 3D in every batch; everything off by default."""

    flip: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are mirrored left to right."""
    reverse: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences that are played backwards."""
    speed: Range = (1.0, 1.0)
    """Range of the playback speed, as a factor; drawn per sequence."""
    pose_perturbation: float = Field(default=0.0, ge=0, le=1)
    """Share of sequences in which every joint is rotated by a random angle, constant over the sequence: poses that were never recorded."""
    pose_perturbation_angle: float = Field(default=40.0, ge=0, le=90)
    """Largest standard deviation of these angles, degrees; each sequence draws its own between 0 and this."""
    pose_perturbation_knees: float = Field(default=1.0, ge=0, le=1)
    """Factor of the angles of knees: they are hinges, and a person who stands stands on straight ones."""
    composition: PoseComposition = PoseComposition()
    """Poses composed of several recordings."""
    body: BodyAugmentation = BodyAugmentation()
    """Other bodies."""
    camera: CameraAugmentation = CameraAugmentation()
    """New virtual cameras."""
    detector: DetectorErrors = DetectorErrors()
    """Errors of real detectors."""
    noise: float = Field(default=0.0, ge=0, le=1)
    """Standard deviation of the 2D noise, independent in each frame, as a share of the person's size in the image."""
    bias: float = Field(default=0.0, ge=0, le=1)
    """Standard deviation of a 2D offset of each joint, constant over the sequence, in the same unit."""
    outliers: float = Field(default=0.0, ge=0, le=1)
    """Share of joints in single frames that are displaced by a tenth of the person's size."""
    missing: float = Field(default=0.0, ge=0, lt=1)
    """Share of joints that are missing, for several frames at a time, as a detector misses them; requires `confidence`."""

    @model_validator(mode="after")
    def _check(self) -> Augmentation:
        low, high = self.speed
        if not 0.1 <= low <= high <= 10.0:
            raise ValueError(f"speed: expected two factors between 0.1 and 10, the smaller first, found {low} and {high}")
        return self


class TrainConfig(Settings):
    """All settings of ``trainer fit``."""

    model: str = "stmixer"
    """A registered model (`trainer fit --help` lists them)."""
    model_settings: dict[str, Any] = Field(default={})
    """Settings of that model (width, depth, kernel, ...); each has a default."""
    normalisation: Normalisation = "centred"
    """How pixels become the model's input."""
    head: Literal["direct", "ray", "rigid"] = "ray"
    """`direct`: the network gives positions. `ray`: it gives depths, and positions lie on the rays through the pixels. `rigid`: as `ray`,
    and in use joints are moved along their rays until bones keep their length."""
    target: Target = "relative"
    """Positions relative to the root, or the root's path in the camera frame as well."""
    confidence: bool = False
    """Whether the confidence of each joint is an input of the model."""
    joint_set: str = "h36m17"
    """Joints that are lifted: a joint set of the file, or `detector`: the 24 joints that detectors see, computed from the file's avatars."""

    split: str = "clip"
    """`clip`, `random`, `actor=NAME`, `action=PATTERN`, a file with one clip id of the test side per line, or `all`: no test side."""
    test_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of the test side, for `clip` and `random`."""
    validation_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of the training side that is held out to choose the best epoch; 0 trains on all of it and takes the last."""
    window: int | None = Field(default=None, ge=2, le=10_000)
    """Train on windows of this many frames; by default on whole sequences."""

    epochs: int = Field(default=50, ge=1, le=1_000_000)
    """How often every training sequence is seen. The published number is 50; recipes have their own."""
    batch_size: int = Field(default=32, ge=1, le=1_000_000)
    """Sequences (or windows) in a batch, over all processes."""
    optimiser: Literal["adamw", "soap"] = "adamw"
    """`soap`: AdamW in a basis in which the gradients of each matrix are uncorrelated: dearer steps, of which half as many are needed."""
    learning_rate: float = Field(default=1e-3, gt=0, le=10)
    """Highest learning rate."""
    final_lr_factor: float = Field(default=0.01, ge=0, le=1)
    """Learning rate at the end of the cosine decay, as a share of `learning_rate`; 1 keeps it constant."""
    warmup: float = Field(default=0.03, ge=0, lt=1)
    """Share of all steps over which the learning rate rises linearly from 0."""
    weight_decay: float = Field(default=0.01, ge=0, le=10)
    """Decoupled weight decay, on matrices and kernels only."""
    grad_clip_norm: float = Field(default=1.0, ge=0, le=LARGEST_WEIGHT)
    """Largest norm of the gradient; 0 turns clipping off."""
    ema: float = Field(default=0.0, ge=0, lt=1)
    """Decay of the exponential moving average of the weights, which is then the model; 0 turns averaging off."""
    losses: Losses = Losses()
    """Weights of the loss terms."""
    augment: Augmentation = Augmentation()
    """Data augmentation of the training side."""

    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """Seed of the split, the initial weights, the order and the augmentation."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, or `cuda:N`."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` is bf16 on a GPU and on processors with AMX or AVX-512 BF16, where it is faster; fp32 elsewhere."""
    compile: bool = False
    """Compile the network with torch.compile: some seconds at the start, faster steps on a GPU."""
    threads: int = Field(default=0, ge=0, le=1024)
    """Processor threads; 0 is one per core that the process may use. The same number gives the same bits on processors of one kind."""
    test_every: int = Field(default=1, ge=0, le=MOST)
    """Epochs between evaluations on the test side, for the history only (nothing is chosen by it); 0 turns them off."""
    cache: Literal["auto", "memory", "disk"] = "auto"
    """Where the frames are: in memory, or in a file below $MOCAPGEN_CACHE that is mapped; `auto` is that above half of the free memory."""
    tensorboard: bool = False
    """Write TensorBoard event files beside the logs."""

    @model_validator(mode="after")
    def _check(self) -> TrainConfig:
        if self.augment.missing > 0 and not self.confidence:
            raise ValueError("augment.missing: requires confidence: true, or the model could not distinguish missing joints from visible ones")
        if self.augment.detector.probability > 0 and not (self.confidence and self.joint_set == DETECTOR_SET):
            raise ValueError(f"augment.detector: requires confidence: true and joint_set: {DETECTOR_SET}")
        return self


class EpochRow(Settings):
    """One epoch in the history of a run."""

    epoch: int = Field(ge=1)
    """Number of the epoch, from 1."""
    step: int = Field(ge=0)
    """Steps of the run at its end."""
    learning_rate: float
    """Of the last step."""
    loss: float
    """Mean over the frames of the training side."""
    train_mpjpe_mm: float
    """Mean error of the training side while it was trained on, augmentation included, over all joints that are lifted."""
    validation_mpjpe_mm: float | None
    """Error of the part that chooses the epoch."""
    test_mpjpe_mm: float | None
    """Error of the test side, which chooses nothing."""
    gradient_norm: float
    """Mean over the steps, before it is clipped."""
    best: bool
    """Whether the validation error was the lowest so far."""
    seconds: float
    """Wall time."""
    frames_per_second: float
    """Frames of the training side per second of it."""
    computing_share: float
    """Share of it that was spent computing."""


class Progress(Settings):
    """How far a run is; stored in the checkpoint that it is resumed from."""

    epoch: int = Field(default=0, ge=0, le=MOST_STEPS)
    """Completed epochs."""
    batch: int = Field(default=0, ge=0, le=MOST_STEPS)
    """Completed batches of the epoch after those."""
    step: int = Field(default=0, ge=0, le=MOST_STEPS)
    """Completed steps in all."""
    sums: dict[str, float] = Field(default={})
    """Sums over the batches of the unfinished epoch: loss, mpjpe, frames, norm."""
    seconds: dict[str, Annotated[float, Field(ge=0.0)]] = Field(default={})
    """Wall time of the unfinished epoch, by its parts and in all."""
    best: float | None = None
    """Lowest validation error so far, mm."""
    history: tuple[EpochRow, ...] = ()
    """One row per completed epoch."""

    @model_validator(mode="after")
    def _check(self) -> Progress:
        if len(self.history) != self.epoch:
            raise ValueError(f"history: expected a row for each of {self.epoch} completed epochs, found {len(self.history)}")
        if self.sums.keys() != ({"loss", "mpjpe", "frames", "norm"} if self.batch else set()) or not self.sums.get("frames", 1.0) > 0.0:
            raise ValueError("sums: expected loss, mpjpe, frames and norm of an epoch that is not finished, and of no other")
        return self


class SplitRecord(Settings):
    """The split of a run, as it is stored in its folder: the names of the sequences on each side."""

    spec: str
    """As it was asked for: `clip`, `random`, `actor=bd`, ..."""
    note: str
    """A warning in one line, or nothing."""
    train: tuple[str, ...]
    """What was trained on."""
    validation: tuple[str, ...]
    """What chose the epoch."""
    test: tuple[str, ...]
    """What neither saw."""

    @model_validator(mode="after")
    def _check(self) -> SplitRecord:
        names = (*self.train, *self.validation, *self.test)
        if len(set(names)) < len(names):
            raise ValueError("expected every sequence on one side, once, found one repeatedly")
        return self


class ModelCard(Settings):
    """Everything needed to use a trained model, and its origin; stored inside its checkpoint."""

    format: Literal["mocapgen-model"] = "mocapgen-model"
    """Always the same: identifies the file."""
    version: int = MODEL_VERSION
    """Readers refuse a newer one."""
    model: str
    """The registered network."""
    model_settings: dict[str, Any]
    """All its settings, defaults included."""
    normalisation: Normalisation
    """How pixels become its input."""
    head: Literal["direct", "ray", "rigid"]
    """How its output becomes positions."""
    target: Target
    """Whether it predicts the root's path."""
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
    fps: float = Field(gt=0, le=1000)
    """Frame rate it was trained at."""
    receptive_field: int = Field(ge=1)
    """Frames that one frame of its output depends on."""
    parameters: int = Field(ge=0)
    """Number of trained numbers."""
    epoch: int = Field(ge=0, le=MOST_STEPS)
    """Completed epochs."""
    data: dict[str, Any]
    """File it was trained on: name, sha256, generator, config."""
    split: str
    """The split in one line."""
    versions: dict[str, str]
    """Program, Python and packages."""

    @model_validator(mode="after")
    def _check(self) -> ModelCard:
        count = len(self.joints)
        if not 0 < count == len(set(self.joints)) == len(self.parents) == len(self.groups) <= MOST_JOINTS:
            raise ValueError(f"joints: expected a name, a parent and a group for each of 1 to {MOST_JOINTS} joints, and no name twice")
        if self.joint_set == DETECTOR_SET and self.joints != DETECTOR_JOINTS:
            raise ValueError(f"joints: expected those of joint set {DETECTOR_SET}, found others")
        reached = {-1}
        for _ in self.parents:
            reached |= {joint for joint, parent in enumerate(self.parents) if parent in reached}
        if self.parents.count(-1) != 1 or len(reached) != count + 1:
            raise ValueError("parents: expected a tree with one root, whose parent is -1")
        paired = [joint for pair in self.symmetric_pairs for joint in pair]
        if len(set(paired)) < len(paired) or not set(paired) <= set(range(count)):
            raise ValueError(f"symmetric_pairs: expected numbers of joints from 0 to {count - 1}, each once")
        return self


class GroupErrors(Model):
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
    """Errors of a model on a file, as ``trainer evaluate --json`` writes it. `docs/metrics.md` defines every figure."""

    protocol: dict[str, str]
    """How the figures were measured: split, root, joints, fps, 2D source, data, model."""
    note: str
    """A warning in one line, or nothing."""
    overall: dict[str, float]
    """Every metric over all frames."""
    by_action: dict[str, GroupErrors]
    """By action."""
    by_actor: dict[str, GroupErrors]
    """By recorded actor."""
    by_avatar: dict[str, GroupErrors]
    """By avatar."""
    by_joint_mm: dict[str, float]
    """Root-relative MPJPE of each joint."""
    by_group_mm: dict[str, float]
    """Root-relative MPJPE of each group of joints."""
    by_sequence: dict[str, GroupErrors]
    """By sequence, worst first."""
