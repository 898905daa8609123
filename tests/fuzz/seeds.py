"""Sound files of every kind that the programs read, as small as they can be, made by the programs themselves in a few seconds."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from scipy import sparse

from mocapgen import retarget
from mocapgen.formats.asf import Asf, format_asf
from mocapgen.formats.asf_amc import format_amc
from mocapgen.formats.bvh import format_bvh
from mocapgen.formats.c3d import format_c3d
from mocapgen.markers.virtual import place_markers
from mocapgen.sources.sample import clips, make
from tests.amass_files import amass_arrays, body_model, write_amass
from tests.trainer.predict.keypoints.figures import keypoints
from tests.videos import write_video
from trainer.predict.keypoints import LAYOUTS

FRAMES = 8
WIDTH, HEIGHT = 128, 72
URL = "http://127.0.0.1:9/none.zip"
"""Where nobody answers."""
SMALL = {
    "model": "cvmnet",
    "model_settings": {"width": 8, "depth": 1},
    "epochs": 1,
    "batch_size": 8,
    "threads": 1,
    "device": "cpu",
    "precision": "fp32",
    "split": "random",
    "learning_rate": 0.003,
}
"""Settings of a training that takes a moment."""
LIVE = SMALL | {"model": "stmixer", "model_settings": {"width": 8, "dilations": [1, 2], "causal": True, "patch": 1}, "target": "absolute"}
LIVE |= {"confidence": True, "joint_set": "detector", "split": "all", "validation_share": 0.0, "augment": {"missing": 0.1}}


def make_seeds(folder: Path) -> None:
    """Write all sound files into a new folder."""
    for part in ("clips", "keypoints", "openpose", "yolo", "store", "begun"):
        (folder / part).mkdir(parents=True)
    motions(folder)
    documents(folder)
    _datasets(folder)
    _keypoints(folder / "keypoints")
    _frame_folders(folder)


def motions(folder: Path) -> None:
    """Write motion-capture files."""
    wanted = [clip for clip in clips() if clip.actor in ("sa", "sb") and clip.action in ("walk", "kick") and clip.take == "001"]
    for clip in wanted:
        motion = make(clip)[0].slice(30, 30 + 2 * FRAMES)
        asf = Asf.from_skeleton(motion.skeleton, clip.actor)
        (folder / "clips" / f"HDM_{clip.actor}.asf").write_bytes(format_asf(asf))
        (folder / "clips" / f"{clip.id.replace('sample', 'HDM', 1)}.amc").write_bytes(format_amc(motion, asf))
    motion = make(wanted[0])[0].slice(30, 30 + FRAMES)
    asf = Asf.from_skeleton(motion.skeleton, "sa")
    (folder / "HDM_sa.asf").write_bytes(format_asf(asf))
    (folder / "HDM_sa_walk_001_120.amc").write_bytes(format_amc(motion, asf))
    (folder / "walk.bvh").write_bytes(format_bvh(motion))
    (folder / "kick.bvh").write_bytes(format_bvh(motion.slice(0, 3), 0.0254, "z", "XYZ"))
    (folder / "walk.c3d").write_bytes(format_c3d(place_markers(motion), "sa"))
    (folder / "kick.c3d").write_bytes(format_c3d(place_markers(motion.slice(0, 3))))
    man = retarget(motion, "average_man")
    for model in ("smpl", "smplx"):
        write_amass(folder / f"{model}_poses.npz", amass_arrays(man, model))
    np.savez(folder / "SMPLX_FEMALE.npz", **body_model(55, betas=2)[0])
    np.savez(folder / "SMPL_FEMALE.npz", **body_model(24, betas=2)[0])
    pickled = {**body_model(24, betas=2)[0], "J_regressor": sparse.csc_matrix(body_model(24)[0]["J_regressor"])}
    (folder / "smpl.pkl").write_bytes(pickle.dumps(pickled, protocol=2))
    with zipfile.ZipFile(folder / "clips.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("HDM_sa.asf", "HDM_sa_walk_001_120.amc", "walk.bvh", "walk.c3d"):
            archive.writestr(zipfile.ZipInfo(f"HDM05/{name}"), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)


def documents(folder: Path) -> None:
    """Write avatars, profiles, marker sets, policies, settings and tables."""
    from mocapgen.anatomy import avatars, marker_sets, profiles
    from mocapgen.inspect import policies

    def of(package: Any, name: str) -> Path:
        return Path(next(iter(package.__path__))) / name

    shutil.copy(of(avatars, "average_man.json"), folder / "avatar.json")
    shutil.copy(of(profiles, "humanoid.yaml"), folder / "profile.yaml")
    shutil.copy(of(marker_sets, "vicon41.yaml"), folder / "markers.yaml")
    shutil.copy(of(marker_sets, "plugingait39.yaml"), folder / "markers_more.yaml")
    shutil.copy(of(policies, "training.yaml"), folder / "policy.yaml")
    build = {"source": "folder", "fps": 60.0, "min_frames": 1, "avatars": ["average_man"], "camera": "orbit:2", "image": "640x480", "fov": 50}
    _yaml(folder / "build.yaml", build | {"actions": ["*"], "seed": 1, "lenient": True, "long": "split", "max_frames": 300, "workers": 1})
    _yaml(folder / "train.yaml", SMALL | {"augment": {"flip": 0.5, "camera": {"probability": 0.8}, "speed": [0.8, 1.2]}, "losses": {"mpjpe": 1.0}})
    (folder / "table.csv").write_text("file,actor,action,take,fps\nHDM_sa_walk_001_120.amc,sa,walk,1,120\nHDM_sb_walk_001_120.amc,sb,walk,1,\n")
    (folder / "split.txt").write_text("# test side\nHDM_sa_walk_001_120\n\n")
    for number, setting in enumerate(SETTINGS):
        (folder / f"setting{number}.txt").write_text(setting)


SETTINGS = (
    "augment.flip=0.5",
    "model_settings={width: 8, depth: 1}",
    "augment.speed=[0.8, 1.2]",
    "split=actor=sa",
    "losses.mpjpe=2",
    "window=6",
)


def _yaml(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def _datasets(folder: Path) -> None:
    from mocapgen.cli.main import main as mocapgen
    from trainer.cli.main import main as trainer

    clips_of = f"build --source hdm05 --root {folder}/clips --select all --fps 60 --min-frames 1 --workers 1"
    call(mocapgen, f"{clips_of} --avatars average_man,child_10 --out {folder}/data.h5")
    call(mocapgen, f"{clips_of} --avatars average_man --camera random:2 --actors sb --out {folder}/more.h5")
    _yaml(folder / "run.yaml", SMALL)
    _yaml(folder / "live.yaml", LIVE)
    for name in ("run", "live"):
        call(trainer, f"fit {folder}/data.h5 --config {folder}/{name}.yaml --out {folder}/{name}")
    call(trainer, f"predict {folder}/run {folder}/data.h5 --out {folder}/pred.h5 --threads 1")
    values = keypoints("coco17", FRAMES)
    (folder / "person.json").write_text(
        json.dumps({"keypoints": values.round(2).tolist(), "layout": "coco17", "fps": 30, "width": 1920, "height": 1080})
    )
    call(trainer, f"predict {folder}/live {folder}/person.json --out {folder}/person.h5 --threads 1")
    for name in ("data", "pred", "person"):
        _in_old_layout(folder / f"{name}.h5", folder / f"{name}_old.h5")
    series = f"experiments {folder}/data.h5 --out {folder}/series --recipes {folder}/run.yaml --seeds 0 --only A --epochs 1 --set test_share=0.5"
    call(trainer, f"{series} --threads 1 --device cpu")
    shutil.copy(folder / "clips.zip", folder / "store" / "HDM05_cut_amc.zip")
    call(mocapgen, f"fetch hdm05 --to {folder}/store --insecure --url {URL}")
    (folder / "begun" / ".HDM05_cut_amc.zip.partial.json").write_text(json.dumps({"url": URL, "validator": '"a"', "total": 1000}))
    (folder / "begun" / ".HDM05_cut_amc.zip.partial").write_bytes(b"PK")
    write_video(folder / "clip.mp4", [np.full((HEIGHT, WIDTH, 3), 8 * number, np.uint8) for number in range(FRAMES)])


def call(main: Any, line: str) -> None:
    """Run a command that must succeed."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        try:
            main(line.split())
        except SystemExit as end:
            if end.code not in (0, None):
                raise RuntimeError(f"{line}: {out.getvalue()}") from None


def _in_old_layout(source: Path, target: Path) -> None:
    """Write a file anew as older versions and other programs do: without checksums of what describes it."""
    with h5py.File(source) as old, h5py.File(target, "w", libver=("earliest", "v108")) as new:
        names: list[str] = []
        old.visit(names.append)
        for name in names:
            item = old[name]
            if isinstance(item, h5py.Group):
                new.require_group(name)
            else:
                new.create_dataset(name, data=item[()], dtype=item.dtype, chunks=item.chunks, maxshape=item.maxshape, compression=item.compression)
        for name in ["/", *names]:
            for key, value in old[name].attrs.items():
                new[name].attrs[key] = value


def _keypoints(folder: Path) -> None:
    coco, mediapipe = keypoints("coco17", FRAMES).round(2), keypoints("mediapipe33", FRAMES).round(2)
    flat = [[float(value) for value in frame.ravel()] for frame in coco]
    texts = {
        "own": {"keypoints": coco.tolist(), "layout": "coco17", "fps": 30, "width": 1920, "height": 1080},
        "alphapose": [
            {"image_id": f"{row}.jpg", "category_id": 1, "keypoints": points, "score": 2.5, "idx": [1.0]} for row, points in enumerate(flat)
        ],
        "coco": {
            "images": [{"id": row, "file_name": f"img_{row:04d}.jpg", "width": 1920, "height": 1080} for row in range(FRAMES)],
            "annotations": [{"id": row, "image_id": row, "keypoints": points, "num_keypoints": 17} for row, points in enumerate(flat)],
            "categories": [{"id": 1, "name": "person"}],
        },
        "mmpose": {
            "meta_info": {"dataset_name": "coco"},
            "instance_info": [{"frame_id": row + 1, "instances": [_instance(points)]} for row, points in enumerate(coco)],
        },
        "ultralytics": [[_ultralytics(points)] for points in coco],
        "by_frame": {str(row): [_ultralytics(points)] for row, points in enumerate(coco)},
        "landmarks": [{"timestamp_ms": row * 1000 / 30, "landmarks": [_dots(points)]} for row, points in enumerate(mediapipe)],
        "poses": {
            "frames": [
                {"frame": row, "landmarks": dict(zip(LAYOUTS["mediapipe33"], _dots(points), strict=True))} for row, points in enumerate(mediapipe)
            ]
        },
    }
    for name, content in texts.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "lines.jsonl").write_text("\n".join(json.dumps(line) for line in texts["alphapose"]))  # type: ignore[union-attr]
    (folder / "packed.json.gz").write_bytes(gzip.compress(json.dumps(texts["alphapose"]).encode(), mtime=0))
    with zipfile.ZipFile(folder / "frames.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for row, points in enumerate(flat):
            archive.writestr(zipfile.ZipInfo(f"out/clip_{row:012d}_keypoints.json"), json.dumps({"people": [{"pose_keypoints_2d": points}]}))
    _arrays(folder, coco)
    _tables(folder, coco, mediapipe)


def _instance(points: np.ndarray) -> dict[str, Any]:
    return {"keypoints": points[:, :2].tolist(), "keypoint_scores": points[:, 2].tolist(), "bbox": [[0, 0, 1, 1]]}


def _ultralytics(points: np.ndarray) -> dict[str, Any]:
    columns = {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "visible": points[:, 2].tolist()}
    return {"name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}, "keypoints": columns}


def _dots(points: np.ndarray) -> list[dict[str, float]]:
    return [{"x": x / 1920, "y": y / 1080, "z": 0.1, "visibility": sure} for x, y, sure in points.tolist()]


def _arrays(folder: Path, coco: np.ndarray) -> None:
    np.save(folder / "array.npy", coco)
    np.savez(folder / "array.npz", keypoints=coco, fps=30, layout="coco17")
    np.savez_compressed(folder / "packed.npz", keypoints=coco.astype("f4"))
    boxes = np.empty(FRAMES, dtype=object)
    for row, frame in enumerate(coco):
        boxes[row] = [[], np.stack([frame[:, 0], frame[:, 1], 0 * frame[:, 0], frame[:, 2]])[None]]
    np.savez(folder / "detectron2.npz", boxes=boxes, keypoints=boxes, metadata={"w": 1920, "h": 1080})
    meta = {"layout_name": "coco", "video_metadata": {"clip.mp4": {"w": 1920, "h": 1080}}}
    np.savez(folder / "videopose3d.npz", positions_2d={"clip.mp4": {"custom": [coco[..., :2]]}}, metadata=meta)
    (folder / "own.pkl").write_bytes(pickle.dumps({"keypoints": coco, "fps": 30}))
    with h5py.File(folder / "sleap.h5", "w") as file:
        file["tracks"], file["node_names"] = coco[..., :2].transpose(2, 1, 0)[None], [name.encode() for name in LAYOUTS["coco17"]]
        file["track_names"] = [b"track_0"]
    columns = [("DLC", part, axis) for part in LAYOUTS["mpii16"] for axis in ("x", "y", "likelihood")]
    numbers = keypoints("mpii16", FRAMES).reshape(FRAMES, -1)
    with h5py.File(folder / "deeplabcut.h5", "w") as file:  # as pandas writes format="table"
        rows = np.empty(FRAMES, dtype=np.dtype([("index", "<i8"), ("values_block_0", "<f8", (numbers.shape[1],))]))
        rows["index"], rows["values_block_0"] = np.arange(FRAMES), numbers
        table = file.create_group("df_with_missing").create_dataset("table", data=rows)
        table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(columns, protocol=0))


def _tables(folder: Path, coco: np.ndarray, mediapipe: np.ndarray) -> None:
    head = ["frame", *(f"{name}_{axis}" for name in LAYOUTS["mediapipe33"] for axis in ("x", "y", "visibility"))]
    rows = [[str(row), *(f"{value:.5g}" for value in (frame / [1920, 1080, 1]).ravel())] for row, frame in enumerate(mediapipe)]
    (folder / "mediapipe.csv").write_text("\n".join(",".join(line) for line in [head, *rows]))
    head = ["track", "frame_idx", "instance.score", *(f"{name}.{axis}" for name in LAYOUTS["coco17"] for axis in ("x", "y", "score"))]
    rows = [["track_0", str(row), "0.9", *(f"{value:g}" for value in frame.ravel())] for row, frame in enumerate(coco)]
    (folder / "sleap.csv").write_text("\n".join(",".join(line) for line in [head, *rows]))
    lines = [
        f"{row},{name},{x:g},{y:g},{c}"
        for row, frame in enumerate(mediapipe)
        for name, (x, y, c) in zip(LAYOUTS["mediapipe33"], frame.tolist(), strict=True)
    ]
    (folder / "long.csv").write_text("\n".join(["frame,landmark,x,y,visibility", *lines]))


def _frame_folders(folder: Path) -> None:
    for row, points in enumerate(keypoints("body_25", 4).round(2)):
        content = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": points.ravel().tolist(), "face_keypoints_2d": []}]}
        (folder / "openpose" / f"clip_{row:012d}_keypoints.json").write_text(json.dumps(content))
    for row, points in enumerate(keypoints("coco17", 4)):
        numbers = [0, 0.5, 0.5, 0.2, 0.4, *(points / [1920, 1080, 1.0]).ravel()]
        (folder / "yolo" / f"clip_{row + 1}.txt").write_text(" ".join(f"{number:.6g}" for number in numbers) + "\n")
