"""What can be wrong with bones and rotations."""

from __future__ import annotations

import h5py
import numpy as np

from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import make_continuous
from schemas.conventions import mirrored
from tests.inspect.defects import Array, Defect, change, joint
from tests.inspect.planting import SEQUENCES, motion_of, move, perform, turned

KICK, LIE, SQUAT, WALK = SEQUENCES.values()


def _places(file: h5py.File, joints: tuple[str, ...] = ()) -> list[int]:
    """Return where each joint's data has to come from so that those given, or all of them, are swapped left for right."""
    names = list(next(iter(file["/skeletons"].values()))["names"].asstr()[:])
    return [
        names.index(mirrored(name)) if not joints or name.removeprefix("Left").removeprefix("Right") in joints else names.index(name)
        for name in names
    ]


def _swap(*joints: str):
    def plant(file: h5py.File) -> None:
        for name in ("positions_3d", "positions_2d", "quaternions", "euler", "in_view"):
            change(file, name, WALK, lambda values: values[:, _places(file, joints)])

    return plant


def _mirror(file: h5py.File) -> None:
    middle = motion_of(file, WALK).root_positions[:, 0].mean()
    move(file, WALK, lambda world: world * [-1.0, 1.0, 1.0] + [2.0 * middle, 0.0, 0.0])


def _stretch(file: h5py.File) -> None:
    def edit(world: Array) -> None:
        world[40:60, joint(file, "LeftHandEnd")] += 0.1 * (world[40:60, joint(file, "LeftHandEnd")] - world[40:60, joint(file, "LeftHand")])

    move(file, SQUAT, edit)


def _longer_arms(file: h5py.File) -> None:
    file["/skeletons/average_man/offsets"][joint(file, "LeftHand")] *= 1.05


def _odd_legs(file: h5py.File) -> None:
    file["/skeletons/child_10/offsets"][joint(file, "RightLowerLeg")] *= 2.5


def _scaled(name: str, factor: float):
    def plant(file: h5py.File) -> None:
        def edit(values: Array) -> None:
            values[10, joint(file, "Chest")] *= factor

        change(file, name, LIE, edit)

    return plant


def _flip(file: h5py.File) -> None:
    def edit(values: Array) -> None:
        values[30:, joint(file, "RightUpperArm")] *= -1.0

    change(file, "quaternions", KICK, edit)


def _other_order(file: h5py.File) -> None:
    change(file, "euler", WALK, lambda values: values[..., [1, 0, 2]])


def _w_first(file: h5py.File) -> None:
    for sequence in range(len(file["/sequences/start"])):
        change(file, "quaternions", sequence, lambda values: values[..., [3, 0, 1, 2]])


def _inverse(file: h5py.File) -> None:
    change(file, "quaternions", SQUAT, lambda values: make_continuous(values * [-1.0, -1.0, -1.0, 1.0]))


def _shifted_joint(file: h5py.File) -> None:
    def edit(world: Array) -> None:
        world[20, joint(file, "LeftLowerLeg")] += [0.0, 0.0, 0.002]

    move(file, SQUAT, edit)


def _bent(joint: str, axis: str, degrees: float):
    def edit(motion: Motion) -> Motion:
        ramp = degrees * np.clip(1.0 - np.abs(np.arange(len(motion)) - 40.0) / 12.0, 0.0, 1.0)
        changed = turned(motion, joint, axis, ramp)
        assert forward_kinematics(changed).shape == forward_kinematics(motion).shape
        return changed

    return lambda file: perform(file, SQUAT, edit)


DEFECTS = (
    Defect("left and right swapped", "kinematics.left_right", _swap(), WALK),
    Defect("only the legs swapped", "kinematics.left_right", _swap("UpperLeg", "LowerLeg", "Foot", "Toes", "ToesEnd"), WALK),
    Defect("only the arms swapped", "kinematics.left_right", _swap("Shoulder", "UpperArm", "LowerArm", "Hand", "HandEnd"), WALK),
    Defect("a mirrored sequence", "kinematics.left_right", _mirror, WALK),
    Defect("a bone stretched over time", "kinematics.bone_length_constant", _stretch, SQUAT, joint="LeftHandEnd"),
    Defect("offsets of a skeleton changed", "kinematics.bone_length_skeleton", _longer_arms, joint="LeftHand"),
    Defect("a skeleton of odd proportions", "kinematics.proportions", _odd_legs),
    Defect("a quaternion of another length", "kinematics.quaternion_norm", _scaled("quaternions", 1.001), LIE, 10, "Chest"),
    Defect("the sign of a quaternion flipped", "kinematics.quaternion_sign", _flip, KICK, 30, "RightUpperArm"),
    Defect("Euler angles in another order", "kinematics.euler_quaternion", _other_order, WALK),
    Defect("an Euler angle off by a little", "kinematics.euler_quaternion", _scaled("euler", 1.1), LIE, 10, "Chest"),
    Defect("quaternions stored w first", "kinematics.forward_kinematics", _w_first),
    Defect("inverse quaternions", "kinematics.forward_kinematics", _inverse, SQUAT),
    Defect("a joint 2 mm off in one frame", "kinematics.forward_kinematics", _shifted_joint, SQUAT, 20, "LeftLowerLeg"),
    Defect("a knee bent backwards", "kinematics.bent_backwards", _bent("LeftLowerLeg", "X", -190.0), SQUAT, joint="LeftLowerLeg"),
    Defect("an elbow bent backwards", "kinematics.bent_backwards", _bent("RightLowerArm", "Y", -130.0), SQUAT, 40, "RightLowerArm"),
    Defect("a head turned round", "kinematics.out_of_range", _bent("Head", "Y", 170.0), SQUAT, 40, "Head"),
)
