"""What a shell completes for `mocapgen`; nothing of this imports NumPy, but h5py where names are in the file that was typed before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from mocapgen.shared.completion import Complete, files, names
from mocapgen.shared.parts import part_names

MOCAPGEN = Path(__file__).parents[1]
_CHECK = re.compile(r'^@check\(\s*"([a-z]+\.[a-z0-9_]+)"', re.MULTILINE)


def _stems(folder: str, suffix: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (MOCAPGEN / folder).glob(f"*{suffix}")))


def check_ids() -> list[str]:
    """Return the families and ids of all checks, from the text of the modules that define them."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((MOCAPGEN / "inspect" / "checks").glob("*.py"))]
    ids = sorted(id for text in texts for id in _CHECK.findall(text))
    return [*dict.fromkeys(id.partition(".")[0] for id in ids), *ids]


def _in_file(*columns: str) -> Callable[[click.Context], Iterable[str]]:
    """Return a function that finds the names in the first of some columns that the file holds which was typed before the option."""

    def found(context: click.Context) -> Iterable[str]:
        from mocapgen.shared.hdf5_open import open_reading

        try:
            path = context.params["path"] or context.args[0]  # the latter while the option before it has no value yet
            with open_reading(Path(path)) as file:
                column = next(file[column] for column in columns if column in file and file[column].dtype.kind == "O")
                return list(dict.fromkeys(name.decode() for name in column[()].tolist()))
        except Exception:  # no file, none of this project's, a damaged one: nothing to offer
            return ()

    return found


CLIPS, AVATARS = _in_file("/clips/id", "/sequences/clip"), _in_file("/sequences/avatar")
DATA, MOTION, YAML = files(".h5", ".hdf5"), files(".amc", ".bvh", ".c3d"), files(".yaml", ".yml")
PROFILE, MARKER_SET = (
    files(".yaml", ".yml", also=_stems("anatomy/profiles", ".yaml")),
    files(".yaml", ".yml", also=_stems("anatomy/marker_sets", ".yaml")),
)
POLICY = files(".yaml", ".yml", also=_stems("inspect/policies", ".yaml"))
CHECKS, CHECK = names(lambda context: check_ids(), listed=True), names(lambda context: check_ids())
CLIP = names(CLIPS)

BUILD = {
    "source": names(part_names("mocapgen.sources", "SOURCE")),
    "avatars": names(_stems("anatomy/avatars", ".json"), listed=True),
    "camera": names(("front", "orbit:4", "orbit:8", "random:4", "random:8")),
    "profile": PROFILE,
    "marker_set": MARKER_SET,
    "table": files(".csv"),
}
"""What the options of ``build`` take, by setting."""
IN_FILE = {
    "clip": CLIP,
    "clips": names(CLIPS, listed=True),
    "actors": names(_in_file("/clips/actor", "/sequences/actor"), listed=True),
    "actions": names(_in_file("/clips/action", "/sequences/action"), listed=True),
    "sources": names(_in_file("/clips/source"), listed=True),
    "avatar": names(AVATARS),
    "avatars": names(AVATARS, listed=True),
    "cameras": names(_in_file("/cameras/rig"), listed=True),
    "predictions": DATA,
    "without_findings": files(".json"),
    "checks": CHECKS,
}
"""What options take that choose among the sequences of a file, by setting."""


def completed(completions: Mapping[str, Complete], extras: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """Return what options that are made from settings have besides, with what completes them: see :func:`mocapgen.shared.options.schema_options`."""
    more = extras or {}
    return {name: {**({"shell_complete": completions[name]} if name in completions else {}), **more.get(name, {})} for name in {*completions, *more}}
