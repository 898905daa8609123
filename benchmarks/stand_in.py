"""A stand-in for real videos with 3D truth: captured motion, seen by tilted cameras through a detector's errors: ``python -m benchmarks.stand_in``.

Nothing in it is in the training data if the file is of another database, or of an actor who was held out, or if it is the side of a run's own file
that was held out (``--side test``). The errors are made here, not by the augmentation that models are trained with: as measured for OpenPose (README
of the detections), joint by joint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.tables import Section, Value, show
from schemas.detectors import DETECTOR_JOINTS, SEEN_BY
from schemas.errors import DatasetError
from schemas.predictions import PredictConfig
from trainer.data.dataset import PoseData, load
from trainer.data.splits import read_split_record, split_from_record
from trainer.model.checkpoint import load_lifter
from trainer.model.metrics import joint_errors, procrustes_align, root_relative
from trainer.predict.keypoints.keypoints import Keypoints, Person
from trainer.predict.predict import of_keypoints
from trainer.recipes.settings import parse_assignments

Array = NDArray[np.float64]

IMAGE = (1920, 1080)
FOCAL = 1500.0
_ERRORS: dict[str, tuple[float, float, float]] = {
    "nose": (0.04, 0.05, 0.06),
    "ear": (0.04, 0.05, 0.02),
    "shoulder": (0.025, 0.03, 0.015),
    "elbow": (0.035, 0.025, 0.015),
    "wrist": (0.05, 0.025, 0.05),
    "hip": (0.035, 0.045, 0.015),
    "knee": (0.04, 0.035, 0.015),
    "ankle": (0.03, 0.03, 0.015),
    "toe": (0.04, 0.03, 0.015),
    "heel": (0.04, 0.03, 0.015),
}
"""Of joints without the side: noise, bias, share of far errors; sizes as shares of the person's size in the image."""
_TRUNK_ERRORS = (0.035, 0.03, 0.015)
_LIMBS = [column for column, joint in enumerate(DETECTOR_JOINTS[:17]) if joint.startswith(("left_", "right_"))]
_LEGS = [[DETECTOR_JOINTS.index(f"{side}_{joint}") for joint in ("hip", "knee", "ankle")] for side in ("left", "right")]
_ANKLES = [leg[2] for leg in _LEGS]
_UPRIGHT, _PLANTED = 150.0, 0.10
"""Degrees of a knee, and metres a second of an ankle."""
_CORRELATION, _FAR_SIZE, _NOSE_MISSING = 0.5, 0.35, 0.15


@dataclass(frozen=True)
class Scene:
    """A sequence as a tilted camera sees it.

    Parameters
    ----------
    name : str
    truth : (T, 24, 3) float64, metres, camera frame
    pixels : (T, 24, 2) float64
    focal : float
        Of the camera, pixels.
    image : (int, int)
        Width and height, pixels.
    """

    name: str
    truth: Array
    pixels: Array
    focal: float = FOCAL
    image: tuple[int, int] = IMAGE


def stored_scenes(data: PoseData, sequences: NDArray[np.int64]) -> list[Scene]:
    """Return sequences before the cameras of the file."""
    found = []
    for sequence in sequences:
        rows = data.rows([int(sequence)])
        width, height = (int(pixels) for pixels in data.image[sequence])
        truth, pixels = data.positions_3d[rows].astype(np.float64), data.positions_2d[rows].astype(np.float64)
        found.append(Scene(data.names[sequence], truth, pixels, float(data.intrinsics[sequence, 0]), (width, height)))
    return found


def scenes(data: PoseData, sequences: NDArray[np.int64], elevation: tuple[float, float], random: np.random.Generator) -> list[Scene]:
    """Return sequences before new cameras: anywhere around the person, looking down, the person filling about half the height of the image."""
    sign = -1.0 if data.camera_frame == "unity" else 1.0
    found = []
    for sequence in sequences:
        rows = data.rows([int(sequence)])
        points, up = data.positions_3d[rows].astype(np.float64), data.up[sequence].astype(np.float64)
        azimuth, tilt = random.uniform(-np.pi, np.pi), np.radians(random.uniform(*elevation))
        # Axes of the new camera, seen from the old one: z ahead and down by the tilt, y up or down as the file counts.
        level = np.cross(up, [0.0, 0.0, 1.0])
        level /= np.linalg.norm(level)
        ahead = np.cos(azimuth) * np.cross(level, up) + np.sin(azimuth) * level
        forward = np.cos(tilt) * ahead - np.sin(tilt) * up
        upward = np.sin(tilt) * ahead + np.cos(tilt) * up
        right = np.cross(upward, forward) * -sign  # a left-handed frame (unity) has the other sense
        axes = np.stack([right, -sign * upward, forward])
        middle = points[:, 0].mean(axis=0)
        turned = (points - middle) @ axes.T
        stature = np.ptp(turned[:, :, 1])
        distance = max(FOCAL * stature / (0.55 * IMAGE[1]), 2.0) - min(turned[..., 2].min(), -0.5) * 0.5
        turned[..., 2] += distance
        pixels = turned[..., :2] / turned[..., 2:] * [FOCAL, sign * FOCAL] + np.array(IMAGE) / 2
        found.append(Scene(data.names[sequence], turned, pixels))
    return found


def detected(pixels: Array, layout: str, size: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Return pixels and confidences, (T, 24, 2) and (T, 24), as a detector gives them; `size` scales its errors, 0 is exact."""
    frames = len(pixels)
    person = np.sqrt(np.square(pixels - pixels[:, :1]).sum(axis=-1).mean(axis=-1))[:, None, None]
    error = np.zeros_like(pixels)
    confidence = np.ones(pixels.shape[:2])
    for column, joint in enumerate(DETECTOR_JOINTS):
        kind = joint.split("_")[-1]
        noise, bias, far = _ERRORS.get(kind, _TRUNK_ERRORS)
        steps = lfilter([np.sqrt(1 - _CORRELATION**2)], [1.0, -_CORRELATION], random.standard_normal((frames + 20, 2)), axis=0)[20:]
        rare = (random.random(frames) < far)[:, None] * _FAR_SIZE * random.standard_normal((frames, 2))
        error[:, column] = size * (noise * steps + rare + bias * random.standard_normal(2) / np.sqrt(2))
        if size:
            length = np.linalg.norm(error[:, column], axis=1)
            confidence[:, column] = np.clip(0.75 * np.exp(-np.square(length / 0.2)) + 0.08 * random.standard_normal(frames), 0.05, 1.0)
        if kind == "nose" and size:
            confidence[random.random(frames) < _NOSE_MISSING, column] = 0.0
        if joint not in SEEN_BY[layout]:
            confidence[:, column] = 0.0
    return pixels + error * person, confidence


def measure(model: Path | str, found: list[Scene], fps: float, layout: str, size: float, seed: int, **settings: Any) -> dict[str, float]:
    """Return mean errors over all frames of the scenes."""
    lifter, card = load_lifter(model)
    rows, weights = [], []
    for number, scene in enumerate(found):
        pixels, confidence = detected(scene.pixels, layout, size, np.random.default_rng([seed, number]))
        person = Person(np.where(confidence[..., None] > 0, pixels, 0.0), confidence, np.arange(len(pixels)), len(pixels))
        keypoints = Keypoints((person,), fps, *scene.image, layout)
        config = PredictConfig(focal=scene.focal, **settings)
        positions = np.asarray(of_keypoints(lifter, card, keypoints, Path(__file__), config).positions_3d, dtype=np.float64)
        there = np.isfinite(positions).all(axis=(1, 2))
        rows.append(errors(positions[there][:, :17], scene.truth[: len(positions)][there][:, :17], fps))
        weights.append(there.sum())
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    weight = np.array(weights, dtype=np.float64)
    return {name: float(np.average(values[np.isfinite(values)], weights=weight[np.isfinite(values)])) for name, values in table.items()}


def errors(positions: Array, truth: Array, fps: float) -> dict[str, float]:
    """Return the errors of one sequence, (T, 17, 3) metres, in mm, metres, m/s² and m/s; of feet while the true ones stand."""

    def acceleration(points: Array) -> float:
        return float(np.linalg.norm(np.diff(points, 2, axis=0), axis=-1).mean() * fps**2)

    feet, true_feet = (np.linalg.norm(np.diff(points[:, _ANKLES], axis=0), axis=-1) * fps for points in (positions, truth))
    knees, true_knees = (np.stack([_knee(points[:, leg]) for leg in _LEGS]) for points in (positions, truth))
    planted, straight = true_feet < _PLANTED, true_knees > _UPRIGHT
    return {
        "MPJPE": float(1000 * joint_errors(root_relative(positions), root_relative(truth)).mean()),
        "limbs": float(1000 * joint_errors(_centred(positions), _centred(truth)).mean()),
        "P-MPJPE": float(1000 * joint_errors(procrustes_align(positions, truth), truth).mean()),
        "acc.": acceleration(positions),
        "true": acceleration(truth),
        "root off": float(np.linalg.norm(positions[:, 0] - truth[:, 0], axis=-1).mean()),
        "root acc.": acceleration(positions[:, 0]),
        "true root": acceleration(truth[:, 0]),
        "slide": float(feet[planted].mean()) if planted.any() else np.nan,
        "true slide": float(true_feet[planted].mean()) if planted.any() else np.nan,
        "knee bend": float((true_knees - knees)[straight].mean()) if straight.any() else np.nan,
    }


def _centred(points: Array) -> Array:
    return points[:, _LIMBS] - points[:, _LIMBS].mean(axis=1, keepdims=True)


def _knee(leg: Array) -> Array:
    """Return the angle of a knee, degrees, of hip, knee and ankle, (T, 3, 3)."""
    a, b = leg[:, 0] - leg[:, 1], leg[:, 2] - leg[:, 1]
    return np.degrees(np.arccos(np.clip((a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1), -1, 1)))


@click.command(epilog="Example: python -m benchmarks.stand_in default zoo.h5 --sequences 40")
@click.argument("model")
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("--actor", help="Only sequences of this actor.")
@click.option("--avatars", default="average_man,average_woman", show_default=True, help="Only these avatars: adults, as most people in videos are.")
@click.option("--sequences", type=click.IntRange(1), default=40, show_default=True, help="How many, evenly spaced.")
@click.option("--side", type=click.Choice(["validation", "test"]), help="All sequences of this side of the run's split, any avatar, any length.")
@click.option("--stored-cameras", is_flag=True, help="Before the cameras of the file, in place of new ones.")
@click.option("--elevation", type=(float, float), default=(18.0, 34.0), show_default=True, help="By how much the camera looks down, degrees.")
@click.option("--layouts", default="coco17,body_25,halpe26,h36m17", show_default=True, help="Kinds of detectors.")
@click.option("--sizes", default="1,0.4,0", show_default=True, help="Sizes of the errors, in multiples of the measured ones.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the cameras and the errors.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of `trainer predict`.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(data: Path, markdown: bool, **options: Any) -> None:
    """Print the errors of a model on keypoints with a detector's errors, and without."""
    try:
        section = stand_in(data, **options)
    except DatasetError as error:
        raise click.ClickException(str(error)) from None
    show([section], markdown)


def stand_in(
    data: Path,
    *,
    model: str,
    actor: str | None,
    avatars: str,
    sequences: int,
    side: str | None,
    stored_cameras: bool,
    elevation: tuple[float, float],
    layouts: str,
    sizes: str,
    seed: int,
    settings: tuple[str, ...],
) -> Section:
    """Measure a model with every kind of detector and every size of errors."""
    poses = load(data, "detector")
    if side:
        if not (Path(model) / "split.json").is_file():
            raise DatasetError(f"{model}: expected the folder of a run with its split.json, found none; leave --side out for other models")
        chosen = getattr(split_from_record(poses, read_split_record(Path(model))), side)
    else:
        wanted = np.isin(poses.avatar, avatars.split(",")) & (poses.length >= 40)
        chosen = np.flatnonzero(wanted & (poses.actor == actor) if actor else wanted)
        chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, min(sequences, len(chosen))).astype(int))]
    found = stored_scenes(poses, chosen) if stored_cameras else scenes(poses, chosen, elevation, np.random.default_rng(seed))
    given = parse_assignments(settings)
    rows: list[dict[str, Value]] = [
        {"detector": layout, "errors": size, **measure(model, found, poses.fps, layout, float(size), seed, **given)}
        for layout in layouts.split(",")
        for size in sizes.split(",")
    ]
    cameras = "cameras of the file" if stored_cameras else f"cameras look down by {elevation[0]:g} to {elevation[1]:g} degrees"
    note = (
        f"{len(found)} sequences of {data.name}, {sum(len(scene.truth) for scene in found):,} frames; "
        f"{cameras}; focal length known; mm, m, m/s² and m/s; limbs: 12 joints about their mean; knee bend: degrees too much."
    )
    return Section("Stand-in for real videos", note, tuple(rows))


if __name__ == "__main__":
    main()
