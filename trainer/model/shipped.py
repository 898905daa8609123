"""The models that ship with the package, and how a model's name becomes a file; needs no PyTorch.

Each is one file of ``trainer/models``: ``NAME.safetensors``, with the card, the licence and the credits inside, and a page ``NAME.md`` for people.
``python -m tools.ship_model`` makes both from a run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mocapgen.shared.text import did_you_mean, nearest, one_line
from schemas.errors import DatasetError
from schemas.shipped import ShippedModel
from schemas.train import ModelCard
from trainer.model.metadata import about_of, card_of, read_metadata

FOLDER = Path(__file__).parents[1] / "models"
"""Where the models that ship are."""
SUFFIX = ".safetensors"
WEIGHTS = ("best.safetensors", "last.safetensors")
"""The checkpoints of a run, the one to use first."""
RUN_FILES = (
    *WEIGHTS,
    *(weights.replace(SUFFIX, ".json") for weights in WEIGHTS),
    *("config.json", "split.json", "log.csv", "log.jsonl", "history.png", "metrics.json", "README.md", "result.json", "examples.npz"),
)
"""What training writes into the folder of a run, in a series of runs its evaluation included."""


@dataclass(frozen=True)
class Shipped:
    """A model that ships.

    Parameters
    ----------
    name : str
        By which it is asked for.
    path : Path
    size : int
        Bytes.
    card : ModelCard
    about : ShippedModel
    """

    name: str
    path: Path
    size: int
    card: ModelCard
    about: ShippedModel

    @property
    def causal(self) -> bool:
        """Whether no frame depends on a later one, as live use needs it."""
        return bool(self.card.model_settings.get("causal"))


def shipped_names() -> tuple[str, ...]:
    """Return the names of the models that ship, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}")))


def read_shipped(name: str) -> Shipped:
    """Return what is known of a model that ships.

    Raises
    ------
    DatasetError
        If none of that name ships, or its file is damaged.
    """
    if name not in shipped_names():
        raise DatasetError(one_line(name, f"expected the name of a model that ships, found none; {did_you_mean(name, shipped_names())}"))
    path = FOLDER / f"{name}{SUFFIX}"
    metadata = read_metadata(path)
    about = about_of(metadata, path)
    if about is None:
        raise DatasetError(
            f"{path}: expected a model with its licence and credits, found the checkpoint of a run; python -m tools.ship_model makes one"
        )
    return Shipped(name, path, path.stat().st_size, card_of(metadata, path), about)


def is_shipped(path: Path) -> bool:
    """Whether a file is one of the models that ship."""
    return path.parent == FOLDER


def model_files(model: str | Path) -> tuple[Path, ...]:
    """Return the files that a model consists of: of a run all that training wrote, else the checkpoint and its card."""
    path = locate(model)
    return tuple(path.parent / name for name in RUN_FILES) if path.name in WEIGHTS else (path, path.with_suffix(".json"))


def locate(model: str | Path) -> Path:
    """Return the checkpoint that a model's name stands for.

    Parameters
    ----------
    model : str or Path
        The folder of a run (its best weights), a checkpoint, or the name of a model that ships. What has a separator is a path; a run in the
        current folder goes before a model of its name, any other file or folder does not.

    Raises
    ------
    DatasetError
        If there is none, with the models that ship.
    """
    path, name = Path(model), os.fspath(model)
    for weights in WEIGHTS:
        if (path / weights).is_file():
            return path / weights
    is_name = path.name == name  # neither ./NAME nor NAME/
    names = shipped_names() if is_name else ()
    if name in names:
        return FOLDER / f"{name}{SUFFIX}"
    if path.is_file():
        return path
    if path.is_dir():
        raise DatasetError(one_line(str(path), f"expected a run with {WEIGHTS[0]}, found none; `trainer fit` writes one"))
    kinds = f"{'a model that ships, ' if names else ''}a checkpoint or the folder of a run"
    advice = nearest(path.name, [found.parent.name for found in path.parent.glob(f"*/{WEIGHTS[0]}")], path.parent)
    advice = advice or (f"; {did_you_mean(name, names)}" if names else "; `trainer fit` writes one")
    raise DatasetError(one_line(str(path), f"expected {kinds}, found nothing", advice))
