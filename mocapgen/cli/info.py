"""``mocapgen info``: the environment block of a bug report."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mocapgen.shared.command import common_options, example
from mocapgen.shared.distribution import AGAIN, DISTRIBUTION, package_origins, replaced_files, rival_distributions
from mocapgen.shared.tables import print_pairs
from mocapgen.shared.version import __version__

_FLAGS = ("avx2", "avx512f", "amx_bf16", "asimd")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:.*extra\s*==\s*['\"]([A-Za-z0-9_-]+)['\"])?")
_SHOWN_FILES = 5
_SHOWN_EXTRAS = ("train", "report", "fetch")


@click.command(epilog=example("mocapgen info"))
@common_options
def info() -> None:
    """Print the environment for a bug report."""
    print_pairs("mocapgen", environment())


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, ...] | None:
    """Return the vector and matrix extensions of the processor that matter for speed.

    Parameters
    ----------
    cpuinfo : Path
        The Linux kernel's description of the processor.

    Returns
    -------
    tuple of str, or None where the system does not say
    """
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = re.search(r"^(?:flags|Features)\s*:(.*)$", text, flags=re.MULTILINE)
    found = set(match[1].split()) if match else set()
    return tuple(flag for flag in _FLAGS if flag in found)


def _memory() -> str:
    if sys.platform == "win32":
        return "unknown"
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (AttributeError, OSError, ValueError):
        return "unknown"


def _processor() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags = processor_flags()
    described = "flags unknown" if flags is None else " ".join(flags) or "none of " + " ".join(_FLAGS)
    return f"{platform.machine()}, {os.cpu_count()} cores, {usable} usable, {described}"


def _version(distribution: str) -> str:
    from importlib import metadata  # takes longer than the rest of a --help

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def dependency_versions() -> dict[str, str]:
    """Return the installed version of each dependency, those of the extras for users included.

    Returns
    -------
    dict of str to str
        Distribution name to version or ``"not installed"``; empty if this distribution itself is not installed.
    """
    from importlib import metadata

    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    matches = [match for match in map(_REQUIREMENT.match, requirements) if match]
    return {match[1]: _version(match[1]) for match in matches if match[2] is None or match[2] in _SHOWN_EXTRAS}


def _hdf5() -> str:
    try:
        import h5py
    except ImportError as error:
        return f"unusable: {error}"
    return str(h5py.version.hdf5_version)


def data_places() -> dict[str, str]:
    """Return where the data of each downloadable source would be looked for, and whether something is there."""
    import platformdirs

    places = {}
    for source in ("hdm05", "cmu"):
        variable = f"MOCAPGEN_{source.upper()}"
        named = os.environ.get(variable) or platformdirs.user_data_path("mocapgen") / source
        folder = Path(os.path.expanduser(named))  # noqa: PTH111 (pathlib's raises where there is no such user; a report shows what there is)
        origin = f"${variable}" if os.environ.get(variable) else "fetch folder"
        places[source] = f"{folder} ({origin}, {'found' if folder.exists() else 'not there'})"
    return places


def package_problems() -> tuple[str, ...]:
    """Return one line for each package that another distribution shadows or may have overwritten, and one for files that were replaced."""
    problems = [problem for origin in package_origins() if (problem := origin.problem())]
    for name, others in rival_distributions().items():
        problems.append(f"package {name!r}: also installed by {', '.join(others)}; pip uninstall {' '.join(others)}, then {AGAIN}")
    if replaced := replaced_files():
        problems.append(f"not as installed: {', '.join(replaced[:_SHOWN_FILES])}{', ...' * (len(replaced) > _SHOWN_FILES)}; {AGAIN}")
    return tuple(problems)


def environment() -> dict[str, str | Sequence[str]]:
    """Return the environment, name to description, as ``mocapgen info`` prints it."""
    installed = [f"{name} {version}" for name, version in dependency_versions().items()]
    return {
        "mocapgen": f"{__version__} in {Path(__file__).parents[1]}",
        "installed as": _version(DISTRIBUTION),
        "python": f"{platform.python_implementation()} {platform.python_version()} in {sys.prefix}",
        "system": platform.platform(),
        "processor": _processor(),
        "memory": _memory(),
        "dependencies": installed or "unknown: the distribution is not installed",
        "HDF5": _hdf5(),
        **data_places(),
        "packages": package_problems() or "schemas, mocapgen and trainer are this distribution's",
    }
