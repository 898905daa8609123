"""From 2D keypoints to 3D: train a small model for a few seconds, write keypoints as a detector gives them, predict, compare with the truth."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import mocapgen
from schemas.predictions import PredictConfig
from trainer.fit import fit
from trainer.predict.predict import predict
from trainer.recipes.settings import read_recipe, train_config


def write_keypoints(data: Path, sequence: int, path: Path) -> tuple[np.ndarray, float]:
    """Write the joints of one sequence as seen by a detector; returns the true 3D, (T, 17, 3) metres, and the camera's focal length."""
    with h5py.File(data) as file:
        start, length = file["sequences/start"][sequence], file["sequences/length"][sequence]
        joints, camera = file["joint_sets/h36m17/joints"][()], file["sequences/camera"][sequence]
        pixels = file["frames/positions_2d"][start : start + length][:, joints].astype(float)
        truth = file["frames/positions_3d"][start : start + length][:, joints]
        focal, size = file["cameras/K"][camera, 0, 0], [int(file[f"cameras/{name}"][camera]) for name in ("width", "height")]
    random = np.random.default_rng(0)
    pixels += random.normal(0, 2, pixels.shape)
    confidence = random.uniform(0.6, 1.0, pixels.shape[:2])
    confidence[random.random(confidence.shape) < 0.05] = 0.0  # not seen
    keypoints = np.concatenate([pixels, confidence[..., None]], axis=2).tolist()
    path.write_text(json.dumps({"keypoints": keypoints, "layout": "h36m17", "fps": 30, "width": size[0], "height": size[1]}))
    return truth, float(focal)


def main() -> None:
    """Predict from a made-up detector's keypoints, or from a file of your own: KEYPOINTS LAYOUT FPS."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data.h5"
        mocapgen.build(mocapgen.BuildConfig(source="sample", actions=("walk", "kick", "squat"), avatars=("average_man",), out=data, workers=1))
        # A throw-away model. For a good one: `trainer fit` on all of HDM05, with the default recipe.
        settings = train_config(read_recipe("default"), {"epochs": 20, "batch_size": 8, "threads": 1, "model_settings": {"width": 64}})
        run = fit(data, settings, folder / "run").folder

        keypoints = folder / "keypoints.json"
        truth, focal = write_keypoints(data, 0, keypoints)
        config = PredictConfig(focal=focal)
        if len(sys.argv) > 3:
            keypoints, config = Path(sys.argv[1]), PredictConfig(layout=sys.argv[2], fps=float(sys.argv[3]))
        predict(run, keypoints, folder / "pred.h5", config)

        with h5py.File(folder / "pred.h5") as file:
            names = list(file["joint_sets/h36m17/names"].asstr())
            for row, label in enumerate(file["sequences/name"].asstr()):
                start, length = file["sequences/start"][row], file["sequences/length"][row]
                positions = file["frames/positions_3d"][start : start + length]
                print(f"{label}: {length} frames at {file.attrs['fps']:g} fps, {len(names)} joints, {positions[:, 0, 2].mean():.2f} m away")
        if len(sys.argv) <= 3:
            error = np.linalg.norm((positions - positions[:, :1]) - (truth - truth[:, :1]), axis=-1).mean()
            print(f"mean per-joint error, relative to the pelvis: {1000 * error:.0f} mm")


if __name__ == "__main__":
    main()
