"""What a shell completes for `trainer`; nothing of this imports PyTorch or NumPy."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import click

from mocapgen.shared.completion import files, names
from mocapgen.shared.parts import part_names

TRAINER = Path(__file__).parents[1]
RECIPES = tuple(sorted(path.stem for path in (TRAINER / "recipes").glob("*.yaml")))
NETWORKS = part_names("trainer.model.networks", "NETWORK")


def shipped_names() -> tuple[str, ...]:
    """Return the names of the models that ship."""
    return tuple(sorted(path.stem for path in (TRAINER / "models").glob("*.safetensors")))


def layout_names() -> list[str]:
    """Return the names of the joint layouts, from the text of the table that holds them."""
    text = (TRAINER / "predict" / "keypoints" / "layouts.py").read_text(encoding="utf-8")
    tables = [node.value for node in ast.parse(text).body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "LAYOUTS"]
    return [ast.literal_eval(key) for table in tables if isinstance(table, ast.Dict) for key in table.keys if key is not None]


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run."""
    return any((folder / weights).is_file() for weights in ("best.safetensors", "last.safetensors"))


def _models(context: click.Context) -> Iterator[str]:
    yield from shipped_names()
    yield from (os.path.join("runs", path.name) for path in sorted(Path("runs").glob("*")) if is_run(path))  # noqa: PTH118 - as it is typed


DATA = files(".h5", ".hdf5")
MODEL = files(".safetensors", also=_models, folder=is_run)
SHIPPED = names(shipped_names())
RECIPE = files(".yaml", ".yml", also=RECIPES)
SEVERAL_RECIPES = names(RECIPES, listed=True)
SPLIT = files(".txt", also=("clip", "random", "all", "actor=", "action="))
EXPERIMENTS = names(("A", "clip", "B", "C", "CMU"), listed=True)

_SETTINGS = {
    "model": names(NETWORKS),
    "split": SPLIT,
    "device": names(("auto", "cpu", "cuda")),
    "joint_set": names(("h36m17", "all", "detector")),
    "layout": names(lambda context: layout_names()),
    "detector": names(lambda context: part_names("trainer.predict.detectors", "DETECTOR")),
    "person": names(("largest", "all")),
    "keypoints_out": files(".json"),
}
NOTES = {"model": {"note": f": {', '.join(NETWORKS)}"}}
EXTRAS = {name: {"shell_complete": complete, **NOTES.get(name, {})} for name, complete in _SETTINGS.items()}
"""What options that are made from settings have besides, by the setting; see :func:`mocapgen.shared.options.schema_options`."""
