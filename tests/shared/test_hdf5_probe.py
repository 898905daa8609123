"""Files that are looked through in a child process: what ends the child is one line, and what lies is refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mocapgen.shared import hdf5_probe, hdf5_walk
from mocapgen.shared.hdf5 import open_untrusted, read_joints
from mocapgen.shared.hdf5_probe import probe
from schemas.errors import DatasetError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["table/names"] = ["a", "b"]
        file.create_dataset("/frames/x", data=np.arange(600.0).reshape(200, 3), chunks=(50, 3), maxshape=(None, 3), compression="gzip")
    return tmp_path / "data.h5"


def problem(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        probe(path)
    line = str(caught.value)
    assert path.name in line
    assert len(line) <= 300
    assert line.isprintable()
    return line


def hang(*_: object) -> str:
    while True:
        pass


def fill(*_: object) -> str:
    return str(len(bytearray(2**40)))


DEATHS: dict[str, tuple[Callable[..., str], str]] = {
    "crash": (lambda *_: str(os.kill(os.getpid(), signal.SIGSEGV)), r"a damaged one that HDF5 crashes on \(signal 11\)"),
    "abort": (lambda *_: str(os.abort()), r"crashes on \(signal 6\)"),
    "hang": (hang, "a damaged one that HDF5 never gets to the end of"),
    "memory": (fill, "expected an HDF5 file that fits into memory"),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.parametrize("name", DEATHS)
def test_what_ends_the_child_is_one_line(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    walk, expected = DEATHS[name]
    monkeypatch.setattr(hdf5_walk, "walk", walk)
    monkeypatch.setattr(hdf5_probe, "_SECONDS", 0.05)
    assert re.search(expected, problem(path))


def test_a_file_that_has_not_changed_is_not_looked_through_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe(path) == ""
    monkeypatch.setattr(hdf5_walk, "walk", lambda *_: "again")
    assert probe(path) == ""
    with h5py.File(path, "a") as file:
        file["more"] = 1
    assert probe(path) == "again"


def test_attributes_of_every_type_are_sound(path: Path) -> None:
    with h5py.File(path, "a") as file:
        table = file["table"]
        table["time"] = np.arange(200.0)
        table["time"].make_scale("time")
        file["frames/x"].dims[0].attach_scale(table["time"])  # references, and a table of them
        attributes = table.attrs
        attributes["text"], attributes["texts"], attributes["bytes"] = "a", ["a", "ü"], np.bytes_(b"a")
        attributes["reference"], attributes["region"], attributes["empty"] = table.ref, file["frames/x"].regionref[:2], h5py.Empty("f4")
        attributes.create("lists", np.array([np.arange(3), np.arange(2)], dtype=object), dtype=h5py.vlen_dtype("i4"))
        attributes["table"] = np.zeros(2, dtype=[("text", "S4"), ("array", "f4", (3,))])
        attributes.create("flag", True)
    assert probe(path) == ""


def test_threads_and_warnings_do_not_matter(path: Path) -> None:
    done = threading.Event()
    others = [threading.Thread(target=done.wait) for _ in range(3)]
    for thread in others:
        thread.start()
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(probe(path)))
    asking.start()
    asking.join()
    done.set()
    assert found == [""]


def test_without_forks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_probe.sys, "platform", "win32")
    assert probe(path) == ""


def test_a_new_process_imports_nothing_from_the_folder_it_starts_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_probe.sys, "platform", "win32")
    for name in ("h5py", "numpy", "pathlib", "mocapgen"):
        (path.parent / f"{name}.py").write_text("raise SystemExit(7)", encoding="utf-8")
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr(hdf5_probe.sys, "path", [each for each in hdf5_probe.sys.path if each])
    assert probe(path) == ""


@pytest.mark.parametrize(
    ("status", "said"), [(-11, "crashes on (signal 11)"), (0xC0000005, "crashes on (exit code 0xc0000005)"), (1, "cannot be opened with")]
)
def test_how_a_new_process_ends_is_told(path: Path, monkeypatch: pytest.MonkeyPatch, status: int, said: str) -> None:
    monkeypatch.setattr(hdf5_probe.sys, "platform", "win32")
    monkeypatch.setattr(hdf5_probe.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], status, b""))
    assert f"that HDF5 {said};" in problem(path)


def replaced(file: h5py.File, **storage: Any) -> h5py.Dataset:
    del file["frames/x"]
    return file.create_dataset("frames/x", **storage)


def external(file: h5py.File) -> None:
    replaced(file, shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[...] = h5py.VirtualSource("other.h5", "x", (4,), "f4")
    file.create_virtual_dataset("virtual", layout)


def odd_float(file: h5py.File) -> None:
    kind = h5py.h5t.IEEE_F64LE.copy()
    kind.set_ebias(10**6)  # numbers beyond those of NumPy
    h5py.h5d.create(file.id, b"odd", kind, h5py.h5s.create_simple((4,)))


def forged(size: int, mask: int = 0) -> Callable[[h5py.File], None]:
    return lambda file: file["frames/x"].id.write_direct_chunk((0, 0), os.urandom(size), mask)


LIES: dict[str, tuple[Callable[[h5py.File], Any], str]] = {
    "external storage": (external, "/frames/x: expected data in the file itself, found data in other files"),
    "external link": (lambda file: file.__setitem__("link", h5py.ExternalLink("/etc/passwd", "x")), "/link: .* found a link to another file"),
    "virtual": (virtual, "/virtual: expected data in the file itself"),
    "rows": (lambda file: file["frames/x"].resize(10**9, axis=0), r"/frames/x: expected 20,000,000 chunks for the shape \(1000000000, 3\), found 4"),
    "joints": (
        lambda file: replaced(file, shape=(0, 10**6, 3), chunks=(1, 10**5, 3), maxshape=(None, 10**6, 3), dtype="f4"),
        "at most 65.5 kB for each frame, found 12.0 MB",
    ),
    "table": (lambda file: file.create_dataset("table/x", shape=(10**9,), dtype="f4"), "/table/x: expected at most 67.1 MB, found 4.0 GB"),
    "unwritten": (lambda file: file.create_dataset("table/x", shape=(10**7,), dtype="f4"), "expected 40.0 MB for the shape .* found 0 B"),
    "chunk size": (lambda file: replaced(file, shape=(2, 2**26), chunks=(1, 2**26), maxshape=(None, None), dtype="u1"), "67.1 MB"),
    "type": (odd_float, "/odd: expected a type of values that NumPy has"),
    "too much in a chunk": (forged(5000), "/frames/x: expected chunks of 1.2 kB, found one of 5.0 kB"),
    "too little in a chunk": (forged(3, mask=1), "/frames/x: expected chunks of 1.2 kB, found one of 3 B"),
    "filter": (
        lambda file: file.create_dataset("x", data=np.arange(99), chunks=(9,), scaleoffset=3),
        "/x: expected filters among gzip, .* found number 6",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_what_lies_or_leads_elsewhere_is_refused(path: Path, name: str) -> None:
    lie, expected = LIES[name]
    with h5py.File(path, "a") as file:
        lie(file)
    with pytest.raises(DatasetError, match=expected):
        probe(path)


def test_cycles_and_links_inside_the_file_are_sound(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["table/up"] = file["/"]
        file["soft"] = h5py.SoftLink("/soft")
        file["other"] = h5py.SoftLink("/frames/x")
    assert probe(path) == ""


@pytest.mark.parametrize("packed", [None, "gzip"])
def test_texts_in_chunks_are_sound(path: Path, packed: str | None) -> None:
    """In the file a text of any length takes twice the bytes that it takes in memory."""
    with h5py.File(path, "a", libver="earliest") as file:
        file.create_dataset("more", data=["a", "bc"] * 40, dtype=h5py.string_dtype(), chunks=(80,), compression=packed)
    assert probe(path) == ""


def test_a_damaged_part_is_named(path: Path) -> None:
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file["table/names"] = ["a", "b"]
    data = bytearray(path.read_bytes())
    data[data.index(b"OHDR", data.index(b"OHDR") + 1) + 20] ^= 1
    path.write_bytes(data)
    assert probe(path).startswith("/table/names: ")
    with pytest.raises(DatasetError, match=r"found a damaged one \(/table/names: .*checksum"):
        open_untrusted(path, "a file")
    open_untrusted(path, "a file", damaged=True).close()


def test_frames_that_gzip_packs_a_thousand_times_are_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "still.h5"
    with h5py.File(path, "w") as file:
        array = file.create_dataset("/frames/x", shape=(2**18, 20, 3), chunks=(256, 20, 3), dtype="f4", compression="gzip")
        packed = zlib.compress(bytes(256 * 20 * 3 * 4))
        for first in range(0, 2**18, 256):
            array.id.write_direct_chunk((first, 0, 0), packed)
    with open_untrusted(path, "a file") as file:
        assert file["/frames/x"].nbytes > 100 * path.stat().st_size
        assert read_joints(file, "x", np.array([3, 1])).shape == (2**18, 2, 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_pipes_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    for name, found in (("pipe.h5", "a device, pipe or socket"), ("", "a folder"), ("none.h5", "nothing; make one")):
        with pytest.raises(DatasetError, match=found):
            open_untrusted(tmp_path / name, "a file; make one")
