"""The card of a model that is being trained."""

from __future__ import annotations

import platform
from importlib import metadata

from schemas.train import ModelCard, TrainConfig
from trainer.data.dataset import PoseData
from trainer.data.splits import Split
from trainer.model.lifter import Lifter


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for name in ("mocapgen", "torch", "numpy", "h5py", "safetensors"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def make_card(config: TrainConfig, data: PoseData, split: Split, lifter: Lifter, epoch: int) -> ModelCard:
    """Return the description that is stored with the weights after an epoch."""
    return ModelCard(
        model=config.model,
        model_settings=lifter.network.settings.model_dump(mode="json"),
        **{name: getattr(config, name) for name in ("normalisation", "head", "target", "confidence")},
        joint_set=data.joints.name,
        joints=data.joints.joints,
        parents=data.joints.parents,
        symmetric_pairs=data.joints.pairs,
        groups=data.joints.groups,
        camera_frame=data.camera_frame,
        fps=data.fps,
        receptive_field=lifter.receptive_field,
        parameters=sum(parameter.numel() for parameter in lifter.parameters()),
        epoch=epoch,
        data={"file": data.path.name, "sha256": data.sha256, "generator": data.generator, "config": data.config},
        split=split.describe(),
        versions=versions(),
    )
