"""From recipe, ``--config`` file and options to a checked :class:`~schemas.train.TrainConfig`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mocapgen.shared.config import SettingPath, checked, read_settings
from mocapgen.shared.documents import parse_yaml, read_json
from mocapgen.shared.text import nearest, one_line, printable, quoted
from schemas.errors import ConfigError, DatasetError
from schemas.train import RENAMED, TrainConfig
from trainer.model.networks import check_settings, model_names

RECIPES = Path(__file__).parent
WHAT = "training settings"
_MOST_GROUPS = 8
"""Most groups that a setting is in."""


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the program."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def read_recipe(name: str) -> dict[str, Any]:
    """Return the settings of a recipe: one that comes with the program, or a YAML file of one's own."""
    if name in recipe_names():
        return read_settings(RECIPES / f"{name}.yaml", WHAT)
    if Path(name).suffix in (".yaml", ".yml"):
        return read_settings(name, WHAT)
    rule = f"recipe: expected one of {', '.join(recipe_names())} or a YAML file, found {quoted(name)}"
    raise ConfigError(one_line("", rule, nearest(name, recipe_names())))


def recipe_file(name: str) -> str:
    """Return the file of a recipe for messages; nothing for one that comes with the program."""
    return "" if name in recipe_names() else name


def parse_assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Return the settings of ``--set augment.flip=0.5`` options; values are YAML.

    Raises
    ------
    ConfigError
        If one is not ``name=value``.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        *path, last = name.strip().replace("-", "_").split(".")
        if not equals or not last or len(path) > _MOST_GROUPS:
            raise ConfigError(one_line("", f"assignments: expected NAME=VALUE such as augment.flip=0.5, found {quoted(text)}"))
        parsed = parse_yaml(value, f"assignments={name}", lines=False)
        place = settings
        for key in path:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                found = f"{printable(key)}={quoted(place)}"
                raise ConfigError(one_line(f"assignments={name}", f"expected a group of settings, found {found} before"))
        place[last] = parsed
    return settings


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the settings of `over`, group by group; if `base` names another model, the settings of that one are dropped."""
    merged = dict(base)
    if "model" in base and over.get("model", base["model"]) != base["model"]:
        merged.pop("model_settings", None)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def train_config(*layers: Mapping[str, Any], files: Sequence[str] = ()) -> TrainConfig:
    """Return the checked settings of a run.

    Parameters
    ----------
    *layers : mapping
        Settings, later ones override earlier ones.
    files : sequence of str
        The file that each of the layers stands in, for messages; empty if in none. By default in none.

    Raises
    ------
    ConfigError
        One line per problem: setting, rule, value found; with files, one line for the first, with its file.
    """
    settings: dict[str, Any] = {}
    for layer in layers:
        settings = merge(settings, layer)

    def file_of(path: SettingPath) -> str:
        return next((file for layer, file in reversed(list(zip(layers, files, strict=False))) if _sets(layer, path)), "")

    config = checked(TrainConfig, settings, file_of, renamed=RENAMED, first=any(files))
    if config.model not in model_names():
        rule = f"model: expected one of {', '.join(model_names())}, found {quoted(config.model)}"
        raise ConfigError(one_line(file_of(("model",)), rule, nearest(config.model, model_names())))
    if config.model_settings:
        check_settings(config.model, config.model_settings, lambda path: file_of(("model_settings", *path)))
    return config


def _sets(layer: Any, path: SettingPath) -> bool:
    """Whether the setting at a path is in a layer, or one that it is a part of is no group there."""
    for part in path:
        if not isinstance(layer, Mapping):
            return True
        if part not in layer:
            return False
        layer = layer[part]
    return bool(path)


def run_config(
    recipe: str, config: str | Path | None, assignments: Sequence[str], options: Mapping[str, Any], resumed: str | Path | None = None
) -> TrainConfig:
    """Return the settings of a run from the command line.

    Parameters
    ----------
    recipe : str
    config : str or Path, optional
        A YAML file that overrides the recipe.
    assignments : sequence of str
        Texts for :func:`parse_assignments`; they override the file.
    options : mapping
        Settings that were given explicitly; they override everything.
    resumed : str or Path, optional
        Folder of a run that is to go on: its settings stand in for recipe and file.

    Raises
    ------
    ConfigError
        See :func:`train_config`.
    """
    given = merge(parse_assignments(assignments), options)
    if resumed is not None:
        return train_config(read_run(resumed).model_dump(), given)
    settings = read_settings(config, WHAT) if config is not None else {}
    return train_config(read_recipe(recipe), settings, given, files=(recipe_file(recipe), str(config or "")))


def read_run(folder: str | Path) -> TrainConfig:
    """Return the settings of the run in a folder.

    Raises
    ------
    DatasetError
        If there is no run, or its settings are of another version.
    """
    path = Path(folder) / "config.json"
    if not path.exists():
        rule = "expected the folder of a run with config.json, found none; start one without resume=True"
        raise DatasetError(one_line(str(folder), rule))
    try:
        content = read_json(path, "the settings of a run")
        return checked(TrainConfig, content, f"{path}: expected the settings of a run of this version, found others", renamed=RENAMED, first=True)
    except ConfigError as error:
        raise DatasetError(str(error)) from None


def default_folder(data: str | Path, recipe: str, config: TrainConfig) -> Path:
    """Return ``runs/DATA-RECIPE-SPLIT-sSEED``, with nothing in it that a shell would expand."""
    split = re.sub(r"[^A-Za-z0-9_.]+", "_", Path(config.split).stem if Path(config.split).is_file() else config.split).strip("_")
    return Path("runs") / f"{Path(data).stem}-{Path(recipe).stem}-{split}-s{config.seed}"
