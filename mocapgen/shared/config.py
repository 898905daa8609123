"""Settings: YAML files, text as on the command line, and checked models; every error is one line for each problem."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mocapgen.shared.text import did_you_mean, split_list
from schemas.camera import ImageSize
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.subset import SelectConfig

_IMAGE = re.compile(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*")
_LONGEST = 80
"""Letters of a wrong value that a message quotes."""
M = TypeVar("M", bound=BaseModel)


# YAML ---------------------------------------------------------------------------------------------


def read_yaml(path: str | Path, what: str = "settings", subject: str = "") -> dict[str, Any]:
    """Read a YAML file of settings; their names and values are not checked yet.

    Parameters
    ----------
    path : str or Path
        A mapping; an empty file is an empty one.
    what : str
        What the file holds, for messages: ``build settings``.
    subject : str
        What messages begin with; by default the path.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, is not a mapping, or holds a key twice: with the line where there is one.
    """
    subject = subject or str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{subject}: expected a readable YAML file of {what}, found: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{subject}: expected a YAML file of {what}, found text that is not UTF-8") from None
    content = parse_yaml(text, subject)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{subject}: expected {what} as 'key: value' lines, found a {type(content).__name__}")
    return {str(key): value for key, value in content.items()}


def parse_yaml(text: str, subject: str) -> Any:
    """Return what a YAML text holds.

    Parameters
    ----------
    text : str
    subject : str
        Where it stands: messages begin with it.

    Raises
    ------
    ConfigError
        If it is not YAML, or holds a key twice.
    """
    import yaml

    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{subject}:{mark.line + 1}" if mark else subject
        found = getattr(error, "problem", None) or getattr(error, "reason", None) or " ".join(str(error).split())[:_LONGEST]
        raise ConfigError(f"{where}: expected YAML, found: {found}") from None
    except (RecursionError, ValueError) as error:  # ValueError: a date such as 2020-13-01
        found = "too many levels" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(f"{subject}: expected YAML, found: {found}") from None


@cache
def _loader() -> Any:
    """Return PyYAML's safe loader, in C where it is installed, that refuses a key given twice."""
    import yaml

    class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            lines: dict[str, int] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    line = key.start_mark.line + 1
                    if key.value in lines:
                        problem = f"the key {key.value!r} twice, first in line {lines[key.value]}"
                        raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                    lines[key.value] = line
            return super().construct_mapping(node, deep)

    return StrictLoader


# Models -------------------------------------------------------------------------------------------


def checked(model: type[M], values: Mapping[str, Any], subject: str | Callable[[str], str] = "", first: bool = False) -> M:
    """Return a model of checked values.

    Parameters
    ----------
    model : type of BaseModel
    values : mapping
    subject : str or callable
        Where the values stand, such as a file's name: messages begin with it. A callable is asked for each setting.
    first : bool
        Report only the first problem.

    Raises
    ------
    ConfigError
        With one line for each problem: where, which setting, the rule and the value found.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise ConfigError("\n".join(_problem(dict(problem), model, subject) for problem in problems[: 1 if first else None])) from None


def _problem(error: Mapping[str, Any], model: type[BaseModel] | None, subject: str | Callable[[str], str]) -> str:
    """Return a validation error in one line."""
    *path, last = error["loc"] or ("",)
    name = ".".join(str(part) for part in error["loc"])
    where = subject(str(error["loc"][0]) if error["loc"] else "") if callable(subject) else subject
    where = f"{where}: " if where else ""
    message = re.sub(r"^Value error, ", "", error["msg"])
    if error["type"] == "extra_forbidden":
        known = _fields(model, path)
        return f"{where}unknown setting {name!r}" + (f"; {did_you_mean(str(last), known)}" if known else "")
    name = f"{name}: " if name else ""
    if error["type"] == "value_error":
        return f"{where}{name}{message}"
    found = "" if error["type"] == "missing" else f", found {repr(error['input'])[:_LONGEST]}"
    return f"{where}{name}{message[:1].lower()}{message[1:]}{found}"


def _fields(model: Any, path: list[Any]) -> list[str]:
    """Return the settings of a model, or of a group of it."""
    for part in path:
        annotation = model.model_fields[part].annotation if model is not None and part in model.model_fields else None
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    return [] if model is None else list(model.model_fields)


# Text as on the command line ----------------------------------------------------------------------


def image_size(text: str, setting: str = "image") -> tuple[int, int]:
    """Return width and height, pixels, of a text such as ``1920x1080``.

    Raises
    ------
    ConfigError
        If the text is not WIDTHxHEIGHT.
    """
    match = _IMAGE.fullmatch(text)
    if match is None:
        raise ConfigError(f"{setting}: expected WIDTHxHEIGHT in pixels such as 1920x1080, found {text!r}")
    return int(match[1]), int(match[2])


def from_text(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the short spellings in the form of the model: comma lists as tuples, ``1920x1080`` as a size.

    Raises
    ------
    ConfigError
        If a list is given and empty, as from an empty shell variable, or a size is none.
    """
    return {name: _from_text(name, _annotation(model, name), value) for name, value in values.items()}


def _annotation(model: type[BaseModel], name: str) -> Any:
    """Return the type of a setting, without the None of an optional one."""
    annotation: Any = model.model_fields[name].annotation if name in model.model_fields else None
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _from_text(name: str, annotation: Any, value: Any) -> Any:
    if annotation == tuple[str, ...] and isinstance(value, str | tuple | list):
        items = split_list(value)
        if not items and value not in ((), []):  # an empty shell variable, for example
            raise ConfigError(f"{name}: expected names or wildcards, found nothing; leave it out to take all")
        return items
    if isinstance(value, str) and annotation == tuple[int, int]:
        return image_size(value, name)
    if isinstance(value, str) and annotation is ImageSize:
        width, height = image_size(value, name)
        return {"width": width, "height": height}
    return value


# Settings of commands -----------------------------------------------------------------------------


def settings(model: type[M], options: Mapping[str, Any], file: str | Path | None = None, what: str = "settings") -> M:
    """Return the checked settings of a command.

    Parameters
    ----------
    model : type of BaseModel
    options : mapping
        Settings that were given, by field; they override the file's. Text is allowed as on the command line (see :func:`from_text`).
    file : str or Path, optional
        A YAML file of the same settings; names may be written with dashes.
    what : str
        What the file holds, for messages.

    Raises
    ------
    ConfigError
        With one line for each problem: setting (``min_frames: ...``) or file and setting, the rule and the value found.
    """
    listed = {} if file is None else {key.replace("-", "_"): value for key, value in read_yaml(file, what).items()}
    if file is not None and not listed:
        raise ConfigError(f"{file}: expected {what} as 'key: value' lines, found none; for the defaults give no file")

    def subject(name: str) -> str:
        return str(file) if name in listed and name not in options else ""

    for name in listed:
        if name not in model.model_fields:
            raise ConfigError(f"{file}: unknown setting {name!r}; {did_you_mean(name, model.model_fields)}")
    return checked(model, from_text(model, {**listed, **options}), subject)


def build_config(options: Mapping[str, Any], config: str | Path | None = None) -> BuildConfig:
    """Return the checked settings of a build.

    Parameters
    ----------
    options : mapping
        Fields of :class:`~schemas.config.BuildConfig` that were given; they override the file's. Lists may be comma-separated text
        (``actors="bd,mm"``), the image size ``"1920x1080"``: ``build_config({"source": "sample", "actions": "walk", "out": "walk.h5"})``.
    config : str or Path, optional
        A YAML file of build settings.

    Raises
    ------
    ConfigError
        With one line for each problem, naming the setting as in Python: ``min_frames: input should be greater than or equal to 1, found 0``.
        The command line translates the name: ``--min-frames: ...``.
    """
    return settings(BuildConfig, options, config, "build settings")


def select_config(options: Mapping[str, Any]) -> SelectConfig:
    """Return the checked settings of a selection: fields of :class:`~schemas.subset.SelectConfig`, see :func:`settings`."""
    return settings(SelectConfig, options)


def output_of(out: Path | None, dry_run: bool) -> Path | None:
    """Return the file to write; None for a dry run.

    Raises
    ------
    ConfigError
        If it is neither named nor a dry run.
    """
    if out is None and not dry_run:
        raise ConfigError("out: expected the path of the file to write (or dry_run=True)")
    return None if dry_run else out
