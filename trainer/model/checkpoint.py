"""Checkpoints: one safetensors file each, written atomically, with its card inside, and beside it as readable JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor, nn

from mocapgen.shared.files import write_file
from mocapgen.shared.text import one_line
from schemas.errors import ConfigError, DatasetError
from schemas.shipped import ShippedModel
from schemas.train import ModelCard, Progress
from trainer.data.joints import LiftedJoints
from trainer.model.lifter import Lifter
from trainer.model.metadata import ABOUT, CARD, STATE, about_of, card_of, damaged, progress_of, require_header
from trainer.model.shipped import locate

_LARGEST_WEIGHT = 1e6
"""Trained ones are thousands of times smaller; of larger ones some poses, and not others, would be NaN."""
_FARTHEST = 1e4
"""Metres: no joint is farther away."""
MODEL, AVERAGE, OPTIMISER = "model.", "average.", "optimiser."


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Parameters
    ----------
    path : Path
    card : ModelCard
    progress : Progress
        Of the run; the beginning in a file that is only there to be used.
    tensors : dict of str to Tensor
        Names begin with ``model.``, ``average.`` or ``optimiser.``; weights stored in half precision come as float32.
    about : ShippedModel, optional
        Licence, credits and figures of a model that ships.
    """

    path: Path
    card: ModelCard
    progress: Progress
    tensors: dict[str, Tensor]
    about: ShippedModel | None = None

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin so, without the beginning."""
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}


def save(
    path: Path, card: ModelCard, tensors: Mapping[str, Tensor], state: Mapping[str, Any] | None = None, about: ShippedModel | None = None
) -> None:
    """Write a checkpoint, and its card beside it.

    Parameters
    ----------
    path : Path
        Ends in ``.safetensors``.
    card : ModelCard
    tensors : mapping
        See :class:`Checkpoint`.
    state : mapping, optional
        Anything that JSON can hold.
    about : ShippedModel, optional
        Of a model that ships.
    """
    metadata = {"format": "pt", CARD: card.model_dump_json(), STATE: json.dumps(dict(state or {}))}
    if about is not None:
        metadata[ABOUT] = about.model_dump_json()
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(path, serialise(contiguous, metadata))
    write_file(path.with_suffix(".json"), (card.model_dump_json(indent=2) + "\n").encode())


def read(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path : str or Path
        A ``.safetensors`` file, a run's folder, which stands for its ``best.safetensors`` (``last.safetensors`` if there is none yet), or the name
        of a model that ships; see :func:`trainer.model.shipped.locate`.

    Raises
    ------
    DatasetError
        If there is none, or it is damaged, of something else, or newer than this program.
    """
    path = locate(path)
    require_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # Copies: the tensors are parts of the file, and Windows lets nobody replace a file of which parts are in use.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, error) from None
    card, progress = card_of(metadata, path), progress_of(metadata, path)
    tensors = {name: tensor.float() if tensor.dtype == torch.float16 else tensor for name, tensor in tensors.items()}
    return Checkpoint(path, card, progress, tensors, about_of(metadata, path))


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], where: Path) -> None:
    """Put weights into a module.

    Raises
    ------
    DatasetError
        If names, shapes or types differ: the checkpoint of another network; or if weights are not finite.
    """
    own = module.state_dict()
    missing, surplus = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    common = own.keys() & tensors.keys()
    shapes = [name for name in common if own[name].shape != tensors[name].shape]
    types = [name for name in common if own[name].dtype != tensors[name].dtype]
    if missing or surplus or shapes or types:
        odd = [
            *(f"no {name}" for name in missing),
            *(f"surplus {name}" for name in surplus),
            *(f"another shape of {name}" for name in sorted(shapes)),
            *(f"another type of {name}" for name in sorted(types)),
        ]
        found = ", ".join(name[:60] for name in odd[:3])
        raise DatasetError(one_line(str(where), f"expected the weights of this network, found {found} ({len(odd)} differences in all)"))
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.abs().max() < _LARGEST_WEIGHT:  # nor NaN
            raise DatasetError(one_line(str(where), f"expected finite weights, found NaN, infinity or millions in {name}; train the model again"))
    module.load_state_dict(dict(tensors))


def _require_poses(lifter: Lifter, where: Path) -> None:
    """Refuse weights that are numbers, and yet give no pose: of joints on a circle around the middle of an image."""
    count = len(lifter.parents)
    angle = torch.linspace(0.0, 2.0 * torch.pi, count + 1)[:count]
    pixels = 500.0 + 200.0 * torch.stack([angle.cos(), angle.sin()], dim=-1).expand(1, lifter.network.patch, count, 2)
    intrinsics, image = torch.tensor([[1000.0, 1000.0, 500.0, 500.0]]), torch.tensor([[1000.0, 1000.0]])
    shown = torch.ones(pixels.shape[:3])
    with torch.inference_mode():
        found = lifter(pixels, intrinsics, image, shown[..., 0] > 0, shown)
    if not found.abs().max() < _FARTHEST:  # nor NaN
        raise DatasetError(one_line(str(where), "expected weights that give poses, found NaN, infinity or kilometres; train the model again"))


def load_lifter(path: str | Path, device: torch.device | str = "cpu") -> tuple[Lifter, ModelCard]:
    """Return a trained model, ready to use, and its card.

    Parameters
    ----------
    path : str or Path
        A model that ships, a checkpoint or the folder of a run.
    device : torch.device or str

    Returns
    -------
    Lifter
        In evaluation mode, with the averaged weights if the run averaged.
    ModelCard

    Raises
    ------
    DatasetError
        See :func:`read` and :func:`load_weights`.
    """
    checkpoint = read(path)
    weights = checkpoint.part(AVERAGE) or checkpoint.part(MODEL)
    count = sum(tensor.numel() for tensor in weights.values())
    try:
        lifter = Lifter(checkpoint.card, LiftedJoints.of_card(checkpoint.card), most=count)
    except ConfigError as error:  # a setting that does not exist, or a network with more numbers than the file
        raise DatasetError(one_line(str(checkpoint.path), f"expected the weights of the network of its card, found: {error}")) from None
    load_weights(lifter, weights, checkpoint.path)
    _require_poses(lifter.eval(), checkpoint.path)
    return lifter.to(device).eval(), checkpoint.card
