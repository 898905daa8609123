"""Read a dataset file with nothing but h5py and NumPy: its tables, a sequence, and that its numbers fit together."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rotate vectors (..., 3) by quaternions (..., 4), x, y, z, w."""
    return v + 2.0 * np.cross(q[..., :3], np.cross(q[..., :3], v) + q[..., 3:] * v)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the quaternions of first b, then a: (..., 4), x, y, z, w."""
    vector = a[..., 3:] * b[..., :3] + b[..., 3:] * a[..., :3] + np.cross(a[..., :3], b[..., :3])
    scalar = a[..., 3] * b[..., 3] - (a[..., :3] * b[..., :3]).sum(axis=-1)
    return np.concatenate([vector, scalar[..., None]], axis=-1)


def forward_kinematics(root: np.ndarray, rotations: np.ndarray, offsets: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return joint positions (T, J, 3) from those of the root (T, 3), local rotations (T, J, 4) and the skeleton: docs/conventions.md."""
    positions, turned = np.zeros((*rotations.shape[:2], 3)), np.array(rotations)
    for joint, parent in enumerate(parents):
        if parent < 0:
            positions[:, joint] = root
        else:
            positions[:, joint] = positions[:, parent] + rotate(turned[:, parent], offsets[joint])
            turned[:, joint] = multiply(turned[:, parent], rotations[:, joint])
    return positions


def show(path: Path) -> None:
    """Print what a dataset file holds, and how well three sequences agree with themselves."""
    with h5py.File(path) as data:
        axes = json.loads(data.attrs["conventions"])["camera_axes"]
        sequences = {name: column.asstr()[:] if column.dtype == object else column[:] for name, column in data["sequences"].items()}
        frames = len(data["frames/euler"])
        print(f"{path.name}: {len(sequences['start'])} sequences, {frames} frames, {data.attrs['fps']:g} fps; {axes}")
        for row in np.linspace(0, len(sequences["start"]) - 1, 3).astype(int):
            start, length, camera, avatar = (sequences[name][row] for name in ("start", "length", "camera", "avatar"))
            points = data["frames/positions_3d"][start : start + length].astype(float)
            pixels = data["frames/positions_2d"][start : start + length]
            rotations = data["frames/quaternions"][start : start + length].astype(float)
            skeleton = data["skeletons"][avatar]
            chained = forward_kinematics(points[:, 0], rotations, skeleton["offsets"][:], skeleton["parents"][:])
            projected = points @ data["cameras/K"][camera].T
            projected = projected[..., :2] / projected[..., 2:]
            print(
                f"{data['clips/id'].asstr()[sequences['clip'][row]]} on {avatar}: {length} frames, rotations give the positions within "
                f"{1000 * np.abs(chained - points).max():.4f} mm, the camera gives the pixels within {np.abs(projected - pixels).max():.4f}"
            )


def main() -> None:
    """Show the file that is given, or build a small one first."""
    if len(sys.argv) > 1:
        show(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hops.h5"
        options = ["--source", "sample", "--actions", "hop,kick", "--actors", "sa,se", "--quiet", "--out", str(path)]
        subprocess.run([sys.executable, "-m", "mocapgen", "build", *options], check=True)
        show(path)


if __name__ == "__main__":
    main()
