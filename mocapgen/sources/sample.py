"""Source ``sample``: built-in motions by five actors, so that everything works without any download.

They are made by formulas (:mod:`mocapgen.sources.procedural`), so joint positions and contacts are exactly known. The seed and the
clip's id decide all variation.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.tables import SIDES
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import from_euler, make_continuous, multiply, normalise, rotate
from mocapgen.formats.asf import Asf, format_asf
from mocapgen.formats.asf_amc import format_amc
from mocapgen.shared.files import disk_errors, new_files
from mocapgen.shared.outputs import check_folder
from mocapgen.shared.text import one_line
from mocapgen.sources.base import Clip, Listing, Source, SourceMotion
from mocapgen.sources.procedural.actions import ACTIONS, FPS
from mocapgen.sources.procedural.body import DIGITS, Actor, pose_body
from schemas.config import BuildConfig
from schemas.errors import ConfigError, DatasetError

ACTORS = {
    actor.name: actor
    for actor in (
        Actor("sa", tempo=1.10, reach=0.92, stance=0.95, lean=0.02, elbows=0.25),
        Actor("sb", tempo=1.00, reach=1.00, stance=1.05, lean=0.05, elbows=0.35),
        Actor("sc", tempo=1.06, reach=1.05, stance=1.10, lean=0.03, elbows=0.30),
        Actor("sd", tempo=0.95, reach=0.95, stance=1.20, lean=0.08, elbows=0.45),
        Actor("se", tempo=0.90, reach=1.06, stance=1.30, lean=0.04, elbows=0.20),
    )
}
"""Who performs, by name: different in build and in manner."""

TAKES = {"walk": 3}
"""Takes of each action by each actor where it is not two. The third walk is longer than most builds allow; the first hop is shorter."""


class Sample(Source):
    """The built-in clips."""

    name = "sample"
    title = "built-in motions, no download"

    def __init__(self, config: BuildConfig) -> None:
        if config.root is not None:
            raise ConfigError(f"root: the sample source is built in and reads no files, found {config.root}; leave the option out")
        if config.format is not None:
            raise ConfigError(f"format: the sample source is built in and reads no files, found {config.format}; leave the option out")
        self._seed = config.seed

    def list(self) -> Listing:
        """Return all clips, sorted by id."""
        return Listing(clips())

    def read(self, clip: Clip) -> SourceMotion:
        """Make one clip."""
        motion, _ = make(clip, self._seed)
        digest = hashlib.sha256(motion.skeleton.offsets.tobytes())
        digest.update(np.ascontiguousarray(motion.root_positions).tobytes())
        digest.update(np.ascontiguousarray(motion.rotations).tobytes())
        return SourceMotion(motion, digest.hexdigest())


def clips() -> tuple[Clip, ...]:
    """Return what there is, sorted by id."""
    found = []
    for actor in ACTORS:
        for action in ACTIONS:
            for take in range(1, TAKES.get(action, 2) + 1):
                name = f"{actor}_{action}_{take:03d}_{FPS:.0f}"
                found.append(Clip(f"sample_{name}", f"{action}/sample_{name}", actor, action, f"{take:03d}", FPS))
    return tuple(sorted(found))


def make(clip: Clip, seed: int = 0) -> tuple[Motion, dict[str, NDArray[np.bool_]]]:
    """Return a clip's motion and when its feet stand still.

    Parameters
    ----------
    clip : Clip
        One of :func:`clips`.
    seed : int
        Another seed gives another performance of the same.

    Returns
    -------
    motion : Motion
        120 frames per second, metres, world frame; starts somewhere near the origin, facing anywhere.
    planted : dict of str to (T,) bool
        By foot joint (``LeftFoot``, ``RightFoot``): whether the ball of the foot is at rest on the floor.
    """
    random = np.random.default_rng([seed, zlib.crc32(clip.id.encode())])
    actor = ACTORS[clip.actor]
    tempo, reach, stance = random.uniform(0.95, 1.05, size=3)
    actor = replace(actor, tempo=actor.tempo * tempo, reach=actor.reach * reach, stance=actor.stance * stance)
    targets = ACTIONS[clip.action](actor, random, int(clip.take))
    motion = pose_body(targets, FPS, clip.id)
    planted = {f"{side}Foot": targets.planted[side] for side in SIDES}
    return _placed(motion, random.uniform(-math.pi, math.pi), random.uniform(-1.5, 1.5, size=2)), planted


def _placed(motion: Motion, yaw: float, at: NDArray[np.float64]) -> Motion:
    """Turn a motion about the vertical and move it over the floor."""
    turn = from_euler("YXZ", np.array([yaw, 0.0, 0.0]))
    rotations = np.array(motion.rotations)
    rotations[:, 0] = multiply(turn, rotations[:, 0])
    rotations = make_continuous(normalise(np.round(rotations, DIGITS)))
    positions = rotate(turn, motion.root_positions) + np.array([at[0], 0.0, at[1]])
    return replace(motion, rotations=rotations, root_positions=np.round(positions, DIGITS))


def write_sample(out: Path, format: str = "amc", seed: int = 0) -> int:
    """Write all clips in the layout of the real database that uses the format.

    Parameters
    ----------
    out : Path
        A folder that does not exist yet or is empty. ``amc``: laid out like HDM05's cut clips,
        ``<action>/HDM_<actor>_<action>_<take>_120.amc`` with ``HDM_<actor>.asf`` beside them. ``c3d``: likewise, as the markers of
        :mod:`mocapgen.markers.virtual`. ``bvh``: as the source ``folder`` likes it,
        ``<actor>/<action>/<actor>_<action>_<take>.bvh``.
    format : str
    seed : int

    Returns
    -------
    int
        How many clips were written: all of them or, if it fails, none.

    Raises
    ------
    ConfigError
        If the format is not known.
    DatasetError
        If the folder holds something or cannot be written.
    """
    if format not in _WRITERS:
        raise ConfigError(f"format: expected one of {', '.join(_WRITERS)}, found {format!r}")
    check_folder(out)
    with disk_errors(out):
        if out.exists() and any(out.iterdir()):
            raise DatasetError(one_line(str(out), "expected a new or empty folder to write to, found one with files in it"))
        out.parent.mkdir(parents=True, exist_ok=True)
    with new_files(out, "", overwrite=False) as whole:
        for clip in clips():
            folder = whole / clip.actor / clip.action if format == "bvh" else whole / clip.action
            folder.mkdir(parents=True, exist_ok=True)
            _WRITERS[format](folder, clip, make(clip, seed)[0])
    return len(clips())


def _write_amc(folder: Path, clip: Clip, motion: Motion) -> None:
    asf = Asf.from_skeleton(motion.skeleton, clip.actor)
    (folder / f"HDM_{clip.actor}.asf").write_bytes(format_asf(asf))
    (folder / f"{clip.id.replace('sample', 'HDM', 1)}.amc").write_bytes(format_amc(motion, asf))


def _write_c3d(folder: Path, clip: Clip, motion: Motion) -> None:
    from mocapgen.formats.c3d import write_c3d
    from mocapgen.markers.virtual import place_markers

    write_c3d(folder / f"{clip.id.replace('sample', 'HDM', 1)}.c3d", place_markers(motion), clip.actor)


def _write_bvh(folder: Path, clip: Clip, motion: Motion) -> None:
    from mocapgen.formats.bvh import write_bvh

    write_bvh(folder / f"{clip.actor}_{clip.action}_{clip.take}.bvh", motion)


_WRITERS = {"amc": _write_amc, "c3d": _write_c3d, "bvh": _write_bvh}

SOURCE = Sample
