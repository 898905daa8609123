"""Files that are none, damaged or meant to harm: one line that says what was found, in no time, and nothing is run."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import random
import struct
import time
import tracemalloc
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import DatasetError
from tests.trainer.predict.keypoints.damage import documents, files, with_odd_bytes, with_odd_value
from tests.trainer.predict.keypoints.figures import IMAGE, keypoints
from trainer.predict.keypoints import read_keypoints
from trainer.predict.keypoints.frames import rows_of

KINDS = {
    "video.mp4": (b"\x00\x00\x00\x20ftypisom" + b"\x00" * 50, r"found a video \(MP4\); `trainer predict RUN VIDEO`"),
    "film.json": (b"\x1aE\xdf\xa3" + b"\x00" * 50, r"found a video \(Matroska or WebM\)"),
    "film.avi": (b"RIFF\x00\x00\x00\x00AVI LIST", r"found a video \(AVI\)"),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 20, r"found a picture \(PNG\); give the video, or its keypoints"),
    "picture.json": (b"\xff\xd8\xff\xe0" + b"\x00" * 20, r"found a picture \(JPEG\)"),
    "walk.bvh": (b"HIERARCHY\nROOT Hips\n{\n", r"found motion capture \(BVH\); it is 3D already"),
    "walk.c3d": (b"\x02\x50\x01\x00" + b"\x00" * 600, r"found motion capture \(C3D\)"),
    "walk.amc": (b":FULLY-SPECIFIED\n:DEGREES\n1\nroot 0 0 0\n", r"found motion capture \(AMC\)"),
    "text.txt": (b"Dear all,\nhow are you?\n", "expected JSON, found"),
    "page.html": (b"<!DOCTYPE html><html></html>", "expected JSON, found"),
    "table.csv": (b"a,b,c,d\n1,2,3,4\n5,6,7,8\n", r"expected columns of joints \(x_0, y_0, ... or nose_x, nose_y, ...\), found a, b, c, d"),
    "empty.csv": (b"", "expected JSON, found"),
    "deep.json": (b"[" * 100_000, "expected JSON, found"),
    "large.json": (b'{"keypoints": [[[1' + b"0" * 400 + b", 2, 3]]]}", "expected keypoints as numbers"),
    "digits.json": (b'{"keypoints": [[[1' + b"0" * 5000 + b", 2, 3]]]}", "found"),
    "short.npz": (b"PK\x03\x04" + b"\x00" * 100, "expected a whole archive"),
    "cut.npy": (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 17, 3), }" + b" " * 40 + b"\n", "found"),
    "other.pkl": (pickle.dumps({"keypoints": [1, 2]}), "expected keypoints of shape"),
}


@pytest.mark.parametrize("name", KINDS)
def test_other_files_are_called_what_they_are(tmp_path: Path, name: str) -> None:
    content, words = KINDS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=words) as caught:
        read_keypoints(tmp_path / name, fps=30, image=IMAGE)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


class Harm:
    """A pickle of it runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    harm = np.empty(1, dtype=object)
    harm[0] = Harm(tmp_path / "harmed")
    np.save(tmp_path / "k.npy", harm)
    np.savez(tmp_path / "k.npz", positions_2d=harm)
    (tmp_path / "k.pkl").write_bytes(pickle.dumps({"keypoints": Harm(tmp_path / "harmed")}))
    for name in ("k.npy", "k.npz", "k.pkl"):
        with pytest.raises(DatasetError, match=r"found a Python object \((posix|os|nt)\.system\), which could run a program"):
            read_keypoints(tmp_path / name, fps=30, image=IMAGE)
    assert not (tmp_path / "harmed").exists()


def test_frames_of_several_videos_are_named(tmp_path: Path) -> None:
    values = keypoints("body_25", 4)
    for clip in ("jump", "walk2"):
        for row, frame in enumerate(values):
            content = {"people": [{"pose_keypoints_2d": frame.ravel().tolist()}]}
            (tmp_path / f"{clip}_{row:012d}_keypoints.json").write_text(json.dumps(content))
    with pytest.raises(
        DatasetError, match=r"expected the frames of one video, found those of 2: jump_\*_keypoints \(4\), walk2_\*.*; give one of them"
    ):
        read_keypoints(tmp_path, fps=30, image=IMAGE)
    assert len(read_keypoints(tmp_path / "jump_*_keypoints*", fps=30, image=IMAGE).people[0].positions) == 4


def test_numbers_that_are_no_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected the frames of a video, found 3 with numbers from 7 to 581,781"):
        rows_of([7, 397133, 581781], tmp_path)
    with pytest.raises(DatasetError, match="expected the number of the frame in every name, found 'left'"):
        rows_of(["left", "right"], tmp_path)


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["2.jpg", "10.jpg", "1.jpg"], [2, 10, 1]),
        (["img_0001.jpg", "img_0003.jpg"], [0, 2]),
        (["a/clip7_000012.png", "a/clip7_000010.png"], [12, 10]),
        (["frame12.png", "frame9.png"], [12, 9]),
        (["v1_3_720p.json", "v1_4_720p.json"], [3, 4]),
        (["00001", "00002"], [0, 1]),
        ([0, 5, 2], [0, 5, 2]),
        ([1, 2, 3], [0, 1, 2]),
        (["clip_000000000001_keypoints.json", "clip_000000000002_keypoints.json"], [1, 2]),
    ],
)
def test_names_of_frames(tmp_path: Path, names: list[Any], rows: list[int]) -> None:
    assert rows_of(names, tmp_path)[0].tolist() == rows


def test_a_crowd_of_noise_is_read_in_no_time(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = random.integers(0, 150, 3000)
    people = [{"image_id": int(row), "keypoints": random.uniform(0, 1000, 51).round(1).tolist()} for row in rows]
    (tmp_path / "k.json").write_text(json.dumps(people))
    begin = time.process_time()
    assert read_keypoints(tmp_path / "k.json", "coco17", fps=30, image=IMAGE).people
    assert time.process_time() - begin < 4.0


def test_a_portrait_given_as_a_landscape_is_noted(tmp_path: Path) -> None:
    values = keypoints("coco17", 10, size=800.0, at=(540.0, 1000.0))
    (tmp_path / "k.json").write_text(json.dumps({"keypoints": values.tolist(), "layout": "coco17"}))
    notes = read_keypoints(tmp_path / "k.json", fps=30, image=(1920, 1080)).notes
    assert any("is the video upright?" in note for note in notes)
    assert not read_keypoints(tmp_path / "k.json", fps=30, image=(1080, 1920)).notes


def test_an_image_size_that_is_much_too_large_is_said(tmp_path: Path) -> None:
    values = keypoints("coco17", 10, size=300.0, at=(430.0, 240.0))
    (tmp_path / "k.json").write_text(json.dumps({"keypoints": values.tolist(), "layout": "coco17"}))
    assert not read_keypoints(tmp_path / "k.json", fps=30, image=(854, 480)).notes
    assert any("is that its size?" in note for note in read_keypoints(tmp_path / "k.json", fps=30, image=(1920, 1080)).notes)


def answer(path: Path, **known: Any) -> str:
    """Return what comes of reading a file: nothing if it can be read, else the line that says why not."""
    try:
        read_keypoints(path, **known)
    except DatasetError as error:
        line = str(error)
        assert len(line) <= 300
        assert line.isprintable()
        assert line.startswith(f"{path}: ")
        return line
    return ""


@pytest.mark.parametrize("seed", range(4))
def test_damage_of_any_kind_gives_people_or_one_line(tmp_path: Path, seed: int) -> None:
    chance, texts, sound = random.Random(seed), documents(), files()
    for _ in range(100):
        if chance.random() < 0.5:
            name = chance.choice(list(texts))
            data = json.dumps(with_odd_value(texts[name], chance)).encode("utf-8", "surrogatepass")
        else:
            name = chance.choice(list(sound))
            data = with_odd_bytes(sound[name], chance)
        (tmp_path / name).write_bytes(data)
        known = {"fps": 30.0, "image": IMAGE} if chance.random() < 0.7 else {}
        line = answer(tmp_path / name, **known)
        assert "another form" not in line, data[:500]  # what no reader has looked for


def npy(shape: str) -> bytes:
    """Return the header of an npy file."""
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@cache
def bombs() -> dict[str, bytes]:
    """Return small files that unfold to much more, or whose numbers promise it."""
    references: Any = [0.0] * 10
    for _ in range(7):
        references = [references] * 10
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("keypoints.npy", npy("(100000, 17, 3)") + bytes(40_800_000))
    inner = b"{}"
    for _ in range(8):
        inner = gzip.compress(inner, mtime=0)
    return {
        "numbers.json.gz": gzip.compress(b"0," * 20_000_000, 1, mtime=0),
        "arrays.npz": archive.getvalue(),
        "empty lists.json": b'{"keypoints": [' + b"[]," * 3_000_000 + b"[]]}",
        "empty frames.json": b"[" + b'{"a":0},' * 900_000 + b"{}]",
        "levels.json": b"[" * 900 + b"]" * 900,
        "archives.json.gz": inner,
        "memo.pkl": b"\x80\x02]r\xff\xff\xff\x7f.",
        "references.pkl": pickle.dumps({"keypoints": references}),
        "sets.pkl": b"\x80\x04" + b"\x8f" * 5_000_000 + b".",
        "shape.npy": npy("(10000000000000000000, 17, 3)"),
        "negative.npy": npy("(-1, -17, 3)"),
        "header.npy": npy("(" * 3000),
        "empty.npy": npy("(4000000000, 0, 3)"),
        "columns.csv": b"x_0," * 1_000_000 + b"\n" + b"1,2,3,4\n" * 100_000,
        "name.csv": b"a" + b"_" * 300_000 + b"!,b,c,d\n1,2,3,4\n",
        "joints.csv": b"frame,joint,x,y\n" + b"".join(b"%d,j%d,1,2\n" % (row, row) for row in range(30_000)),
        "gap.json": json.dumps([{"frame": row, "keypoints": [1, 2, 3] * 17} for row in (0, 10**12)]).encode(),
        "points.json": json.dumps({"keypoints": [[[1, 2]] * 100_000]}).encode(),
        "keys.json": ("{" + ",".join(f'"k{row}":[0]' for row in range(200_000)) + "}").encode(),
    }


@pytest.mark.parametrize(("name", "data"), bombs().items(), ids=lambda value: value if isinstance(value, str) else "")
def test_small_files_of_gigabytes_are_refused_at_once(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    begin = time.process_time()
    assert answer(tmp_path / name, fps=30.0, image=IMAGE)
    assert time.process_time() - begin < 4.0


@pytest.mark.parametrize("name", ["numbers.json.gz", "arrays.npz", "memo.pkl", "shape.npy", "empty.npy"])
def test_what_unfolds_fills_no_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bombs()[name])
    tracemalloc.start()
    assert answer(tmp_path / name, fps=30.0, image=IMAGE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000_000


@pytest.mark.parametrize("content", ['{"keypoints": [], "keypoints": [[[1, 2, 3]]]}', '[{"frame": 1, "people": [], "frame": 2}]'])
def test_a_key_twice_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "k.json").write_text(content)
    assert "expected JSON, found the key '" in answer(tmp_path / "k.json", fps=30.0, image=IMAGE)


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert "found a device, pipe or socket" in answer(tmp_path / "pipe.json")
    assert "found a device, pipe or socket" in answer(Path("/dev/zero"))
    assert "expected OpenPose's JSON files" in answer(tmp_path)


def test_a_crowd_in_a_sparse_video_fills_no_memory(tmp_path: Path) -> None:
    crowd = [keypoints("coco17", 1, size=100.0, at=(40.0 * number, 500.0))[0] for number in range(48)]
    people = [{"image_id": 150 * row, "keypoints": one.ravel().round().tolist()} for row in range(150) for one in crowd]
    (tmp_path / "k.json").write_text(json.dumps(people))
    tracemalloc.start()
    found = read_keypoints(tmp_path / "k.json", "coco17", fps=30, image=IMAGE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000_000
    assert len(found.people) * len(found.people[0].positions) <= 700_000
    assert any("people who are seen in fewer frames than" in note for note in found.notes)
