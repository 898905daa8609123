"""Source ``sample``: built-in motions by five actors, so that everything works without any download.

They are made by formulas (:mod:`mocapgen.sources.procedural`), so joint positions and contacts are exactly known. The seed and the
clip's id decide all variation.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.tables import SIDES
from mocapgen.core.motion import Motion
from mocapgen.core.rotation import from_euler, make_continuous, multiply, normalise, rotate
from mocapgen.formats.asf import Asf, format_asf
from mocapgen.formats.asf_amc import format_amc
from mocapgen.formats.bvh import write_bvh
from mocapgen.shared.files import disk_errors, new_files
from mocapgen.shared.outputs import check_folder
from mocapgen.shared.parallel import map_ordered
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import one_line
from mocapgen.sources.base import Clip, Listing, Source, SourceMotion
from mocapgen.sources.procedural.actions import ACTIONS, FPS
from mocapgen.sources.procedural.body import DIGITS, Actor, pose_body
from mocapgen.sources.procedural.cgspeed import write_cgspeed
from mocapgen.sources.procedural.session import perform
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

SESSION = "session"
"""Action of clips of any length, in which an actor performs one action after another."""
SESSION_FRAMES = 1200
"""Length of such clips unless another is asked for."""
MOST_CLIPS = 9999 * len(ACTORS)
"""Most clips that are written: CMU's numbers have four digits."""
FIRST_SUBJECT = 201
"""Number of the first actor as a subject of CMU, whose own end at 144: nobody shall take these files for real ones."""


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


def sessions(count: int) -> tuple[Clip, ...]:
    """Return so many clips of actions one after another, by each actor in turn."""
    found = []
    for number in range(count):
        actor, take = list(ACTORS)[number % len(ACTORS)], f"{number // len(ACTORS) + 1:03d}"
        name = f"{actor}_{SESSION}_{take}_{FPS:.0f}"
        found.append(Clip(f"sample_{name}", f"{SESSION}/sample_{name}", actor, SESSION, take, FPS))
    return tuple(found)


def make_session(clip: Clip, frames: int, seed: int = 0) -> Motion:
    """Return the motion of one clip of :func:`sessions`; see :func:`mocapgen.sources.procedural.session.perform`."""
    return perform(ACTORS[clip.actor], frames, np.random.default_rng([seed, zlib.crc32(clip.id.encode())]), clip.id)


def write_sample(
    out: Path,
    format: str = "amc",
    seed: int = 0,
    clip_count: int | None = None,
    frames: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> int:
    """Write clips in the layout of the real database that uses the format: the built-in ones, or as many and as long ones as one likes.

    Parameters
    ----------
    out : Path
        A folder that does not exist yet or is empty.
    format : {"amc", "c3d", "bvh", "cmu"}
        ``amc``: laid out like HDM05's cut clips, ``<action>/HDM_<actor>_<action>_<take>_120.amc`` with ``HDM_<actor>.asf`` beside them.
        ``c3d``: likewise, as the markers of :mod:`mocapgen.markers.virtual`. ``bvh``: as the source ``folder`` likes it,
        ``<actor>/<action>/<actor>_<action>_<take>.bvh``. ``cmu``: as CMU's conversion to BVH by cgspeed, ``<subject>/<subject>_<trial>.bvh``,
        with subjects from 201 on, which CMU does not have.
    seed : int
    clip_count : int, optional
        Write so many clips of :func:`sessions` in place of the built-in ones.
    frames : int, optional
        Frames of each of these, 120 a second; by default 1,200.
    workers : int
        Processes that write these; 0 means one per processor core.
    progress : callable, optional
        Called with clips written, clips in all, and the name of the last one.

    Returns
    -------
    int
        How many clips were written: all of them or, if it fails, none.

    Raises
    ------
    ConfigError
        If the format is not known, or the clips are too many or too short.
    DatasetError
        If the folder holds something or cannot be written.
    """
    if format not in _WRITERS:
        raise ConfigError(f"format: expected one of {', '.join(_WRITERS)}, found {format!r}")
    if clip_count is not None and not 1 <= clip_count <= MOST_CLIPS:
        raise ConfigError(f"clip_count: expected 1 to {MOST_CLIPS:,} clips, found {clip_count:,}")
    if frames is not None and clip_count is None:
        raise ConfigError(f"frames: the built-in clips have their own lengths, found frames={frames:,}; give clip_count, too")
    if frames is not None and frames < 1:
        raise ConfigError(f"frames: expected at least one, found {frames:,}")
    check_folder(out)
    with disk_errors(out):
        if out.exists() and any(out.iterdir()):
            raise DatasetError(one_line(str(out), "expected a new or empty folder to write to, found one with files in it"))
        out.parent.mkdir(parents=True, exist_ok=True)
    chosen = clips() if clip_count is None else sessions(clip_count)
    with new_files(out, "", overwrite=False) as whole:
        write = _Writing(whole, format, seed, None if clip_count is None else frames or SESSION_FRAMES)
        with map_ordered(write, chosen, 1 if clip_count is None else workers) as written:
            for done, name in enumerate(written, start=1):
                if progress is not None:
                    progress(done, len(chosen), name)
    return len(chosen)


@dataclass(frozen=True)
class _Writing:
    """Writes clips below a folder; travels to worker processes once."""

    folder: Path
    format: str
    seed: int
    frames: int | None
    """Of each session; None for built-in clips."""

    def __call__(self, clip: Clip) -> str:
        """Write one clip; return its name."""
        motion = make(clip, self.seed)[0] if self.frames is None else make_session(clip, self.frames, self.seed)
        _WRITERS[self.format](self.folder, clip, motion)
        return clip.id


def _below(folder: Path, *names: str) -> Path:
    """Return a folder below another one, made where there is none."""
    inner = folder.joinpath(*names)
    inner.mkdir(parents=True, exist_ok=True)
    return inner


def _write_amc(folder: Path, clip: Clip, motion: Motion) -> None:
    asf = Asf.from_skeleton(motion.skeleton, clip.actor)
    folder = _below(folder, clip.action)
    (folder / f"HDM_{clip.actor}.asf").write_bytes(format_asf(asf))
    (folder / f"{clip.id.replace('sample', 'HDM', 1)}.amc").write_bytes(format_amc(motion, asf))


def _write_c3d(folder: Path, clip: Clip, motion: Motion) -> None:
    from mocapgen.formats.c3d import write_c3d
    from mocapgen.markers.virtual import place_markers

    write_c3d(_below(folder, clip.action) / f"{clip.id.replace('sample', 'HDM', 1)}.c3d", place_markers(motion), clip.actor)


def _write_bvh(folder: Path, clip: Clip, motion: Motion) -> None:
    write_bvh(_below(folder, clip.actor, clip.action) / f"{clip.actor}_{clip.action}_{clip.take}.bvh", motion)


def _write_cmu(folder: Path, clip: Clip, motion: Motion) -> None:
    subject = FIRST_SUBJECT + list(ACTORS).index(clip.actor)
    trial = int(clip.take) + (0 if clip.action == SESSION else 100 * (1 + list(ACTIONS).index(clip.action)))
    write_cgspeed(_below(folder, str(subject)) / f"{subject}_{trial:02d}.bvh", motion)


_WRITERS = {"amc": _write_amc, "c3d": _write_c3d, "bvh": _write_bvh, "cmu": _write_cmu}

SOURCE = Sample
