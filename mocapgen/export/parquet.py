"""Apache Parquet: a row for each sequence, its arrays as nested lists, with the bits of the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.export.base import Exporter, ExportOutput
from mocapgen.export.export_input import ExportInput, Item, Joints
from mocapgen.sources.archives import ARCHIVES
from mocapgen.store.reader import Dataset
from schemas.base import Settings
from schemas.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

Arrays = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]
"""Of each array of frames, the element type and the shape of a frame."""

METADATA = "mocapgen"
"""Key of the schema's metadata under which a JSON object says what the columns mean."""
GROUP_BYTES = 2**25
"""Bytes of a row group before compression: as many sequences as fit, at least one."""

_TEXT, _COUNT, _RATE = "string", "int32", "float64"
_LABELS = {
    "name": (_TEXT, "unique name of the sequence"),
    "clip": (_TEXT, "id of the clip"),
    "source": (_TEXT, "database it comes from"),
    "source_file": (_TEXT, "its file in the database"),
    "actor": (_TEXT, "who was recorded"),
    "action": (_TEXT, "motion class"),
    "take": (_TEXT, "repetition or take"),
    "source_fps": (_RATE, "frames per second of the recording"),
    "source_start": (_COUNT, "first frame in the recording"),
    "source_frames": (_COUNT, "frames of the recording that it covers"),
    "avatar": (_TEXT, "who performs it"),
    "camera": (_TEXT, "rig, and number of the camera in it"),
    "fps": (_RATE, "frames per second"),
    "frames": (_COUNT, "T, number of frames"),
    "width": (_COUNT, "image, pixels"),
    "height": (_COUNT, "image, pixels"),
}
_RECORDED = ("source", "source_file", "take", "source_fps", "source_start", "source_frames")
"""Those that only datasets have."""
_CAMERA = {"K": (3, 3), "R": (3, 3), "t": (3,)}
_FRAMES = {
    "positions_3d": "(T, J, 3) metres, camera frame",
    "positions_2d": "(T, J, 2) pixels; NaN where a joint has no projection or was not seen",
    "quaternions": "(T, J, 4) x, y, z, w, relative to the parent; of the root, relative to the camera",
    "euler": "(T, J, 3) degrees, the same rotations as Euler angles",
    "in_view": "(T, J) whether the joint is in the image",
    "confidence": "(T, J) the detector's confidence, 0 where it saw nothing",
}
_ROTATIONS = ("quaternions", "euler")


class Options(Settings):
    """Settings of the format."""

    joints: str | None = None
    """Joint set, such as `h36m17`; by default all joints."""


def write(source: ExportInput, items: Sequence[Item], options: Options, output: ExportOutput) -> None:
    """Write one file, in row groups of limited size: memory does not grow with the number of sequences."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ConfigError("parquet: expected the package pyarrow, which is not installed: pip install 'mocapgen[parquet]'") from None
    joints = source.joints(options.joints)
    arrays = _arrays(source, joints)
    output.about |= _about(source, items, joints, arrays)
    schema = pa.schema(
        [
            *((name, getattr(pa, kind)()) for name, (kind, _) in _labels(source).items()),
            *((name, _list_type(pa.float64(), shape)) for name, shape in _CAMERA.items()),
            *((name, pa.list_(_list_type(pa.from_numpy_dtype(kind), shape))) for name, (kind, shape) in arrays.items()),
        ],
        metadata={METADATA: json.dumps({"fps": source.fps, **output.about, "source": source.origin}, ensure_ascii=False)},
    )
    # The bytes of numbers go apart, exponents to exponents, which packs them a sixth smaller and is no slower to read.
    settings: dict[str, Any] = {"compression": "zstd", "use_dictionary": list(_labels(source)), "use_byte_stream_split": _split_columns(arrays)}
    with parquet.ParquetWriter(output.folder / output.main, schema, **settings) as writer:
        for group in _groups(source, items, joints, arrays, output):
            writer.write_table(pa.Table.from_arrays([_column(field.type, group[field.name]) for field in schema], schema=schema))


def _arrays(source: ExportInput, joints: Joints) -> Arrays:
    """Return the arrays to write. Rotations are relative to parents, hence of all joints or none."""
    stored = source.data.file["/frames"]
    whole = len(joints.names) == len(source.data.joint_names)
    names = [name for name in _FRAMES if name in stored and (whole or name not in _ROTATIONS)]
    return {name: (stored[name].dtype.newbyteorder("="), (len(joints.names), *stored[name].shape[2:])) for name in names}


def _labels(source: ExportInput) -> dict[str, tuple[str, str]]:
    """Return the columns of single values: type and meaning."""
    return {name: label for name, label in _LABELS.items() if not (source.predicted and name in _RECORDED)}


def _groups(source: ExportInput, items: Sequence[Item], joints: Joints, arrays: Arrays, output: ExportOutput) -> Iterator[dict[str, list[Any]]]:
    """Yield the rows of one row group after the other, by column."""
    columns: dict[str, list[Any]] = {}
    size = 0
    for done, item in enumerate(items):
        output.step(done, len(items), item.name)
        output.written.add(item.name)
        row = _row(source, item, joints, arrays)
        weight = sum(row[name].nbytes for name in arrays)
        if columns and size + weight > GROUP_BYTES:
            yield columns
            columns, size = {}, 0
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
        size += weight
    yield columns


def _row(source: ExportInput, item: Item, joints: Joints, arrays: Arrays) -> dict[str, Any]:
    clip, camera = item.row.clip, item.row.camera
    recorded = {} if source.predicted else {name: clip["file" if name == "source_file" else name] for name in _RECORDED}
    return {
        "name": item.name,
        "clip": item.clip,
        "actor": item.actor,
        "action": item.action,
        **recorded,
        "avatar": item.row.avatar,
        "camera": camera.rig,
        "fps": source.fps,
        "frames": item.row.length,
        "width": camera.width,
        "height": camera.height,
        **{name: getattr(camera, name) for name in _CAMERA},
        **{name: source.stored(item, name)[:, joints.index].astype(kind, copy=False) for name, (kind, _) in arrays.items()},
    }


def _list_type(kind: pa.DataType, shape: Sequence[int]) -> pa.DataType:
    """Return the type of an array of a shape: lists of fixed size within each other."""
    import pyarrow as pa

    for size in reversed(shape):
        kind = pa.list_(kind, size)
    return kind


def _column(kind: pa.DataType, values: list[Any]) -> pa.Array:
    """Return a column: texts and numbers as they are, arrays without a detour over Python's lists."""
    import pyarrow as pa

    if not isinstance(values[0], np.ndarray):
        return pa.array(values, kind)
    fixed = kind
    if lists := pa.types.is_list(kind):
        fixed, offsets = kind.value_type, np.cumsum([0, *(len(value) for value in values)], dtype=np.int32)
    kinds = []
    while pa.types.is_fixed_size_list(fixed):
        kinds.append(fixed)
        fixed = fixed.value_type
    joined: NDArray[Any] = np.concatenate([value.ravel() for value in values])
    column = pa.array(joined, fixed)
    for inner in reversed(kinds):
        column = pa.FixedSizeListArray.from_arrays(column, type=inner)
    return pa.ListArray.from_arrays(pa.array(offsets), column, type=kind) if lists else column


def _split_columns(arrays: Arrays) -> list[str]:
    """Return where Parquet keeps the numbers of arrays of floats: ``positions_3d.list.element.list.element.list.element``."""
    return [name + ".list.element" * (1 + len(shape)) for name, (kind, shape) in arrays.items() if kind.kind == "f"]


def _about(source: ExportInput, items: Sequence[Item], joints: Joints, arrays: Arrays) -> dict[str, Any]:
    """Return what the columns mean, for the file's metadata and for the JSON file beside it."""
    data = source.data
    described = {name: meaning for name, (_, meaning) in _labels(source).items()}
    described |= {"K, R, t": "X_camera = R X_world + t, (u, v, 1) = K X_camera / z"} | {name: _FRAMES[name] for name in arrays}
    about = {
        "units": "metres; pixels; degrees",
        "axes": data.conventions.get("camera_axes", data.camera_frame),
        "space": "camera",
        "joints": list(joints.names),
        "parents": list(joints.parents),
        "conventions": data.conventions,
        "columns": described,
        "terms": _terms(items),
    }
    if isinstance(data, Dataset) and "quaternions" in arrays:
        about["offsets"] = {avatar: data.skeleton(avatar).offsets.tolist() for avatar in sorted({item.row.avatar for item in items})}
    return about


def _terms(items: Sequence[Item]) -> dict[str, Any]:
    """Return licence and citation of the databases that the sequences come from, where they are known."""
    used = {str(item.row.clip.get("source", "")) for item in items}
    terms = {archive.source: {"title": archive.title, **archive.terms} for archive in reversed(ARCHIVES) if archive.source in used}
    return dict(sorted(terms.items()))


EXPORTER = Exporter("a row for each sequence, for pandas and Hugging Face datasets", Options, write, suffix=".parquet")
