"""From command-line options to a checked :class:`~schemas.render.RenderConfig`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mocapgen.shared.config import image_size, option_name, split_list
from schemas.errors import ConfigError
from schemas.render import RenderConfig

LISTS = ("clips", "actors", "actions", "avatars", "trail")


def render_config(options: Mapping[str, Any]) -> RenderConfig:
    """Return the checked settings of a picture.

    Parameters
    ----------
    options : mapping
        Fields of :class:`~schemas.render.RenderConfig`. Lists may be comma-separated text, the size ``"1200x540"``.

    Raises
    ------
    ConfigError
        With one line per problem, each naming the option, the rule and the value found.
    """
    values = {name: value for name, value in options.items() if value is not None}
    for name in LISTS:
        given = values.get(name, ())
        values[name] = split_list(given)
        if given != () and not values[name]:  # an empty shell variable, for example
            raise ConfigError(f"{option_name(name)}: expected names or wildcards, found nothing; leave the option out to take all")
    if isinstance(values.get("size"), str):
        try:
            values["size"] = tuple(image_size(values["size"]).values())
        except ConfigError as error:
            raise ConfigError(str(error).replace("--image", "--size")) from None
    try:
        return RenderConfig(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(dict(problem)) for problem in error.errors())) from None


def _problem(problem: Mapping[str, Any]) -> str:
    message = re.sub(r"^Value error, ", "", problem["msg"])
    if not problem["loc"]:
        field, colon, rest = message.partition(":")
        return f"{option_name(field)}:{rest}" if colon and field in RenderConfig.model_fields else message
    return f"{option_name(str(problem['loc'][0]))}: {message[:1].lower()}{message[1:]}, found {problem['input']!r}"
