"""Damage dataset files in many ways and read each: ``python -m benchmarks.damage_hdf5 --cases 20000``.

Most cases change one byte of what describes the data (headers, indexes, texts); every tenth is a lie told through h5py: sizes, types,
links, filters. Each is read by library functions in a process of its own, and has to end as a result or as one line.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import click
import h5py

from mocapgen.shared.hdf5 import FRAME_FILTERS
from schemas.errors import MocapError
from tests.fuzz.hdf5 import damage_hdf5

_SECONDS, _MEMORY = 2.0, 500_000_000
_STRUCTURED = 0.1
"""Share of the cases in which h5py lies."""
_CHUNKS = 0.05
"""Share of one-byte changes that lie in the frames themselves."""


@click.command()
@click.option("--cases", type=click.IntRange(1), default=2000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--first", type=int, default=0, help="The first case, to repeat one.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for the files that failed.")
def main(cases: int, seed: int, first: int, keep: Path | None) -> None:
    """Count what happens; failures are signals, exceptions that are no errors of a user, and cases over 2 s or 500 MB."""
    from mocapgen import build
    from schemas.config import BuildConfig

    counts: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        new, case = folder / "new.h5", folder / "case.h5"
        settings = {
            "source": "sample",
            "actions": ("walk",),
            "actors": ("sa", "sb"),
            "avatars": ("average_man", "child_10"),
            "max_frames": 40,
            "long": "split",
        }
        build(BuildConfig.model_validate({**settings, "out": new, "workers": 1}))
        sources = {"new": _Source(new.read_bytes()), "old": _Source(_in_old_format(new))}
        _warm(new)
        with contextlib.suppress(KeyboardInterrupt):  # what has been counted is printed
            for number in range(first, first + cases):
                random = Random(f"{seed}/{number}")
                kind = random.choice(sorted(sources))
                how, data = sources[kind].damaged(random)
                case.write_bytes(data)
                use = random.choice(sorted(_USES))
                outcome, seconds, text = _run(_USES[use], case, folder)
                slowest = max(slowest, seconds)
                counts[f"{kind} format, {how}: {outcome}"] += 1
                if outcome not in ("read", "refused"):
                    click.echo(f"case {number} ({kind} format, {how}, {use}): {outcome}: {text}", err=True)
                    if keep is not None:
                        keep.mkdir(exist_ok=True)
                        shutil.copy(case, keep / f"{number}_{use}.h5")
    for line in sorted(counts):
        click.echo(f"{counts[line]:7,} {line}")
    click.echo(f"slowest {slowest:.2f} s of processor time")


class _Source:
    """A sound file, and where in it the frames are."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        found: list[Any] = []
        with h5py.File(BytesIO(data)) as file:
            for array in file["/frames"].values():
                array.id.chunk_iter(found.append)
        frames = bytearray(len(data))
        for chunk in found:
            frames[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\1" * chunk.size
        self.described = [place for place, inside in enumerate(frames) if not inside]

    def damaged(self, random: Random) -> tuple[str, bytes]:
        """Return what was done, and the bytes of a damaged copy."""
        if random.random() < _STRUCTURED:
            lies = (_forge if random.random() < 0.15 else damage_hdf5)(self.data, random)
            return "lies", self.data if lies is None else lies
        place = random.randrange(len(self.data)) if random.random() < _CHUNKS else random.choice(self.described)
        data = bytearray(self.data)
        data[place] = random.choice((0, 255, data[place] ^ (1 << random.randrange(8)), random.randrange(256)))
        return "one byte", bytes(data)


def _in_old_format(source: Path) -> bytes:
    """Return a file as earlier versions wrote it, without checksums of what describes the data."""
    stream = BytesIO()
    with h5py.File(source) as old, h5py.File(stream, "w", libver=("earliest", "v108")) as new:

        def copy(name: str, node: Any) -> None:
            if isinstance(node, h5py.Dataset):
                stored = {} if node.chunks is None else {"chunks": node.chunks, "maxshape": node.maxshape, **FRAME_FILTERS}
                new.create_dataset(name, data=node[()], dtype=node.dtype, **stored)
            else:
                new.create_group(name)
            new[name].attrs.update(dict(node.attrs))

        old.visititems(copy)
        new.attrs.update(dict(old.attrs))
    return stream.getvalue()


def _forge(data: bytes, random: Random) -> bytes:
    """Put a chunk that holds something else in place of one: nothing, too little, a thousand times too much."""
    stream = BytesIO(data)
    with h5py.File(stream, "r+") as file:
        array = file["/frames"][random.choice(sorted(file["/frames"]))]
        size = array.dtype.itemsize
        for length in array.chunks:
            size *= length
        unpacked = bytes(random.choice((0, 3, size // 2, size - 1, size + 1, 1000 * size, 10**8)))
        raw = random.choice((zlib.compress(unpacked), zlib.compress(unpacked)[:-3], unpacked[: 2 * size] or b"x", b"x"))
        array.id.write_direct_chunk((0,) * array.ndim, raw, random.choice((0, 0, 1, 2, 4, 7)))
    return stream.getvalue()


def _read(path: Path, folder: Path) -> None:
    from mocapgen.store import open_any

    with open_any(path) as data:
        repr(data), data.conventions, data.generator, data.joint_names, data.sequences, data.cameras
        for row in data:
            row["positions_3d"], row["positions_2d"]


def _inspect(path: Path, folder: Path) -> None:
    from mocapgen import inspect

    found = inspect(path, workers=1)
    bugs = [finding.message for finding in found.findings if "this is a bug" in finding.message]
    if bugs:
        raise RuntimeError(bugs[0])


def _select(path: Path, folder: Path) -> None:
    from mocapgen.store.select import select_sequences
    from schemas.subset import SelectConfig

    select_sequences(path, SelectConfig(min_frames=2), folder / "selected.h5", overwrite=True)


def _view(path: Path, folder: Path) -> None:
    from mocapgen import view

    view(path, out=folder / "view.html", overwrite=True)


def _export(path: Path, folder: Path) -> None:
    from mocapgen.export.export_file import export

    export(path, "npz", folder / "out.npz", overwrite=True)


def _load(path: Path, folder: Path) -> None:
    from trainer.data.dataset import load

    load(path)


_Use = Callable[[Path, Path], None]
_USES: dict[str, _Use] = {
    "read": _read,
    "inspect": _inspect,
    "select": _select,
    "view": _view,
    "export": _export,
    "load": _load,
}


def _warm(path: Path) -> None:
    """Load all modules that are needed, so that cases do not."""
    with tempfile.TemporaryDirectory() as folder:
        for use in _USES.values():
            use(path, Path(folder))


def _run(use: _Use, path: Path, folder: Path) -> tuple[str, float, str]:
    """Read a file in a process of its own; return how that ended, processor time, and what was said."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        outcome = "E"
        with contextlib.suppress(BaseException):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY,) * 2)
            signal.setitimer(signal.ITIMER_PROF, 20.0)
            outcome = _outcome(use, path, folder)
            os.write(writing, outcome.encode("utf-8", "backslashreplace")[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}", seconds, ""
    if seconds > _SECONDS:
        return "slow", seconds, f"{seconds:.1f} s, {text[:200]}"
    return {"R": "refused", "S": "read"}.get(text[:1], "exception"), seconds, text[1:]


def _outcome(use: _Use, path: Path, folder: Path) -> str:
    try:
        use(path, folder)
    except MocapError as error:
        line = str(error)
        return "R" if len(line) <= 300 and line.isprintable() and path.name in line else f"Eexpected one line with the file's name, found {line!r}"
    except BaseException as error:
        frame, place = error.__traceback__, ""
        while frame is not None:
            place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
            frame = frame.tb_next
        return f"E{type(error).__name__}: {error} at {place}"
    return "S"


if __name__ == "__main__":
    main()
