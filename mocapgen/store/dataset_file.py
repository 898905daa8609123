"""A dataset file being written: streaming, and all or nothing.

Everything goes to a temporary file in the target's folder, which is flushed to the disk and only then takes the final
name. Whatever happens before, the final name holds what it held. Nothing depends on clock, host or path, so the same
input gives the same bytes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
from numpy.typing import NDArray

from mocapgen.shared.cores import usable_cores
from mocapgen.shared.disk import DiskFile, remove_stale
from mocapgen.shared.files import disk_errors, put_in_place, temporary_file
from mocapgen.shared.hdf5 import create_file, write_array
from mocapgen.shared.outputs import check_target
from mocapgen.shared.signals import interrupts_deferred
from mocapgen.shared.version import __version__
from mocapgen.store.frame_block import FrameBlock
from schemas.conventions import FILE_FORMAT, SCHEMA_VERSION
from schemas.dataset import LAYOUT

TABLES = {name: LAYOUT.table(f"/{name}") for name in ("sequences", "clips", "cameras", "skipped")}


class DatasetFile:
    """Writes one file; use it as a context manager.

    Leaving the block normally puts the file in place; leaving it by an exception leaves no trace.

    Parameters
    ----------
    path : Path
        The final name.
    overwrite : bool
        Whether it may replace a file.
    joints : int
        J, the joints of the frame arrays.
    fps : float
    conventions, config : str
        JSON objects, for the attributes of these names.
    workers : int
        Threads that compress; 0 means one per processor core that may be used, 1 means none beside the caller's. The file is the same.

    Raises
    ------
    DatasetError
        If the folder does not exist or cannot be written, the disk is full, or the file exists and must not be replaced.
    """

    def __init__(self, path: Path, overwrite: bool, joints: int, fps: float, conventions: str, config: str, workers: int = 0) -> None:
        self.path = path
        self._overwrite = overwrite
        self._joints = joints
        self._attributes = {"fps": float(fps), "conventions": conventions, "config": config}
        self._threads = workers or usable_cores()
        self._block: FrameBlock | None = None
        self._columns: defaultdict[str, list[Any]] = defaultdict(list)
        self._disk: DiskFile | None = None
        self._file: h5py.File | None = None
        self._partial: Path | None = None

    @property
    def sequences(self) -> int:
        """Number of sequences added so far."""
        return self.rows("sequences")

    @property
    def frames(self) -> int:
        """Number of frames added so far."""
        assert self._block is not None
        return len(self._block)

    def rows(self, table: str) -> int:
        """Return the number of rows added so far to a table such as ``clips``."""
        return len(self._columns[TABLES[table][0].path])

    def __enter__(self) -> Self:
        place = check_target(self.path, self._overwrite)
        for partial in place.parent.glob(f".{escape(place.name)}.*.partial"):
            remove_stale(partial)  # left behind by a program that was killed
        try:
            with disk_errors(self.path), interrupts_deferred():
                self._partial = temporary_file(place, ".partial")
                self._disk = DiskFile(self._partial)
                self._file = create_file(self._disk)
                self._start()
                self._disk.check()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if error is None:
                with disk_errors(self.path):
                    self._finish()
                    self._put_in_place()
        finally:
            self._discard()

    def add_group(self, template: str, name: str, columns: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> None:
        """Write a named group at once.

        Parameters
        ----------
        template : {"/skeletons/<name>", "/joint_sets/<name>"}
        name : str
        columns : mapping
            One value per array of the template.
        attributes : mapping, optional
        """
        assert self._file is not None
        assert self._disk is not None
        with disk_errors(self.path), interrupts_deferred():
            for array in LAYOUT.table(template):
                write_array(self._file, array, columns[array.path.rpartition("/")[2]], name)
            self._file[template.replace("<name>", name)].attrs.update(attributes or {})
            self._disk.check()

    def add_row(self, table: str, values: Mapping[str, Any]) -> int:
        """Add a row to a table such as ``clips``, one value per array, and return its number."""
        self.add_rows(table, {name: [value] for name, value in values.items()})
        return self.rows(table) - 1

    def add_rows(self, table: str, columns: Mapping[str, Any]) -> None:
        """Add rows to a table such as ``clips``, given by column."""
        for array in TABLES[table]:
            self._columns[array.path].extend(columns[array.path.rpartition("/")[2]])

    def append(self, frames: Mapping[str, NDArray[Any]]) -> None:
        """Append rows to the frame block.

        Parameters
        ----------
        frames : mapping
            One array per array of ``/frames``, all of the same length.
        """
        assert self._block is not None
        assert self._disk is not None
        with disk_errors(self.path):
            self._block.append(frames)
            self._disk.check()

    def _start(self) -> None:
        assert self._file is not None
        fixed = {"format": FILE_FORMAT, "schema_version": SCHEMA_VERSION, "generator": f"mocapgen {__version__}"}
        self._file.attrs.update(fixed | self._attributes)
        self._block = FrameBlock(self._file, self._joints, self._threads)

    @interrupts_deferred()
    def _finish(self) -> None:
        """Complete the file under its temporary name, on the disk."""
        assert self._file is not None
        assert self._disk is not None
        assert self._block is not None
        self._block.finish()
        self._disk.check()
        for arrays in TABLES.values():
            for array in arrays:
                write_array(self._file, array, self._columns[array.path])
        self._file.close()
        self._file = None
        self._disk.sync()

    def _put_in_place(self) -> None:
        assert self._partial is not None
        assert self._disk is not None
        if os.name == "nt":  # Windows gives no file another name while it is open; elsewhere, it stays locked until it has its name
            self._disk.close()
        put_in_place(self._partial, self.path, self._overwrite)
        self._partial = None

    @interrupts_deferred()
    def _discard(self) -> None:
        """Close and remove whatever has not been put in place."""
        if self._block is not None:
            self._block.close()
            self._block = None
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._disk is not None:
            self._disk.close()
            self._disk = None
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)
            self._partial = None
