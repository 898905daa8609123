"""Command-line options of settings: name, type, default, choices and help come from the exported JSON Schema of the pydantic model.

The schema is read, not the model: pydantic would take longer to import than a whole ``--help`` may take.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

import schemas

Option = Callable[[Any], Any]
SIZE = "WIDTHxHEIGHT"
_TYPES: dict[str, type] = {"integer": int, "number": float, "string": str}


@cache
def properties(schema: str) -> dict[str, dict[str, Any]]:
    """Return the fields of ``schemas/json/SCHEMA.schema.json``, references resolved, by name."""
    content = json.loads((Path(str(schemas.__file__)).parent / "json" / f"{schema}.schema.json").read_text(encoding="utf-8"))

    def resolved(field: dict[str, Any]) -> dict[str, Any]:
        kinds = [part for part in field.get("anyOf", ()) if part.get("type") != "null"]
        field = {**kinds[0], **field} if kinds else field
        if "$ref" in field:
            return {**content["$defs"][field["$ref"].rpartition("/")[2]], **field}
        return field

    return {name: resolved(field) for name, field in content["properties"].items()}


def schema_options(
    schema: str,
    only: Collection[str] = (),
    extras: Mapping[str, Mapping[str, Any]] | None = None,
    negatable: bool = False,
    defaults: bool = True,
) -> tuple[Option, ...]:
    """Return an option for each field of a schema, in the schema's order.

    Parameters
    ----------
    schema : str
        Name of the schema, such as ``build-config``.
    only : collection of str
        These fields, in this order; by default all.
    extras : mapping, optional
        What the schema does not say, by field: ``option`` is the option's name, ``note`` is appended to its help; the rest is passed to
        :func:`click.option`.
    negatable : bool
        Whether a flag has its opposite, ``--no-NAME``, to override a configuration file.
    defaults : bool
        Whether options have the schema's defaults; if not, what is not given is None.
    """
    fields = properties(schema)
    return tuple(_option(name, fields[name], dict((extras or {}).get(name, {})), negatable, defaults) for name in only or fields)


def _option(name: str, field: Mapping[str, Any], extra: dict[str, Any], negatable: bool, defaults: bool) -> Option:
    option = extra.pop("option", "--" + name.replace("_", "-"))
    keywords: dict[str, Any] = {"help": help_text(field["description"], extra.pop("note", ""))}
    default = field.get("default")
    if field.get("type") == "boolean":
        option = f"{option}/--no-{option[2:]}" if negatable else option
        keywords |= {"is_flag": True, "default": default if defaults else None}
        return click.option(option, name, **keywords, **extra)
    if defaults and default not in (None, []):
        keywords |= {"default": _typed_default(default), "show_default": True}
    return click.option(option, name, **{**keywords, **_kind(field), **extra})


def _kind(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return type, metavar and multiplicity of a field that is no flag."""
    if "enum" in field:
        return {"type": click.Choice(field["enum"])}
    if "prefixItems" in field or {"width", "height"} <= field.get("properties", {}).keys():
        return {"type": str, "metavar": SIZE}
    if field["type"] == "array":
        return {"type": str, "multiple": True, "metavar": "A,B,..."}
    if field.get("format") == "path":
        return {"type": click.Path(path_type=Path)}
    return {"type": _TYPES[field["type"]]}


def _typed_default(default: Any) -> Any:
    """Return a default as it is typed."""
    return "{width}x{height}".format(**default) if isinstance(default, dict) else default


def help_text(description: str, note: str = "") -> str:
    """Return a field's description as help: one paragraph, names without backquotes, commands with them."""
    text = re.sub(r"`([^`\s]+)`", r"\1", " ".join(description.split()))
    return f"{text.removesuffix('.')}{note}" + ("" if note.endswith("]") else ".") if note else text
