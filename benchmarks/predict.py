"""Speed of ``trainer predict`` and of live use with the default recipe's network: ``python -m benchmarks.predict``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import numpy as np

from benchmarks.tables import Section, Value, show
from benchmarks.timing import measure
from mocapgen.shared.cores import usable_cores
from schemas.conventions import H36M17, H36M17_PARENTS
from schemas.predictions import PredictConfig
from schemas.train import ModelCard
from trainer.data.joints import LiftedJoints
from trainer.model import checkpoint
from trainer.model.lift import lift_frames
from trainer.model.lifter import Lifter
from trainer.predict.keypoints import joints_of, read_keypoints
from trainer.predict.person import model_input
from trainer.predict.predict import predict
from trainer.predict.stream import Stream
from trainer.recipes.settings import read_recipe, train_config

_CONFIG = PredictConfig(image=(1920, 1080), layout="h36m17", fps=30.0)
_LIVE_FRAMES = 100


@click.command(epilog="Example: python -m benchmarks.predict --frames 100000")
@click.option("--frames", type=click.IntRange(1), default=60_000, show_default=True, help="Length of the video.")
@click.option("--repeat", type=click.IntRange(1), default=3, show_default=True, help="How often each step is measured.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Processor threads  [default: one per usable core]")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(frames: int, repeat: int, threads: int, markdown: bool) -> None:
    """Print frames per second of predicting one long video, and of live use.

    The network has random weights, which takes the same time.
    """
    with tempfile.TemporaryDirectory() as folder:
        section = speeds(Path(folder), frames, repeat, threads)
    show([section], markdown)


def speeds(folder: Path, frames: int, repeat: int, threads: int) -> Section:
    """Measure every step on a made-up video."""
    import torch

    threads = threads or usable_cores()
    model, live = (untrained(folder / f"{name}.safetensors", causal) for name, causal in (("model", False), ("live", True)))
    video = folder / "video.npz"
    np.savez(video, keypoints=walk(frames))
    lifter, card = checkpoint.load_lifter(model)
    person = read_keypoints(video, _CONFIG.layout, _CONFIG.fps, _CONFIG.image).people[0]
    pixels, confidence = model_input(card, person.positions, person.confidence, joints_of("h36m17", person.confidence), video)
    camera = np.array([2200.0, -2200.0, 960.0, 540.0]), np.array([1920.0, 1080.0])
    stream, points = Stream(live, _CONFIG), walk(_LIVE_FRAMES + 300)
    for frame in points[:300]:
        stream.push(frame)  # until the model sees as far back as it ever will
    live_speed = measure({"live": lambda: [stream.push(frame) for frame in points[300:]]}, repeat)["live"]
    torch.set_num_threads(threads)
    jobs = {
        "network alone": lambda: lift_frames(lifter, pixels, confidence, *camera),
        "predict, file to file": lambda: predict(model, video, folder / "out.h5", _CONFIG, "cpu", threads, overwrite=True),
    }
    timings = {name: (frames, timing) for name, timing in measure(jobs, repeat).items()} | {
        "live, frame by frame, 1 thread": (_LIVE_FRAMES, live_speed)
    }
    rows: list[dict[str, Value]] = [
        {"step": name, "frames/s": count / timing.best, "ms per frame": 1000 * timing.best / count} for name, (count, timing) in timings.items()
    ]
    note = (
        f"{card.model} of the default recipe, {card.parameters / 1e6:.1f} M parameters, looks at {card.receptive_field} frames; {frames:,} frames, "
        f"{threads} threads, fp32, processor only; best of {repeat}."
    )
    return Section("Predict", note, tuple(rows))


def walk(frames: int) -> np.ndarray:
    """Return keypoints with confidence, (frames, 17, 3), of a figure that shakes and drifts about the image."""
    random = np.random.default_rng(0)
    path = np.array([960.0, 540.0]) + 300.0 * np.sin(np.arange(frames)[:, None] * [0.01, 0.007])
    pixels = path[:, None] + random.uniform(-150, 150, (17, 2)) + 2.0 * random.standard_normal((frames, 17, 2))
    return np.concatenate([pixels, np.full((frames, 17, 1), 0.9)], axis=2)


def untrained(path: Path, causal: bool) -> Path:
    """Write a checkpoint of the default recipe's network with random weights."""
    names = tuple(H36M17)
    parents = tuple(-1 if parent is None else names.index(parent) for parent in H36M17_PARENTS.values())
    joints = LiftedJoints("h36m17", names, parents, (), ("",) * len(names))
    config = train_config(read_recipe("default"), {"model_settings": {"causal": True, "patch": 1}} if causal else {})
    lifter = Lifter(config, joints)
    shared = {name: getattr(config, name) for name in ("model", "model_settings", "normalisation", "head", "target", "confidence", "joint_set")}
    card = ModelCard(
        **shared,
        joints=names,
        parents=parents,
        symmetric_pairs=(),
        groups=joints.groups,
        camera_frame="unity",
        fps=30.0,
        receptive_field=lifter.receptive_field,
        parameters=sum(parameter.numel() for parameter in lifter.parameters()),
        epoch=0,
        data={},
        split="none",
        versions={},
    )
    checkpoint.save(path, card, {f"{checkpoint.MODEL}{name}": tensor for name, tensor in lifter.state_dict().items()})
    return path


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads do not take time from the busy ones
    main(prog_name="python -m benchmarks.predict")
