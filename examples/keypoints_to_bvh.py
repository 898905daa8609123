"""From 2D keypoints to BVH: train a small model for a few seconds, predict from a detector's keypoints, solve for rotations, write BVH."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import mocapgen
from mocapgen.export import export
from schemas.predictions import PredictConfig
from schemas.train import TrainConfig
from trainer.fit import fit
from trainer.predict.predict import predict


def write_keypoints(data: Path, path: Path) -> None:
    """Write the joints of the first sequence as a detector would find them, two pixels off."""
    with h5py.File(data) as file:
        length, joints = file["sequences/length"][0], file["joint_sets/h36m17/joints"][()]
        pixels = file["frames/positions_2d"][:length][:, joints].astype(float)
        width, height = int(file["cameras/width"][0]), int(file["cameras/height"][0])
    pixels += np.random.default_rng(0).normal(0, 2, pixels.shape)
    path.write_text(json.dumps({"keypoints": pixels.tolist(), "layout": "h36m17", "fps": 30, "width": width, "height": height}))


def main() -> None:
    """Write the motion of made-up keypoints, or of those of your own detector: KEYPOINTS LAYOUT FPS OUT.bvh."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data.h5"
        mocapgen.build(mocapgen.BuildConfig(source="sample", actions=("walk", "kick", "squat"), avatars=("average_man",), out=data, workers=1))
        # A throw-away model. For a good one: `trainer fit` on all of HDM05, with the default recipe.
        settings = TrainConfig(model="cvmnet", model_settings={"width": 64, "depth": 1}, epochs=20, batch_size=8, threads=1, device="cpu")
        run = fit(data, settings, folder / "run").folder

        keypoints, config, out = folder / "keypoints.json", PredictConfig(fov=60.0), folder / "motion.bvh"
        write_keypoints(data, keypoints)
        if len(sys.argv) > 4:
            keypoints, out = Path(sys.argv[1]), Path(sys.argv[4])
            config = PredictConfig(layout=sys.argv[2], fps=float(sys.argv[3]))
        predict(run, keypoints, folder / "pred.h5", config)
        exported = export(folder / "pred.h5", "bvh", out, t_pose=True)  # several people give a sequence each: then name a folder
        print(f"{out.name}: {exported.frames} frames; {exported.notes[0]}")

        motion = mocapgen.read(out)  # as Blender reads it: joints, rotations, centimetres
        print(f"{len(motion.skeleton.names)} joints at {motion.fps:g} fps, {motion.duration:.1f} s")


if __name__ == "__main__":
    main()
