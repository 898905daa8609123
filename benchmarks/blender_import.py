"""Check BVH files that mocapgen writes against Blender: python -m benchmarks.blender_import IN.amc [IN.bvh ...] [--blender PATH].

Each file is converted to BVH, imported in headless Blender with the settings that its import dialogue starts with, and
the heads of all bones are compared, in several frames, with mocapgen's own forward kinematics of the file that was read.
Not part of the test suite, as it needs Blender 3 or later.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

FRAMES = 12  # compared in each clip, evenly spaced
UNIT = 0.01  # metres in a unit of the BVH file; Blender takes the numbers as they are

IN_BLENDER = """
import bpy, json, sys
from io_anim_bvh import import_bvh
import_bvh.open = lambda path, mode: open(path, mode.replace("U", ""))  # Python 3.11 no longer knows the mode "rU" of Blender before 3.5
path, out, frames = sys.argv[sys.argv.index("--") + 1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_anim.bvh(filepath=path)
(armature,) = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
heads = []
for frame in json.loads(frames):
    bpy.context.scene.frame_set(frame + 1)  # the import starts at frame 1
    heads.append({bone.name: list(armature.matrix_world @ bone.head) for bone in armature.pose.bones})
json.dump(heads, open(out, "w"))
"""


def compare(source: Path, blender: str, folder: Path) -> tuple[int, int, float, str]:
    """Return how many bones in how many frames were compared, and the largest distance in millimetres and where it is."""
    import numpy as np

    from mocapgen import forward_kinematics, read
    from mocapgen.convert import convert

    out = folder / f"{source.stem}.bvh"
    convert(source, out, scale=UNIT)
    motion = read(source)
    positions = forward_kinematics(motion)
    frames = np.unique(np.linspace(0, len(motion) - 1, FRAMES).astype(int)).tolist()
    script, result = folder / "in_blender.py", folder / "heads.json"
    script.write_text(IN_BLENDER)
    command = [blender, "-b", "--python-exit-code", "3", "--python", str(script), "--", str(out), str(result), json.dumps(frames)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{source}: Blender ended with status {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    worst, where, count = 0.0, "", 0
    for frame, heads in zip(frames, json.loads(result.read_text()), strict=True):
        for joint, (x, y, z) in heads.items():
            ours = positions[frame, motion.skeleton.index(joint)]
            apart = 1000.0 * float(np.linalg.norm(UNIT * np.array([x, z, -y]) - ours))  # Blender's z is up, its -y is our z
            count = len(heads)
            if apart >= worst:
                worst, where = apart, f"{joint}, frame {frame}"
    missing = set(motion.skeleton.names) - motion.skeleton.end_sites - set(heads)
    if missing:
        sys.exit(f"{source}: Blender lacks the bones {', '.join(sorted(missing))}")
    return count, len(frames), worst, where


def main() -> None:
    """Compare the files of the command line; the exit status is 1 if any is more than a millimetre off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--blender", default="blender")
    arguments = parser.parse_args()
    off = False
    for source in arguments.files:
        with tempfile.TemporaryDirectory() as folder:
            bones, frames, worst, where = compare(source, arguments.blender, Path(folder))
        off |= worst > 1.0
        print(f"{source.name}: {bones} bones x {frames} frames, at most {worst:.4f} mm apart ({where})")
    sys.exit(off)


if __name__ == "__main__":
    main()
