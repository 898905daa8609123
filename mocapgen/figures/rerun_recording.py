"""Recordings for the Rerun viewer: the same motion in an interactive 3D viewer. Needs the package rerun-sdk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.figures.colours import THEMES, rgb
from mocapgen.figures.drawn_sequence import DrawnSequence, Poses
from schemas.errors import ConfigError

_THEME = THEMES["dark"]
_WORLD_RADII = (0.025, 0.015)
"""Joints and bones, metres."""
_IMAGE_RADII = (5.0, 3.0)
"""Joints and bones, pixels."""
_CAMERA_SIZE = 0.4
"""Metres from the camera to the image that is drawn before it."""
_EYE_AZIMUTH, _EYE_ELEVATION = np.radians(35.0), np.radians(18.0)
"""From where the world is seen at first: beside the line to the camera, and above the floor."""
_EYE_HALF = np.radians(22.0)
"""Half of the angle that all poses take in the view; the viewer shows 55 degrees of height by default."""


def require() -> None:
    """Make sure that recordings can be written.

    Raises
    ------
    ConfigError
        If rerun-sdk is not installed.
    """
    try:
        import rerun  # noqa: F401
    except ImportError:
        raise ConfigError("rrd: expected the package rerun-sdk, which is not installed: pip install 'mocapgen[rerun]'") from None


def record(path: Path, drawn: Sequence[DrawnSequence]) -> None:
    """Write a recording.

    Parameters
    ----------
    path : Path
        Ends in .rrd.
    drawn : sequence of DrawnSequence
        The same clip on one or more avatars, before one camera each.

    Notes
    -----
    Entities: ``world/AVATAR/pose`` (or ``truth`` and ``prediction``), joints as keypoints that are named, and below it ``bones``, lines in the
    colours of the body's sides; ``world/AVATAR/camera``, the pinhole; ``world/AVATAR/camera/pose`` with ``bones``, the same in 2D on its image.
    Time lines: ``frame`` and ``time``.
    """
    import rerun as rr

    recording = rr.RecordingStream("mocapgen", send_properties=False)
    recording.save(path, default_blueprint=_blueprint(drawn))
    recording.send_recording_name(drawn[0].clip)
    recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Y_UP, static=True)
    recording.log("world", _annotations(drawn[0]), static=True)
    for sequence in drawn:
        _record(recording, sequence)
    recording.disconnect()


def _name(sequence: DrawnSequence) -> str:
    return sequence.avatar or "person"


def _kinds(sequence: DrawnSequence) -> dict[str, Poses]:
    """Return what is recorded, by name: the order is that of the classes of the annotations."""
    if sequence.truth is None:
        return {"pose": sequence.poses}
    return {"truth": sequence.truth, "prediction": sequence.poses}


def _record(recording: Any, sequence: DrawnSequence) -> None:
    import rerun as rr

    camera, place = sequence.camera.to_opencv(), ["world", _name(sequence)]
    times = [
        rr.TimeColumn("frame", sequence=np.arange(len(sequence))),
        rr.TimeColumn("time", duration=np.arange(len(sequence)) / sequence.fps),
    ]
    recording.log([*place, "camera"], rr.Transform3D(translation=camera.centre, mat3x3=camera.R.T), static=True)
    intrinsics = {"image_from_camera": camera.K, "resolution": [camera.width, camera.height], "camera_xyz": rr.ViewCoordinates.RDF}
    recording.log([*place, "camera"], rr.Pinhole(**intrinsics, image_plane_distance=_CAMERA_SIZE), static=True)
    for number, (kind, poses) in enumerate(_kinds(sequence).items()):
        for entity, positions, (points, lines), (wide, narrow) in (
            ([*place, kind], poses.world, (rr.Points3D, rr.LineStrips3D), _WORLD_RADII),
            ([*place, "camera", kind], poses.pixels, (rr.Points2D, rr.LineStrips2D), _IMAGE_RADII),
        ):
            count, bones, drawn = len(poses.tree.names), poses.tree.bones, positions.astype(np.float32)
            labels: Any = {"class_ids": [number] * count, "keypoint_ids": range(count), "show_labels": False}
            path, below = rr.new_entity_path(entity), rr.new_entity_path([*entity, "bones"])
            recording.log(path, points.from_fields(radii=[wide], **labels), static=True)
            recording.log(below, lines.from_fields(radii=[narrow], colors=_bone_colours(poses, pale=kind == "truth")), static=True)
            recording.send_columns(path, times, points.columns(positions=drawn.reshape(-1, drawn.shape[-1])).partition([count] * len(sequence)))
            strips = drawn[:, bones].reshape(-1, 2, drawn.shape[-1])
            recording.send_columns(below, times, lines.columns(strips=strips).partition([len(bones)] * len(sequence)))


def _bone_colours(poses: Poses, pale: bool) -> list[tuple[int, int, int]]:
    """Return the colour of each bone: that of the side of its far end, or that of the truth beneath a prediction."""
    return [rgb(_THEME.truth if pale else _THEME.side(poses.tree.sides[child])) for _, child in poses.tree.bones]


def _annotations(sequence: DrawnSequence) -> Any:
    """Return names and colours of the joints, a class for each kind of poses: the viewer shows the name of a joint that is pointed at."""
    import rerun as rr

    classes = []
    for number, (kind, poses) in enumerate(_kinds(sequence).items()):
        tree, pale = poses.tree, kind == "truth"
        colours = [rgb(_THEME.truth if pale else _THEME.side(side)) for side in tree.sides]
        joints = [rr.AnnotationInfo(id=joint, label=name, color=colour) for joint, (name, colour) in enumerate(zip(tree.names, colours, strict=True))]
        whole = rr.AnnotationInfo(id=number, label=kind, color=rgb(_THEME.truth if pale else _THEME.centre))
        classes.append(rr.ClassDescription(info=whole, keypoint_annotations=joints))
    return rr.AnnotationContext(classes)


def _blueprint(drawn: Sequence[DrawnSequence]) -> Any:
    """Return the layout of the viewer: the whole image beside the world, which is seen such that every pose is in it, feet included."""
    import rerun as rr
    import rerun.blueprint as rrb

    dark = list(rgb(_THEME.paper))
    images = [
        rrb.Spatial2DView(
            origin=rr.new_entity_path(["world", _name(one), "camera"]),
            name=f"image, {_name(one)}",
            background=dark,
            visual_bounds=rrb.VisualBounds2D(x_range=[0, one.camera.width], y_range=[0, one.camera.height]),
        )
        for one in drawn
    ]
    position, target = _eye(drawn)
    world = rrb.Spatial3DView(
        origin="world",
        name="world",
        background=dark,
        line_grid=rrb.LineGrid3D(spacing=1.0, plane=rr.components.Plane3D([0.0, 1.0, 0.0], drawn[0].floor)),
        eye_controls=rrb.EyeControls3D(position=position, look_target=target),
    )
    beside = rrb.Horizontal(rrb.Vertical(*images) if len(images) > 1 else images[0], world)
    return rrb.Blueprint(beside, rrb.TimePanel(timeline="time"), rrb.SelectionPanel(state="collapsed"), rrb.BlueprintPanel(state="collapsed"))


def _eye(drawn: Sequence[DrawnSequence]) -> tuple[Array, Array]:
    """Return from where the world is seen, and which point is in the middle: all poses on their floor, from the side of the camera and from above."""
    points = np.concatenate([poses.world.reshape(-1, 3) for sequence in drawn for poses in sequence.layers])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    low[1] = min(low[1], drawn[0].floor)
    middle, radius = (low + high) / 2.0, max(float(np.linalg.norm(high - low)) / 2.0, 0.5)
    towards = drawn[0].camera.centre - middle
    azimuth = np.arctan2(towards[0], towards[2]) + _EYE_AZIMUTH
    level = np.cos(_EYE_ELEVATION)
    direction = np.array([level * np.sin(azimuth), np.sin(_EYE_ELEVATION), level * np.cos(azimuth)])
    return middle + direction * radius / np.sin(_EYE_HALF), middle
