"""The public interface of a package: names that are loaded at first use, so that importing the package is fast.

Some public functions have the name of a package or module: ``mocapgen.inspect`` is both the function and the package around it. Python
sets a package as an attribute of its parent whenever anything in it is imported, which would hide the function, and hiding the package
would break ``mocapgen.inspect.registry``. So such a package itself is made callable, at the moment when Python sets it: the name means
the same object in any order of imports, both as a function and as a package.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from inspect import Signature, signature
from types import ModuleType
from typing import Any

HOME = "__facade_home__"


def install(package: str, homes: Mapping[str, str], check: Callable[[], None] = lambda: None) -> None:
    """Let a package load its public names at first use.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    homes : mapping of str to str
        For each public name, the module and the name of what it stands for: ``{"merge": "mocapgen.store.merge:merge_datasets"}``.
    check : callable
        Called before anything is loaded.
    """
    module = sys.modules[package]
    module.__dict__.update({"_homes": dict(homes), "_check": check})
    module.__class__ = Facade


def load(home: str) -> Any:
    """Return what ``module:name`` stands for."""
    module, _, name = home.partition(":")
    return getattr(importlib.import_module(module), name)


class CallableModule(ModuleType):
    """A module or package that is also the public function of the same name."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function."""
        return load(self.__dict__[HOME])(*arguments, **keywords)

    @property
    def __signature__(self) -> Signature:
        return signature(load(self.__dict__[HOME]))

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        """Let it travel to worker processes, as a function does."""
        return importlib.import_module, (self.__name__,)


class Facade(ModuleType):
    """A package with public names that are loaded at first use."""

    _homes: Mapping[str, str]
    _check: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        """Load a public name."""
        homes: Mapping[str, str] = self.__dict__["_homes"]
        if name not in homes:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__dict__["_check"]()
        value = load(homes[name])
        if f"{self.__name__}.{name}" in sys.modules:  # a package of this name has been set, see __setattr__
            return self.__dict__[name]
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute; a module that has the name of a public function becomes callable."""
        home = self.__dict__["_homes"].get(name)
        if home is not None and isinstance(value, ModuleType):
            value.__dict__[HOME] = home
            value.__class__ = CallableModule
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__dict__["_homes"]})
