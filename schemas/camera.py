"""Settings of camera rigs and stored fields of cameras."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.base import Settings

RIG_PATTERN = re.compile(r"^(?P<name>[a-z]+)(?::(?P<count>[1-9][0-9]{0,3}))?$")


def _check_rig(text: str) -> str:
    if not RIG_PATTERN.match(text):
        raise ValueError(f"expected NAME or NAME:COUNT such as front, orbit:8 or random:4, found {text!r}")
    return text


RigName = Annotated[str, AfterValidator(_check_rig)]


class ImageSize(Settings):
    """Size of the image in pixels."""

    width: int = Field(default=1920, ge=16, le=65536)
    """Pixels along x."""
    height: int = Field(default=1080, ge=16, le=65536)
    """Pixels along y."""
