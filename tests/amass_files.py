"""Files like those of AMASS, of generated motion, and what an independent few lines of kinematics make of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from mocapgen import read
from mocapgen.core.motion import Motion

NAMES = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle", "spine3"),
    *("left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist"),
)
"""SMPL's body joints in its order."""
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
OURS = (
    *("Hips", "LeftUpperLeg", "RightUpperLeg", "Spine", "LeftLowerLeg", "RightLowerLeg", "Chest", "LeftFoot", "RightFoot", "UpperChest"),
    *("LeftToes", "RightToes", "Neck", "LeftShoulder", "RightShoulder", "Head", "LeftUpperArm", "RightUpperArm"),
    *("LeftLowerArm", "RightLowerArm", "LeftHand", "RightHand"),
)
"""The joint of ours that each is."""
WIDTHS = {"smpl": 72, "smplh": 156, "smplx": 165}


def amass_arrays(motion: Motion, model: str = "smplh", size: float = 1.0, **changes: Any) -> dict[str, Any]:
    """Return the arrays of a motion on an avatar of ours: z up, path of somebody `size` times as large; None takes an array away."""
    up = Rotation.from_euler("x", 90, degrees=True)
    local = [Rotation.from_quat(np.array(motion.rotations[:, motion.skeleton.index(name)])) for name in OURS]
    poses = np.random.default_rng(0).normal(0.0, 0.3, (len(motion), WIDTHS[model]))  # fingers as well
    poses[:, :66] = np.concatenate([(up * local[0]).as_rotvec(), *(rotation.as_rotvec() for rotation in local[1:])], axis=1)
    rate = "mocap_frame_rate" if model == "smplx" else "mocap_framerate"
    arrays = {
        "poses": poses,
        "trans": up.apply(np.array(motion.root_positions)) * size,
        "betas": np.linspace(-1.0, 1.0, 16),
        "gender": np.array("female"),
        rate: np.array(motion.fps),
    }
    arrays |= {"surface_model_type": np.array("smplx")} if model == "smplx" else {"dmpls": np.zeros((len(motion), 8))}
    return {name: value for name, value in {**arrays, **changes}.items() if value is not None}


def amass_bytes(arrays: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def write_amass(path: Path, arrays: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(amass_bytes(arrays))
    return path


def places(arrays: Mapping[str, Any], at: np.ndarray) -> np.ndarray:
    """Return where SMPL's body joints go by Rodrigues' formula, (T, 22, 3) in the file's world, for joints at `at` (22, 3) in the rest pose."""
    out = np.empty((len(arrays["poses"]), 22, 3))
    for frame, pose in enumerate(np.asarray(arrays["poses"])[:, :66].reshape(-1, 22, 3)):
        turned: list[np.ndarray] = []
        for joint, vector in enumerate(pose):
            angle = np.linalg.norm(vector)
            x, y, z = vector / angle if angle else vector
            cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
            matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
            parent = PARENTS[joint]
            turned.append(matrix if parent < 0 else turned[parent] @ matrix)
            out[frame, joint] = arrays["trans"][frame] + at[0] if parent < 0 else out[frame, parent] + turned[parent] @ (at[joint] - at[parent])
    return out


def y_up(points: np.ndarray) -> np.ndarray:
    """Return points of a world with z up in one with y up, by the same turn that AMASS's viewers make."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def own_places(motion: Motion) -> np.ndarray:
    """Return where our joints are that SMPL has, (T, 22, 3)."""
    return motion.positions()[:, motion.skeleton.indices(list(OURS))]


def body_model(joints: int = 52, betas: int = 16, seed: int = 0) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Return the arrays of a made-up body model, where its first 22 joints are, and how they move with each shape parameter, (22, 3, betas)."""
    random = np.random.default_rng(seed)
    offsets = {"Hips": (0.0, -0.2, 0.03), "Spine": (0, 0.12, -0.02), "Chest": (0, 0.13, 0), "UpperChest": (0, 0.06, 0.02), "Neck": (0, 0.2, -0.03)}
    offsets |= {"Head": (0, 0.09, 0.05), "UpperLeg": (0.06, -0.09, 0), "LowerLeg": (0.04, -0.37, 0), "Foot": (-0.01, -0.4, -0.04)}
    offsets |= {"Toes": (0.03, -0.06, 0.12), "Shoulder": (0.07, 0.11, -0.01), "UpperArm": (0.11, 0.05, -0.01), "LowerArm": (0.26, -0.01, -0.02)}
    offsets |= {"Hand": (0.25, 0.01, 0.0)}
    at = np.zeros((22, 3))
    for joint, name in enumerate(OURS):
        offset = np.array(offsets[name.removeprefix("Left").removeprefix("Right")], float) * [-1.0 if name.startswith("Right") else 1.0, 1.0, 1.0]
        at[joint] = offset if joint == 0 else at[PARENTS[joint]] + offset
    vertices = 200
    regressor = random.dirichlet(np.ones(vertices), size=joints)
    template = np.linalg.lstsq(regressor[:22], at, rcond=None)[0]
    shapes = random.normal(0.0, 0.02, (vertices, 3, betas))
    tree = np.zeros((2, joints), dtype=np.uint32)
    tree[0, :22], tree[1] = np.array(PARENTS).astype(np.uint32), np.arange(joints)
    arrays = {"J_regressor": regressor, "v_template": template, "shapedirs": shapes, "kintree_table": tree}
    return arrays, at, np.einsum("jv,vcn->jcn", regressor[:22], shapes)


def sample_motion(path: Path) -> Motion:
    """Return a sample motion on the avatar whose bones files without a body model get."""
    from mocapgen import retarget

    return retarget(read(path), "average_man")
