"""From motion-capture files to a dataset file: :func:`build` loops over the clips, :func:`clip_to_sequences` processes one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

import numpy as np

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.infer import find_roles
from mocapgen.build_counts import BuildCounts
from mocapgen.cameras.camera import Camera
from mocapgen.cameras.project import Sequence, heading, project_motion
from mocapgen.cameras.rigs import parse_rig, place_cameras
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.resample import resample
from mocapgen.retarget import Posed, retarget_to_all
from mocapgen.retarget.deviation import NOTED, LimbDeviation, limb_deviation
from mocapgen.shared.outputs import writing
from mocapgen.shared.parallel import map_ordered
from mocapgen.shared.progress import Progress
from mocapgen.shared.spool import Place, Spool, SpoolPlace
from mocapgen.sources import Clip, Source, SourceMotion, check_settings, source_class
from mocapgen.sources.base import skip_reason
from mocapgen.sources.selection import not_needed, select_clips
from mocapgen.store.writer import DatasetWriter
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError, RetargetError
from schemas.report import BuildReport, Detection, Skip, SkipReason
from schemas.skeleton import Avatar

Avatars = tuple[tuple[str, Skeleton], ...]
"""Names and skeletons of the avatars."""
_AT_ONCE = 32  # avatars


@dataclass(frozen=True)
class ClipSequences:
    """What goes into the file of one clip, or of one window of a long one."""

    clip: dict[str, Any]
    """Its row of ``/clips``."""
    cameras: tuple[Camera, ...]
    count: int
    """How many sequences follow: one per avatar and camera."""


@dataclass(frozen=True)
class GroupResult:
    """What came of a group of candidates: the sequences of the first usable clip, and why the others were not used."""

    clip: Clip | None = None
    """The clip that is used; None if none can be."""
    used: Iterable[ClipSequences | Sequence] = ()
    """Of each window the clip, then its sequences; empty in a dry run."""
    windows: tuple[int, ...] = ()
    """Frames of the clip, or of each of its windows; also in a dry run."""
    detection: Detection | None = None
    """How the file was understood."""
    skipped: tuple[Skip, ...] = ()


def build(config: BuildConfig, progress: Progress | None = None) -> BuildReport:
    """Build a dataset file.

    Parameters
    ----------
    config : BuildConfig
    progress : callable, optional
        Called with clips done, clips in all, and the name of the last one.

    Returns
    -------
    BuildReport

    Raises
    ------
    ConfigError, SourceError, FormatError, RetargetError, DatasetError
        One line each. Clips that cannot be used are skipped and reported, unless ``config.strict``.
    """
    out = None if config.dry_run else config.out
    with writing(
        out, overwrite=config.overwrite, inputs=[config.root, config.table, config.profile, config.marker_set, config.body_model, *config.avatars]
    ):
        return _build(config, progress)


def _build(config: BuildConfig, progress: Progress | None) -> BuildReport:
    avatars = _avatars(config)
    counts = BuildCounts(config, sequences_per_window=len(avatars) * parse_rig(config.camera)[1])
    source, config = _source(config)
    listing = source.list()
    selection = select_clips(listing, config)
    counts.found(listing, selection)
    named = tuple((avatar.name, skeleton) for avatar, skeleton in avatars)
    out = None if config.dry_run else config.out
    with writing(out, overwrite=config.overwrite, inputs=listing.files), ExitStack() as stack:
        place = None if out is None else stack.enter_context(SpoolPlace.beside(out))
        convert_group = GroupConverter(source, config, named, place)
        if config.cluster is None:
            results = stack.enter_context(map_ordered(convert_group, selection.groups, config.workers))
        else:
            from mocapgen.build_cluster import map_on_cluster, worker_place

            there = replace(convert_group, place=place and worker_place())
            results = stack.enter_context(map_on_cluster(there, selection.groups, convert_group.faults, config, progress))
        writer = None if out is None else stack.enter_context(DatasetWriter(out, config, avatars))  # after the workers, which may be forks
        for done, (group, result) in enumerate(zip(selection.groups, results, strict=True), start=1):
            counts.skip(result.skipped)
            counts.use(result.clip, result.windows, result.detection)
            if writer is not None:
                _write(writer, result.used)
            if progress is not None:
                progress(done, len(selection.groups), group[0].id)
        counts.require_clips()
        if writer is not None:
            writer.skipped(counts.sorted_skips())
    return counts.report(None if writer is None else config.out)


def _write(writer: DatasetWriter, used: Iterable[ClipSequences | Sequence]) -> None:
    """Write clips with their sequences."""
    items = iter(used)
    for part in items:
        assert isinstance(part, ClipSequences)
        writer.add(part.clip, part.cameras, cast(Iterator[Sequence], islice(items, part.count)))


def clip_to_sequences(clip: Clip, source: Source, config: BuildConfig, avatars: Avatars, place: Place | None = None) -> GroupResult:
    """Carry one clip all the way: read, resample, cut into windows, retarget, place cameras, project.

    Parameters
    ----------
    clip : Clip
    source : Source
    config : BuildConfig
    avatars : tuple of (str, Skeleton)
        Names and skeletons.
    place : Place, optional
        Where sequences wait that do not fit into the memory.

    Returns
    -------
    GroupResult

    Raises
    ------
    UnusableClip
        If it is too short or too long.
    FormatError
        If its file is damaged.
    RetargetError
        If its skeleton is not understood, or its limbs come out pointing elsewhere.
    """
    recording = source.read(clip)
    roles = recording.roles or find_roles(recording.motion.skeleton)
    source_fps, motion = recording.motion.fps, resample(recording.motion, config.fps, config.antialias)
    recording = replace(recording, motion=motion)  # at its own rate, an hour takes half a gigabyte
    windows = cut_windows(clip, motion, config)
    used, deviations = Spool[ClipSequences | Sequence](place), []
    try:
        for window in windows:
            row = _clip_row(clip, source, recording, source_fps, window)
            posed = Posed.of(motion[window], roles)
            performances = _perform(posed, avatars)
            deviations.append(limb_deviation(posed, performances))
            if config.dry_run:
                break  # the first window shows whether the file can be read
            cameras = _cameras(posed, performances, config, row["id"])
            used.add(ClipSequences(row, cameras, len(avatars) * len(cameras)), 0)
            for sequence in _project(avatars, performances, cameras):
                used.add(sequence, sequence.nbytes)
    except BaseException:
        used.discard()
        raise
    detection = _with_warning(recording.detection, deviations)
    return GroupResult(clip, used, tuple(window.stop - window.start for window in windows), detection, recording.lost)


@dataclass(frozen=True)
class GroupConverter:
    """Converts the first usable clip of a group of candidates; travels to worker processes once."""

    source: Source
    config: BuildConfig
    avatars: Avatars
    place: Place | None = None

    def __call__(self, candidates: tuple[Clip, ...]) -> GroupResult:
        """Return the sequences of the first usable clip, and of each other one why it was not used."""
        skipped: list[Skip] = []
        for place, clip in enumerate(candidates):
            try:
                result = clip_to_sequences(clip, self.source, self.config, self.avatars, self.place)
            except UnusableClip as error:
                skipped.append(error.skip)
            except FormatError as error:
                skipped.append(Skip(file=clip.file, reason="unreadable", detail=skip_reason(error)))
            except RetargetError as error:
                skipped.append(Skip(file=clip.file, reason="cannot retarget", detail=f"{clip.file}: {skip_reason(error)}"))
            else:
                skipped += [not_needed(other, clip) for other in candidates[place + 1 :]]
                return replace(result, skipped=(*result.skipped, *skipped))
        return GroupResult(skipped=tuple(skipped))

    def faults(self, candidates: tuple[Clip, ...]) -> tuple[Skip, ...]:
        """Return why candidates cannot be used, and nothing else."""
        result = self(candidates)
        if isinstance(result.used, Spool):
            result.used.discard()
        return result.skipped


def _with_warning(detection: Detection | None, deviations: list[LimbDeviation]) -> Detection | None:
    """Add to how a file was understood that a limb of an avatar points away from the source's."""
    worst = max(deviations, key=lambda found: found.degrees, default=None)
    if detection is None or worst is None or worst.degrees <= NOTED:
        return detection
    return detection.model_copy(update={"warnings": (*detection.warnings, str(worst))})


class UnusableClip(Exception):
    """A clip is sound but not what the settings ask for."""

    def __init__(self, clip: Clip, reason: SkipReason, frames: int, detail: str) -> None:
        super().__init__(detail)
        self.skip = Skip(file=clip.file, reason=reason, detail=detail, frames=frames)


def cut_windows(clip: Clip, motion: Motion, config: BuildConfig) -> tuple[slice, ...]:
    """Return which frames of a clip at the new rate are used: all, or window by window.

    Raises
    ------
    UnusableClip
        If there are too few frames, or too many and long clips are to be left out.
    """
    found = f"{len(motion)} frames at {config.fps:g} fps"
    if len(motion) < config.min_frames:
        raise UnusableClip(clip, "too short", len(motion), f"{found}, expected at least {config.min_frames} (--min-frames)")
    if len(motion) > config.max_frames and config.long == "drop":
        raise UnusableClip(clip, "too long", len(motion), f"{found}, expected at most {config.max_frames} (--max-frames, or --long split)")
    starts = range(0, len(motion), config.max_frames)
    windows = (slice(start, min(start + config.max_frames, len(motion))) for start in starts)
    return tuple(window for window in windows if window.stop - window.start >= config.min_frames)


def _perform(posed: Posed, avatars: Avatars) -> tuple[Posed, ...]:
    """Return a motion on every avatar; only so many of them at once, since this takes ten times the memory of the result."""
    skeletons = [skeleton for _, skeleton in avatars]
    groups = (skeletons[start : start + _AT_ONCE] for start in range(0, len(skeletons), _AT_ONCE))
    return tuple(performance for group in groups for performance in retarget_to_all(posed, group))


def _clip_row(clip: Clip, source: Source, recording: SourceMotion, source_fps: float, window: slice) -> dict[str, Any]:
    """Return the row of ``/clips`` of a window of a clip; the window of a whole clip goes by the clip's own id."""
    motion = recording.motion
    return {
        "id": clip.id if window == slice(0, len(motion)) else f"{clip.id}/{window.start}",
        "source": source.name,
        "file": clip.file,
        "sha256": recording.sha256,
        "actor": clip.actor,
        "action": clip.action,
        "take": clip.take,
        "source_fps": source_fps,
        "source_start": recording.start + round(window.start * source_fps / motion.fps),
        "source_frames": max(round((window.stop - window.start) * source_fps / motion.fps), 1),
    }


def _cameras(posed: Posed, performances: tuple[Posed, ...], config: BuildConfig, name: str) -> tuple[Camera, ...]:
    """Return cameras that see all avatars in all frames, around where the person faces in the first one."""
    points = np.hstack([performance.positions.T.reshape(3, -1) for performance in performances]).T
    facing = heading(posed.motion, posed.position("LeftUpperLeg")[0], posed.position("RightUpperLeg")[0])
    return place_cameras(points, facing, config, name)


def _project(avatars: Avatars, performances: tuple[Posed, ...], cameras: tuple[Camera, ...]) -> Iterator[Sequence]:
    """Return what each camera sees of each avatar."""
    named = zip([name for name, _ in avatars], performances, strict=True)
    return (sequence for name, shown in named for sequence in project_motion(name, shown.motion, shown.positions, cameras))


def _source(config: BuildConfig) -> tuple[Source, BuildConfig]:
    """Return the source, and the settings with what it decides where the user does not."""
    kind = source_class(config.source)
    check_settings(kind, config)
    config = config.model_copy(update={"select": config.select or kind.default_select})
    if config.cluster is not None:
        from mocapgen.build_cluster import same_everywhere

        config = same_everywhere(config)
    return kind(config), config


def _avatars(config: BuildConfig) -> tuple[tuple[Avatar, Skeleton], ...]:
    try:
        avatars = [load_avatar(name) for name in config.avatars]
    except ConfigError as error:
        raise ConfigError(f"avatars: {error}") from None
    names = [avatar.name for avatar in avatars]
    if len(set(names)) != len(names):
        raise ConfigError(f"avatars: expected different names, found {', '.join(names)}")
    return tuple((avatar, avatar_skeleton(avatar)) for avatar in avatars)
