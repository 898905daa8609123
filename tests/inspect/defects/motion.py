"""What can be wrong with movement, and with the world that somebody moves in."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np

from mocapgen.core.motion import Motion
from tests.inspect.defects import Array, Defect, change, joint, rewrite, rows
from tests.inspect.planting import SEQUENCES, move, noise, perform, shifted, tipped, turned

KICK, LIE, SQUAT, WALK = SEQUENCES.values()


def _at(sequence: int, name: str, frames: slice | int, offset: list[float]):
    """Put a joint elsewhere, by metres in the world."""

    def plant(file: h5py.File) -> None:
        def edit(world: Array) -> None:
            world[frames, joint(file, name)] += offset

        move(file, sequence, edit)

    return plant


def _performed(sequence: int, edit):
    return lambda file: perform(file, sequence, edit)


def _flipped(motion: Motion) -> Motion:
    return turned(motion, "RightHand", "X", 180.0, slice(25, 40))


def _held(motion: Motion) -> Motion:
    """The whole body stops for a second in the middle of a squat."""
    frames = np.arange(len(motion))
    frames[30:60] = 30
    return replace(motion, rotations=motion.rotations[frames], root_positions=motion.root_positions[frames])


def _frozen_joint(file: h5py.File) -> None:
    """The left thigh keeps its angle for two thirds of a second, in the middle of a stride."""

    def edit(motion: Motion) -> Motion:
        rotations = np.array(motion.rotations)
        rotations[50:71, motion.skeleton.index("LeftUpperLeg")] = rotations[50, motion.skeleton.index("LeftUpperLeg")]
        return replace(motion, rotations=rotations)

    perform(file, WALK, edit)


def _hanging_hand(file: h5py.File) -> None:
    """The tracker lost the hand: it stays where it was last seen."""

    def edit(world: Array) -> None:
        world[40:65, joint(file, "RightHand")] = world[40, joint(file, "RightHand")]

    move(file, WALK, edit)


def _trembling(file: h5py.File) -> None:
    def edit(world: Array) -> None:
        world[:, joint(file, "LeftHand")] += noise((len(world), 3), 0.012)

    move(file, SQUAT, edit)


def _rest_pose_first(motion: Motion) -> Motion:
    rotations = np.array(motion.rotations)
    rotations[0, 1:] = [0.0, 0.0, 0.0, 1.0]
    return replace(motion, rotations=rotations)


def _skating(motion: Motion) -> Motion:
    return shifted(motion, np.arange(len(motion))[:, None] / motion.fps * [0.8, 0.0, 0.0])


def _sped(factor: float):
    def plant(file: h5py.File) -> None:
        file.attrs["fps"] = file.attrs["fps"] * factor

    return plant


def _millimetres(file: h5py.File) -> None:
    for sequence in range(len(file["/sequences/start"])):
        change(file, "positions_3d", sequence, lambda values: values * np.float32(1000.0))


def _inches(file: h5py.File) -> None:
    """Positions and skeletons agree with each other; only the unit is wrong."""
    for name in file["/skeletons"]:
        rewrite(file, f"/skeletons/{name}/offsets", file[f"/skeletons/{name}/offsets"][:] / 0.0254)
    rewrite(file, "/cameras/t", file["/cameras/t"][:] / 0.0254)
    place = slice(rows(file, 0).start, rows(file, len(file["/sequences/start"]) - 1).stop)
    file["/frames/positions_3d"][place] = file["/frames/positions_3d"][place] / np.float32(0.0254)


DEFECTS = (
    Defect("one spike", "motion.acceleration_spike", _at(SQUAT, "LeftLowerArm", 40, [0.0, 0.08, 0.06]), SQUAT, 40, "LeftLowerArm"),
    Defect("a jump that stays", "motion.speed_spike", _at(WALK, "Head", slice(60, None), [0.0, 0.0, 0.2]), WALK, 60, "Head"),
    Defect("a spike in the first frame", "motion.speed_spike", _at(LIE, "RightFoot", 0, [0.3, 0.0, 0.0]), LIE, 1, "RightFoot"),
    Defect("a hand flipped over", "motion.rotation_jump", _performed(SQUAT, _flipped), SQUAT, 25, "RightHand"),
    Defect("a frozen stretch", "motion.frozen", _performed(SQUAT, _held), SQUAT, 30),
    Defect("one frozen joint", "motion.frozen_joint", _frozen_joint, WALK, 50, "LeftUpperLeg"),
    Defect("a hand left behind", "motion.frozen_joint", _hanging_hand, WALK, 40, "RightHand"),
    Defect("a trembling hand", "motion.jitter", _trembling, SQUAT, joint="LeftHand"),
    Defect("a T-pose in the first frame", "motion.rest_pose_frame", _performed(SQUAT, _rest_pose_first), SQUAT, 0),
    Defect("skating", "motion.foot_slide", _performed(SQUAT, _skating), SQUAT),
    Defect("the floor 20 cm too high", "motion.below_floor", _performed(WALK, lambda motion: shifted(motion, [0.0, -0.2, 0.0])), WALK),
    Defect("the floor 20 cm too low", "motion.floating", _performed(WALK, lambda motion: shifted(motion, [0.0, 0.2, 0.0])), WALK),
    Defect("z is up", "motion.up_axis", _performed(WALK, lambda motion: shifted(tipped(motion, "X", 90.0), [0.0, 0.9, 0.0])), WALK),
    Defect("y is down", "motion.up_axis", _performed(WALK, lambda motion: tipped(motion, "X", 180.0)), WALK),
    Defect("millimetres for metres", "motion.scale", _millimetres),
    Defect("inches for metres, everywhere", "motion.scale", _inches),
    Defect("the frame rate halved", "motion.frame_rate", _sped(0.5)),
    Defect("the frame rate doubled", "motion.frame_rate", _sped(2.0)),
)
