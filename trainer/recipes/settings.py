"""From recipe, ``--config`` file and options to a checked :class:`~schemas.train.TrainConfig`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.errors import ConfigError, DatasetError
from schemas.train import RENAMED, TrainConfig

RECIPES = Path(__file__).parent


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the program."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of settings; whether they are known is checked by :func:`train_config`.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML or not a mapping.
    """
    import yaml

    try:
        settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable YAML file of training settings, found: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{where}: expected YAML, found: {getattr(error, 'problem', None) or 'text that is not UTF-8'}") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise ConfigError(f"{path}: expected settings as 'key: value' lines, found a {type(settings).__name__}")
    return {str(key).replace("-", "_"): value for key, value in settings.items()}


def read_recipe(name: str) -> dict[str, Any]:
    """Return the settings of a recipe: one that comes with the program, or a YAML file of one's own."""
    if name in recipe_names():
        return read_yaml(RECIPES / f"{name}.yaml")
    if Path(name).suffix in (".yaml", ".yml"):
        return read_yaml(name)
    raise ConfigError(f"recipe: expected one of {', '.join(recipe_names())} or a YAML file, found {name!r}")


def parse_assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Return the settings of ``--set augment.flip=0.5`` options; values are YAML.

    Raises
    ------
    ConfigError
        If one is not ``name=value``.
    """
    import yaml

    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"assignments: expected NAME=VALUE such as augment.flip=0.5, found {text!r}")
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"assignments={name}: expected a YAML value, found {value!r}") from None
        if isinstance(parsed, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", parsed):
            parsed = float(parsed)  # YAML 1.1 takes 1e-4 for a text
        *path, last = name.strip().replace("-", "_").split(".")
        place = settings
        for key in path:
            place = place.setdefault(key, {})
        place[last] = parsed
    return settings


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the settings of `over`, group by group; the settings of another model replace those of the old one."""
    merged = dict(base)
    if over.get("model", base.get("model")) != base.get("model"):
        merged.pop("model_settings", None)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def train_config(*layers: Mapping[str, Any]) -> TrainConfig:
    """Return the checked settings of a run.

    Parameters
    ----------
    *layers : mapping
        Settings, later ones override earlier ones.

    Raises
    ------
    ConfigError
        One line per problem: setting, rule, value found.
    """
    settings: dict[str, Any] = {}
    for layer in layers:
        settings = merge(settings, layer)
    try:
        return TrainConfig(**settings)
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(dict(problem)) for problem in error.errors())) from None


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
    given = [parse_assignments(assignments), options]
    if resumed is not None:
        return train_config(read_run(resumed).model_dump(), *given)
    return train_config(read_recipe(recipe), read_yaml(config) if config is not None else {}, *given)


def read_run(folder: str | Path) -> TrainConfig:
    """Return the settings of the run in a folder.

    Raises
    ------
    DatasetError
        If there is no run, or its settings are of another version.
    """
    path = Path(folder) / "config.json"
    try:
        return TrainConfig(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DatasetError(f"{folder}: expected the folder of a run with config.json, found none; start one without resume=True") from None
    except ValidationError as error:
        raise DatasetError(f"{path}: expected the settings of a run of this version, found others: {_problem(error.errors()[0])}") from None
    except (ValueError, TypeError) as error:
        raise DatasetError(f"{path}: expected the settings of a run, found other content ({str(error).splitlines()[0]})") from None


def default_folder(data: str | Path, recipe: str, config: TrainConfig) -> Path:
    """Return ``runs/DATA-RECIPE-SPLIT-sSEED``, with nothing in it that a shell would expand."""
    split = re.sub(r"[^A-Za-z0-9_.]+", "_", Path(config.split).stem if Path(config.split).is_file() else config.split).strip("_")
    return Path("runs") / f"{Path(data).stem}-{Path(recipe).stem}-{split}-s{config.seed}"


def _fields(path: Sequence[Any]) -> list[str]:
    """Return the settings that there are in a group."""
    model: Any = TrainConfig
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _problem(error: Mapping[str, Any]) -> str:
    *path, last = error["loc"] or ("settings",)
    where = ".".join(str(part) for part in error["loc"])
    message = re.sub(r"^Value error, ", "", error["msg"])
    if error["type"] == "extra_forbidden" and where in RENAMED:
        return f"setting {where!r} is the name of an earlier version; it is {RENAMED[where]!r} now"
    if error["type"] == "extra_forbidden":
        known = _fields(path)
        near = difflib.get_close_matches(str(last), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        return f"unknown setting {where!r}; {hint}"
    if error["type"] == "value_error":
        return f"{where}: {message}" if where else message
    return f"{where}: {message[:1].lower()}{message[1:]}, found {error['input']!r}"
