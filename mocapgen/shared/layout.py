"""Check an HDF5 file against its layout: all arrays exist, with the right types, shapes and consistent sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.hdf5 import attribute, json_attribute, read_array, text_attribute
from mocapgen.shared.text import one_line, quoted
from schemas.conventions import CAMERA_FRAMES, FILE_FORMAT, SCHEMA_VERSION
from schemas.dataset import LAYOUT, Layout, RootAttributes
from schemas.dataset import Array as LayoutArray
from schemas.errors import DatasetError
from schemas.predictions import PREDICTIONS_FORMAT, PREDICTIONS_LAYOUT, PREDICTIONS_VERSION, PredictionAttributes

_KNOWN = {FILE_FORMAT: "a dataset file", PREDICTIONS_FORMAT: "predictions of a model"}
_MADE_BY = {FILE_FORMAT: "mocapgen build", PREDICTIONS_FORMAT: "trainer predict"}
_LARGEST = 10**6
"""Of an image, in each direction, of a focal length, metres to a camera, and of a bone."""
_KINDS = {"f4": "f", "f8": "f", "i4": "iu", "i8": "iu", "bool": "b"}


def check_dataset(path: Path, file: h5py.File) -> None:
    """Check all of a dataset file but the frames themselves, so that what follows can rely on it.

    Raises
    ------
    DatasetError
        With the attribute or array, what was expected and what was found.
    """
    check_kind(path, file, FILE_FORMAT, SCHEMA_VERSION)
    check_attributes(path, file, tuple(RootAttributes.model_fields), ("conventions", "config"))
    check_arrays(path, file, LAYOUT)
    check_cameras(path, file)
    check_skeletons(path, file)
    check_sequences(path, file)
    require(path, "/sequences/clip", read_array(file, "/sequences/clip"), 0, file["/clips/id"].shape[0])
    unknown = sorted(set(read_array(file, "/sequences/avatar")) - set(file["/skeletons"]))
    if unknown:
        raise _error(path, f"/sequences/avatar: expected one of {', '.join(file['/skeletons'])}, found {quoted(unknown[0])}")
    check_joint_sets(path, file, file["/frames/positions_3d"].shape[1])


def check_predictions(path: Path, file: h5py.File) -> None:
    """Check all of a predictions file but the frames themselves, so that what follows can rely on it.

    Raises
    ------
    DatasetError
        With the attribute or array, what was expected and what was found.
    """
    check_kind(path, file, PREDICTIONS_FORMAT, PREDICTIONS_VERSION)
    check_attributes(path, file, tuple(PredictionAttributes.model_fields), ("conventions", "model", "source"))
    if text_attribute(file, "root") not in ("predicted", "placed"):
        raise _error(path, f"attribute root: expected predicted or placed, found {quoted(file.attrs['root'])}")
    check_arrays(path, file, PREDICTIONS_LAYOUT)
    check_cameras(path, file)
    check_sequences(path, file)
    joints = file["/frames/positions_3d"].shape[1]
    check_joint_sets(path, file, joints)
    whole = whole_joint_sets(file)
    if len(whole) != 1:
        sets = ", ".join(f"{name} with {len(read_array(file, f'/joint_sets/{name}/joints'))}" for name in file["/joint_sets"])
        raise _error(path, f"/joint_sets: expected one set with each of the {joints} joints, found {len(whole)} among {sets[:80]}")


def whole_joint_sets(file: h5py.File) -> list[str]:
    """Return the joint sets that have each joint of the frames once."""
    joints = list(range(file["/frames/positions_3d"].shape[1]))
    return [name for name in file["/joint_sets"] if sorted(read_array(file, f"/joint_sets/{name}/joints").tolist()) == joints]


def check_kind(path: Path, file: h5py.File, format: str, version: str) -> None:
    """Check that a file is of our format, and of no newer major version."""
    found = text_attribute(file, "format")
    if found in _KNOWN and format in _KNOWN and found != format:
        raise _error(path, f"expected {_KNOWN[format]}, found {_KNOWN[found]}; name a file that `{_MADE_BY[format]}` writes")
    if found != format:
        said = quoted(attribute(file, "format") if found is None else found)
        raise _error(path, f"expected the attribute format={format!r}, found {said}: no {format.removeprefix('mocapgen-')} of this project")
    stated = text_attribute(file, "schema_version") or ""
    major = stated.split(".")[0]
    if not (major.isascii() and major.isdecimal() and len(major) < 5) or int(major) > int(version.split(".")[0]):
        raise _error(path, f"expected schema {version} or older, found {stated[:40] or 'none'}; pip install --upgrade mocapgen")


def check_attributes(path: Path, file: h5py.File, names: tuple[str, ...], objects: tuple[str, ...]) -> None:
    """Check that attributes are there: `objects` hold JSON objects, ``conventions`` a camera frame that is known, ``fps`` a rate, others texts."""
    for name in names:
        if name not in file.attrs:
            raise _error(path, f"expected the attribute {name}, found {', '.join(file.attrs)}; the file is incomplete")
        if name != "fps" and name not in objects and text_attribute(file, name) is None:
            raise _error(path, f"attribute {name}: expected a text, found {quoted(file.attrs[name])}")
    texts = {name: json_attribute(path, file, name) for name in objects}
    frame = texts["conventions"].get("camera_frame")
    if frame not in CAMERA_FRAMES:
        raise _error(path, f"attribute conventions: expected camera_frame to be one of {', '.join(CAMERA_FRAMES)}, found {quoted(frame)}")
    odd = [name for name, said in texts["conventions"].items() if not isinstance(said, str)]
    if odd:
        raise _error(path, f"attribute conventions: expected a text for {quoted(odd[0])}, found {quoted(texts['conventions'][odd[0]])}")
    fps = np.asarray(file.attrs["fps"])
    if fps.shape != () or fps.dtype.kind not in "fiu" or not 0 < fps <= 1000:
        raise _error(path, f"attribute fps: expected frames per second, a number above 0 and up to 1000, found {quoted(fps.tolist())}")


def _error(path: Path, problem: str) -> DatasetError:
    return DatasetError(one_line(str(path), problem))


def check_arrays(path: Path, file: h5py.File, layout: Layout) -> None:
    """Check that every array of the layout is there, with its type and with sizes that agree."""
    sizes: dict[str, int] = {}
    for array in layout.arrays:
        template, named, _ = array.path.partition("/<name>")
        members = file.get(template) if named else None
        if named and (not isinstance(members, h5py.Group) or not len(members)):
            raise _error(path, f"{template}: expected at least one group, found none; the file is incomplete")
        for name in members if isinstance(members, h5py.Group) else ("",):
            if not isinstance(name, str):  # h5py's result for a name that is no text
                raise _error(path, f"{template}: expected names in UTF-8, found {quoted(name)}")
            _check_array(path, file, array, name, sizes)


def _check_array(path: Path, file: h5py.File, array: LayoutArray, name: str, sizes: dict[str, int]) -> None:
    where = array.path.replace("<name>", name)
    dataset = file.get(where)
    if not isinstance(dataset, h5py.Dataset):
        raise _error(path, f"{where}: expected an array, found nothing; the file is incomplete")
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if text != (array.dtype == "str") or (not text and (dataset.dtype.kind not in _KINDS[array.dtype] or dataset.dtype.itemsize > 8)):
        raise _error(path, f"{where}: expected type {array.dtype}, found {'str' if text else dataset.dtype}")
    if dataset.shape is None or len(dataset.shape) != len(array.shape):
        raise _error(path, f"{where}: expected {len(array.shape)} dimensions {array.shape}, found shape {dataset.shape}")
    for want, got in zip(array.shape, dataset.shape, strict=True):
        key = f"{name}/{want}" if want in ("N", "P") else str(want)  # sizes of one joint set
        expected = want if isinstance(want, int) else sizes.setdefault(key, got)
        if got != expected:
            raise _error(path, f"{where}: expected shape {array.shape} with {want}={expected}, found {dataset.shape}")


def check_joint_sets(path: Path, file: h5py.File, joints: int) -> None:
    """Check that what joint sets count stays within `joints` and within the set."""
    for name, joint_set in file["/joint_sets"].items():
        size = joint_set["names"].shape[0]
        for column, least, limit in (("joints", 0, joints), ("parents", -1, size), ("symmetric_pairs", 0, size)):
            require(path, f"/joint_sets/{name}/{column}", read_array(file, f"/joint_sets/{name}/{column}"), least, limit)


def check_cameras(path: Path, file: h5py.File) -> None:
    """Check that cameras have a focal length, an image and a place; whether they are good ones, ``mocapgen inspect`` says."""
    for name in ("width", "height"):
        require(path, f"/cameras/{name}", read_array(file, f"/cameras/{name}"), 1, _LARGEST)
    for name in ("K", "R", "t"):
        values = read_array(file, f"/cameras/{name}")
        sound = (np.abs(values) < _LARGEST) | np.isnan(values)  # a camera that nobody knows is shown as it is
        wrong = ~sound.reshape(len(values), -1).all(axis=1)
        if name == "K":
            wrong |= (values[:, 0, 0] == 0) | (values[:, 1, 1] == 0)
        if wrong.any():
            row = int(wrong.argmax())
            expected = "focal lengths" if name == "K" else "finite numbers of a camera"
            raise _error(path, f"/cameras/{name}: expected {expected}, found {quoted(values[row].tolist())} in row {row}")


def check_skeletons(path: Path, file: h5py.File) -> None:
    """Check that the lengths of skeletons are numbers; whether they are those of people, ``mocapgen inspect`` says."""
    for name in file["/skeletons"]:
        for column in ("offsets", "rest_positions", "stature"):
            where = f"/skeletons/{name}/{column}"
            require(path, where, np.atleast_1d(read_array(file, where)), -_LARGEST, _LARGEST)


def check_sequences(path: Path, file: h5py.File) -> None:
    """Check that sequences stay within the frames and name a camera that there is."""
    frames = file["/frames/positions_3d"].shape[0]
    start, length = (read_array(file, f"/sequences/{name}").astype(np.int64) for name in ("start", "length"))
    require(path, "/sequences/start", start, 0, frames)
    require(path, "/sequences/length", length, 1, frames - start + 1)
    require(path, "/sequences/camera", read_array(file, "/sequences/camera"), 0, file["/cameras/K"].shape[0])


def require(path: Path, where: str, values: NDArray[Any], least: int, limit: int | NDArray[Any]) -> None:
    """Check that all values are at least `least` and below `limit`."""
    wrong = np.argwhere(~((values >= least) & (values < limit)))  # what is no number is wrong, too
    if len(wrong):
        place = tuple(wrong[0])
        below = np.broadcast_to(limit, values.shape)[place]
        raise _error(path, f"{where}: expected numbers from {least} to below {below}, found {values[place]} in row {place[0]}")
