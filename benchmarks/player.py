"""How fast pages of ``mocapgen view`` load and play in headless Chromium: ``python -m benchmarks.player PAGE.html``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import click

from benchmarks.tables import Section, Value, show

_FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
_SIZE = {"width": 1280, "height": 800}
_PLAYER = "const p = document.querySelector('.mocap-player').player;"
_FIRST_FRAME = """
    const wait = () => {
      const player = document.querySelector(".mocap-player")?.player;
      if (player?.points) globalThis.firstFrame ??= performance.now();
      if (player?.world?.picture) globalThis.firstPicture = performance.now();
      else requestAnimationFrame(wait);
    };
    requestAnimationFrame(wait);
"""
_PLAY = """async ([count, seconds]) => {
    %s
    const avatars = [...new Set(p.rows.filter((row) => row.clip === p.scene.row.clip).map((row) => row.avatar))];
    if (p.standBeside) await p.standBeside(avatars.slice(1, count));
    p.play();
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    p.pause();
    return { ...p.times, bodies: p.world?.bodies?.length ?? 1, level: p.world?.picture?.level ?? null };
}"""


@click.command(epilog="Example: python -m benchmarks.player all.html --bodies 5")
@click.argument("pages", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
@click.option("--bodies", type=click.IntRange(1, 5), default=5, show_default=True, help="Avatars of the first clip to show beside each other.")
@click.option("--seconds", type=click.FloatRange(1), default=6.0, show_default=True, help="How long each page plays.")
@click.option("--repeat", type=click.IntRange(1), default=5, show_default=True, help="How often each page is loaded.")
@click.option("--ratio", type=float, default=1.0, show_default=True, help="Pixels of the screen per pixel of the page.")
@click.option("--markdown", is_flag=True, help="Print Markdown instead of a table.")
def main(pages: tuple[Path, ...], bodies: int, seconds: float, repeat: int, ratio: float, markdown: bool) -> None:
    """Print how long pages take to their first drawn frame, and their frame rate.

    WebGL is computed by the processor here (SwiftShader), so frame rates are far below those of any graphics chip; the time of the scripts is not.
    """
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        loads = [[_loaded(browser, page, ratio) for page in pages] for _ in range(repeat)]  # in turn, lest one page has the quieter time
        rows = tuple(_measured(browser, page, list(of), bodies, seconds, ratio) for page, *of in zip(pages, *loads, strict=True))
        browser.close()
    show(
        [Section("Pages of the player", f"Median of {repeat} loads; {_SIZE['width']} x {_SIZE['height']} at {ratio:g} pixels each.", rows)], markdown
    )


@contextmanager
def _opened(browser: Any, page: Path, ratio: float) -> Iterator[Any]:
    """Open a page up to its first frame, with the picture by WebGL if it has any."""
    context = browser.new_context(viewport=_SIZE, device_scale_factor=ratio, reduced_motion="reduce")
    try:
        tab = context.new_page()
        tab.add_init_script(_FIRST_FRAME)
        tab.goto(page.resolve().as_uri())
        tab.wait_for_function("() => globalThis.firstFrame")
        if tab.evaluate("document.querySelector('.mocap-player').player.world?.picture !== undefined"):
            tab.wait_for_function("() => globalThis.firstPicture")
        yield tab
    finally:
        context.close()


def _loaded(browser: Any, page: Path, ratio: float) -> tuple[float, float]:
    """Return how long a page takes to its first frame, and to its first picture by WebGL: NaN if it has none."""
    with _opened(browser, page, ratio) as tab:
        return tab.evaluate("[firstFrame, globalThis.firstPicture ?? NaN]")


def _measured(browser: Any, page: Path, loads: list[tuple[float, float]], bodies: int, seconds: float, ratio: float) -> dict[str, Value]:
    with _opened(browser, page, ratio) as tab:
        times = tab.evaluate(_PLAY % _PLAYER, [bodies, seconds])
    text = page.read_text(encoding="utf-8")
    data = sum(map(len, re.findall(r'<script type="[^"]*" data-mp="\w+">(.*?)</script>', text, flags=re.DOTALL)))
    frames, pictures = zip(*loads, strict=True)
    return {
        "page": page.name,
        "MB": len(text.encode()) / 1e6,
        "MB without data": (len(text.encode()) - data) / 1e6,
        "first frame ms": median(frames),
        "least": min(frames),
        "with WebGL": median(pictures),
        "bodies": times["bodies"],
        "script ms/frame": median(times["drawing"]),
        "of the slowest twentieth": quantiles(times["drawing"], n=20)[-1],
        "frames/s": 1000 / (sum(times["intervals"]) / len(times["intervals"])),
        "quality lowered": times["level"],
    }


if __name__ == "__main__":
    main()
