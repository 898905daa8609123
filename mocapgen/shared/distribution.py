"""Keep ``schemas`` and ``trainer`` this project's: others use these names for distributions, and for files of their own.

A command takes the packages that lie beside this one, whatever comes first on the path (:func:`own_packages_first`). As a library,
``mocapgen`` does not: a script's own ``schemas.py`` is what that script means, so there is an error. Files that another distribution has
put over ours are an error for both.

Only the standard library is imported, and nothing of ``schemas``: this has to work when ``schemas`` belongs to another distribution.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "mocapgen"
PACKAGES = ("schemas", "mocapgen", "trainer")
_HOME = Path(__file__).parents[2]
AGAIN = f"install {DISTRIBUTION} again with pip's --force-reinstall --no-deps"
_LONGEST_PATH = 110
"""Characters of a path in an error, so that the advice after it is whole in a line."""
_MARKER = f'__distribution__ = "{DISTRIBUTION}"'
"""A line of the ``__init__.py`` of each package: another distribution's file of that name is known by its absence."""
_VARIABLE = "MOCAPGEN_OWN_PACKAGES"
"""Of the environment: tells the processes that a command starts to take the packages beside this one, too."""


class ForeignPackageError(ImportError):
    """A package of this distribution is hidden or overwritten by something else; the message says in one line what to do."""


class _OwnPackages:
    """Finds the packages of this distribution where it was installed, before anything on the path."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(_HOME)]) if name in PACKAGES else None


@contextlib.contextmanager
def own_packages_first() -> Iterator[None]:
    """Let ``import schemas`` and ``import trainer`` give this distribution's, in this process and in those that it starts."""
    if _OwnPackages in sys.meta_path:
        yield
        return
    before = os.environ.get(_VARIABLE)
    sys.meta_path.insert(0, _OwnPackages)
    os.environ[_VARIABLE] = str(_HOME)
    try:
        yield
    finally:
        sys.meta_path.remove(_OwnPackages)
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def follow_command() -> None:
    """Do as the command of this distribution that has started this process, if one has."""
    if os.environ.get(_VARIABLE) == str(_HOME) and _OwnPackages not in sys.meta_path:
        sys.meta_path.insert(0, _OwnPackages)


@dataclass(frozen=True)
class PackageOrigin:
    """Where Python finds one of the distribution's packages."""

    name: str
    found: Path | None
    """Folder that ``import name`` would use; None if there is none."""
    expected: Path
    """Folder beside this one, where the distribution put it."""

    @property
    def shadowed(self) -> bool:
        """Whether ``import name`` would give something from another place."""
        return self.found is None or self.found.resolve() != self.expected.resolve()

    @property
    def overwritten(self) -> bool:
        """Whether the first file of the package is not this distribution's any more."""
        try:
            return _MARKER not in (self.expected / "__init__.py").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return True

    def problem(self) -> str | None:
        """Return in one line what is wrong and what to do; None if nothing is."""
        if self.shadowed:
            found = "nothing" if self.found is None else str(self.found)
            return (
                f"package {self.name!r}: expected the one of {DISTRIBUTION} in {self.expected}, found {found}; remove or rename the other one "
                f"(pip uninstall {self.name}, or check PYTHONPATH and the current folder)"
            )
        if self.overwritten:
            file = str(self.expected / "__init__.py")
            others = rival_distributions().get(self.name, ())
            found = f"that of {' or '.join(others) or 'another distribution'}" if os.path.exists(file) else "nothing"  # noqa: PTH110
            first = f"pip uninstall {' '.join(others)}, then " if others else ""
            where = file if len(file) <= _LONGEST_PATH else f"…{file[1 - _LONGEST_PATH :]}"
            return f"{where}: expected {DISTRIBUTION}'s file, found {found}; {first}{AGAIN}"
        return None


def _folder(find: Callable[[str], ModuleSpec | None], name: str) -> Path | None:
    """Return the folder or file of a package as it is found, without loading it."""
    try:
        spec = find(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None


def package_origins() -> tuple[PackageOrigin, ...]:
    """Return where a script would find each of the distribution's packages, also while a command takes its own; without importing any."""
    return tuple(PackageOrigin(name, _folder(PathFinder.find_spec, name), _HOME / name) for name in PACKAGES)


def require_own_packages(names: Sequence[str] = ("schemas",)) -> None:
    """Check that importing packages gives those of this distribution.

    Parameters
    ----------
    names : sequence of str
        The packages to check.

    Raises
    ------
    ForeignPackageError
        If another distribution, folder or module of that name comes first, or another distribution's file has replaced ours.
    """
    for name in names:
        problem = PackageOrigin(name, _folder(find_spec, name), _HOME / name).problem()
        if problem is not None:
            raise ForeignPackageError(problem)


def rival_distributions() -> dict[str, tuple[str, ...]]:
    """Return the installed distributions, other than this one, that claim one of its package names.

    Two distributions in one site-packages folder overwrite each other's files, or have been overwritten.
    """
    from importlib.metadata import packages_distributions

    owners = packages_distributions()
    rivals = {name: tuple(sorted(set(owners.get(name, ())) - {DISTRIBUTION})) for name in PACKAGES}
    return {name: others for name, others in rivals.items() if others}


def replaced_files() -> tuple[str, ...]:
    """Return the files that are not as pip installed them, or gone, by their paths below the folder of installed packages; empty if unknown."""
    import hashlib
    from base64 import urlsafe_b64encode
    from importlib.metadata import PackageNotFoundError, files

    def replaced(path: Path, recorded: str) -> bool:
        return not path.is_file() or urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode() != recorded

    try:
        own = [file for file in files(DISTRIBUTION) or () if file.parts[0] in PACKAGES]
    except PackageNotFoundError:
        return ()
    return tuple(str(file) for file in own if file.hash is not None and replaced(Path(str(file.locate())), file.hash.value))
