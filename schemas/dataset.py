"""The dataset file, schema 1: every array with its type, shape and meaning.

The file is star-shaped: one large block with a row per frame, small tables around it. Writer, reader and documentation
all go by :data:`LAYOUT`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.base import Model

DType = Literal["f4", "f8", "i4", "i8", "bool", "str"]

CHUNK_FRAMES = 256
"""Rows of the frame block per chunk: random windows of 40 to 300 frames touch two or three."""


class Array(Model):
    """One array of the file."""

    path: str = Field(pattern=r"^/[A-Za-z0-9_<>/]+$")
    """Where it is; `<name>` stands for each avatar or joint set."""
    dtype: DType
    """Element type, little-endian; `str` is variable-length UTF-8."""
    shape: tuple[str | int, ...]
    """Sizes: F frames, S sequences, C clips, M cameras, J joints, N joints of a set, P pairs, X skipped; or a number."""
    unit: str
    """Unit or frame of reference; `-` if there is none."""
    meaning: str
    """What it holds, in one sentence."""


class Layout(Model):
    """All arrays of a file."""

    arrays: tuple[Array, ...]
    """Every array, group by group."""

    def table(self, group: str) -> tuple[Array, ...]:
        """Return the arrays directly below a group such as `/clips`."""
        return tuple(array for array in self.arrays if array.path.rpartition("/")[0] == group)


def _array(path: str, dtype: DType, shape: tuple[str | int, ...], unit: str, meaning: str) -> Array:
    return Array(path=path, dtype=dtype, shape=shape, unit=unit, meaning=meaning)


LAYOUT = Layout(
    arrays=(
        _array("/frames/positions_3d", "f4", ("F", "J", 3), "metres, camera frame", "Where each joint is."),
        _array("/frames/positions_2d", "f4", ("F", "J", 2), "pixels", "Its projection, inside the image or not; NaN in the camera's own plane."),
        _array("/frames/quaternions", "f4", ("F", "J", 4), "x, y, z, w", "Rotation relative to the parent; of the root, relative to the camera."),
        _array("/frames/euler", "f4", ("F", "J", 3), "degrees", "The same rotation as Euler angles: components x, y, z, intrinsic order YXZ."),
        _array("/frames/in_view", "bool", ("F", "J"), "-", "Whether the joint is in front of the camera and inside the image."),
        _array("/sequences/start", "i8", ("S",), "row of /frames", "First frame of the sequence."),
        _array("/sequences/length", "i4", ("S",), "frames", "Number of frames of the sequence."),
        _array("/sequences/clip", "i4", ("S",), "row of /clips", "The clip that is performed."),
        _array("/sequences/camera", "i4", ("S",), "row of /cameras", "The camera that looks on."),
        _array("/sequences/avatar", "str", ("S",), "name in /skeletons", "Who performs it."),
        _array("/clips/id", "str", ("C",), "-", "Unique name of the clip (or of the window of a longer one)."),
        _array("/clips/source", "str", ("C",), "-", "Source it comes from, for example hdm05."),
        _array("/clips/file", "str", ("C",), "-", "File relative to the source's root."),
        _array("/clips/sha256", "str", ("C",), "hex", "Digest of what was read."),
        _array("/clips/actor", "str", ("C",), "-", "Who was recorded."),
        _array("/clips/action", "str", ("C",), "-", "Motion class."),
        _array("/clips/take", "str", ("C",), "-", "Repetition or take."),
        _array("/clips/source_fps", "f8", ("C",), "frames per second", "Frame rate of the recording."),
        _array("/clips/source_start", "i4", ("C",), "frames of the recording", "Where the clip starts in the recording."),
        _array("/clips/source_frames", "i4", ("C",), "frames of the recording", "How much of the recording it covers."),
        _array("/cameras/K", "f8", ("M", 3, 3), "pixels", "Intrinsics: (u, v, 1) = K X / z for X in the camera frame."),
        _array("/cameras/R", "f8", ("M", 3, 3), "-", "World to camera: X_camera = R X_world + t; det R is -1 for unity."),
        _array("/cameras/t", "f8", ("M", 3), "metres", "World to camera: X_camera = R X_world + t."),
        _array("/cameras/width", "i4", ("M",), "pixels", "Width of the image."),
        _array("/cameras/height", "i4", ("M",), "pixels", "Height of the image."),
        _array("/cameras/rig", "str", ("M",), "-", "Rig and number of the camera in it, for example orbit:8/3."),
        _array("/skeletons/<name>/names", "str", ("J",), "-", "Joint names, the same for all avatars."),
        _array("/skeletons/<name>/parents", "i4", ("J",), "index into names", "Parent of each joint; -1 for the root."),
        _array("/skeletons/<name>/offsets", "f8", ("J", 3), "metres, body axes", "Position relative to the parent in the rest pose."),
        _array(
            "/skeletons/<name>/rest_positions",
            "f8",
            ("J", 3),
            "metres, body axes",
            "The rest pose, a T-pose in which every rotation is the identity; root at the origin.",
        ),
        _array("/skeletons/<name>/stature", "f8", (), "metres", "Standing height."),
        _array("/joint_sets/<name>/names", "str", ("N",), "-", "Names of the joints in the set."),
        _array("/joint_sets/<name>/joints", "i4", ("N",), "index into J", "The joint that each of them is."),
        _array("/joint_sets/<name>/parents", "i4", ("N",), "index into names", "Parent within the set; -1 for the root."),
        _array("/joint_sets/<name>/symmetric_pairs", "i4", ("P", 2), "index into names", "Left and right joint of each pair."),
        _array("/joint_sets/<name>/groups", "str", ("N",), "-", "Group for reports; empty if in none."),
        _array("/skipped/file", "str", ("X",), "-", "What was found and not used."),
        _array("/skipped/reason", "str", ("X",), "-", "Kind of reason."),
        _array("/skipped/detail", "str", ("X",), "-", "The reason in one line."),
    )
)


class RootAttributes(Model):
    """Attributes of the file itself."""

    format: Literal["mocapgen-dataset"]
    """Always the same: says that this is a file of this schema."""
    schema_version: str
    """Major.minor; readers refuse a newer major version."""
    generator: str
    """Program and version that wrote the file."""
    fps: float
    """Frames per second of every sequence."""
    conventions: str
    """JSON object: each convention as a sentence (see schemas.conventions.file_conventions)."""
    config: str
    """JSON object: the settings of the build; of a file made from others, what it was made from (see schemas.subset.Derivation)."""
