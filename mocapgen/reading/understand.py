"""From what a file says to what it means: a motion in metres, y up, and which joint has which role."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mocapgen.anatomy.infer import find_roles
from mocapgen.anatomy.marker_sets import load_marker_set
from mocapgen.anatomy.profiles import load_profile, recognise
from mocapgen.anatomy.roles import Roles
from mocapgen.core.markers import Markers
from mocapgen.core.motion import Motion
from mocapgen.core.skeleton import Skeleton
from mocapgen.formats.amass import Amass
from mocapgen.shared.text import printable
from schemas.errors import ConfigError, RetargetError

if TYPE_CHECKING:
    from mocapgen.formats.bvh import Bvh


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about files, as in :func:`mocapgen.reading.read`."""

    profile: str | Path | None = None
    lenient: bool = False
    scale: float | None = None
    up: str | None = None
    subject: str | None = None
    marker_set: str | Path | None = None
    body_model: str | Path | None = None

    def check(self) -> None:
        """Read the profile and the marker set, and look for the body model.

        Raises
        ------
        ConfigError
            If there is none of that name, or it is not valid.
        """
        if self.profile is not None:
            load_profile(self.profile)
        if self.marker_set is not None:
            load_marker_set(self.marker_set)
        if self.body_model is not None and not Path(self.body_model).exists():
            raise ConfigError(f"body_model: expected a file or folder, found nothing at {printable(self.body_model)}; check the path")


@dataclass(frozen=True)
class Understood:
    """What a file turned out to hold."""

    motion: Motion
    """Metres, world frame (y up), at the file's own frame rate and on its own skeleton."""
    metres_per_unit: float = 1.0
    up: str = "y"
    """The file's vertical axis, such as ``y`` or ``+Z``."""
    notes: tuple[str, ...] = ()
    """What was decided, one line each."""
    warnings: tuple[str, ...] = ()
    """Those of the notes that somebody should check."""
    start: int = 0
    """The frame of the file that is the motion's first."""
    lost: tuple[str, ...] = ()
    """Frames that were left out, one sentence each; also among the warnings."""
    known_roles: Roles | None = None
    """Which joint has which role in the skeleton, where that was needed to understand the file."""
    known_profile: str | None = None
    """The profile or marker set that it was understood by, likewise."""

    @property
    def roles(self) -> Roles | None:
        """Which joint has which role in the skeleton; None if that cannot be told: the file is sound, and whoever needs to know will raise."""
        try:
            return self.known_roles or find_roles(self.motion.skeleton)
        except RetargetError:
            return None

    @property
    def profile(self) -> str:
        """The profile or marker set that knows the skeleton; ``inferred`` if none does."""
        return self.known_profile or _profile_of(self.motion.skeleton)


@lru_cache(maxsize=64)
def _profile_of(skeleton: Skeleton) -> str:
    match = recognise(skeleton.names)
    return "inferred" if match is None else match.profile.name


def understand(file: Motion | Bvh | Markers | Amass, options: ReadOptions | None = None) -> Understood:
    """Find out what a file means.

    Parameters
    ----------
    file : Motion, Bvh, Markers or Amass
        What the reader of its format returned. A motion needs no understanding; to markers a skeleton is fitted, rotations of AMASS move one.
    options : ReadOptions, optional
        For all but a motion.

    Raises
    ------
    ConfigError, FormatError
        As :func:`~mocapgen.reading.interpretation.interpret`, :func:`~mocapgen.markers.solve.solve` and
        :func:`~mocapgen.reading.smpl.motion_of`.
    """
    if isinstance(file, Motion):
        return Understood(file)
    if isinstance(file, Markers):
        return _understand_markers(file, options)
    said = options or ReadOptions()
    if isinstance(file, Amass):
        from mocapgen.reading.smpl import UP, motion_of

        motion, notes, warnings = motion_of(file, said.up, said.body_model)
        return Understood(motion, up=said.up or UP, notes=notes, warnings=warnings, known_profile=file.model or "SMPL")
    from mocapgen.reading.interpretation import interpret

    found = interpret(file, said.profile, said.lenient, said.scale, said.up)
    return Understood(
        found.motion,
        found.metres_per_unit,
        found.up,
        found.notes,
        found.warnings,
        known_roles=found.roles,
        known_profile=found.profile,
    )


def _understand_markers(markers: Markers, options: ReadOptions | None) -> Understood:
    from mocapgen.markers.solve import solve_clip

    marker_set = options.marker_set if options is not None else None
    found = solve_clip(markers, None if marker_set is None else load_marker_set(marker_set))
    return Understood(
        found.motion,
        markers.metres_per_unit,
        markers.up,
        (*markers.notes, *found.notes, *found.lost),
        found.lost,
        known_profile=found.marker_set,
        start=found.start,
        lost=found.lost,
    )
