"""Check that ``schemas`` and ``trainer`` belong to this project: the package index has unrelated distributions with the same names.

Only the standard library is imported, and nothing of ``schemas``: this has to work when ``schemas`` belongs to another distribution.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "mocapgen"
PACKAGES = ("schemas", "mocapgen", "trainer")
_MARKERS = {"schemas": "errors.py", "mocapgen": "pipeline.py", "trainer": "fit.py"}


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
        """Whether ``import name`` would give something that is not of this distribution."""
        if self.found is None or not (self.found / _MARKERS[self.name]).is_file():
            return True
        return self.found.resolve() != self.expected.resolve()

    def problem(self) -> str:
        """Return in one line what is wrong and what to do."""
        found = "nothing" if self.found is None else str(self.found)
        return (
            f"package {self.name!r}: expected the one of {DISTRIBUTION} in {self.expected}, found {found}; remove the other one "
            f"(pip uninstall {self.name}, or check PYTHONPATH and the current folder) and reinstall {DISTRIBUTION}"
        )


def _folder(name: str) -> Path | None:
    """Return the folder or file that ``import name`` would load, without loading it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None


def package_origins() -> tuple[PackageOrigin, ...]:
    """Return where each of the distribution's packages is found, without importing any."""
    home = Path(__file__).parents[2]
    return tuple(PackageOrigin(name, _folder(name), home / name) for name in PACKAGES)


def require_own_packages() -> None:
    """Check that ``import schemas`` gives the package of this distribution.

    Raises
    ------
    ImportError
        If another distribution, folder or module of that name comes first. ``trainer`` is not checked here: this
        package never imports it.
    """
    origin = next(origin for origin in package_origins() if origin.name == "schemas")
    if origin.shadowed:
        raise ImportError(origin.problem())


def rival_distributions() -> dict[str, tuple[str, ...]]:
    """Return the installed distributions, other than this one, that claim one of its package names.

    Two distributions in one site-packages folder overwrite each other's files, which :func:`package_origins`
    cannot see.
    """
    from importlib.metadata import packages_distributions

    owners = packages_distributions()
    rivals = {name: tuple(sorted(set(owners.get(name, ())) - {DISTRIBUTION})) for name in PACKAGES}
    return {name: others for name, others in rivals.items() if others}
