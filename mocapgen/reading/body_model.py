"""The user's own copy of a body model (SMPL, SMPL+H, SMPL-X): where joints are for given shape parameters. No number of theirs is in this project.

Models are read without running anything: the files of SMPL are pickles, of which nothing but arrays is made.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.formats.amass import JOINTS
from mocapgen.formats.limits import LARGEST, read_file
from mocapgen.shared.pickled_arrays import load_npy, load_pickle
from mocapgen.shared.room import Room
from mocapgen.shared.text import one_line, printable
from mocapgen.shared.zips import FAULTS, members, unpack
from schemas.errors import ConfigError, DatasetError, FormatError

KINDS = {24: "SMPL", 52: "SMPL+H", 55: "SMPL-X"}
"""Models by their number of joints; the first 22 are the same."""
SUFFIXES = (".npz", ".pkl")
LEGS = (0.3, 1.4)
"""Metres from hip to ankle: what is shorter or longer is no person in metres."""

_ARRAYS = ("J_regressor", "v_template", "shapedirs", "kintree_table")
_PARENTS = (0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Parents of the joints after the pelvis, as the published models have them."""
_MOST_BETAS = 300
_MOST_FILES = 10_000
_GENDERS = {"female": re.compile(r"female|_f_|^f_"), "male": re.compile(r"(?<!fe)male|_m_|^m_"), "neutral": re.compile(r"neutral|_n_|^n_")}
_NAMED = {"SMPL-X": re.compile(r"smpl-?x"), "SMPL+H": re.compile(r"smpl[+-]?h"), "SMPL": re.compile(r"smpl(?![+-]?[hx])|basicmodel")}


@dataclass(frozen=True, eq=False)
class BodyModel:
    """Where the joints of a body model are.

    Parameters
    ----------
    path : Path
    kind : str
        ``SMPL``, ``SMPL+H`` or ``SMPL-X``.
    mean : (22, 3) float64
        Joints of the mean body, metres: x left, y up, z forward.
    change : (22, 3, N) float64
        How they move with each shape parameter.
    """

    path: Path
    kind: str
    mean: Array
    change: Array

    def joints(self, betas: Array) -> tuple[Array, int]:
        """Return where the joints are, (22, 3) metres, and how many of the parameters the model knows."""
        used = min(len(betas), self.change.shape[2])
        return self.mean + self.change[:, :, :used] @ betas[:used], used


def find_body_model(path: str | Path, gender: str, kind: str, where: str) -> BodyModel:
    """Return the body model for a motion.

    Parameters
    ----------
    path : str or Path
        An ``.npz`` or ``.pkl`` file, or a folder in which those that are named by gender (and kind, if there are several) are looked for.
    gender : str
        ``female``, ``male`` or ``neutral``: chooses among the files of a folder.
    kind : str
        What the motion was made for; empty if that is not known.
    where : str
        The file of the motion, for messages.

    Raises
    ------
    ConfigError
        If there is none.
    FormatError
        If it is damaged, or of another kind.
    """
    path = Path(path)
    if not path.is_dir():
        if path.suffix.lower() not in SUFFIXES:
            raise ConfigError(
                f"body_model: expected a folder or a file that ends in {' or '.join(SUFFIXES)}, found {printable(path)}; check the path"
            )
        model = load_body_model(path)
        if kind not in ("", model.kind):
            raise FormatError(f"{where}: expected a body model of {kind}, for which the motion was made, found {model.kind} in {path}")
        return model
    files = _files(path)
    named = [file for file in files if _GENDERS[gender].search(str(file.relative_to(path)).lower())]
    for file in named:
        says = {name for name, pattern in _NAMED.items() if pattern.search(str(file.relative_to(path)).lower())}
        if (not kind or not says or kind in says) and (model := load_body_model(file)).kind in (kind or model.kind):
            return model
    there = ", ".join(str(file.relative_to(path)) for file in files[:5]) or f"no file that ends in {' or '.join(SUFFIXES)}"
    raise ConfigError(one_line("body_model", f"expected the {gender} model of {kind or 'SMPL'} for {where} in {path}, found {there}; name its file"))


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder that may be models."""
    found: list[Path] = []
    for place, _, names in os.walk(folder):
        found += [Path(place, name) for name in names if name.lower().endswith(SUFFIXES)]
        if len(found) > _MOST_FILES:
            raise ConfigError(f"body_model: expected a folder of models, found more than {_MOST_FILES:,} files in {printable(folder)}; name the file")
    return sorted(found)


@lru_cache(maxsize=8)
def load_body_model(path: Path) -> BodyModel:
    """Read a body model: ``J_regressor``, ``v_template``, ``shapedirs`` and ``kintree_table``.

    Raises
    ------
    FormatError
        If it is damaged, no model, or holds Python objects other than arrays and SciPy's sparse matrices.
    """
    data = read_file(path)
    try:
        arrays = _npz(data, path) if path.suffix.lower() == ".npz" else load_pickle(data, Room(path, len(data)), _STAND_INS)
    except FAULTS as error:
        found = printable(str(error))[:100] or type(error).__name__
        raise FormatError(f"{path}: expected a body model, an npz file, found a damaged one: {found}; fetch it again") from None
    except DatasetError as error:
        if "chumpy" in str(error):
            advice = "take the model's npz file, or one that the script clean_ch.py of the package smplx has written"
            raise FormatError(
                f"{path}: expected a body model of plain arrays, found objects of chumpy, which could run a program; {advice}"
            ) from None
        raise FormatError(str(error)) from None
    if not isinstance(arrays, dict) or not arrays.keys() >= set(_ARRAYS):
        there = ", ".join(printable(str(name))[:30] for name in list(arrays)[:6]) if isinstance(arrays, dict) else "none"
        raise FormatError(f"{path}: expected a body model with the arrays {', '.join(_ARRAYS)}, found {there or 'none'}")
    try:
        return _model(path, *(_dense(arrays[name]) for name in _ARRAYS))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise FormatError(f"{path}: expected a body model, found one whose arrays do not fit: {printable(str(error))[:100]}") from None


def _npz(data: bytes, path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        by_name = {member.filename.removesuffix(".npy"): member for member in members(archive)}
        room = Room(path, len(data))
        for name in _ARRAYS:
            room.require_unpacked(by_name[name].file_size if name in by_name else 0)
        return {name: load_npy(unpack(archive, by_name[name]), room) for name in _ARRAYS if name in by_name}


def _model(path: Path, regressor: Array, template: Array, shapes: Array, tree: Array) -> BodyModel:
    """Return the model of its arrays: (K, V), (V, 3), (V, 3, N) and (2, K)."""
    body, kind = len(JOINTS), KINDS.get(len(regressor))
    if kind is None:
        raise ValueError(f"{len(regressor)} joints, where {', '.join(f'{name} has {count}' for count, name in KINDS.items())}")
    if template.shape != (regressor.shape[1], 3) or shapes.ndim != 3 or shapes.shape[:2] != template.shape:
        raise ValueError(f"J_regressor {regressor.shape}, v_template {template.shape}, shapedirs {shapes.shape}")
    if tuple(tree[0, 1:body].astype(int).tolist()) != _PARENTS:
        raise ValueError("kintree_table is another tree than SMPL's")
    regressor, shapes = regressor[:body], shapes[:, :, :_MOST_BETAS]
    mean = regressor @ template
    change = (regressor @ shapes.reshape(len(template), -1)).reshape(body, 3, -1)
    if not (np.abs(mean) < LARGEST).all() or not (np.abs(change) < LARGEST).all():
        raise ValueError("numbers that are not finite")
    hip, knee, ankle = (mean[list(JOINTS).index(joint)] for joint in ("left_hip", "left_knee", "left_ankle"))
    leg = float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle))
    if not LEGS[0] < leg < LEGS[1]:
        raise ValueError(f"legs of {leg:g} m, where {LEGS[0]:g} to {LEGS[1]:g} m are a person's")
    return BodyModel(path, kind, mean, change)


class _Sparse(dict[str, Any]):
    """Stands for a sparse matrix of SciPy by columns, while a pickle is read: what it keeps, by name."""

    def __init__(self, *_: object) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        self.update(state)


_STAND_INS = {(module, "csc_matrix"): _Sparse for module in ("scipy.sparse.csc", "scipy.sparse._csc")}


def _dense(values: Any) -> Array:
    """Return an array of floats, of a sparse matrix as well."""
    if isinstance(values, dict):
        rows, columns = (int(size) for size in values["_shape"])
        counts = np.diff(values["indptr"])
        if rows * columns > LARGEST or len(counts) != columns or (counts < 0).any():
            raise ValueError("a sparse matrix of another size than it says")
        dense = np.zeros((rows, columns))
        dense[values["indices"], np.repeat(np.arange(columns), counts)] = values["data"]
        return dense
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise TypeError("an array that is not of numbers")
    return values.astype(np.float64)
