"""The clips that everything is measured on: HDM05 if it is there, else the sample source written out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mocapgen.core.motion import Motion
from mocapgen.formats.asf import Asf, parse_asf
from mocapgen.formats.asf_amc import parse_amc
from mocapgen.sources.base import Clip
from mocapgen.sources.file_tree import open_tree
from mocapgen.sources.hdm05 import VARIABLE, Hdm05
from schemas.config import BuildConfig

_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "hdm05" / "HDM05_cut_amc"


@dataclass(frozen=True)
class RawClip:
    """A clip before parsing."""

    clip: Clip
    data: bytes
    asf: Asf

    def parse(self) -> Motion:
        """Read it."""
        assert self.clip.fps is not None
        return parse_amc(self.data, self.asf, self.clip.file, self.clip.fps, self.clip.id)


def prepare(given: Path | None, folder: Path, count: int) -> tuple[Path, str]:
    """Put the clips to measure into a folder of their own.

    Parameters
    ----------
    given : Path, optional
        Where HDM05 is; by default an environment variable, then the folder beside the repository.
    folder : Path
        Empty; ASF and AMC files are written to it.
    count : int
        How many clips at most, evenly spaced over the sorted list of all.

    Returns
    -------
    tuple of Path and str
        The root of the clips to measure, and in words what they are.
    """
    root = given or (Path(os.environ[VARIABLE]) if VARIABLE in os.environ else _BESIDE)
    kind = "real clips of HDM05"
    if given is None and not root.exists():
        from mocapgen.sources.sample import write_sample

        kind, root = "procedural clips of the sample source (no HDM05 found)", folder / "sample"
        write_sample(root, "amc", 0)
    return write_part(root, folder / "clips", count), kind


def write_part(root: Path, folder: Path, count: int) -> Path:
    """Copy evenly spaced clips, `count` at most, and all skeletons of a root to a folder; return the folder."""
    clips = _usable(root)
    count = min(count, len(clips))
    with open_tree(root) as tree:
        skeletons = [entry.path for entry in tree.contents().files if entry.path.lower().endswith(".asf")]
        for path in skeletons + [clips[index * len(clips) // count].file for index in range(count)]:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tree.read(path))
    return folder


def load(root: Path) -> list[RawClip]:
    """Read the bytes of all clips below a root."""
    with open_tree(root) as tree:
        skeletons = {Path(entry.path).stem.lower(): entry.path for entry in tree.contents().files if entry.path.lower().endswith(".asf")}
        parsed = {stem: parse_asf(tree.read(path), path) for stem, path in skeletons.items()}
        return [RawClip(clip, tree.read(clip.file), parsed[f"hdm_{clip.actor}"]) for clip in _usable(root)]


def _usable(root: Path) -> list[Clip]:
    listing = Hdm05(BuildConfig(root=root, dry_run=True)).list()
    return [clip for clip in listing.clips if clip.fault is None]
