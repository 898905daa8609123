"""Export a trained model to ONNX, checked against PyTorch before the file is written."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mocapgen.shared.files import write_file
from mocapgen.shared.outputs import writing
from mocapgen.shared.text import one_line, quoted
from schemas.conventions import file_conventions
from schemas.errors import ConfigError, DatasetError
from schemas.predictions import CONVENTIONS
from schemas.shipped import ShippedModel
from schemas.train import ModelCard
from trainer.model.checkpoint import load_lifter
from trainer.model.lifter import Lifter, absolute
from trainer.model.metadata import about_of, read_metadata
from trainer.model.shipped import locate, model_files

TOLERANCE = 1e-4
"""Metres: the largest difference between the exported model and PyTorch that is accepted, a tenth of a millimetre."""
_LENGTHS = ((1, 1), (1, 2), (3, 50), (1, 300))
"""Sequences and frames of the batches that are compared."""


class SequenceLifter(nn.Module):
    """A lifter for complete sequences without padding; all joints are in the camera frame if the model predicts the root.

    Parameters
    ----------
    lifter : Lifter
        In evaluation mode.
    """

    def __init__(self, lifter: Lifter) -> None:
        super().__init__()
        self.lifter = lifter

    def forward(self, pixels: Tensor, intrinsics: Tensor, image: Tensor, confidence: Tensor | None = None) -> Tensor:
        """Lift (B, T, J, 2) pixels, with (B, 4) intrinsics, (B, 2) image sizes and (B, T, J) confidences, to (B, T, J, 3) metres."""
        mask = torch.ones(pixels.shape[:2], dtype=torch.bool)
        seen = torch.ones(pixels.shape[:3]) if confidence is None else confidence
        positions: Tensor = self.lifter(pixels, intrinsics, image, mask, seen)
        return absolute(positions, self.lifter.root) if self.lifter.target == "absolute" else positions


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Parameters
    ----------
    path : Path
    size : int
        Bytes.
    difference : float
        Largest difference to PyTorch over the batches that were compared, metres.
    """

    path: Path
    size: int
    difference: float

    def describe(self) -> str:
        """Return it in one line."""
        return f"{self.path}: {self.size / 1e6:.1f} MB; within {1000 * self.difference:.2g} mm of PyTorch for sequences of 1 to 300 frames"


def export_onnx(model: str | Path, out: str | Path, overwrite: bool = False) -> Exported:
    """Write a model as an ONNX file.

    Its inputs are ``pixels`` (batch, frames, J, 2), ``intrinsics`` (batch, 4) as fx, fy, cx, cy, ``image`` (batch, 2) as width and
    height, and for models that take it ``confidence`` (batch, frames, J), all float32; its output is ``positions`` (batch, frames, J, 3),
    metres. The number of sequences and of frames is free. The metadata holds the model's card, of a model that ships its licence and
    credits, and the conventions of axes and units.

    Parameters
    ----------
    model : str or Path
        The name of a model that ships (``default``), a run's folder (its best weights), or a checkpoint.
    out : str or Path
    overwrite : bool

    Raises
    ------
    ConfigError
        If the name of the file is not one of an ONNX file.
    ImportError
        If a package of the extra ``onnx`` is not installed.
    DatasetError
        If the checkpoint cannot be used, the file cannot be written, or ONNX Runtime gets other numbers than PyTorch.
    """
    if Path(out).suffix.lower() != ".onnx":
        raise ConfigError(one_line("", f"out: expected a name that ends in .onnx, found {quoted(str(out))}"))
    import onnxruntime  # noqa: F401
    import onnxscript  # noqa: F401 - torch's exporter needs it, and its own error is less clear

    with writing(out, overwrite=overwrite, inputs=model_files(model)):
        return _export(model, Path(out), overwrite)


def _export(model: str | Path, out: Path, overwrite: bool) -> Exported:
    import onnxruntime

    lifter, card = load_lifter(model)
    exported = SequenceLifter(lifter).eval()
    content = _convert(exported, card)
    path = locate(model)
    if (about := about_of(read_metadata(path), path)) is not None:
        content = with_origin(content, about)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    difference = max(_difference(exported, session, card, batch, frames) for batch, frames in _LENGTHS)
    if not difference <= TOLERANCE:
        raise DatasetError(
            f"{out}: expected ONNX Runtime within {1000 * TOLERANCE:g} mm of PyTorch, found {1000 * difference:.3g} mm; nothing was written"
        )
    write_file(out, content, overwrite)
    return Exported(out, len(content), difference)


def _convert(model: SequenceLifter, card: ModelCard) -> bytes:
    """Return the ONNX file."""
    import onnx

    batch, frames = torch.export.Dim("batch"), torch.export.Dim("frames")
    inputs = example_inputs(card, 2, 24)
    free: dict[str, dict[int, Any]] = {name: {0: batch, 1: frames} if tensor.ndim > 2 else {0: batch} for name, tensor in inputs.items()}
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            model,
            kwargs=inputs,
            dynamo=True,
            dynamic_shapes=free,
            input_names=list(inputs),
            output_names=["positions"],
            external_data=False,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    _remove_traces(proto.graph)
    conventions = file_conventions(card.camera_frame)
    described = {
        "format": "mocapgen-onnx",
        "card": card.model_dump_json(),
        "conventions": json.dumps({name: conventions[name] for name in CONVENTIONS}),
        "joints": ",".join(card.joints),
    }
    onnx.helper.set_model_props(proto, described)
    onnx.checker.check_model(proto)
    return proto.SerializeToString(deterministic=True)


def with_origin(content: bytes, about: ShippedModel) -> bytes:
    """Return an ONNX file with licence and credits of the model in its metadata, as ``about``."""
    import onnx

    proto = onnx.load_from_string(content)
    entry = proto.metadata_props.add()
    entry.key, entry.value = "about", about.model_dump_json()
    return proto.SerializeToString(deterministic=True)


def _remove_traces(graph: Any) -> None:
    """Remove the stack traces that the exporter adds to every node: they contain paths of this machine."""
    for entry in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del entry.metadata_props[:]
        entry.doc_string = ""
    del graph.metadata_props[:]


def example_inputs(card: ModelCard, batch: int, frames: int) -> dict[str, Tensor]:
    """Return inputs of a model by name: people who move in an image, with some missing joints if the model takes confidences."""
    random = np.random.default_rng([batch, frames])
    joints = len(card.joints)
    path = 30.0 * random.standard_normal((batch, frames, 1, 2)).cumsum(axis=1)
    pixels = (
        [960.0, 540.0]
        + path.clip(-400, 400)
        + random.uniform(-120, 120, (batch, 1, joints, 2))
        + 2.0 * random.standard_normal((batch, frames, joints, 2))
    )
    focal = random.uniform(900, 2500, batch)
    down = -focal if card.camera_frame == "unity" else focal
    arrays: dict[str, NDArray[Any]] = {
        "pixels": pixels,
        "intrinsics": np.stack([focal, down, np.full(batch, 960.0), np.full(batch, 540.0)], axis=1),
        "image": np.tile([1920.0, 1080.0], (batch, 1)),
    }
    if card.confidence:
        arrays["confidence"] = random.random((batch, frames, joints)) > 0.1
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}


def _difference(model: SequenceLifter, session: Any, card: ModelCard, batch: int, frames: int) -> float:
    inputs = example_inputs(card, batch, frames)
    with torch.inference_mode():
        expected = model(**inputs).numpy()
    found = session.run(["positions"], {name: tensor.numpy() for name, tensor in inputs.items()})[0]
    return float(np.abs(found - expected).max())


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's messages about its own internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
