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

from mocapgen.shared.config import checked
from mocapgen.shared.documents import parse_json
from mocapgen.shared.files import write_file
from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError, DatasetError
from schemas.train import MODEL_FORMAT, MODEL_VERSION, ModelCard
from trainer.data.dataset import LiftedJoints
from trainer.model.lifter import Lifter

MODEL, AVERAGE, OPTIMISER = "model.", "average.", "optimiser."


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Parameters
    ----------
    path : Path
    card : ModelCard
    state : dict
        Progress of the run; empty in a file that is only there to be used.
    tensors : dict of str to Tensor
        Names begin with ``model.``, ``average.`` or ``optimiser.``.
    """

    path: Path
    card: ModelCard
    state: dict[str, Any]
    tensors: dict[str, Tensor]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin so, without the beginning."""
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}


def save(path: Path, card: ModelCard, tensors: Mapping[str, Tensor], state: Mapping[str, Any] | None = None) -> None:
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
    """
    metadata = {"format": "pt", "card": card.model_dump_json(), "state": json.dumps(dict(state or {}))}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(path, serialise(contiguous, metadata))
    write_file(path.with_suffix(".json"), (card.model_dump_json(indent=2) + "\n").encode())


def read(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path : str or Path
        A ``.safetensors`` file, or a run's folder, which stands for its ``best.safetensors`` (``last.safetensors`` if there is none yet).

    Raises
    ------
    DatasetError
        If there is none, or it is damaged, of something else, or newer than this program.
    """
    path = Path(path)
    if path.is_dir():
        found = [path / name for name in ("best.safetensors", "last.safetensors") if (path / name).is_file()]
        if not found:
            raise DatasetError(f"{path}: expected a run with best.safetensors, found none; `trainer fit` writes one")
        path = found[0]
    if not path.is_file():
        raise DatasetError(f"{path}: expected a checkpoint or the folder of a run, found nothing; `trainer fit` writes one")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        content = parse_json(metadata.get("card", "null"), "card")
        state = json.loads(metadata.get("state", "{}"))
    except (SafetensorError, OSError, ValueError, ConfigError) as error:
        rule = "expected a checkpoint (safetensors), found a damaged one or something else"
        raise DatasetError(one_line(str(path), f"{rule} ({error})")) from None
    if not isinstance(content, dict) or content.get("format") != MODEL_FORMAT:
        raise DatasetError(f"{path}: expected a checkpoint of this project, found safetensors of something else")
    version = content.get("version")
    if not isinstance(version, int) or version > MODEL_VERSION:
        raise DatasetError(
            f"{path}: expected a model card of version {MODEL_VERSION} or older, found {quoted(version)}; pip install --upgrade mocapgen"
        )
    card = checked(ModelCard, content, f"{path}: card", first=True, error=DatasetError)
    return Checkpoint(path, card, state, tensors)


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], where: Path) -> None:
    """Put weights into a module.

    Raises
    ------
    DatasetError
        If names or shapes differ: the checkpoint of another network.
    """
    own = module.state_dict()
    missing, surplus = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    shapes = [name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape]
    if missing or surplus or shapes:
        odd = [
            *(f"no {name}" for name in missing),
            *(f"surplus {name}" for name in surplus),
            *(f"another shape of {name}" for name in sorted(shapes)),
        ]
        raise DatasetError(f"{where}: expected the weights of this network, found {', '.join(odd[:3])} ({len(odd)} differences in all)")
    module.load_state_dict(dict(tensors))


def load_lifter(path: str | Path, device: torch.device | str = "cpu") -> tuple[Lifter, ModelCard]:
    """Return a trained model, ready to use, and its card.

    Parameters
    ----------
    path : str or Path
        A checkpoint or the folder of a run.
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
    lifter = Lifter(checkpoint.card, LiftedJoints.of_card(checkpoint.card))
    load_weights(lifter, checkpoint.part(AVERAGE) or checkpoint.part(MODEL), checkpoint.path)
    return lifter.to(device).eval(), checkpoint.card
