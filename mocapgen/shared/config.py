"""From ``build.yaml`` and command-line options to a checked :class:`~schemas.config.BuildConfig`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.base import Model
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.subset import SelectConfig

LISTS = ("actors", "actions", "categories", "avatars", "clips", "sources", "cameras")
_IMAGE = re.compile(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*")


def option_name(field: str) -> str:
    """Return the command-line option of a setting: ``min_frames`` gives ``--min-frames``."""
    return "--category" if field == "categories" else "--" + field.replace("_", "-")


def split_list(values: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return the items of comma-separated texts, in order: ``("bd,mm", "dg")`` gives ``("bd", "mm", "dg")``."""
    values = [values] if isinstance(values, str) else values
    return tuple(item.strip() for value in values for item in str(value).split(",") if item.strip())


def image_size(text: str) -> dict[str, int]:
    """Return the size that ``1920x1080`` means.

    Raises
    ------
    ConfigError
        If the text is not WIDTHxHEIGHT.
    """
    match = _IMAGE.fullmatch(text)
    if match is None:
        raise ConfigError(f"--image: expected WIDTHxHEIGHT in pixels such as 1920x1080, found {text!r}")
    return {"width": int(match[1]), "height": int(match[2])}


def _normalised(values: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the short spellings (comma lists, 1920x1080) into the form of the model."""
    out = dict(values)
    for name in LISTS:
        if isinstance(out.get(name), str | tuple | list):
            given, out[name] = out[name], split_list(out[name])
            if given and not out[name]:  # an empty shell variable, for example: taking everything is not what was meant
                raise ConfigError(f"{option_name(name)}: expected names or wildcards, found nothing; leave the option out to take all")
    if isinstance(out.get("image"), str):
        out["image"] = image_size(out["image"])
    return out


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of build settings.

    Parameters
    ----------
    path : str or Path
        A mapping with the fields of :class:`~schemas.config.BuildConfig` as keys, every one optional.

    Returns
    -------
    dict
        The settings found; their values are not checked yet.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, is not a mapping, is empty or holds an unknown key.
    """
    import yaml

    try:
        settings = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable YAML file of build settings, found: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{where}: expected YAML, found: {getattr(error, 'problem', None) or 'text that is not UTF-8'}") from None
    if settings is None or settings == {}:
        raise ConfigError(f"{path}: expected settings such as 'source: sample', found none; to build with the defaults leave --config out")
    if not isinstance(settings, dict):
        raise ConfigError(f"{path}: expected settings as 'key: value' lines, found a {type(settings).__name__}")
    # Both spellings are common in YAML files, and options are written with dashes.
    settings = {str(key).replace("-", "_"): value for key, value in settings.items()}
    for key in settings:
        if key not in BuildConfig.model_fields:
            near = difflib.get_close_matches(key, BuildConfig.model_fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(BuildConfig.model_fields)}"
            raise ConfigError(f"{path}: unknown setting {key!r}; {hint}")
    return settings


def _problem(error: Mapping[str, Any], config: str | Path | None, options: Mapping[str, Any], model: type[Model]) -> str:
    """Return one validation error in one line that names the option or the key of the file."""
    message = re.sub(r"^Value error, ", "", error["msg"])
    location = [str(part) for part in error["loc"]]
    if not location:
        fields = sorted(model.model_fields, key=len, reverse=True)
        for field in (name for name in fields if "_" in name or message.startswith(f"{name}:")):
            message = re.sub(rf"\b{field}\b", option_name(field), message)
        return message
    key, *inner = location
    where = option_name(key) if key in options or config is None else f"{config}: {key}"
    where = " ".join([where, *inner])
    if error["type"] == "value_error":
        return f"{where}: {message}"
    return f"{where}: {message[:1].lower()}{message[1:]}, found {error['input']!r}"


def build_config(options: Mapping[str, Any], config: str | Path | None = None) -> BuildConfig:
    """Return the checked settings of a build.

    Parameters
    ----------
    options : mapping
        Fields of :class:`~schemas.config.BuildConfig` that were given explicitly; they override the file's.
        Lists may be comma-separated text, the image size ``"1920x1080"``.
    config : str or Path, optional
        A YAML file for :func:`read_settings`.

    Returns
    -------
    BuildConfig

    Raises
    ------
    ConfigError
        With one line per problem, each naming the option (or file and key), the rule and the value found.
    """
    settings = {} if config is None else read_settings(config)
    try:
        return BuildConfig(**_normalised({**settings, **options}))
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(dict(problem), config, options, BuildConfig) for problem in error.errors())) from None


def output_of(out: Path | None, dry_run: bool) -> Path | None:
    """Return the file to write; None for a dry run.

    Raises
    ------
    ConfigError
        If it is neither named nor a dry run.
    """
    if out is None and not dry_run:
        raise ConfigError("--out: expected the path of the file to write (or --dry-run)")
    return None if dry_run else out


def select_config(options: Mapping[str, Any]) -> SelectConfig:
    """Return the checked settings of a selection.

    Parameters
    ----------
    options : mapping
        Fields of :class:`~schemas.subset.SelectConfig`. Lists may be comma-separated text.

    Returns
    -------
    SelectConfig

    Raises
    ------
    ConfigError
        With one line per problem, each naming the option, the rule and the value found.
    """
    try:
        return SelectConfig(**_normalised(options))
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(dict(problem), None, options, SelectConfig) for problem in error.errors())) from None
