"""Sound files of keypoints of every kind, and ways to damage them: for tests that no damage leads to anything but a result or one line."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.trainer.predict.keypoints.figures import keypoints
from tests.trainer.predict.keypoints.test_tools import COCO, MEDIAPIPE, deeplabcut, flat
from trainer.predict.keypoints import LAYOUTS

FRAMES = 6
"""Of each sound file."""
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 10**12, 10**18, 10**30, -(10**40), 10**400, 0.5, -0.0, 1e9, 1e300, -1e308, 5e-324),
    *(float("nan"), float("inf"), -float("inf"), "", "x", "12", "1e999", "nan", "\ud800", "\x1b[31m\x00\n", "é" * 300, "left_knee", "0001.jpg"),
    *([], {}, [[]], [{}], {"": {}}, [None], [[None]], {"x": 1}, {"x": [], "y": {}}, [0] * 51, ["a"] * 51, [[1, 2, 3]] * 17, [[[[[[[[1]]]]]]]]),
    *({"keypoints": [1, 2, 3]}, {"people": [{"keypoints": []}]}, {"frame": []}, {"id": [[[7]]]}, [1, [2], {"x": 3}], {"landmark": {"landmark": 1}}),
)
"""What stands where something else should."""
_BYTES = (
    b"\x00",
    b"\xff",
    b'"',
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"-",
    b"1e999",
    b"9" * 400,
    b"NaN",
    b"null",
    b"\n",
    b"\r",
    b"\x1b",
    b"\xed\xa0\x80",
)


def documents() -> dict[str, Any]:
    """Return what JSON files of every tool hold."""
    coco, mediapipe = keypoints("coco17", FRAMES), keypoints("mediapipe33", FRAMES)
    out = {f"{name}.json": write(coco) for name, write in COCO.items()} | {f"{name}.json": write(mediapipe) for name, write in MEDIAPIPE.items()}
    out["own.json"] = {"keypoints": coco.tolist(), "confidence": coco[..., 2].tolist(), "layout": "coco17", "fps": 30, "width": 1920, "height": 1080}
    out["people.json"] = {"layout": "coco17", "fps": 30, "people": [[frame.tolist(), frame.tolist()] for frame in coco]}
    out["cmu.json"] = {f"{row}.jpg": {"version": "0.3", "bodies": [{"joints": flat(frame)}]} for row, frame in enumerate(keypoints("coco18", FRAMES))}
    return out


def files() -> dict[str, bytes]:
    """Return the contents of sound files by their names."""
    out = {name: json.dumps(content).encode() for name, content in documents().items()}
    coco = keypoints("coco17", FRAMES)
    out["lines.jsonl"] = "\n".join(map(json.dumps, COCO["AlphaPose"](coco))).encode()
    out["packed.json.gz"] = gzip.compress(out["own.json"], mtime=0)
    out["yolo.txt"] = "\n".join(" ".join(map(str, [0, 0.5, 0.5, 0.2, 0.4, *flat(frame / [1920, 1080, 1])])) for frame in coco).encode()
    return out | _tables(coco) | _arrays(coco) | _archives(coco)


def _tables(coco: np.ndarray) -> dict[str, bytes]:
    names = [f"{name}_{axis}" for name in LAYOUTS["coco17"] for axis in ("x", "y", "score")]
    columns, values = deeplabcut(keypoints("mpii16", FRAMES))
    heads = [",".join([name, *(column[place] for column in columns)]) for place, name in enumerate(("scorer", "bodyparts", "coords"))]
    rows = [f"{row},{name},{x},{y},{c}" for row, frame in enumerate(coco) for name, (x, y, c) in zip(LAYOUTS["coco17"], frame.tolist(), strict=True)]
    tables = {
        "wide.csv": [",".join(["frame", *names]), *(",".join(map(str, [row, *flat(frame)])) for row, frame in enumerate(coco))],
        "timed.csv": [
            ";".join(["time_ms", "track_id", *names]),
            *(";".join(map(str, [row * 33, 7, *flat(frame)])) for row, frame in enumerate(coco)),
        ],
        "deeplabcut.csv": [*heads, *(",".join(map(str, [row, *line])) for row, line in enumerate(values))],
        "long.csv": ["frame,landmark,x,y,visibility", *rows],
    }
    return {name: "\n".join(lines).encode() for name, lines in tables.items()}


def _arrays(coco: np.ndarray) -> dict[str, bytes]:
    boxes = np.empty(FRAMES, dtype=object)
    boxes[:] = [[[], np.stack([frame[:, 0], frame[:, 1], 0 * frame[:, 0], frame[:, 2]])[None]] for frame in coco]
    meta = {"layout_name": "coco", "video_metadata": {"clip.mp4": {"w": 1920, "h": 1080}}}
    mmaction = {"keypoint": coco[None, ..., :2], "keypoint_score": coco[None, ..., 2], "img_shape": (1080, 1920), "total_frames": FRAMES}
    return {
        "own.npz": _saved(np.savez, keypoints=coco, fps=30, layout="coco17", width=1920, height=1080),
        "small.npz": _saved(np.savez_compressed, keypoints=coco.astype(np.float32)),
        "people.npy": _saved(np.save, coco[:, None]),
        "dictionary.npy": _saved(np.save, {"keypoints": coco}),
        "detectron2.npz": _saved(np.savez, boxes=boxes, keypoints=boxes, metadata={"w": 1920, "h": 1080}),
        "videopose3d.npz": _saved(np.savez, positions_2d={"clip.mp4": {"custom": [coco[..., :2]]}}, metadata=meta),
        "mmaction.pkl": pickle.dumps(mmaction),
        "lists.pkl": pickle.dumps({"keypoints": coco.tolist(), "fps": 30}, protocol=2),
    }


def _saved(save: Callable[..., None], *arrays: Any, **named: Any) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def _archives(coco: np.ndarray) -> dict[str, bytes]:
    out = {}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for row, frame in enumerate(coco):
                archive.writestr(
                    f"out/clip_{row:012d}_keypoints.json", json.dumps({"people": [{"pose_keypoints_2d": flat(frame), "person_id": [-1]}]})
                )
        out[f"openpose{method}.zip"] = file.getvalue()
    return out


def with_odd_value(content: Any, chance: random.Random) -> Any:
    """Return JSON in which something else stands at one place, which may be a key's."""
    if not isinstance(content, dict | list) or not content or chance.random() < 0.12:
        return chance.choice(ODD)
    if isinstance(content, list):
        place = chance.choice((0, len(content) - 1, chance.randrange(len(content))))
        changed = [with_odd_value(content[place], chance)] if chance.random() < 0.9 else []
        return [*content[:place], *changed, *content[place + 1 :]]
    key = chance.choice(list(content))
    items = dict(content)
    if chance.random() < 0.1:
        items[str(chance.choice(ODD))] = items.pop(key)
    else:
        items[key] = with_odd_value(content[key], chance)
    return items


def with_odd_bytes(data: bytes, chance: random.Random) -> bytes:
    """Return a file with bytes changed, left out, doubled or added, or cut off; most of it at its beginning or end, where headers are."""
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        if not data:
            break
        reach = chance.choice((64, 512, len(data)))
        place = min(chance.randrange(min(reach, len(data))), len(data) - 1)
        place = len(data) - 1 - place if chance.random() < 0.3 else place
        kind = chance.randrange(6)
        if kind == 0:
            data = data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        elif kind == 2:
            data = data[:place] + chance.choice(_BYTES) + data[place + chance.randrange(2) :]
        elif kind == 3:
            data = data[:place] + data[place + chance.choice((1, 4, 50)) :]
        elif kind == 4:
            data = data[:place] + data[place : place + 40] * 2 + data[place + 40 :]
        else:
            data = data[:place]
    return data
