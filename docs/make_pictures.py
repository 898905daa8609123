"""Make the pictures of the manual and of the README again, from built-in motions: ``python docs/make_pictures.py``.

Needs the extras ``report`` (or ``dev``) and no data. The same version makes the same bytes, but for that of the player, which needs the package
playwright and a browser (Chromium or Chrome, or the environment variable ``CHROMIUM``), and is left out without them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import mocapgen
from mocapgen.figures import render
from mocapgen.shared.config import settings
from mocapgen.view.write_page import view
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


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLAYED = "#sequence=0&frame=31&joint=LeftFoot&beside=average_man,average_woman,tall_man,child_10"


def photograph(picture: Path) -> bool:
    """Write a picture of the player with five avatars; return False where there is no browser."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None or importlib.util.find_spec("playwright") is None:
        return False
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        data, page = Path(scratch) / "sample.h5", Path(scratch) / "sample.html"
        mocapgen.build(mocapgen.BuildConfig(source="sample", actors=("sa", "sb"), actions=("kick", "throw", "walk"), out=data))
        view(data, out=page)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", color_scheme="light")
        tab.goto(page.as_uri() + PLAYED)
        tab.evaluate("async () => { await document.querySelector('.mocap-player').player.ready; }")
        tab.wait_for_timeout(8000)  # pictures of the clips are drawn when there is time
        tab.screenshot(path=picture, timeout=120_000)
        browser.close()
    return True


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
    found = photograph(folder / "player.png")
    sys.stdout.write(f"{folder / 'player.png'}\n" if found else "player.png: left out, as there is no browser or no package playwright\n")
