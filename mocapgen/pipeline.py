"""The whole story: files -> Motion -> resampled -> retargeted -> rendered -> the dataset file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.anatomy.infer import find_roles
from mocapgen.cameras.camera import Camera
from mocapgen.cameras.project import Sequence, heading, render
from mocapgen.cameras.rigs import parse_rig, place_cameras
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.resample import resample
from mocapgen.retarget import Posed, retarget_to_all
from mocapgen.shared.files import check_target
from mocapgen.shared.parallel import map_ordered
from mocapgen.sources import Clip, Source, SourceMotion, check_settings, source_class
from mocapgen.sources.selection import not_needed, select_clips
from mocapgen.store.writer import DatasetWriter
from schemas.config import BuildConfig
from schemas.errors import ConfigError, FormatError, RetargetError, SourceError
from schemas.report import FAULTS, BuildReport, Detection, Skip, SkipReason
from schemas.skeleton import Avatar

Progress = Callable[[int, int, str], None]
"""Called with clips done, clips in all, and the name of the last one."""


@dataclass(frozen=True)
class Rendered:
    """One clip, or one window of a long one, as it goes into the file."""

    clip: dict[str, Any]
    cameras: tuple[Camera, ...]
    sequences: tuple[Sequence, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a group of candidates: the first usable one, and why others were not used."""

    rendered: tuple[Rendered, ...] = ()
    skipped: tuple[Skip, ...] = ()
    windows: tuple[int, ...] = ()
    """Frames of each clip or window, also in a dry run."""
    detection: Detection | None = None
    """How the file was understood."""


def build(config: BuildConfig, progress: Progress | None = None) -> BuildReport:
    """Build a dataset file.

    Parameters
    ----------
    config : BuildConfig
    progress : callable, optional
        Told about every clip.

    Returns
    -------
    BuildReport

    Raises
    ------
    ConfigError, SourceError, FormatError, RetargetError, DatasetError
        One line each. Clips that cannot be used are skipped and reported, unless ``config.strict``.
    """
    began = time.perf_counter()
    avatars = _avatars(config)
    rig_cameras = parse_rig(config.camera)[1]
    if config.out is not None and not config.dry_run:
        check_target(config.out, config.overwrite)
    source, config = _source(config)
    listing = source.list()
    selection = select_clips(listing, config)
    skipped = list(selection.skipped)
    _raise_if_strict(config, skipped)
    worker = Worker(source, config, tuple((avatar.name, skeleton) for avatar, skeleton in avatars))
    detections: list[Detection] = []
    clips = sequences = frames = 0
    with ExitStack() as stack:
        writer = None if config.dry_run or config.out is None else stack.enter_context(DatasetWriter(config.out, config, avatars))
        outcomes = stack.enter_context(map_ordered(worker, selection.groups, config.workers))
        for done, outcome in enumerate(outcomes, start=1):
            skipped += outcome.skipped
            _raise_if_strict(config, outcome.skipped)
            for rendered in outcome.rendered:
                if writer is not None:
                    writer.add(rendered.clip, rendered.cameras, rendered.sequences)
            per_window = len(avatars) * rig_cameras
            clips += bool(outcome.windows)
            detections += [outcome.detection] if outcome.detection is not None else []
            sequences += len(outcome.windows) * per_window
            frames += sum(outcome.windows) * per_window
            if progress is not None:
                progress(done, len(selection.groups), selection.groups[done - 1][0].id)
        skipped.sort(key=lambda skip: (skip.file, skip.reason, skip.detail))
        if not clips:
            raise SourceError(_nothing_usable(config, skipped))
        if writer is not None:
            writer.skipped(skipped)
    size = config.out.stat().st_size if writer is not None and config.out is not None else 0
    return BuildReport(
        clips_found=len(listing.clips) + sum(skip.reason != "not a clip" for skip in listing.skipped),
        clips_used=clips,
        sequences=sequences,
        frames=frames,
        skipped=tuple(skipped),
        detections=tuple(detections),
        bytes=size,
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True)
class Worker:
    """Turns candidates into sequences; travels to worker processes once."""

    source: Source
    config: BuildConfig
    avatars: tuple[tuple[str, Skeleton], ...]

    def __call__(self, candidates: tuple[Clip, ...]) -> Outcome:
        """Use the first usable clip of a group; say of each other one why it was not used."""
        skipped: list[Skip] = []
        for place, clip in enumerate(candidates):
            try:
                read = self.source.read(clip)
                read = replace(read, roles=read.roles or find_roles(read.motion.skeleton))
                motion = resample(read.motion, self.config.fps, self.config.antialias)
                windows = tuple(self._windows(clip, motion))
                rendered = () if self.config.dry_run else tuple(self._render(clip, read, motion, part) for part in windows)
            except _Unusable as reason:
                skipped.append(reason.skip)
            except FormatError as error:
                skipped.append(Skip(file=clip.file, reason="unreadable", detail=str(error)))
            except RetargetError as error:
                skipped.append(Skip(file=clip.file, reason="cannot retarget", detail=f"{clip.file}: {error}"))
            else:
                skipped += [not_needed(other, clip) for other in candidates[place + 1 :]]
                return Outcome(rendered, tuple(skipped), tuple(part.stop - part.start for part in windows), read.detection)
        return Outcome(skipped=tuple(skipped))

    def _windows(self, clip: Clip, motion: Motion) -> Iterator[slice]:
        """Yield which frames of a clip at the new rate are used: all, or window by window."""
        config = self.config
        if len(motion) < config.min_frames:
            raise _Unusable(clip, "too short", f"{len(motion)} frames at {config.fps:g} fps, expected at least {config.min_frames} (--min-frames)")
        if len(motion) > config.max_frames and config.long == "drop":
            detail = f"{len(motion)} frames at {config.fps:g} fps, expected at most {config.max_frames} (--max-frames, or --long split)"
            raise _Unusable(clip, "too long", detail)
        for start in range(0, len(motion), config.max_frames):
            stop = min(start + config.max_frames, len(motion))
            if stop - start >= config.min_frames:
                yield slice(start, stop)

    def _render(self, clip: Clip, read: SourceMotion, motion: Motion, part: slice) -> Rendered:
        whole = part.start == 0 and part.stop == len(motion)
        name = clip.id if whole else f"{clip.id}/{part.start}"
        posed = Posed.of(motion.slice(part.start, part.stop), read.roles)
        performances = retarget_to_all(posed, [skeleton for _, skeleton in self.avatars])
        facing = heading(posed.motion, posed.position("LeftUpperLeg")[0], posed.position("RightUpperLeg")[0])
        everything = np.hstack([performed.positions.T.reshape(3, -1) for performed in performances]).T
        cameras = place_cameras(everything, facing, self.config, name)
        named = zip([avatar for avatar, _ in self.avatars], performances, strict=True)
        sequences = [s for avatar, performed in named for s in render(avatar, performed.motion, performed.positions, cameras)]
        source_fps = read.motion.fps
        row = {
            "id": name,
            "source": self.source.name,
            "file": clip.file,
            "sha256": read.sha256,
            "actor": clip.actor,
            "action": clip.action,
            "take": clip.take,
            "source_fps": source_fps,
            "source_start": round(part.start * source_fps / motion.fps),
            "source_frames": round((part.stop - part.start) * source_fps / motion.fps),
        }
        return Rendered(row, cameras, tuple(sequences))


class _Unusable(Exception):
    """A clip is sound but not what the settings ask for."""

    def __init__(self, clip: Clip, reason: SkipReason, detail: str) -> None:
        super().__init__(detail)
        self.skip = Skip(file=clip.file, reason=reason, detail=detail)


def _source(config: BuildConfig) -> tuple[Source, BuildConfig]:
    """Return the source, and the settings with what it decides where the user does not."""
    kind = source_class(config.source)
    check_settings(kind, config)
    config = config.model_copy(update={"select": config.select or kind.default_select})
    return kind(config), config


def _avatars(config: BuildConfig) -> tuple[tuple[Avatar, Skeleton], ...]:
    try:
        avatars = [load_avatar(name) for name in config.avatars]
    except ConfigError as error:
        raise ConfigError(f"--avatars: {error}") from None
    names = [avatar.name for avatar in avatars]
    if len(set(names)) != len(names):
        raise ConfigError(f"--avatars: expected different names, found {', '.join(names)}")
    return tuple((avatar, avatar_skeleton(avatar)) for avatar in avatars)


def _raise_if_strict(config: BuildConfig, skipped: Iterable[Skip]) -> None:
    fault = next((skip for skip in skipped if skip.reason in FAULTS), None)
    if config.strict and fault is not None:
        raise FormatError(f"{fault.detail} (--strict; without it the clip would be left out)")


def _nothing_usable(config: BuildConfig, skipped: list[Skip]) -> str:
    reasons = Counter(skip.reason for skip in skipped)
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "no clip at all"
    telling = [skip for skip in skipped if skip.reason != "not selected"] or skipped
    first = f"; first: {telling[0].detail}" if telling else ""
    return f"source {config.source}: expected at least one usable clip, found {counts}{first}"
