"""Check BVH files that mocapgen writes against Blender: python -m benchmarks.blender_import IN.amc [IN.bvh DATA.h5 ...] [--blender PATH].

Each motion-capture file is converted to BVH, each sequence of a dataset or predictions file (at most 8, evenly spread, or those that
--clips selects) exported to it. It is imported in headless Blender with the settings that its import dialogue starts with, and the heads
of all bones are compared, in several frames: with the positions that a dataset file holds, taken to the world; else with mocapgen's own
forward kinematics of what was read, or of the prediction solved to rotations. Not part of the test suite, as it needs Blender 3 or later.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEQUENCES = 8  # of a dataset or predictions file
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


Case = tuple[str, Path, list[str], Any]
"""A name, a BVH file, the names of its joints, and where they are: (T, J, 3) metres, world frame."""


def converted(source: Path, folder: Path) -> Iterator[Case]:
    """Convert a motion-capture file."""
    from mocapgen import forward_kinematics, read
    from mocapgen.reading.convert import convert

    out = folder / f"{source.stem}.bvh"
    convert(source, out, scale=UNIT)
    motion = read(source)
    yield source.name, out, [name for name in motion.skeleton.names if name not in motion.skeleton.end_sites], forward_kinematics(motion)


def exported(source: Path, folder: Path, clips: tuple[str, ...]) -> Iterator[Case]:
    """Export sequences of a dataset or predictions file."""
    from mocapgen import forward_kinematics, read
    from mocapgen.export import export
    from mocapgen.export.export_input import ExportInput, SequenceFilter
    from mocapgen.store import open_any
    from schemas.conventions import END_POINTS

    export(source, "bvh", folder / "out", clips=clips, scale=UNIT)
    with open_any(source) as data:
        source_file = ExportInput(data)
        items = source_file.select(SequenceFilter(clips=clips))
        for item in items[:: max(len(items) // SEQUENCES, 1)][:SEQUENCES]:
            out = folder / "out" / f"{item.name}.bvh"
            names, positions, ends = list(source_file.bones), source_file.world(item), END_POINTS
            if source_file.predicted:
                motion = read(out, scale=UNIT, up="y")
                names, positions = list(motion.skeleton.names), forward_kinematics(motion)
                ends = motion.skeleton.end_sites
            kept = [place for place, name in enumerate(names) if name not in ends]
            yield item.name, out, [names[place] for place in kept], positions[:, kept]


def compare(case: Case, blender: str, folder: Path) -> tuple[int, int, float, str]:
    """Return how many bones in how many frames were compared, and the largest distance in millimetres and where it is."""
    import numpy as np

    name, out, names, positions = case
    frames = np.unique(np.linspace(0, len(positions) - 1, FRAMES).astype(int)).tolist()
    script, result = folder / "in_blender.py", folder / "heads.json"
    script.write_text(IN_BLENDER)
    command = [blender, "-b", "--python-exit-code", "3", "--python", str(script), "--", str(out), str(result), json.dumps(frames)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: Blender ended with status {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    worst, where, count = 0.0, "", 0
    for frame, heads in zip(frames, json.loads(result.read_text()), strict=True):
        for joint, (x, y, z) in heads.items():
            if joint not in names:
                continue
            ours = positions[frame, names.index(joint)]
            apart = 1000.0 * float(np.linalg.norm(UNIT * np.array([x, z, -y]) - ours))  # Blender's z is up, its -y is our z
            count = len(names)
            if apart >= worst:
                worst, where = apart, f"{joint}, frame {frame}"
    missing = set(names) - set(heads)
    if missing:
        sys.exit(f"{name}: Blender lacks the bones {', '.join(sorted(missing))}")
    return count, len(frames), worst, where


def main() -> None:
    """Compare the files of the command line; the exit status is 1 if any is more than a millimetre off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--blender", default="blender")
    parser.add_argument("--clips", default="", help="of dataset and predictions files, only these; wildcards, comma-separated")
    arguments = parser.parse_args()
    off = False
    for source in arguments.files:
        with tempfile.TemporaryDirectory() as folder:
            clips = tuple(filter(None, arguments.clips.split(",")))
            cases = exported(source, Path(folder), clips) if source.suffix == ".h5" else converted(source, Path(folder))
            for case in cases:
                bones, frames, worst, where = compare(case, arguments.blender, Path(folder))
                off |= worst > 1.0
                print(f"{case[0]}: {bones} bones x {frames} frames, at most {worst:.4f} mm apart ({where})")
    sys.exit(off)


if __name__ == "__main__":
    main()
