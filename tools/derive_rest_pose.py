"""The ``rest`` block of a profile from files that start with a T-pose: ``python -m tools.derive_rest_pose FILE.bvh ...``.

For rigs whose zero pose is no T-pose. Each file is read with the profile that knows its joints (or ``--profile``); of the files
that start with a T-pose, the mean of that pose is printed as YAML, to be pasted into the profile; the last lines say by how much
the files differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

import numpy as np

from mocapgen.anatomy.profiles.library import load_profile, match, recognise
from mocapgen.anatomy.roles import Roles
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import angle_between, normalise
from mocapgen.formats.bvh import parse_bvh
from mocapgen.reading.rest_pose import Figure, frame_reference
from schemas.errors import FormatError, MocapError


def t_pose_rotations(path: Path, profile: str | None = None) -> dict[str, Array] | None:
    """Return the rotations that a file's first frame, if it is a T-pose, gives the joints of roles and all joints above them.

    Parameters
    ----------
    path : Path
        A BVH file; y up.
    profile : str, optional
        Name or path; by default the built-in one that knows the joints.

    Returns
    -------
    dict of str to (4,) float64, or None
        By joint, without the profile's prefix: rotation (x, y, z, w) relative to the world, turned to face +z. None if the first
        frame is no T-pose.

    Raises
    ------
    FormatError, ConfigError
        If the file or the profile is damaged, or the profile does not know the joints.
    """
    bvh = parse_bvh(path.read_bytes(), str(path))
    found = match(load_profile(profile), bvh.names) if profile else recognise(bvh.names)
    if found is None or found.missing:
        raise FormatError(f"{path}: expected joints that the profile knows, found {', '.join(bvh.names[:6])}, ...; name another with --profile")
    roles = Roles(found.joints, found.drivers)
    motion = Motion(bvh.skeleton, bvh.rotations()[:1], bvh.translations()[:1, 0], bvh.fps)
    if not Figure.of(motion.skeleton, roles, forward_kinematics(motion)[0]).is_t_pose():
        return None
    wanted: set[int] = set()
    for joint in (*found.joints.values(), *found.drivers.values()):
        index = motion.skeleton.index(joint)
        while index >= 0 and index not in wanted:
            wanted.add(index)
            index = motion.skeleton.parents[index]
    reference = frame_reference(motion, roles)
    return {motion.skeleton.names[index].removeprefix(found.prefix): reference[index] for index in sorted(wanted)}


def mean_rotations(poses: Sequence[dict[str, Array]]) -> tuple[dict[str, Array], float]:
    """Return the mean rotation of each joint that all poses have, and the largest deviation from it, degrees."""
    means, furthest = {}, 0.0
    for joint in (joint for joint in poses[0] if all(joint in pose for pose in poses)):
        rotations = np.stack([pose[joint] for pose in poses])
        rotations = rotations * np.where(rotations @ rotations[0] < 0, -1.0, 1.0)[:, None]
        mean = normalise(rotations.mean(axis=0))
        means[joint] = mean if mean[3] >= 0 else -mean
        furthest = max(furthest, float(np.degrees(angle_between(rotations, mean)).max()))
    return means, furthest


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 2 if no file starts with a T-pose or one is damaged."""
    parser = argparse.ArgumentParser(prog="python -m tools.derive_rest_pose", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="BVH files of one rig")
    parser.add_argument("--profile", help="profile to read them with (default: the one that knows the joints)")
    options = parser.parse_args(arguments)
    try:
        poses = {path: pose for path in options.files if (pose := t_pose_rotations(path, options.profile)) is not None}
    except (MocapError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not poses:
        sys.stderr.write(f"expected a file that starts with a T-pose, found none among {len(options.files)}\n")
        return 2
    means, furthest = mean_rotations(list(poses.values()))
    names = ", ".join(PurePath(path).name for path in poses)
    sys.stdout.write("rest:\n  method: stored\n")
    sys.stdout.write(f"  source: mean of the T-pose that {names} start with, which differ by at most {furthest:.3f} degrees\n  rotations:\n")
    for joint, rotation in means.items():
        sys.stdout.write(f"    {joint}: [{', '.join(f'{value + 0.0:.6f}' for value in np.round(rotation, 6))}]\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
