"""The command line: every command is a few lines over one public function.

Nothing heavy is imported before a command runs: ``mocapgen --help`` needs click and the standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mocapgen.shared.command import CONTEXT_SETTINGS, Verbosity, common_options, example, run
from mocapgen.shared.parts import part_names
from mocapgen.shared.version import __version__

_SOURCES = ", ".join(part_names("mocapgen.sources", "SOURCE"))
_EXPORTS = part_names("mocapgen.export", "EXPORTER")

_BUILD_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--source", default="hdm05", show_default=True, help=f"Where the motion comes from: {_SOURCES}."),
    click.option("--root", type=click.Path(), help="The source's folder or zip  [default: an environment variable, then the fetch folder]"),
    click.option("--out", type=click.Path(), help="The file to write; may be missing only for a dry run."),
    click.option("--format", type=click.Choice(["amc", "c3d", "bvh"]), help="Read only files of this format  [default: the source's]"),
    click.option("--fps", type=float, default=30.0, show_default=True, help="Frame rate of the dataset."),
    click.option("--antialias/--no-antialias", default=False, help="Low-pass filter (zero phase) before reducing the frame rate."),
    click.option("--min-frames", type=int, default=40, show_default=True, help="Leave out shorter clips; counted after resampling."),
    click.option("--max-frames", type=int, default=300, show_default=True, help="Leave out or split longer clips; counted after resampling."),
    click.option("--long", type=click.Choice(["drop", "split"]), default="drop", show_default=True, help="What to do with longer clips."),
    click.option(
        "--select",
        type=click.Choice(["one-per-actor", "all"]),
        help="For every action the first usable clip of each actor, or all clips  [default: all for cmu and folder, else one-per-actor]",
    ),
    click.option("--actors", multiple=True, metavar="A,B,...", help="Only these actors; wildcards allowed; repeatable."),
    click.option("--actions", multiple=True, metavar="A,B,...", help="Only these actions; wildcards allowed; repeatable."),
    click.option("--category", "categories", multiple=True, metavar="A,B,...", help="Only these kinds of motion (cmu), such as basketball,walk."),
    click.option("--pattern", metavar="TEXT", help="How file names are built (folder), such as '{actor}_{action}_{take}'."),
    click.option("--table", type=click.Path(), help="CSV that names the clips (folder): columns file,actor,action,take[,fps]."),
    click.option("--profile", metavar="NAME|PATH", help="How BVH files are to be understood  [default: found for each file]"),
    click.option("--lenient/--no-lenient", default=False, help="Mend what can be mended in BVH files, and say so."),
    click.option("--scale", type=float, metavar="METRES", help="Length of one unit of BVH files  [default: found for each file]"),
    click.option("--up", type=click.Choice(["y", "z"]), help="Axis of BVH files that points up  [default: found for each file]"),
    click.option(
        "--avatars",
        multiple=True,
        metavar="A,B,...",
        default=("small_woman", "average_woman", "average_man", "tall_man", "child_10"),
        show_default=True,
        help="Avatars to retarget to: names from `mocapgen skeletons`, or paths of JSON files; repeatable.",
    ),
    click.option("--camera", default="front", show_default=True, metavar="RIG", help="Camera rig: front, orbit:N or random:N."),
    click.option("--image", default="1920x1080", show_default=True, metavar="WIDTHxHEIGHT", help="Image size in pixels."),
    click.option("--fov", type=float, default=60.0, show_default=True, help="Vertical field of view in degrees."),
    click.option("--camera-frame", type=click.Choice(["unity", "opencv"]), default="unity", show_default=True, help="Axes of what is stored."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random rig and of the sample source."),
    click.option("--workers", type=int, default=0, show_default=True, help="Worker processes; 0 means one per processor core."),
    click.option("--strict/--no-strict", default=False, help="End with an error at the first clip that has something wrong with it."),
    click.option("--overwrite/--no-overwrite", default=False, help="Replace the output file if it exists."),
    click.option("--dry-run/--no-dry-run", default=False, help="Report what would be built without writing anything."),
)


def _options(options: tuple[Callable[[Any], Any], ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds options to a command, in their order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _given(context: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the user typed, so that a default never overrides the configuration file."""
    return {name: value for name, value in options.items() if context.get_parameter_source(name) is not ParameterSource.DEFAULT}


@click.group(context_settings=CONTEXT_SETTINGS, epilog=example("mocapgen build --source sample --out data.h5", "mocapgen inspect data.h5"))
@click.version_option(__version__, prog_name="mocapgen")
@common_options
def cli() -> None:
    """Turn motion-capture databases into paired 2D/3D human pose datasets."""


@cli.command(
    epilog=example(
        "mocapgen build --source hdm05 --root HDM05_cut_amc.zip --out data.h5",
        "mocapgen build --source cmu --category basketball,breakdance --long split --out cmu.h5",
        "mocapgen build --source folder --root my_mocap --dry-run",
        "mocapgen build --config build.yaml --actors bd,mm --out two_actors.h5",
    )
)
@click.option("--config", type=click.Path(), help="YAML file with these settings as keys; options override it.")
@_options(_BUILD_OPTIONS)
@common_options
@click.pass_context
def build(context: click.Context, /, config: str | None, **options: Any) -> None:
    """Build a dataset from motion-capture clips."""
    from mocapgen.cli.console import print_report, progress_bar
    from mocapgen.shared.config import build_config

    verbosity = context.ensure_object(Verbosity)
    settings = build_config(_given(context, options), config)
    from mocapgen import pipeline  # after the check of the settings, so that a mistyped option is answered at once

    with progress_bar(verbosity.level) as progress:
        report = pipeline.build(settings, progress)
    print_report(report, settings, verbosity.level)


def _list_checks(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given and not context.resilient_parsing:
        from mocapgen.cli.inspect_report import print_checks
        from mocapgen.inspect.registry import checks

        print_checks(checks().values())
        context.exit()


_INSPECT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--policy", default="default", show_default=True, metavar="NAME|PATH", help="What matters: training, archive or a YAML file."),
    click.option("--select", multiple=True, metavar="ID,...", help="Only these checks: ids, patterns such as 'motion.*', families; repeatable."),
    click.option("--ignore", multiple=True, metavar="ID,...", help="Leave these checks out; repeatable."),
    click.option(
        "--threshold",
        type=click.Choice(["info", "warning", "error"]),
        default="warning",
        show_default=True,
        help="How severe a finding must be for exit status 1.",
    ),
    click.option("--split", type=click.Path(path_type=Path), help="Run of trainer, or its split.json: look for clips on two sides of it."),
    click.option("--detailed", is_flag=True, help="Print each finding, not the worst of each check only; so does -v."),
    click.option("--json", type=click.Path(allow_dash=True), help="Write summary and findings to this file; - for standard output."),
    click.option("--html", type=click.Path(), help="Write a report with charts, tables and a player that shows the findings to this file."),
    click.option("--overwrite", is_flag=True, help="Replace the files in --json and --html."),
    click.option("--workers", type=click.IntRange(0), default=0, show_default=True, help="Worker processes; 0 means as many as are worth it."),
    click.option("--list-checks", is_flag=True, is_eager=True, expose_value=False, callback=_list_checks, help="List all checks, and end."),
)


@cli.command(
    epilog=example(
        "mocapgen inspect data.h5",
        "mocapgen inspect data.h5 --html report.html",
        "mocapgen inspect data.h5 --policy training --split runs/first --threshold error",
        "mocapgen inspect data.h5 --select structure,motion.foot_slide --detailed --json findings.json",
    )
)
@click.argument("path", metavar="DATA.H5", type=click.Path(path_type=Path))
@_options(_INSPECT_OPTIONS)
@common_options
@click.pass_context
def inspect(context: click.Context, /, path: Path, **options: Any) -> int:
    """Summarise and validate a dataset file.

    Exit status 0: nothing found; 1: findings at or above the threshold; 2: the file could not be inspected.
    """
    from mocapgen.cli.inspect_report import inspect_and_report

    return inspect_and_report(path, level=context.ensure_object(Verbosity).level, **options)


_SELECT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--clips", multiple=True, metavar="A,B,...", help="Only these clips, by id; wildcards allowed; repeatable."),
    click.option("--actors", multiple=True, metavar="A,B,...", help="Only these actors; wildcards allowed; repeatable."),
    click.option("--actions", multiple=True, metavar="A,B,...", help="Only these actions; wildcards allowed; repeatable."),
    click.option("--sources", multiple=True, metavar="A,B,...", help="Only these sources, such as hdm05; wildcards allowed; repeatable."),
    click.option("--avatars", multiple=True, metavar="A,B,...", help="Only these avatars; wildcards allowed; repeatable."),
    click.option("--cameras", multiple=True, metavar="A,B,...", help="Only these cameras (orbit:8/3) or rigs (orbit:8); wildcards allowed."),
    click.option("--min-frames", type=int, help="Leave out shorter sequences."),
    click.option("--max-frames", type=int, help="Leave out longer sequences."),
    click.option("--limit", type=int, metavar="N", help="At most N clips: the first of those that pass."),
    click.option("--invert", is_flag=True, help="Keep what would be left out, and leave out what would be kept."),
)


@cli.command(
    epilog=example(
        "mocapgen select data.h5 --actions 'hop*' --out hop.h5",
        "mocapgen select data.h5 --actors bd,mm --avatars average_man --min-frames 60 --out two_actors.h5",
        "mocapgen select data.h5 --clips 'HDM_tr_kickLFront1Reps_02*' --invert --out clean.h5",
    )
)
@click.argument("path", metavar="DATA.H5", type=click.Path(path_type=Path))
@_options(_SELECT_OPTIONS)
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; may be missing only for a dry run.")
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
@click.option("--dry-run", is_flag=True, help="Say what would be kept without writing anything.")
@common_options
@click.pass_context
def select(context: click.Context, /, path: Path, out: Path | None, overwrite: bool, dry_run: bool, **options: Any) -> None:
    """Write some sequences of a dataset to a file of their own.

    A sequence is kept if it meets every condition given. Clips, cameras and avatars that are not needed any more are left out.
    """
    from mocapgen.cli.console import print_subset, progress_bar
    from mocapgen.shared.config import output_of, select_config

    config, out, level = select_config(_given(context, options)), output_of(out, dry_run), context.ensure_object(Verbosity).level
    from mocapgen.store.select import select_sequences  # after the check of the settings, like build

    with progress_bar(level) as progress:
        report = select_sequences(path, config, out, overwrite, progress)
    print_subset(report, "selected", out, level)


@cli.command(epilog=example("mocapgen merge hdm05.h5 cmu.h5 --out both.h5"))
@click.argument("paths", metavar="A.H5 B.H5 ...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; may be missing only for a dry run.")
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
@click.option("--dry-run", is_flag=True, help="Say whether the files fit together, and what they hold, without writing anything.")
@common_options
@click.pass_context
def merge(context: click.Context, paths: tuple[Path, ...], out: Path | None, overwrite: bool, dry_run: bool) -> None:
    """Join dataset files into one.

    The files must have the same frame rate, conventions, joints and avatars of the same build. What is in several of them is taken once.
    """
    from mocapgen.cli.console import print_subset, progress_bar
    from mocapgen.shared.config import output_of
    from mocapgen.store.merge import merge_datasets

    out, level = output_of(out, dry_run), context.ensure_object(Verbosity).level
    with progress_bar(level) as progress:
        report = merge_datasets(paths, out, overwrite, progress)
    print_subset(report, "merged", out, level)


_VIEW_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--clips", multiple=True, metavar="A,B,...", help="Only these clips, by id; wildcards allowed; repeatable."),
    click.option("--actors", multiple=True, metavar="A,B,...", help="Only these actors; wildcards allowed; repeatable."),
    click.option("--actions", multiple=True, metavar="A,B,...", help="Only these actions; wildcards allowed; repeatable."),
    click.option("--avatars", multiple=True, metavar="A,B,...", help="Only these avatars; wildcards allowed; repeatable."),
    click.option("--cameras", multiple=True, metavar="A,B,...", help="Only these cameras (orbit:8/3) or rigs (orbit:8); wildcards allowed."),
    click.option("--limit", type=int, metavar="N", help="At most N clips: the first of those that pass."),
)


@cli.command(
    epilog=example(
        "mocapgen view data.h5",
        "mocapgen view data.h5 --actions 'hop*' --avatars average_man --out hop.html",
        "mocapgen view data.h5 --predictions pred.h5 --clip HDM_bd_squat1Reps_001_120 --frame 40",
    )
)
@click.argument("path", metavar="DATA.H5", type=click.Path(path_type=Path))
@_options(_VIEW_OPTIONS)
@click.option("--predictions", type=click.Path(path_type=Path), help="Predictions file to draw over the ground truth.")
@click.option("--clip", metavar="ID", help="Clip to show first.")
@click.option("--frame", type=int, metavar="N", help="Frame to show first, from 0.")
@click.option("--out", type=click.Path(path_type=Path), help="HTML file to write  [default: a temporary one, opened in the browser]")
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
@common_options
@click.pass_context
def view(context: click.Context, /, path: Path, out: Path | None, overwrite: bool, **options: Any) -> None:
    """Show what is in a dataset or predictions file, in the browser.

    The page holds everything it needs and works offline: 2D and 3D side by side, every clip, avatar and camera; press ? for the keys.
    """
    from mocapgen.cli.console import print_viewed, progress_bar
    from mocapgen.shared.config import select_config

    first = {name: options.pop(name) for name in ("predictions", "clip", "frame")}
    selection, level = select_config(_given(context, options)), context.ensure_object(Verbosity).level
    from mocapgen.view.write_page import view

    with progress_bar(level) as progress:
        viewed = view(path, selection, out, overwrite=overwrite, progress=progress, **first)
    print_viewed(viewed, level)


_RENDER_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--out", type=click.Path(path_type=Path), help="The file to write: .png, .svg, .pdf, or moving: .gif, .mp4."),
    click.option("--rrd", type=click.Path(path_type=Path), help="A recording for the Rerun viewer to write, too, or instead."),
    click.option("--clip", metavar="ID", help="The clip  [default: the first]"),
    click.option("--avatar", metavar="NAME", help="Who performs it  [default: the clip's first]"),
    click.option("--avatars", multiple=True, metavar="A,B,...|all", help="Several avatars side by side; wildcards allowed; repeatable."),
    click.option("--camera", type=int, default=0, show_default=True, metavar="N", help="Which of the clip's cameras looks on."),
    click.option("--predictions", type=click.Path(path_type=Path), metavar="PRED.H5", help="What a model made of it, drawn over the truth."),
    click.option("--frame", type=int, metavar="N", help="The frame of a still picture  [default: the one farthest from the first pose]"),
    click.option("--frames", metavar="0,10,...|START:STOP[:STEP]", help="The frames of a filmstrip, or the part of a clip that moves."),
    click.option("--count", type=int, metavar="N", help="A filmstrip of so many frames, evenly spaced."),
    click.option("--sheet", is_flag=True, help="A contact sheet: a thumbnail for each of many clips."),
    click.option("--clips", multiple=True, metavar="A,B,...", help="Only these clips in a sheet; wildcards allowed; repeatable."),
    click.option("--actors", multiple=True, metavar="A,B,...", help="Only these actors in a sheet; wildcards allowed; repeatable."),
    click.option("--actions", multiple=True, metavar="A,B,...", help="Only these actions in a sheet; wildcards allowed; repeatable."),
    click.option("--size", metavar="WIDTHxHEIGHT", help="Pixels of the picture  [default: what suits it]"),
    click.option("--dpi", type=int, help="Dots per inch: size of text and lines  [default: 150, moving 90]"),
    click.option("--fps", type=float, help="Frames per second of an animation  [default: the file's, at most 30 in a GIF]"),
    click.option("--joint-names", is_flag=True, help="Write the joints' names beside them."),
    click.option("--trail", multiple=True, metavar="JOINT,...", help="Joints whose path over the last second is drawn; wildcards allowed."),
    click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True, help="Colours."),
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
)


@cli.command(
    epilog=example(
        "mocapgen render data.h5 --clip HDM_tr_kickLFront1Reps_025_120 --out kick.gif",
        "mocapgen render data.h5 --clip HDM_tr_kickLFront1Reps_025_120 --count 8 --out strip.pdf",
        "mocapgen render data.h5 --avatars all --out avatars.mp4",
        "mocapgen render data.h5 --sheet --actions 'hop*,kick*' --out sheet.png",
    )
)
@click.argument("path", metavar="DATA.H5", type=click.Path(path_type=Path))
@_options(_RENDER_OPTIONS)
@common_options
@click.pass_context
def render(context: click.Context, /, path: Path, **options: Any) -> None:
    """Draw clips: 2D on the image, 3D beside it; still or moving.

    DATA.H5 is a dataset or a predictions file.
    """
    from mocapgen.cli.console import print_pairs, progress_bar
    from mocapgen.figures import render
    from mocapgen.figures.settings import render_config

    level = context.ensure_object(Verbosity).level
    settings = render_config(options)
    with progress_bar(level) as progress:
        rendered = render(path, settings, progress)
    if level >= 0:
        print_pairs("written", rendered.pairs)


@cli.command(epilog=example("mocapgen skeletons"))
@common_options
def skeletons() -> None:
    """List the avatars to retarget to."""
    from mocapgen.anatomy.avatars import avatar_names, load_avatar
    from mocapgen.cli.console import print_avatars

    print_avatars([load_avatar(name) for name in avatar_names()])


@cli.command(epilog=example("mocapgen sample motions --format amc", "mocapgen build --source hdm05 --root motions --out data.h5"))
@click.argument("out", type=click.Path())
@click.option("--format", type=click.Choice(["amc", "c3d", "bvh"]), default="amc", show_default=True, help="File format to write.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the variation between actors and takes.")
@common_options
@click.pass_context
def sample(context: click.Context, /, out: str, format: str, seed: int) -> None:
    """Write the built-in sample motions to a folder.

    OUT is the folder; it is laid out like the real databases.
    """
    from mocapgen.sources.sample import write_sample

    count = write_sample(Path(out), format, seed)
    if context.ensure_object(Verbosity).level >= 0:
        click.echo(f"wrote {count} clips to {out}")


_CONVERT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--scale", type=float, metavar="METRES", help="Length of a unit of a BVH file to write  [default: 0.01]"),
    click.option("--up", type=click.Choice(["y", "z"]), help="Axis that points up in a BVH file to write  [default: y]"),
    click.option("--fps", type=float, help="Frame rate to resample to  [default: the file's]"),
    click.option("--asf", type=click.Path(path_type=Path), help="Skeleton of an AMC file to read  [default: the one beside it]"),
    click.option("--source-fps", type=float, help="Frame rate of an AMC file to read  [default: from an HDM05 name, else 120]"),
    click.option("--profile", help="What a BVH file to read means: a profile's name or YAML file  [default: found out]"),
    click.option("--source-scale", type=float, metavar="METRES", help="Length of a unit of a BVH file to read  [default: found out]"),
    click.option("--source-up", type=click.Choice(["y", "z"]), help="Axis that points up in a BVH file to read  [default: found out]"),
    click.option("--lenient", is_flag=True, help="Mend what can be mended in a BVH file to read, and say so."),
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
)


@cli.command(
    epilog=example(
        "mocapgen convert HDM_bd_squat1Reps_001_120.amc squat.bvh",
        "mocapgen convert 06_01.bvh 06_01.amc --fps 30",
        "mocapgen convert 85_12.c3d 85_12.bvh --scale 1 --up z",
    )
)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@_options(_CONVERT_OPTIONS)
@common_options
@click.pass_context
def convert(context: click.Context, /, **options: Any) -> None:
    """Convert a motion-capture file to another format.

    IN and OUT end in .amc, .bvh or .c3d. An AMC file has its skeleton, an ASF file, beside it. To the markers of a C3D file a skeleton is
    fitted; written to C3D, every joint is a marker.
    """
    from mocapgen.cli.console import print_converted
    from mocapgen.reading.convert import convert

    print_converted(convert(**options), context.ensure_object(Verbosity).level)


_EXPORT_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--format", type=click.Choice(_EXPORTS), required=True, help="What to write."),
    click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to, or the file if there is only one."),
    click.option("--clips", multiple=True, metavar="A,B,...", help="Only these clips; wildcards allowed; repeatable."),
    click.option("--actors", multiple=True, metavar="A,B,...", help="Only these actors; wildcards allowed; repeatable."),
    click.option("--actions", multiple=True, metavar="A,B,...", help="Only these actions; wildcards allowed; repeatable."),
    click.option("--avatars", multiple=True, metavar="A,B,...", help="Only these avatars; wildcards allowed; repeatable."),
    click.option("--camera", type=click.IntRange(0), help="Only this camera of each rig, counted from 0  [default: all]"),
    click.option("--space", type=click.Choice(["world", "camera"]), help="Frame of positions (bvh, csv, npz)  [default: world]"),
    click.option("--joints", metavar="NAME", help="Joint set, such as h36m17 (csv, npz)  [default: all joints that there are]"),
    click.option("--scale", type=float, metavar="METRES", help="Length of a unit (bvh)  [default: 0.01]"),
    click.option("--up", type=click.Choice(["y", "z"]), help="Axis that points up (bvh)  [default: y]"),
    click.option("--t-pose", is_flag=True, default=None, help="Begin with a frame in T-pose (bvh)."),
    click.option("--avatar", metavar="NAME|PATH", help="Whose bone lengths predictions take (bvh)  [default: those predicted]"),
    click.option("--views", type=click.Choice(["h36m", "file"]), help="Cameras (videopose3d): Human3.6M's or the file's  [default: h36m]"),
    click.option("--test-actors", multiple=True, metavar="A,B,...", help="Kept for testing (mmpose, videopose3d)  [default: the last by name]"),
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
)


@cli.command(
    epilog=example(
        "mocapgen export data.h5 --format bvh --actions 'walk*' --out motions",
        "mocapgen export pred.h5 --format bvh --up z --out predicted",
        "mocapgen export data.h5 --format videopose3d --test-actors bd --out VideoPose3D/data",
        "mocapgen export data.h5 --format npz --joints h36m17 --space camera --out poses.npz",
    )
)
@click.argument("path", metavar="FILE.H5", type=click.Path(path_type=Path))
@_options(_EXPORT_OPTIONS)
@common_options
@click.pass_context
def export(context: click.Context, /, **options: Any) -> None:
    """Export a dataset or predictions to files of other programs.

    FILE.H5 is what build or `trainer predict` wrote. Beside what is exported a JSON file says what it means and where it comes from.
    """
    from mocapgen.cli.console import print_exported, progress_bar
    from mocapgen.export import export

    level = context.ensure_object(Verbosity).level
    with progress_bar(level) as progress:
        exported = export(**options, progress=progress)
    print_exported(exported, level)


@cli.command(
    epilog=example(
        "mocapgen fetch hdm05", "mocapgen fetch hdm05 --format c3d --to /data/mocap", "mocapgen fetch cmu --url https://mirror.example/cmu.zip"
    )
)
@click.argument("source", metavar="hdm05|cmu")
@click.option("--format", type=click.Choice(["amc", "c3d"]), help="Which of the source's archives  [default: amc]")
@click.option("--to", type=click.Path(path_type=Path), help="Folder to download to  [default: the one that build looks in]")
@click.option("--url", help="Address of a mirror  [default: where the archive is published]")
@click.option("--force", is_flag=True, help="Download again, also if the content has changed.")
@common_options
@click.pass_context
def fetch(context: click.Context, source: str, format: str | None, to: Path | None, url: str | None, force: bool) -> None:
    """Download a database's official archive.

    A download that was interrupted goes on where it ended. An archive that is there already is checked.
    """
    from mocapgen.cli.console import print_fetched, print_terms, progress_bar
    from mocapgen.sources.archives import archive_of
    from mocapgen.sources.fetch import fetch

    archive, level = archive_of(source, format), context.ensure_object(Verbosity).level
    print_terms(archive, level)
    with progress_bar(level, sizes=True) as progress:
        found = fetch(archive, url, to, force, progress)
    print_fetched(found, archive, to, level)


@cli.command(epilog=example("mocapgen info"))
@common_options
def info() -> None:
    """Print the environment for a bug report."""
    from mocapgen.cli.console import print_pairs
    from mocapgen.cli.info import environment

    print_pairs("mocapgen", environment())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    run(cli, arguments, "mocapgen")
