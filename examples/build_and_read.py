"""Build a small dataset from the built-in motions, then read it with nothing but h5py."""

from __future__ import annotations

import tempfile
from pathlib import Path

import h5py
import numpy as np

import mocapgen


def main() -> None:
    """Build, read, and check that projecting the 3D points gives the 2D points."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hops.h5"
        config = mocapgen.BuildConfig(source="sample", actions=("hop", "kick"), actors=("sa", "se"), out=path)
        report = mocapgen.build(config)
        print(f"{report.sequences} sequences, {report.frames} frames")

        with h5py.File(path) as data:
            names = data["skeletons/average_man/names"].asstr()[:]
            for row in range(0, len(data["sequences/start"]), 5):
                start, length = data["sequences/start"][row], data["sequences/length"][row]
                clip, camera = data["sequences/clip"][row], data["sequences/camera"][row]
                points = data["frames/positions_3d"][start : start + length]
                pixels = data["frames/positions_2d"][start : start + length]
                projected = points @ data["cameras/K"][camera].T
                error = np.abs(projected[..., :2] / projected[..., 2:] - pixels).max()
                print(f"{data['clips/id'].asstr()[clip]}: {length} frames, {len(names)} joints, reprojection within {error:.4f} pixels")


if __name__ == "__main__":
    main()
