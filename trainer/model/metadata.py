"""The metadata of a checkpoint: its card and what else is in its header, read without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mocapgen.shared.config import checked
from mocapgen.shared.documents import parse_json
from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError, DatasetError
from schemas.shipped import ShippedModel
from schemas.train import MODEL_FORMAT, MODEL_VERSION, ModelCard

CARD, STATE, ABOUT = "card", "state", "about"
"""Names of what the metadata hold, each as JSON: the model's card, the progress of a run, what is known of a model that ships."""


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file.

    Raises
    ------
    DatasetError
        If the file is damaged or something else.
    """
    try:
        with safe_open(path, framework="np") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> DatasetError:
    """Return the error of a file that is no checkpoint."""
    return DatasetError(one_line(str(path), f"expected a checkpoint (safetensors), found a damaged one or something else ({error})"))


def card_of(metadata: Mapping[str, str], path: Path) -> ModelCard:
    """Return the card in a checkpoint's metadata.

    Raises
    ------
    DatasetError
        If there is none, or it is damaged or newer than this program.
    """
    try:
        content = parse_json(metadata.get(CARD, "null"), "card")
    except ConfigError as error:
        raise damaged(path, error) from None
    if not isinstance(content, dict) or content.get("format") != MODEL_FORMAT:
        raise DatasetError(f"{path}: expected a checkpoint of this project, found safetensors of something else")
    version = content.get("version")
    if not isinstance(version, int) or version > MODEL_VERSION:
        raise DatasetError(
            f"{path}: expected a model card of version {MODEL_VERSION} or older, found {quoted(version)}; pip install --upgrade mocapgen"
        )
    return checked(ModelCard, content, f"{path}: card", first=True, error=DatasetError)


def about_of(metadata: Mapping[str, str], path: Path) -> ShippedModel | None:
    """Return what is known of a model that ships; None for the checkpoint of a run.

    Raises
    ------
    DatasetError
        If it is damaged.
    """
    if ABOUT not in metadata:
        return None
    try:
        content = parse_json(metadata[ABOUT], ABOUT)
    except ConfigError as error:
        raise damaged(path, error) from None
    return checked(ShippedModel, content, f"{path}: {ABOUT}", first=True, error=DatasetError)
