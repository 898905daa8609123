"""Make the picture of docs/video.md again, from a built-in motion: ``python docs/make_video_pictures.py [MODEL]``.

A figure of thick lines plays the person in the video. Needs the extras ``train`` and ``video`` and no data.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import mocapgen
from mocapgen.figures import render
from mocapgen.figures.output import mp4
from mocapgen.shared.video import Video
from schemas.conventions import H36M17, H36M17_PARENTS
from schemas.render import RenderConfig
from trainer.predict.predict import predict

SIZE = 960, 540
CLIP = "sample_sb_kick_001_120"
NAMES = tuple(H36M17)
BONES = [(NAMES.index(joint), NAMES.index(parent)) for joint, parent in H36M17_PARENTS.items() if parent is not None]
CLOTHES = {"hip": "#2f4858", "knee": "#2f4858", "ankle": "#2f4858", "elbow": "#f3c9a5", "wrist": "#f3c9a5", "head_top": "#f3c9a5"}


def picture(points: np.ndarray) -> np.ndarray:
    """Return the picture of a person from joints of h36m17, (17, 2) pixels."""
    image = Image.new("RGB", SIZE, "#c9d3da")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 400, *SIZE), fill="#a8a297")
    thick = 0.16 * float(np.linalg.norm(points[NAMES.index("pelvis")] - points[NAMES.index("thorax")]))
    for joint, parent in BONES:
        colour = next((colour for part, colour in CLOTHES.items() if part in NAMES[joint]), "#8a3b3b")
        width = round(thick * (2.6 if NAMES[joint] in ("spine", "thorax", "neck") else 1.0))
        ends = [tuple(points[parent]), tuple(points[joint])]
        draw.line(ends, fill=colour, width=width)
        for x, y in ends:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)
    return np.asarray(image)


def make(folder: Path, model: str) -> None:
    """Write the picture to a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        mocapgen.build(mocapgen.BuildConfig(source="sample", actors=("sb",), avatars=("average_man",), out=here / "data.h5"))
        with mocapgen.open_dataset(here / "data.h5") as data:
            row = next(row for row in data if row.clip["id"] == CLIP)
            _, joints = data.joint_set("h36m17")
            points = row["positions_2d"][:, joints] * (SIZE[0] / row.camera.width)
            fps = data.fps
        mp4(here / "clip.mp4", map(picture, points), fps)
        seen = np.dstack([points, np.ones(points.shape[:2])]).tolist()
        (here / "clip.json").write_text(json.dumps({"layout": "h36m17", "fps": fps, "width": SIZE[0], "height": SIZE[1], "keypoints": seen}))
        predict(model, here / "clip.json", here / "pred.h5")
        render(here / "pred.h5", RenderConfig(out=here / "overlay.mp4", video=here / "clip.mp4", dpi=80))
        with Video(here / "overlay.mp4") as video:
            image = [shown.image for shown in video][len(points) // 2]
        Image.fromarray(image).quantize(128).save(folder / "overlay.png", optimize=True)


if __name__ == "__main__":
    make(Path(__file__).parent / "images", sys.argv[1] if len(sys.argv) > 1 else "default")
