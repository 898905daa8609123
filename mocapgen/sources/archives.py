"""The official archives of the databases: where they are published, their licences, and their local folders."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mocapgen.shared.text import nearest, one_line, quoted
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Archive:
    """A zip that a database publishes."""

    source: str
    format: str
    """Format of the files in it."""
    url: str
    title: str
    licence: str
    citation: tuple[str, ...]
    most: int = 4 * 10**9
    """Largest download believed, in bytes: several times what is published."""

    @property
    def file(self) -> str:
        """Name of the file, wherever it was fetched from."""
        return self.url.rpartition("/")[2]

    @property
    def terms(self) -> dict[str, str | tuple[str, ...]]:
        """What to know before the download, ready to print."""
        return {"published": self.url, "licence": self.licence, "citation": self.citation}


_HDM05: dict[str, Any] = {
    "source": "hdm05",
    "title": "HDM05, cut motion clips of the Universität Bonn",
    "licence": "Creative Commons Attribution-ShareAlike 3.0",
    "citation": (
        "The data used in this project was obtained from HDM05.",
        "Müller, Röder, Clausen, Eberhardt, Krüger, Weber: Documentation Mocap Database HDM05,",
        "technical report CG-2007-2, Universität Bonn, 2007",
    ),
}

ARCHIVES = (
    Archive(**_HDM05, format="amc", url="https://resources.mpi-inf.mpg.de/HDM05/cuts/HDM05_cut_amc.zip"),
    Archive(**_HDM05, format="c3d", url="https://resources.mpi-inf.mpg.de/HDM05/cuts/HDM05_cut_c3d.zip"),
    Archive(
        source="cmu",
        title="CMU Graphics Lab Motion Capture Database, all ASF/AMC files",
        licence="free for any use; the data may not be resold",
        citation=(
            "The data used in this project was obtained from mocap.cs.cmu.edu.",
            "The database was created with funding from NSF EIA-0196217.",
        ),
        format="amc",
        url="http://mocap.cs.cmu.edu/allasfamc.zip",
    ),
)
"""Of each source, the archive that is meant when no format is said comes first."""


def archive_of(source: str, format: str | None = None) -> Archive:
    """Return the archive of a source, in a format if it matters.

    Raises
    ------
    ConfigError
        If there is none: says which there are.
    """
    offered = [archive for archive in ARCHIVES if archive.source == source]
    if not offered:
        known = dict.fromkeys(archive.source for archive in ARCHIVES)
        advice = nearest(source, known) or "; other files of yours: `mocapgen build --source folder --root FOLDER --out data.h5`"
        raise ConfigError(one_line("fetch", f"expected one of {', '.join(known)}, found {quoted(source)}", advice))
    for archive in offered:
        if format in (None, archive.format):
            return archive
    raise ConfigError(f"format: {source} is published as {', '.join(archive.format for archive in offered)}, found {format!r}")


def shipped_checksum(file: str) -> str | None:
    """Return the SHA-256 of an official archive as it ships with mocapgen, None where nobody has recorded it yet."""
    lines = (resources.files(__package__) / "data" / "checksums.txt").read_text(encoding="utf-8").splitlines()
    return next((line.split()[0] for line in lines if not line.startswith("#") and line.split()[1:] == [file]), None)


def fetch_folder(source: str) -> Path:
    """Return the user's folder that archives of a source are fetched into, and that a build looks in; it need not exist."""
    import platformdirs

    return platformdirs.user_data_path("mocapgen") / source


def fetched(source: str, format: str | None = None) -> Path | None:
    """Return what a build without ``--root`` reads.

    Parameters
    ----------
    source : str
    format : str, optional
        By default that of the first of the source's archives that was fetched.

    Returns
    -------
    Path or None
        The archive in :func:`fetch_folder` (a build reads zips in place), else that folder if the user unpacked or copied
        something into it; None if it holds nothing.
    """
    folder = fetch_folder(source)
    for archive in ARCHIVES:
        if archive.source == source and format in (None, archive.format) and (folder / archive.file).is_file():
            return folder / archive.file
    ours = {name for archive in ARCHIVES for name in (archive.file, archive.file + ".json")}
    try:
        others = any(path.name not in ours and not path.name.startswith(".") for path in folder.iterdir())
    except OSError:
        return None
    return folder if others else None
