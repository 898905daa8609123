"""Parts: the modules of a folder that define one agreed name, such as ``SOURCE``. Adding a part is adding a file.

The names of the parts are read from the files' text, so that a command's ``--help`` can list them without loading any.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mocapgen.shared.text import nearest, one_line, quoted


@cache
def part_names(package: str, defines: str = "") -> tuple[str, ...]:
    """Return the sorted names of the modules of a package that define something, without importing them or the package.

    Parameters
    ----------
    package : str
        Such as ``mocapgen.sources``.
    defines : str
        The variable or function that makes a module a part, such as ``SOURCE``; without it, every module whose name does not begin
        with an underscore is one.
    """
    spec = find_spec(package)
    assert spec is not None, package
    files = [path for folder in spec.submodule_search_locations or () for path in Path(folder).glob("[!_]*.py")]
    definition = re.compile(rf"^(?:def )?{defines}\b", re.MULTILINE)
    return tuple(sorted(path.stem for path in files if not defines or definition.search(path.read_text(encoding="utf-8"))))


def load_part(package: str, defines: str, name: str, option: str) -> Any:
    """Return what a part defines.

    Parameters
    ----------
    package, defines : str
        As of :func:`part_names`.
    name : str
        Of the part.
    option : str
        The setting or option that `name` comes from, for the error.

    Raises
    ------
    ConfigError
        With the parts that there are.
    """
    if name not in part_names(package, defines):
        from schemas.errors import ConfigError  # here, as the command line starts before it is sure whose `schemas` there is

        known = part_names(package, defines)
        raise ConfigError(one_line(option, f"expected one of {', '.join(known)}, found {quoted(name)}", nearest(name, known)))
    return getattr(importlib.import_module(f"{package}.{name}"), defines)
