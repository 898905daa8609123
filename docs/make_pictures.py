"""Make the pictures of the manual and of the README again, from built-in motions: ``python docs/make_pictures.py``.

Needs the extras ``report`` (or ``dev``) and no data. The same version makes the same bytes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import mocapgen
from mocapgen.figures import render
from mocapgen.shared.config import settings
from schemas.render import RenderConfig

IMAGES = Path(__file__).parent / "images"

PICTURES: dict[str, dict[str, Any]] = {
    "demo.gif": {"clip": "sample_sb_kick_001_120", "avatar": "average_man", "theme": "dark", "size": "880x340", "trail": "LeftFoot"},
    "avatars.gif": {"clip": "sample_sa_kick_001_120", "avatars": "all", "theme": "dark", "size": "880x360", "fps": 15.0},
    "figure.png": {"clip": "sample_sb_kick_001_120", "avatar": "average_man", "dpi": 110},
    "filmstrip.png": {"clip": "sample_sb_depositFloor_001_120", "avatar": "average_woman", "count": 8, "dpi": 110},
    "avatars.png": {"clip": "sample_sa_throw_001_120", "avatars": "all", "dpi": 110},
    "sheet.png": {"sheet": True, "actors": "sa", "avatar": "average_man", "dpi": 110},
}
"""File to settings, as of ``mocapgen render``."""


def make(folder: Path) -> None:
    """Write all pictures to a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "sample.h5"
        mocapgen.build(mocapgen.BuildConfig(source="sample", actors=("sa", "sb"), out=data))
        for name, options in PICTURES.items():
            told = render(data, settings(RenderConfig, {"out": folder / name, "overwrite": True, **options}))
            sys.stdout.write(f"{told.pairs['file']}\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    make(folder)
