"""Files that are incomplete, damaged, or do not say what they hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from tests.inspect.defects import Array, Defect, change, joint, rewrite

Plant = Callable[[h5py.File], None]


def attribute(name: str, value: Any) -> Plant:
    """Set an attribute of the file; None removes it."""

    def plant(file: h5py.File) -> None:
        if value is None:
            del file.attrs[name]
        else:
            file.attrs[name] = value

    return plant


def convention(name: str, value: str) -> Plant:
    def plant(file: h5py.File) -> None:
        file.attrs["conventions"] = json.dumps(json.loads(file.attrs["conventions"]) | {name: value})

    return plant


def without(path: str) -> Plant:
    def plant(file: h5py.File) -> None:
        del file[path]

    return plant


def with_values(path: str, edit: Callable[[Array], Any], **options: Any) -> Plant:
    """Put something else in an array's place."""

    def plant(file: h5py.File) -> None:
        text = h5py.check_string_dtype(file[path].dtype) is not None
        rewrite(file, path, edit(file[path].asstr()[:] if text else file[path][()]), **options)

    return plant


def at(path: str, place: Any, value: Any) -> Plant:
    """Set some values of an array."""

    def plant(file: h5py.File) -> None:
        file[path][place] = value

    return plant


def plus(path: str, place: Any, amount: Any) -> Plant:
    def plant(file: h5py.File) -> None:
        file[path][place] += amount

    return plant


def flipped_bits(path: str, chunk: int) -> Plant:
    """Change stored bytes behind the back of the checksum."""

    def plant(file: h5py.File) -> None:
        dataset = file[path]
        offset = dataset.id.get_chunk_info(chunk).chunk_offset
        mask, data = dataset.id.read_direct_chunk(offset)
        middle = len(data) // 2
        dataset.id.write_direct_chunk(offset, data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :], mask)

    return plant


def not_finite(name: str, sequence: int, frames: slice, place: str, value: float) -> Plant:
    def plant(file: h5py.File) -> None:
        def edit(values: Array) -> None:
            values[frames, joint(file, place)] = value

        change(file, name, sequence, edit)

    return plant


def fewer_sequences(file: h5py.File) -> None:
    for column in list(file["/sequences"]):
        text = column == "avatar"
        rewrite(file, f"/sequences/{column}", (file[f"/sequences/{column}"].asstr() if text else file[f"/sequences/{column}"])[:-1])


def more_frames(file: h5py.File) -> None:
    for dataset in file["/frames"].values():
        dataset.resize(dataset.shape[0] + 12, axis=0)


def repeated_sequence(file: h5py.File) -> None:
    for column in ("clip", "camera"):
        file[f"/sequences/{column}"][2] = file[f"/sequences/{column}"][0]


def other_names(file: h5py.File) -> None:
    names = list(file["/skeletons/child_10/names"].asstr()[:])
    left, right = names.index("LeftUpperLeg"), names.index("RightUpperLeg")
    names[left], names[right] = names[right], names[left]
    rewrite(file, "/skeletons/child_10/names", names)


def hung_elsewhere(file: h5py.File) -> None:
    for skeleton in file["/skeletons"].values():
        skeleton["parents"][joint(file, "LeftUpperArm")] = joint(file, "UpperChest")


def rest_pose_times(*factors: float) -> Plant:
    def plant(file: h5py.File) -> None:
        for name in ("offsets", "rest_positions"):
            file[f"/skeletons/average_man/{name}"][...] = file[f"/skeletons/average_man/{name}"][()] * np.array(factors)

    return plant


def mirrored_camera(file: h5py.File) -> None:
    file["/cameras/R"][1] = file["/cameras/R"][1] * np.array([[-1.0], [1.0], [1.0]])


def flipped_focal(file: h5py.File) -> None:
    K = file["/cameras/K"][2]
    K[1, 1] = -K[1, 1]
    file["/cameras/K"][2] = K


def swapped_pairs(file: h5py.File) -> None:
    pairs = file["/joint_sets/h36m17/symmetric_pairs"]
    pairs[...] = pairs[()][:, ::-1]


def rotated_order(file: h5py.File) -> None:
    names = list(file["/joint_sets/h36m17/names"].asstr()[:])
    rewrite(file, "/joint_sets/h36m17/names", [*names[1:4], names[0], *names[4:]])


def another_array(file: h5py.File) -> None:
    file.create_dataset("/frames/velocity", data=np.zeros((4, 27, 3)))


def group_in_place(file: h5py.File) -> None:
    del file["/frames/in_view"]
    file.create_group("/frames/in_view")


def as_it_is(values: Array) -> Array:
    return values


DEFECTS = (
    Defect("no frame rate", "structure.attributes", attribute("fps", None)),
    Defect("negative frame rate", "structure.attributes", attribute("fps", -30.0)),
    Defect("frame rate in words", "structure.attributes", attribute("fps", "thirty")),
    Defect("no schema version", "structure.attributes", attribute("schema_version", None)),
    Defect("a number for a generator", "structure.attributes", attribute("generator", 3)),
    Defect("conventions are no JSON", "structure.attributes", attribute("conventions", "y up")),
    Defect("the configuration is a list", "structure.attributes", attribute("config", "[]")),
    Defect("quaternions said to be wxyz", "structure.conventions", convention("quaternions", "(w, x, y, z)")),
    Defect("an unknown camera frame", "structure.conventions", convention("camera_frame", "blender")),
    Defect("positions said to be millimetres", "structure.conventions", lambda file: file["/frames/positions_3d"].attrs.update(unit="millimetres")),
    Defect("no Euler angles", "structure.missing", without("/frames/euler")),
    Defect("no takes", "structure.missing", without("/clips/take")),
    Defect("no cameras", "structure.missing", without("/cameras")),
    Defect("no joint sets", "structure.missing", without("/joint_sets")),
    Defect("a group in place of an array", "structure.missing", group_in_place),
    Defect("positions in whole numbers", "structure.types", with_values("/frames/positions_3d", lambda values: (1000 * values).astype("<i4"))),
    Defect("flags in decimals", "structure.types", with_values("/frames/in_view", lambda values: values.astype("<f4"))),
    Defect("avatars by number", "structure.types", with_values("/sequences/avatar", lambda values: np.zeros(len(values), dtype="<i4"))),
    Defect("a truncated array", "structure.shapes", with_values("/frames/positions_2d", lambda values: values[:-100])),
    Defect("quaternions of three numbers", "structure.shapes", with_values("/frames/quaternions", lambda values: values[..., :3].copy())),
    Defect("one joint less", "structure.shapes", with_values("/frames/euler", lambda values: values[:, :-1].copy())),
    Defect("one actor too many", "structure.shapes", with_values("/clips/actor", lambda values: [*values, "nobody"])),
    Defect("flat positions", "structure.shapes", with_values("/frames/positions_3d", lambda values: values.reshape(len(values), -1))),
    Defect(
        "one huge chunk",
        "structure.chunks",
        with_values("/frames/positions_3d", as_it_is, chunks=(4096, 27, 3), maxshape=(None, 27, 3), fletcher32=True),
    ),
    Defect("a chunk for each joint", "structure.chunks", with_values("/frames/positions_3d", as_it_is, chunks=(256, 1, 3), fletcher32=True)),
    Defect("no checksums", "structure.no_checksums", with_values("/frames/euler", as_it_is)),
    Defect("an array of one's own", "structure.unknown", another_array),
    Defect("an attribute of one's own", "structure.unknown", attribute("author", "me")),
    Defect("flipped bits", "structure.checksums", flipped_bits("/frames/quaternions", 2)),
    Defect("flipped bits in the flags", "structure.checksums", flipped_bits("/frames/in_view", 0)),
    Defect("a NaN run", "structure.not_finite", not_finite("positions_3d", 3, slice(40, 45), "LeftHand", np.nan), 3, 40, "LeftHand"),
    Defect("an infinite angle", "structure.not_finite", not_finite("euler", 5, slice(7, 8), "Neck", np.inf), 5, 7, "Neck"),
    Defect("pixels that are missing", "structure.not_finite", not_finite("positions_2d", 2, slice(0, 3), "Head", np.nan), 2, 0, "Head"),
    Defect("a child before its parent", "structure.skeletons", at("/skeletons/average_man/parents", 3, 9)),
    Defect("two roots", "structure.skeletons", at("/skeletons/average_man/parents", 5, -1)),
    Defect("another order of joints", "structure.skeletons", other_names),
    Defect("an arm that hangs elsewhere", "structure.skeletons", hung_elsewhere, joint="LeftUpperArm"),
    Defect("a rest pose that is another", "structure.rest_pose", plus("/skeletons/child_10/rest_positions", 4, 0.05)),
    Defect("stature in centimetres", "structure.rest_pose", with_values("/skeletons/child_10/stature", lambda stature: 100.0 * stature)),
    Defect("a mirrored skeleton", "structure.rest_pose", rest_pose_times(-1.0, 1.0, 1.0)),
    Defect("a skeleton upside down", "structure.rest_pose", rest_pose_times(1.0, -1.0, 1.0)),
    Defect("a joint set beyond the joints", "structure.joint_sets", at("/joint_sets/h36m17/joints", 3, 27)),
    Defect("a joint twice in a set", "structure.joint_sets", at("/joint_sets/h36m17/joints", 3, 0)),
    Defect("no h36m17", "structure.joint_sets", without("/joint_sets/h36m17")),
    Defect("a joint set in a circle", "structure.joint_sets", at("/joint_sets/h36m17/parents", 1, 3)),
    Defect("pairs the wrong way round", "structure.joint_sets", swapped_pairs),
    Defect("h36m17 in another order", "structure.joint_sets", rotated_order),
    Defect("a camera that scales", "structure.camera_rotation", lambda file: at("/cameras/R", 1, 1.01 * file["/cameras/R"][1])(file)),
    Defect("a camera of the other handedness", "structure.camera_rotation", mirrored_camera),
    Defect("a camera that is nowhere", "structure.camera_rotation", at("/cameras/t", 0, np.nan)),
    Defect("a camera that turns pictures over", "structure.camera_intrinsics", flipped_focal),
    Defect("an image without width", "structure.camera_intrinsics", at("/cameras/width", 0, 0)),
    Defect("a principal point far off", "structure.camera_intrinsics", plus("/cameras/K", (3, 0, 2), 5000.0)),
    Defect("a skewed image", "structure.camera_intrinsics", at("/cameras/K", (3, 0, 1), 12.0)),
    Defect("a sequence beyond the frames", "structure.rows", plus("/sequences/start", 15, 100_000), 15),
    Defect("a sequence of no frames", "structure.rows", at("/sequences/length", 4, 0), 4),
    Defect("a clip that does not exist", "structure.rows", at("/sequences/clip", 6, 8), 6),
    Defect("a camera that does not exist", "structure.rows", at("/sequences/camera", 7, -1), 7),
    Defect("an avatar that does not exist", "structure.rows", at("/sequences/avatar", 8, "nobody"), 8),
    Defect("orphan frames at the end", "structure.orphan_frames", more_frames),
    Defect("orphan frames of a lost sequence", "structure.orphan_frames", fewer_sequences),
    Defect("frames of two sequences", "structure.overlaps", plus("/sequences/length", 0, 10), 1),
    Defect("a sequence listed twice", "structure.repeated_sequences", repeated_sequence, 2),
    Defect("two clips of one name", "structure.clip_table", lambda file: at("/clips/id", 1, file["/clips/id"][0])(file)),
    Defect("a clip without a name", "structure.clip_table", at("/clips/id", 1, " ")),
    Defect("a recording of no frame rate", "structure.clip_table", at("/clips/source_fps", 1, 0.0)),
    Defect("a digest that is none", "structure.clip_table", at("/clips/sha256", 1, "abc")),
)
