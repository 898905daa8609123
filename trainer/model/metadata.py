"""The metadata of a checkpoint: its card and what else is in its header, read without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from mocapgen.shared.config import checked
from mocapgen.shared.documents import parse_json
from mocapgen.shared.inputs import open_regular
from mocapgen.shared.kinds import MODEL, NOTHING, OTHER, kind_of
from mocapgen.shared.text import one_line, quoted
from schemas.errors import ConfigError, DatasetError
from schemas.shipped import ShippedModel
from schemas.train import MODEL_FORMAT, MODEL_VERSION, ModelCard, Progress

CARD, STATE, ABOUT = "card", "state", "about"
"""Names of what the metadata hold, each as JSON: the model's card, the progress of a run, what is known of a model that ships."""
MOST_HEADER_BYTES = 16 * 10**6
"""Largest header of a checkpoint: its card, the history of its run, and where its tensors are."""


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file.

    Raises
    ------
    DatasetError
        If the file is damaged or something else.
    """
    require_header(path)
    try:
        with safe_open(path, framework="np") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, error) from None


def require_header(path: Path) -> None:
    """Refuse a file that no checkpoint can be before the library reads it: what is no regular file, and a header that is too large.

    Raises
    ------
    DatasetError
        In one line.
    """
    found = kind_of(path)
    if found not in (MODEL, OTHER, NOTHING):
        raise DatasetError(one_line(str(path), f"expected a checkpoint (safetensors), found {found}"))
    with open_regular(path, "a checkpoint (safetensors)") as file:
        try:
            size = int.from_bytes(file.read(8), "little")
        except OSError as error:
            raise damaged(path, error) from None
    if size > MOST_HEADER_BYTES:
        raise damaged(path, f"a header of {size:,} bytes")


def damaged(path: Path, error: object) -> DatasetError:
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
        raise DatasetError(one_line(str(path), "expected a checkpoint of this project, found safetensors of something else"))
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version > MODEL_VERSION:
        rule = f"expected a model card of version {MODEL_VERSION} or older, found {quoted(version)}; pip install --upgrade mocapgen"
        raise DatasetError(one_line(str(path), rule))
    return checked(ModelCard, content, f"{path}: card", first=True, error=DatasetError)


def progress_of(metadata: Mapping[str, str], path: Path) -> Progress:
    """Return how far the run is that a checkpoint is of; the beginning, if the checkpoint is only there to be used.

    Raises
    ------
    DatasetError
        If it is damaged.
    """
    try:
        content = parse_json(metadata.get(STATE, "{}"), STATE)
    except ConfigError as error:
        raise damaged(path, error) from None
    return checked(Progress, content, f"{path}: {STATE}", first=True, error=DatasetError)


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
