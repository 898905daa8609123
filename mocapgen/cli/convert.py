"""``mocapgen convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mocapgen.cli._complete import MARKER_SET, MOTION, PROFILE
from mocapgen.shared.command import add_options, common_options, example, session
from mocapgen.shared.tables import print_pairs

if TYPE_CHECKING:
    from mocapgen.reading.convert import Converted

_OPTIONS = (
    click.option("--scale", type=float, metavar="METRES", help="Length of a unit of the BVH file to write  [default: 0.01]"),
    click.option("--up", type=click.Choice(["y", "z"]), help="Axis that points up in the BVH file to write  [default: y]"),
    click.option("--fps", type=float, help="Frame rate to resample to  [default: the file's]"),
    click.option("--asf", type=click.Path(path_type=Path), help="Skeleton of the AMC file to read  [default: the one beside it]"),
    click.option("--source-fps", type=float, help="Frame rate of the AMC or AMASS file to read  [default: the file's, from an HDM05 name, else 120]"),
    click.option(
        "--profile", shell_complete=PROFILE, metavar="NAME|PATH", help="Profile of the BVH file to read: a name or a YAML file  [default: detected]"
    ),
    click.option("--source-scale", type=float, metavar="METRES", help="Length of a unit of the BVH file to read  [default: detected]"),
    click.option("--source-up", type=click.Choice(["y", "z"]), help="Axis that points up in the BVH or AMASS file to read  [default: detected, z]"),
    click.option("--subject", metavar="NAME", help="Whose markers of the C3D file to read  [default: those of the only person]"),
    click.option(
        "--marker-set",
        shell_complete=MARKER_SET,
        metavar="NAME|PATH",
        help="Marker set of the C3D file to read: a name or a YAML file  [default: detected]",
    ),
    click.option("--body-model", type=click.Path(path_type=Path), help="Body model for the AMASS file to read, or a folder of them."),
    click.option("--lenient", is_flag=True, help="Repair what can be repaired in the BVH or C3D file to read, and report it."),
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
)


@click.command(
    epilog=example(
        "mocapgen convert HDM_bd_squat1Reps_001_120.amc squat.bvh",
        "mocapgen convert 06_01.bvh 06_01.amc --fps 30",
        "mocapgen convert 85_12.c3d 85_12.bvh --scale 1 --up z",
        "mocapgen convert walk.bvh walk.glb",
        "mocapgen convert 01_01_poses.npz 01_01.bvh",
    )
)
@click.argument("source", metavar="IN", shell_complete=MOTION, type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@add_options(_OPTIONS)
@common_options
@click.pass_context
def convert(context: click.Context, /, **options: Any) -> None:
    """Convert a motion-capture file to another format.

    IN ends in .amc, .bvh, .c3d or .npz (AMASS), OUT in .amc, .bvh, .c3d, .glb, .gltf or .trc. The skeleton of an AMC file is the ASF file beside
    it. For a C3D file to read, a skeleton is fitted to the markers; in a C3D or TRC file to write, every joint is a marker. In a glTF file, a
    body of capsules moves.
    """
    from mocapgen.reading.convert import convert

    converted = convert(**options)
    if session(context).level >= 0:
        print_converted(converted)


def print_converted(converted: Converted) -> None:
    """Print what a conversion wrote, and its notes."""
    size = f"{converted.frames:,} at {converted.fps:g} frames/s, {converted.joints} joints"
    pairs = {"file": [str(file) for file in converted.files], "frames": size}
    print_pairs("written", {**pairs, **({"notes": converted.notes} if converted.notes else {})})
