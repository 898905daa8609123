"""Let an avatar of your own perform a clip: change a built-in one, save it as JSON, retarget, and see where its feet are."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import mocapgen
from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.retarget import retarget
from mocapgen.sources.sample import write_sample


def long_legged() -> dict[str, object]:
    """Return the average woman with legs a tenth longer, as the content of an avatar file."""
    avatar = load_avatar("average_woman").model_dump(mode="json")
    longer = 0.0
    for joint in avatar["joints"]:
        if joint["name"].endswith(("LowerLeg", "Foot")):
            longer += -0.05 * joint["offset"][1]
            joint["offset"][1] *= 1.1
    avatar["joints"][0]["offset"][1] += longer  # the hips stand higher
    return avatar | {"name": "long_legged", "stature": avatar["stature"] + longer, "description": "The average woman with legs a tenth longer."}


def main() -> None:
    """Retarget one clip."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) > 1:
            clip = Path(sys.argv[1])
        else:
            write_sample(folder / "motions")
            clip = folder / "motions" / "squat" / "HDM_sb_squat_001_120.amc"
        (folder / "long_legged.json").write_text(json.dumps(long_legged()))
        avatar = load_avatar(str(folder / "long_legged.json"))
        motion = retarget(mocapgen.read(clip), avatar_skeleton(avatar))
        positions = mocapgen.forward_kinematics(motion)
        heights = positions[:, motion.skeleton.index("LeftToes"), 1]
        print(f"{clip.stem} on {avatar.name}: {len(motion)} frames, left ball of the foot {heights.min():.3f} to {heights.max():.3f} m high")


if __name__ == "__main__":
    main()
