"""Files of NumPy arrays (``.npz``) whose long arrays come block by block: the bytes are those of ``numpy.savez``."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray


class NpzStream:
    """Arrays that grow along their first axis and wait on the disk; use it as a context manager.

    Parameters
    ----------
    folder : Path
        Where they wait, in files without a name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._parts: dict[str, IO[bytes]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._types: dict[str, np.dtype[Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._open.close()

    def append(self, blocks: Mapping[str, NDArray[Any]]) -> None:
        """Append rows to arrays; the first block of an array sets its type and the shape of a row."""
        for name, block in blocks.items():
            if name not in self._parts:
                self._parts[name] = self._open.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 (closed by the stack)
                self._shapes[name], self._types[name] = (0, *block.shape[1:]), block.dtype
            rows, *row = self._shapes[name]
            if block.dtype != self._types[name] or list(block.shape[1:]) != row:
                raise ValueError(f"{name}: expected rows of {self._types[name]} and shape {tuple(row)}, found {block.dtype} and {block.shape[1:]}")
            self._parts[name].write(block.tobytes())
            self._shapes[name] = (rows + len(block), *row)

    def save(self, path: Path, arrays: Mapping[str, Any] | None = None) -> None:
        """Write the file: what was appended, then other arrays."""
        with zipfile.ZipFile(path, "w") as archive:
            for name, part in self._parts.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    header = {"descr": np.lib.format.dtype_to_descr(self._types[name]), "fortran_order": False, "shape": self._shapes[name]}
                    np.lib.format.write_array_header_1_0(member, header)
                    part.seek(0)
                    shutil.copyfileobj(part, member, 1 << 20)
            for name, array in (arrays or {}).items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
