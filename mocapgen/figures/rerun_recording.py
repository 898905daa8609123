"""Recordings for the Rerun viewer: the same motion in an interactive 3D viewer. Needs the package rerun-sdk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mocapgen.figures.colours import THEMES, rgb
from mocapgen.figures.drawn_sequence import DrawnSequence, Poses
from schemas.errors import ConfigError


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
    Entities: ``world/AVATAR/truth`` (or ``prediction``), joints as keypoints that are named and joined by bones;
    ``world/AVATAR/camera``, the pinhole; ``world/AVATAR/camera/truth``, the 2D keypoints on its image. Time lines: ``frame`` and ``time``.
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
    pinhole = rr.Pinhole(image_from_camera=camera.K, resolution=[camera.width, camera.height], camera_xyz=rr.ViewCoordinates.RDF)
    recording.log([*place, "camera"], pinhole, static=True)
    for number, (kind, poses) in enumerate(_kinds(sequence).items()):
        count = len(poses.tree.names)
        labels: Any = {"class_ids": [number] * count, "keypoint_ids": range(count), "show_labels": False}
        space, image = rr.new_entity_path([*place, kind]), rr.new_entity_path([*place, "camera", kind])
        recording.log(space, rr.Points3D.from_fields(radii=[0.02], **labels), static=True)
        recording.log(image, rr.Points2D.from_fields(radii=[4.0], **labels), static=True)
        lengths = [count] * len(sequence)
        points = rr.Points3D.columns(positions=poses.world.reshape(-1, 3).astype(np.float32))
        recording.send_columns(space, times, points.partition(lengths))
        pixels = rr.Points2D.columns(positions=poses.pixels.reshape(-1, 2).astype(np.float32))
        recording.send_columns(image, times, pixels.partition(lengths))


def _annotations(sequence: DrawnSequence) -> Any:
    """Return names, colours and bones of the joints, a class for each kind of poses."""
    import rerun as rr

    theme, classes = THEMES["dark"], []
    for number, (kind, poses) in enumerate(_kinds(sequence).items()):
        tree, pale = poses.tree, kind == "truth"
        colours = [rgb(theme.truth if pale else theme.side(side)) for side in tree.sides]
        joints = [rr.AnnotationInfo(id=joint, label=name, color=colour) for joint, (name, colour) in enumerate(zip(tree.names, colours, strict=True))]
        whole = rr.AnnotationInfo(id=number, label=kind, color=rgb(theme.truth if pale else theme.centre))
        bones = [(int(parent), int(joint)) for parent, joint in tree.bones]
        classes.append(rr.ClassDescription(info=whole, keypoint_annotations=joints, keypoint_connections=bones))
    return rr.AnnotationContext(classes)


def _blueprint(drawn: Sequence[DrawnSequence]) -> Any:
    """Return the layout of the viewer: the image beside the world."""
    import rerun as rr
    import rerun.blueprint as rrb

    images = [rrb.Spatial2DView(origin=rr.new_entity_path(["world", _name(one), "camera"]), name=f"image, {_name(one)}") for one in drawn]
    return rrb.Blueprint(rrb.Horizontal(rrb.Vertical(*images) if len(images) > 1 else images[0], rrb.Spatial3DView(origin="world", name="world")))
