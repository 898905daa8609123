"""Settings: checked models, from files and from text as on the command line; every error is one line for each problem."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mocapgen.shared.documents import read_yaml
from mocapgen.shared.text import did_you_mean, one_line, quoted, split_list
from schemas.base import wrong_dataset_name
from schemas.camera import ImageSize
from schemas.config import BuildConfig
from schemas.errors import ConfigError, MocapError
from schemas.subset import SelectConfig

_IMAGE = re.compile(r"\s*(\d{1,9})\s*[xX×]\s*(\d{1,9})\s*")
_MOST_PROBLEMS = 20
"""Most lines of an error; further problems are counted."""
M = TypeVar("M", bound=BaseModel)
SettingPath = tuple[str | int, ...]
"""Where a setting is: its name, after those of the groups and lists that it is in."""


# Models -------------------------------------------------------------------------------------------


def checked(
    model: type[M],
    values: Any,
    subject: str | Callable[[SettingPath], str] = "",
    *,
    group: str = "",
    renamed: Mapping[str, str] | None = None,
    first: bool = False,
    error: type[MocapError] = ConfigError,
) -> M:
    """Return a model of checked values.

    Parameters
    ----------
    model : type of BaseModel
    values : mapping
    subject : str or callable
        Where the values stand, such as a file's name: messages begin with it. A callable is asked for each setting, by its path.
    group : str
        The setting that the values are, for the names of settings in messages: ``model_settings``.
    renamed : mapping of str to str, optional
        Present names of settings, by those of earlier versions.
    first : bool
        Report only the first problem, and count the others.
    error : type of MocapError
        What is raised.

    Raises
    ------
    ConfigError
        With one line for each problem: where, which setting, the rule and the value found.
    """
    try:
        return model.model_validate(_plain(values))
    except ValidationError as failure:
        problems = failure.errors(include_url=False, include_context=False)
    shown, lines = problems[: 1 if first else _MOST_PROBLEMS], []
    for problem in shown:
        where = subject(problem["loc"]) if callable(subject) else subject
        more = f" (and {len(problems) - len(shown)} more)" if problem is shown[-1] and len(problems) > len(shown) else ""
        lines.append(one_line(where, _problem(dict(problem), model, group, renamed or {}), more))
    raise error(*lines)


def _plain(value: Any) -> Any:
    """Return values with Python's numbers in place of NumPy's, which strict models refuse."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(part) for part in value) if type(value) in (list, tuple) else value
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value


def _problem(error: Mapping[str, Any], model: type[BaseModel], group: str, renamed: Mapping[str, str]) -> str:
    """Return a validation error without the place where it is."""
    name = _joined((group, *error["loc"]) if group else error["loc"])
    message = re.sub(r"^Value error, ", "", error["msg"])
    if error["type"] == "extra_forbidden":
        *path, last = error["loc"]
        if name in renamed:
            return f"setting {name!r} is the name of an earlier version; it is {renamed[name]!r} now"
        known = _fields(model, path)
        return f"unknown setting {name!r}" + (f"; {did_you_mean(str(last), known)}" if known else f", found {quoted(error['input'])}")
    name = f"{name}: " if name else ""
    if error["type"] == "value_error":
        return f"{name}{message}"
    if error["type"] == "model_type":  # pydantic's words name a class of Python
        known = _fields(model, error["loc"])
        message = "expected a group of settings" + (f" ({', '.join(known[:4])}{', ...' if len(known) > 4 else ''})" if known else "")
    found = "" if error["type"] == "missing" else f", found {quoted(error['input'])}"
    return f"{name}{message[:1].lower()}{message[1:]}{found}"


def _joined(path: Sequence[str | int]) -> str:
    """Return the name of a setting in a group or list: ``joints[3].offset``; long ones are cut."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in path[:8]]
    return "".join(parts).lstrip(".")


def _fields(model: Any, path: Sequence[str | int]) -> list[str]:
    """Return the settings of a model, or of a group of it."""
    for part in path:
        annotation = model.model_fields[part].annotation if model is not None and part in model.model_fields else None
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]


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
        raise ConfigError(f"{setting}: expected WIDTHxHEIGHT in pixels such as 1920x1080, found {quoted(text)}")
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
    if annotation == tuple[str, ...] and (isinstance(value, str) or (isinstance(value, tuple | list) and all(map(_is_item, value)))):
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


def _is_item(value: Any) -> bool:
    """Whether a value can be a name in a list: a whole number can, as it is written in one way only; 1.50 and `no` are not what was written."""
    return isinstance(value, str | int) and not isinstance(value, bool)


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
        With one line for each problem: setting (``min_frames: ...``), the rule and the value found. With a file, one line for the first: file and
        setting, ...
    """
    listed = {} if file is None else read_settings(file, what)
    if file is not None and not listed:
        raise ConfigError(one_line(str(file), f"expected {what} as 'key: value' lines, found none; for the defaults give no file"))

    def subject(path: SettingPath) -> str:
        return str(file) if path and path[0] in listed and path[0] not in options else ""

    for name in listed:
        if name not in model.model_fields:
            raise ConfigError(one_line(str(file), f"unknown setting {quoted(name)}; {did_you_mean(name, model.model_fields)}"))
    return checked(model, from_text(model, {**listed, **options}), subject, first=file is not None)


def read_settings(path: str | Path, what: str = "settings") -> dict[str, Any]:
    """Read a YAML file of settings, whose names may be written with dashes; names and values are not checked yet.

    Raises
    ------
    ConfigError
        See :func:`~mocapgen.shared.documents.read_yaml`; or if a setting is given with dashes and without.
    """
    listed: dict[str, Any] = {}
    for key, value in read_yaml(path, what).items():
        name = key.replace("-", "_")
        if name in listed:
            raise ConfigError(one_line(str(path), f"expected each setting once, found {quoted(name)} twice, with dashes and without"))
        listed[name] = value
    return listed


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
        If it is neither named nor a dry run, or its name is that of another kind of file.
    """
    if out is None and not dry_run:
        raise ConfigError("out: expected the path of the file to write (or dry_run=True)")
    if out is not None and (wrong := wrong_dataset_name(out)):
        raise ConfigError(f"out: {wrong}")
    return None if dry_run else out
