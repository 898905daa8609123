"""Write the dataset file of a build: clips with their cameras and sequences, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mocapgen.cameras.camera import Camera, body_offsets
from mocapgen.cameras.project import Sequence
from mocapgen.core.motion import Skeleton
from mocapgen.store.dataset_file import DatasetFile
from mocapgen.store.frame_block import FRAMES
from mocapgen.store.joint_sets import JOINT_SETS
from schemas.config import BuildConfig
from schemas.conventions import JOINT_PARENTS, file_conventions
from schemas.dataset import LAYOUT
from schemas.report import Skip
from schemas.skeleton import Avatar

_CAMERA = tuple(array.path.rpartition("/")[2] for array in LAYOUT.table("/cameras"))


class DatasetWriter(DatasetFile):
    """Writes the file of a build; use it as a context manager, see :class:`~mocapgen.store.dataset_file.DatasetFile`.

    Parameters
    ----------
    path : Path
        The final name.
    config : BuildConfig
        What is being built; decides the camera frame, and goes into the file.
    avatars : iterable of (Avatar, Skeleton)

    Raises
    ------
    DatasetError
        If the folder does not exist or cannot be written, the disk is full, or the file exists and
        ``config.overwrite`` is not set.
    """

    def __init__(self, path: Path, config: BuildConfig, avatars: Iterable[tuple[Avatar, Skeleton]]) -> None:
        self._frame = config.camera_frame
        self._avatars = tuple(avatars)
        recorded = config.recorded() | {"avatars": [avatar.name for avatar, _ in self._avatars]}
        conventions = json.dumps(file_conventions(self._frame))
        super().__init__(path, config.overwrite, len(JOINT_PARENTS), config.fps, conventions, json.dumps(recorded), config.workers)

    def add(self, clip: dict[str, Any], cameras: tuple[Camera, ...], sequences: Iterable[Sequence]) -> None:
        """Append a clip with its cameras and sequences.

        Parameters
        ----------
        clip : dict
            One value per array of ``/clips``.
        cameras : tuple of Camera
        sequences : iterable of Sequence
            Their ``camera`` counts within `cameras`.
        """
        clip_row = self.add_row("clips", clip)
        first_camera = self.rows("cameras")
        for camera in cameras:
            self.add_row("cameras", {name: getattr(camera, name) for name in _CAMERA})
        for sequence in sequences:
            seen_by = first_camera + sequence.camera
            row = {"start": self.frames, "length": len(sequence), "clip": clip_row, "camera": seen_by, "avatar": sequence.avatar}
            self.add_row("sequences", row)
            self.append({name: getattr(sequence, name) for name in FRAMES})

    def skipped(self, skips: Iterable[Skip]) -> None:
        """Record what was found and not used."""
        for skip in skips:
            self.add_row("skipped", skip.model_dump(exclude={"frames"}))

    def _start(self) -> None:
        super()._start()
        for avatar, skeleton in self._avatars:
            self._add_skeleton(avatar, skeleton)
        for joint_set in JOINT_SETS:
            names = list(joint_set.joints)
            place = {name: index for index, name in enumerate(names)}
            index = {name: i for i, name in enumerate(JOINT_PARENTS)}
            columns = {
                "names": names,
                "joints": [index[joint] for joint in joint_set.joints.values()],
                "parents": [place[parent] if (parent := joint_set.parents[name]) is not None else -1 for name in names],
                "symmetric_pairs": [[place[left], place[right]] for left, right in joint_set.symmetric_pairs],
                "groups": [joint_set.group_of(name) for name in names],
            }
            self.add_group("/joint_sets/<name>", joint_set.name, columns)

    def _add_skeleton(self, avatar: Avatar, skeleton: Skeleton) -> None:
        columns = {
            "names": list(skeleton.names),
            "parents": list(skeleton.parents),
            "offsets": body_offsets(skeleton.offsets, self._frame),
            "rest_positions": body_offsets(skeleton.rest_positions, self._frame),
            "stature": avatar.stature,
        }
        attributes = {key: getattr(avatar, key) for key in ("description", "sex", "age", "source")}
        self.add_group("/skeletons/<name>", avatar.name, columns, attributes)
