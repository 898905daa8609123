"""Models that lift 2D motion to 3D, trained on any valid dataset file.

Everything a script needs is here and loaded at first use:

>>> import trainer
>>> data = trainer.PoseDataset("walk.h5", window=81)                            # doctest: +SKIP
>>> model = trainer.load("runs/first")                                          # doctest: +SKIP
>>> xyz = model.lift(points, image=(1920, 1080), fov=60)                        # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocapgen.shared.distribution import require_own_packages
from mocapgen.shared.facade import install
from mocapgen.shared.version import __version__

if TYPE_CHECKING:
    from schemas.errors import MocapError
    from schemas.train import TrainConfig
    from trainer.data.pose_dataset import PoseDataset, PoseSample, collate_sequences
    from trainer.evaluate import evaluate
    from trainer.fit import fit
    from trainer.predict.model import TrainedModel, load
    from trainer.predict.predict import predict
    from trainer.predict.stream import Stream

__distribution__ = "mocapgen"

__all__ = [
    "MocapError",
    "PoseDataset",
    "PoseSample",
    "Stream",
    "TrainConfig",
    "TrainedModel",
    "__version__",
    "collate_sequences",
    "evaluate",
    "fit",
    "load",
    "predict",
]

_HOMES = {
    "MocapError": "schemas.errors:MocapError",
    "PoseDataset": "trainer.data.pose_dataset:PoseDataset",
    "PoseSample": "trainer.data.pose_dataset:PoseSample",
    "Stream": "trainer.predict.stream:Stream",
    "TrainConfig": "schemas.train:TrainConfig",
    "TrainedModel": "trainer.predict.model:TrainedModel",
    "collate_sequences": "trainer.data.pose_dataset:collate_sequences",
    "evaluate": "trainer.evaluate:evaluate",
    "fit": "trainer.fit:fit",
    "load": "trainer.predict.model:load",
    "predict": "trainer.predict.predict:predict",
}

install(__name__, _HOMES, require_own_packages)
