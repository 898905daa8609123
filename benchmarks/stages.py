"""Frames per second of each step of a build, on one core, and of what no reader of text can undercut."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import RawClip
from benchmarks.tables import Section, Value
from benchmarks.timing import each, measure
from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.cameras.camera import Camera
from mocapgen.cameras.project import Sequence, heading, project_motion
from mocapgen.cameras.rigs import place_cameras
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Motion
from mocapgen.core.resample import resample
from mocapgen.retarget import Posed, retarget_to_all
from mocapgen.store.writer import DatasetWriter
from schemas.config import BuildConfig

_BLANKED = bytes.maketrans(bytes(range(65, 91)) + bytes(range(97, 123)), b" " * 52)
_HEADER = re.compile(rb"\A(?:[#:].*\n)*")


def text_as_array(data: bytes) -> np.ndarray:
    """Return all numbers of an AMC file's text: letters blanked, the rest read by NumPy at once, nothing checked."""
    return np.fromstring(_HEADER.sub(b"", data).translate(_BLANKED), sep=" ")


@dataclass(frozen=True)
class Material:
    """The clips at each step of a build: what one step made is what the next one is measured on."""

    raw: list[RawClip]

    @cached_property
    def config(self) -> BuildConfig:
        """Settings as in a build by default."""
        return BuildConfig(dry_run=True)

    @cached_property
    def motions(self) -> list[Motion]:
        """As recorded."""
        return [clip.parse() for clip in self.raw]

    @cached_property
    def resampled(self) -> list[Motion]:
        """At the dataset's rate."""
        return [resample(motion, self.config.fps) for motion in self.motions]

    @cached_property
    def avatars(self) -> list[Any]:
        """(Avatar, Skeleton) of each default avatar."""
        return [(avatar, avatar_skeleton(avatar)) for avatar in map(load_avatar, self.config.avatars)]

    def retarget(self, motion: Motion, avatars: int | None = None) -> tuple[Posed, ...]:
        """Let avatars perform one clip."""
        return retarget_to_all(Posed.of(motion), [skeleton for _, skeleton in self.avatars[:avatars]])

    @cached_property
    def performances(self) -> list[tuple[Posed, ...]]:
        """Each clip by all avatars."""
        return [self.retarget(motion) for motion in self.resampled]

    def render(self, motion: Motion, performances: tuple[Posed, ...]) -> tuple[tuple[Camera, ...], list[Sequence]]:
        """Place the cameras of a clip and render what they see."""
        points = np.hstack([performed.positions.T.reshape(3, -1) for performed in performances]).T
        posed = Posed.of(motion)
        facing = heading(motion, posed.position("LeftUpperLeg")[0], posed.position("RightUpperLeg")[0])
        cameras = place_cameras(points, facing, self.config, motion.name)
        named = zip([avatar.name for avatar, _ in self.avatars], performances, strict=True)
        return cameras, [s for avatar, performed in named for s in project_motion(avatar, performed.motion, performed.positions, cameras)]

    @cached_property
    def rendered(self) -> list[tuple[tuple[Camera, ...], list[Sequence]]]:
        """Cameras and sequences of each clip."""
        return [self.render(motion, performances) for motion, performances in zip(self.resampled, self.performances, strict=True)]

    def write(self, path: Path) -> None:
        """Write all that was rendered, as a build does."""
        with DatasetWriter(path, self.config.model_copy(update={"out": path, "overwrite": True}), self.avatars) as writer:
            for raw, motion, (cameras, sequences) in zip(self.raw, self.motions, self.rendered, strict=True):
                clip = raw.clip
                row: dict[str, Any] = {"id": clip.id, "source": "hdm05", "file": clip.file, "sha256": "", "actor": clip.actor}
                row |= {"action": clip.action, "take": clip.take, "source_fps": motion.fps, "source_start": 0, "source_frames": len(motion)}
                writer.add(row, cameras, sequences)


def stages(material: Material, repeat: int, pinning: str) -> Section:
    """Measure every step."""
    recorded = sum(map(len, material.motions))
    short = sum(map(len, material.resampled))
    rows = sum(len(sequence) for _, sequences in material.rendered for sequence in sequences)
    between = material.config.fps * 5 / 6  # 25 fps: falls between the frames of a recording at 120
    with tempfile.TemporaryDirectory() as folder:
        pairs = list(zip(material.resampled, material.performances, strict=True))
        jobs: dict[str, tuple[int, str, Callable[[], object]]] = {
            "text to words (bytes.split)": (recorded, "recorded", lambda: each(lambda clip: clip.data.split(), material.raw)),
            "text to one array (NumPy)": (recorded, "recorded", lambda: each(lambda clip: text_as_array(clip.data), material.raw)),
            "read": (recorded, "recorded", lambda: each(RawClip.parse, material.raw)),
            "forward kinematics": (recorded, "recorded", lambda: each(forward_kinematics, material.motions)),
            "read + forward kinematics": (recorded, "recorded", lambda: each(lambda clip: forward_kinematics(clip.parse()), material.raw)),
            "resample": (recorded, "recorded", lambda: each(lambda motion: resample(motion, material.config.fps), material.motions)),
            f"resample to {between:g} fps (slerp)": (recorded, "recorded", lambda: each(lambda motion: resample(motion, between), material.motions)),
            "retarget, one avatar": (short, "dataset", lambda: each(lambda motion: material.retarget(motion, 1), material.resampled)),
            "retarget, all avatars": (rows, "dataset", lambda: each(material.retarget, material.resampled)),
            "render": (rows, "dataset", lambda: each(lambda pair: material.render(*pair), pairs)),
            "write": (rows, "dataset", lambda: material.write(Path(folder) / "data.h5")),
        }
        timings = measure({name: job for name, (_, _, job) in jobs.items()}, repeat)
    floor = recorded / timings["text to one array (NumPy)"].best
    figures: list[dict[str, Value]] = []
    for name, (frames, kind, _) in jobs.items():
        best = frames / timings[name].best
        compared = best / floor if kind == "recorded" else None
        figures.append({"step": name, "frames/s, best": best, "median": frames / timings[name].median, "times floor": compared, "frames": kind})
    return Section(
        "Steps on one core",
        f"{len(material.raw)} clips, {recorded:,} recorded frames, {short:,} at {material.config.fps:g} fps, {rows:,} in the dataset; {pinning}; "
        f"best and median of {repeat}. The floor is the same text turned into one array, letters blanked, nothing checked.",
        tuple(figures),
    )
