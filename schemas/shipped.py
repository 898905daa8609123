"""What somebody who gets a trained model with the package should know of it; stored in its file, beside the model's card."""

from __future__ import annotations

from datetime import date as Date

from pydantic import Field

from schemas.base import Model


class ShippedModel(Model):
    """Origin, licence and figures of a model that ships."""

    purpose: str = Field(min_length=1)
    """What it is for, in one line."""
    licence: str = Field(min_length=1)
    """Licence of the weights."""
    credits: tuple[str, ...] = Field(min_length=1)
    """What has to be said where the weights are passed on: a sentence each."""
    data: tuple[str, ...] = Field(min_length=1)
    """What it was trained on, a line each."""
    figures: dict[str, str]
    """What was measured, and on what, to the figure with its unit."""
    date: Date
    """Day of the training."""
    commands: tuple[str, ...] = Field(min_length=1)
    """Command lines that make the same model again, in order."""
