"""``mocapgen export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mocapgen.cli._complete import DATA, IN_FILE, completed
from mocapgen.shared.command import add_options, common_options, example, given, session
from mocapgen.shared.options import properties, schema_options
from mocapgen.shared.parts import part_names
from mocapgen.shared.progress import progress_bar
from mocapgen.shared.tables import print_pairs

if TYPE_CHECKING:
    from mocapgen.export import ExportReport

SHOWN_FILES = 5
"""Files that are named one by one; more are counted."""


class _Format(click.Choice[str]):
    """The name of a format; pictures have a command of their own."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if str(value) in ("mp4", "gif", "png", "svg", "pdf"):
            self.fail(f"expected one of {', '.join(self.choices)}, found {value!r}; `mocapgen render FILE.H5 --out x.{value}` draws", param, ctx)
        return super().convert(value, param, ctx)


_SCHEMA = properties("export-config")
_OPTIONS = (
    *schema_options("export-config", ("format",), {"format": {"required": True, "type": _Format(part_names("mocapgen.export", "EXPORTER"))}}),
    click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to, or the file if there is only one."),
    *schema_options(
        "export-config",
        [name for name in _SCHEMA if name != "format"],
        completed(
            IN_FILE,
            {
                "scale": {"metavar": "METRES"},
                "avatar": {"metavar": "NAME|PATH"},
                "joints": {"metavar": "NAME"},
                "camera": {"type": click.IntRange(0)},
            },
        ),
    ),
    click.option("--overwrite", is_flag=True, help="Replace files that exist."),
)


@click.command(
    epilog=example(
        "mocapgen export data.h5 --format bvh --actions 'walk*' --out motions",
        "mocapgen export pred.h5 --format bvh --up z --out predicted",
        "mocapgen export pred.h5 --format gltf --out animation.glb",
        "mocapgen export data.h5 --format videopose3d --test-actors bd --out VideoPose3D/data",
        "mocapgen export data.h5 --format npz --joints h36m17 --space camera --out poses.npz",
    )
)
@click.argument("path", metavar="FILE.H5", shell_complete=DATA, type=click.Path(path_type=Path))
@add_options(_OPTIONS)
@common_options
@click.pass_context
def export(context: click.Context, /, **options: Any) -> None:
    """Export a dataset or predictions to the files of other programs.

    FILE.H5 was written by build or by `trainer predict`. A JSON file beside the export gives units, axes, joint order and origin.
    """
    from mocapgen.export import export

    level = session(context).level
    with progress_bar(level) as progress:
        exported = export(**given(context, options), progress=progress)
    if level >= 0:
        print_exported(exported, level)


def print_exported(exported: ExportReport, level: int) -> None:
    """Print what an export wrote, and its notes; every file if `level` is above 0."""
    count, files = len(exported.files) - 1, exported.files
    shown = [str(file) for file in files] if level > 0 or len(files) <= SHOWN_FILES else [f"{exported.out}, {count:,} files"]
    size = f"{exported.frames:,} in {exported.sequences:,} {'sequence' if exported.sequences == 1 else 'sequences'}"
    pairs = {"files": shown, "described in": str(files[-1]), "frames": size}
    print_pairs("exported", {**pairs, **({"notes": exported.notes} if exported.notes else {})})
