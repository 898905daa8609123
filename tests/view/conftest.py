"""Small files to look at, pages taken apart again, and a browser, if there is one."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from mocapgen import BuildConfig, build, open_dataset
from mocapgen.view.codec import dequantise
from mocapgen.view.packing import STEP_2D, STEP_3D
from mocapgen.view.write_page import view
from schemas.conventions import file_conventions
from schemas.dataset import LAYOUT
from schemas.predictions import CONVENTIONS, PREDICTIONS_LAYOUT


def decode(text: str, frames: int, parents: Sequence[int], axes: int) -> np.ndarray:
    """Undo `encode`, as the page does: (T, J, D) int32."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8).reshape(4, -1)
    folded = np.ascontiguousarray(planes.T).view("<u4").reshape(-1, frames)
    second = (folded >> np.uint32(1)) ^ (np.uint32(0) - (folded & np.uint32(1)))
    series = np.cumsum(np.cumsum(second, axis=1, dtype=np.uint32), axis=1, dtype=np.uint32)
    values = np.ascontiguousarray(series.T).reshape(frames, len(parents), axes)
    for joint, parent in enumerate(parents):
        if 0 <= parent < joint:
            values[:, joint] += values[:, parent]
    return values.view(np.int32)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``unity``: two actors, two actions, two avatars, one camera; ``opencv``: one clip, two avatars, three cameras. Never to be changed."""
    folder = tmp_path_factory.mktemp("view")
    wanted: dict[str, dict[str, Any]] = {
        "unity": {"actors": ("sa", "sb"), "actions": ("kick", "lieDown")},
        "opencv": {"actors": ("sa",), "actions": ("walk",), "camera": "orbit:3", "camera_frame": "opencv"},
    }
    for name, settings in wanted.items():
        avatars = ("average_man", "child_10")
        build(BuildConfig(source="sample", select="one-per-actor", avatars=avatars, workers=1, out=folder / f"{name}.h5", **settings))
    return {name: folder / f"{name}.h5" for name in wanted}


@pytest.fixture
def copy(files: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the ``unity`` file, to be changed."""
    return Path(shutil.copy(files["unity"], tmp_path / "data.h5"))


def write_predictions(truth: Path, path: Path, rows: list[int], offset: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Path:
    """Write a predictions file for rows of a dataset: the truth of h36m17, moved, the right wrist 85 mm further along x."""
    with open_dataset(truth) as data, h5py.File(path, "w") as file:
        names, joints = data.joint_set("h36m17")
        picked = [data[row] for row in rows]
        positions = np.concatenate([row["positions_3d"][:, joints] for row in picked]) + np.array(offset, dtype=np.float32)
        positions[:, names.index("right_wrist"), 0] += 0.085
        columns: dict[str, Any] = {
            "/frames/positions_3d": positions,
            "/frames/positions_2d": np.concatenate([row["positions_2d"][:, joints] for row in picked]),
            "/frames/confidence": np.ones(positions.shape[:2]),
            "/sequences/start": np.cumsum([0] + [row.length for row in picked[:-1]]),
            "/sequences/length": [row.length for row in picked],
            "/sequences/name": [f"sequence {row.number}" for row in picked],
            **{f"/sequences/{name}": [row.clip[name] for row in picked] for name in ("actor", "action")},
            "/sequences/clip": [row.clip["id"] for row in picked],
            "/sequences/avatar": [row.avatar for row in picked],
            "/sequences/camera": [int(data.sequences["camera"][row.number]) for row in picked],
            **{array.path: data.file[array.path][()] for array in LAYOUT.table("/cameras")},
            **{array.path: data.file[array.path.replace("<name>", "h36m17")][()] for array in LAYOUT.table("/joint_sets/<name>")},
            "/joint_sets/<name>/joints": np.arange(len(names)),
        }
        for array in PREDICTIONS_LAYOUT.arrays:
            kind = h5py.string_dtype() if array.dtype == "str" else array.dtype
            file.create_dataset(array.path.replace("<name>", "h36m17"), data=np.array(columns[array.path], dtype=kind))
        said = file_conventions("unity" if data.camera_frame == "unity" else "opencv")
        file.attrs.update({"format": "mocapgen-predictions", "schema_version": "1.0", "generator": "test", "fps": data.fps, "root": "placed"})
        file.attrs.update({"conventions": json.dumps({name: said[name] for name in CONVENTIONS}), "model": "{}", "source": "{}"})
    return path


@dataclass(frozen=True)
class Unpacked:
    """What a page holds, read back in Python."""

    header: dict[str, Any]
    blocks: list[str]

    def row(self, number: int) -> dict[str, Any]:
        return next(row for row in self.header["sequences"] if row["number"] == number)

    def array(self, number: int, name: str) -> np.ndarray:
        """``world`` (T, J, 3) metres, or the stored ``pixels`` (T, J, 2), of a sequence."""
        row = self.row(number)
        axes, step = (3, STEP_3D) if name == "world" else (2, STEP_2D)
        return dequantise(decode(self.blocks[row[name]], row["frames"], self.header["figures"][row["figure"]]["parents"], axes), step)


def unpack(page: str) -> Unpacked:
    """Read the data of a page or of a part of one."""
    texts = dict(re.findall(r'<script type="[^"]*" data-mp="(\w+)">(.*?)</script>', page, flags=re.DOTALL))
    header = json.loads(texts["header"])
    ends = np.cumsum(header["blocks"])
    blocks = texts["blocks"] + texts["rest"]
    assert len(blocks) == (ends[-1] if len(ends) else 0)
    return Unpacked(header, [blocks[end - length : end] for end, length in zip(ends, header["blocks"], strict=True)])


PLAYER = "document.querySelector('.mocap-player').player"
SCREENSHOT = "GPU stall due to ReadPixels"  # what the browser says when it takes a picture of WebGL
NO_WEBGL = """(() => {
  const plain = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind.startsWith("webgl") ? null : plain.call(this, kind, ...rest); };
})()"""


class Opened:
    """A page in the browser, with everything it complained of or asked for."""

    def __init__(self, page: Any, path: Path, hash: str) -> None:
        self.page = page
        page.set_default_timeout(60_000)  # a browser that shares its processor may take long
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: None if SCREENSHOT in message.text else self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self.requests.append(request.url.partition("#")[0]))
        self.address = path.resolve().as_uri()
        page.goto(self.address + hash)
        self.do("await p.ready")
        self.settle()

    def do(self, script: str) -> Any:
        """Run a script in which p is the player."""
        return self.page.evaluate(f"async () => {{ const p = {PLAYER}; {script} }}")

    def wait(self, condition: str) -> None:
        """Wait until a condition on the player p holds."""
        self.page.wait_for_function(f"() => {{ const p = {PLAYER}; return {condition}; }}", timeout=30_000)

    def settle(self) -> None:
        """Wait until what has been asked for is drawn, with the picture of the 3D pane if there can be one."""
        frames = "await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));"
        self.do(f"{frames} await p.world.coming; {frames}")

    def picture(self, name: str) -> np.ndarray:
        """Return the pixels of a canvas (``image`` or ``world``): (height, width, 3) uint8."""
        self.settle()
        shot = self.page.locator(f'canvas[data-mp="{name}"]').screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))

    @property
    def frame(self) -> int:
        return int(self.do("return p.frame"))


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open a page: path, hash, whether there is WebGL, and what the browser prefers to an Opened; at the end nobody may have complained."""
    opened: list[tuple[Any, Opened]] = []

    def start(path: Path, hash: str = "", *, webgl: bool = True, **preferences: Any) -> Opened:
        settings = {"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce", "color_scheme": "light"} | preferences
        context = browser.new_context(**settings)
        if not webgl:
            context.add_init_script(NO_WEBGL)
        opened.append((context, Opened(context.new_page(), path, hash)))
        return opened[-1][1]

    yield start
    for context, page in opened:
        assert page.complaints == []
        assert set(page.requests) == {page.address}
        context.close()


@pytest.fixture(scope="module")
def unity_page(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return view(files["unity"], out=tmp_path_factory.mktemp("page") / "unity #1 é.html").path
