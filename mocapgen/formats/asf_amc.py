"""AMC, the motion half of Acclaim's ASF/AMC format: bytes <-> :class:`~mocapgen.core.motion.Motion`.

The file is split into words block by block; since every frame lists the same bones with the same number of values, the
names, the frame numbers and the values are columns of one table, checked and converted as such. Only a file that does
not fit that table is looked at line by line, from the block on that does not, to say exactly where it goes wrong.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import conjugate, from_euler, make_continuous, multiply, rotate, to_euler
from mocapgen.formats import Format
from mocapgen.formats._numbers import Words
from mocapgen.formats._text import number, split_words, without_comment
from mocapgen.formats.asf import ROOT, Asf, AsfBone, format_asf, parse_asf
from mocapgen.formats.limits import LARGEST, SLOWEST, read_file
from schemas.errors import FormatError

DEFAULT_FPS = 120.0
"""The format states no frame rate; HDM05 and all but 326 of CMU's trials were captured at 120 frames per second."""
LIMIT = 1e6
"""Largest value believed, in degrees or file units: beyond it a double rotated by it has lost its meaning."""

_FRAME_NUMBER = re.compile(rb"^[ \t]*(\d+)[ \t]*\r?$", re.MULTILINE)
_COMMENT = re.compile(rb"#(?<![^\0- ]#)[^\n]*")  # as in without_comment; the # first, for which the regular expression is searched ten times as fast
_STATED = re.compile(rb"^[ \t]*#[ \t]*([0-9]+(?:\.[0-9]+)?) frames per second[ \t]*\r?$", re.MULTILINE)
_FASTEST = 100_000.0  # frames per second
_LONGEST_HEADER = 1 << 20  # bytes before the first frame
_LONGEST_FRAME = 1 << 20  # bytes
_BLOCK = 1 << 18  # bytes at a time: words and numbers of a block stay in the processor's cache, and memory is bounded
_FRAMES = 512  # at a time, where angles become rotations
_LONGEST_LINE = 100_000  # characters of a line of the first frame
_LEAP = (3.0, 1.0)
"""By how much the last number of a file without a final line break may differ from that of the frame before, to be taken for whole: so many
times the channel's largest step so far, or so many degrees."""
_NAME_FPS = re.compile(r"^HDM_.+_([1-9]\d{1,2})$", re.IGNORECASE)  # not the 001 of a name without a rate


@dataclass(frozen=True)
class _Table:
    """What every frame of a file looks like: the bones in file order, each with the number of its values."""

    bones: tuple[AsfBone, ...]

    @property
    def width(self) -> int:
        """Words in a frame: its number, and for each bone the name and the values."""
        return 1 + sum(1 + len(bone.dof) for bone in self.bones)

    @property
    def name_columns(self) -> NDArray[np.intp]:
        """Where in a frame the bones' names stand."""
        return 1 + np.cumsum([0] + [1 + len(bone.dof) for bone in self.bones[:-1]])

    @property
    def value_columns(self) -> NDArray[np.intp]:
        """Where in a frame the values stand."""
        return np.setdiff1d(np.arange(1, self.width), self.name_columns)


# Reading ------------------------------------------------------------------------------------------


def parse_amc(
    data: bytes,
    asf: Asf,
    where: str,
    fps: float | None = None,
    name: str = "motion",
    lenient: bool = False,
    notes: list[str] | None = None,
) -> Motion:
    """Read an AMC file.

    Parameters
    ----------
    data : bytes
        The file's content; latin-1, CRLF or LF.
    asf : Asf
        The skeleton it was captured with.
    where : str
        Name of the file, for messages.
    fps : float, optional
        Frames per second at which the frame numbers count; by default what a comment states (:func:`stated_fps`), else :data:`DEFAULT_FPS`.
    name : str
        Name of the motion.
    lenient : bool
        Also take frames whose numbers count up by more than one, always by the same: every second frame of a recording, say.
    notes : list of str, optional
        To which is added what had to be decided, one line each.

    Returns
    -------
    Motion
        On ``asf.skeleton``, metres, world frame.

    Raises
    ------
    FormatError
        With file, line and bone: unknown or missing bone, wrong number of values, something that is not a finite
        number of plausible size, frame numbers that do not count up by one (with `lenient`, evenly), a file cut short.
    """
    notes = [] if notes is None else notes
    fps = fps or stated_fps(data) or DEFAULT_FPS
    start, degrees = _header(data, asf, where)
    table = _table(_COMMENT.sub(b" ", data[start : start + _LONGEST_FRAME]), asf, where, _lines(data, start) + 1)
    values, stride, fault = _values(data, start, table)
    if fault is not None:
        raise _diagnose(data, fault, table, where)
    if data[-1] > 32 and _COMMENT.sub(b" ", data[data.rfind(b"\n") + 1 :])[-1] > 32:
        if not _whole(values[:, -1] if degrees else np.degrees(values[:, -1])):
            raise _diagnose(data, _Place(start), table, where)
        notes.append(f"{where}: the file ends without a line break; its last number, {values[-1, -1]:g}, is taken for whole")
    if stride > 1 and not lenient:
        found = _diagnose(data, _Place(start), table, where)
        raise FormatError(f"{found} (with --lenient: every frame number counts, so {fps / stride:g} frames per second)")
    if stride > 1:
        notes.append(f"{where}: frame numbers count up by {stride}: {fps / stride:g} frames per second instead of {fps:g}")
    return _motion(values, table, asf, degrees, fps / stride, name)


def stated_fps(data: bytes) -> float | None:
    """Return the frames per second that a comment before the first frame states, as :func:`format_amc` writes it; None if none does."""
    first = _FRAME_NUMBER.search(data)
    found = _STATED.search(data[: first.start() if first else len(data)])
    fps = float(found[1]) if found else 0.0
    return fps if SLOWEST <= fps <= _FASTEST else None


def _whole(values: Array) -> bool:
    """Tell whether the last of an angle's values, degrees, is no more than a step from the one before: a number that was cut is further off."""
    steps = np.abs(np.diff(values))
    return len(steps) > 0 and bool(steps[-1] <= max(_LEAP[0] * steps[:-1].max(initial=0.0), _LEAP[1]))


def _header(data: bytes, asf: Asf, where: str) -> tuple[int, bool]:
    """Return where the first frame starts, and whether angles are in degrees."""
    if not data.strip():
        raise FormatError(f"{where}: expected an AMC file, found an empty file")
    if b"\0" in data:
        raise FormatError(f"{where}: expected an AMC file, found binary data (a zero byte at position {data.index(0)})")
    first = _FRAME_NUMBER.search(data)
    end = first.start() if first else len(data)
    header = data[: min(end, _LONGEST_HEADER)].splitlines()
    degrees = asf.degrees
    for line_number, raw in enumerate(header, start=1):
        text = raw.split(b"#")[0].decode("latin-1").strip()
        if text and not text.startswith(":"):
            raise FormatError(f"{where}:{line_number}: expected a comment, a keyword such as :DEGREES or a frame number, found {text[:40]!r}")
        if text.upper() in (":DEGREES", ":RADIANS"):
            degrees = text.upper() == ":DEGREES"
    if first is None or end > _LONGEST_HEADER:
        near = "" if first is None else f" within the first {_LONGEST_HEADER:,} bytes"
        raise FormatError(f"{where}: expected frames, found none{near} (no line that is just a frame number)")
    return first.start(), degrees


def _table(body: bytes, asf: Asf, where: str, line_number: int) -> _Table:
    """Read the bones of the first frame and hold them against the skeleton."""
    first_end = body.index(b"\n") if b"\n" in body else len(body)  # the header's end was found by this frame number
    second = _FRAME_NUMBER.search(body, first_end)
    frame = body[first_end : second.start() if second else len(body)]
    known = {bone.name: bone for bone in asf.ordered}
    found: dict[str, AsfBone] = {}
    for offset, raw in enumerate(frame.splitlines()):
        if len(raw) > _LONGEST_LINE:
            raise FormatError(f"{where}:{line_number + offset}: expected at most {_LONGEST_LINE} characters in a line, found {len(raw)}")
        words = [word.decode("latin-1") for word in split_words(raw)]
        if not words:
            continue
        bone = known.get(words[0])
        if bone is None:
            raise FormatError(
                f"{where}:{line_number + offset}: bone {words[0][:40]!r} is not in the skeleton ({asf.name or 'ASF'}: {len(known)} bones)"
            )
        if bone.name in found:
            raise FormatError(f"{where}:{line_number + offset}: bone {bone.name} stands twice in one frame")
        if len(words) - 1 != len(bone.dof):
            raise _wrong_count(where, line_number + offset, bone, len(words) - 1)
        found[bone.name] = bone
    missing = [bone.name for bone in asf.ordered if bone.dof and bone.name not in found]
    if missing:
        raise FormatError(f"{where}:{line_number}: the first frame lacks {len(missing)} moving bones of the skeleton: {', '.join(missing[:5])}")
    return _Table(tuple(found.values()))


def _wrong_count(where: str, line_number: int, bone: AsfBone, count: int) -> FormatError:
    wanted = f"{len(bone.dof)} values ({' '.join(bone.dof)})" if bone.dof else "no values"
    return FormatError(f"{where}:{line_number}: bone {bone.name}: expected {wanted}, found {count}")


@dataclass(frozen=True)
class _Place:
    """The beginning of a frame in a file."""

    start: int
    frame_number: int | None = None
    """What number it should have; None if any."""


def _values(data: bytes, start: int, table: _Table) -> tuple[Array, int, _Place | None]:
    """Read the frames from a place in the file on.

    Returns
    -------
    values : (T, C) float64
        As written.
    stride : int
        By how much the frame numbers count up.
    fault : _Place or None
        Where to look for the first fault, if there is one.
    """
    values = np.empty(((len(data) - start + 1) // (2 * table.width) + 1, len(table.value_columns)))
    frames, last, stride, rest, begin = 0, -1.0, 0.0, b"", _Place(start)
    names = [bone.name.encode("latin-1") for bone in table.bones]
    is_plain = data.find(b"#", start) < 0
    while start < len(data):
        stop = data.find(b"\n", start + _BLOCK) + 1 or len(data)
        text = rest + (data[start:stop] if is_plain else _COMMENT.sub(b" ", data[start:stop]))
        words = Words(text)
        count = len(words) // table.width
        if stop == len(data) and count * table.width != len(words):
            return values, 0, begin
        if count:
            columns = np.arange(count * table.width).reshape(count, table.width)
            first = [text[words.starts[word] : words.stops[word]] for word in columns[0, table.name_columns]]
            block = words.numbers(columns[:, table.value_columns].ravel()).reshape(count, -1)
            counted = words.numbers(columns[:, 0])
            steps = np.diff(counted if last < 0 else np.append(last, counted))
            stride = stride or (float(steps[0]) if len(steps) else 0.0)
            sound = first == names and words.rows_repeat(columns[:, table.name_columns]) and bool((np.abs(block) <= LIMIT).all())  # NaN is not <=
            if not sound or not (counted[0] >= 0 and (steps == stride).all() and (not len(steps) or (stride >= 1.0 and stride.is_integer()))):
                return values, 0, begin
            values[frames : frames + count] = block
            frames, last = frames + count, float(counted[-1])
        left = count * table.width
        rest = text[words.starts[left] :] if left < len(words) else b""
        start = stop
        if is_plain and stride == 1.0 and (line := data.rfind(b"\n", 0, stop - len(rest)) + 1) and not data[line : stop - len(rest)].strip():
            begin = _Place(line, int(last) + 1)
    return values[:frames], int(stride) or 1, None if frames else begin


def _lines(data: bytes, stop: int) -> int:
    """Return how many lines end before a place."""
    return data.count(b"\n", 0, stop) + data.count(b"\r", 0, stop) - data.count(b"\r\n", 0, stop)


def _diagnose(data: bytes, begin: _Place, table: _Table, where: str) -> FormatError:
    """Go through a file line by line and return the error at the first line that does not fit."""
    start, line_number, expected_number = begin.start, _lines(data, begin.start), begin.frame_number
    position = len(table.bones)  # index of the bone expected next; past the last: a frame number
    words: list[str] = []
    for raw in data[start:].splitlines():
        line_number += 1
        words = [word.decode("latin-1") for word in split_words(without_comment(raw))]
        at = f"{where}:{line_number}"
        if not words:
            continue
        if position == len(table.bones):
            counted = number(words[0]) if len(words) == 1 and words[0].isdigit() else None
            if counted is None or (expected_number is not None and counted != expected_number):
                wanted = f"a frame number below {LARGEST:g}" if expected_number is None else f"frame number {expected_number}"
                return FormatError(f"{at}: expected {wanted}, found {' '.join(words)[:40]!r}")
            expected_number, position = int(counted) + 1, 0
            continue
        bone = table.bones[position]
        if words[0] != bone.name:
            return FormatError(f"{at}: expected bone {bone.name} as in the first frame, found {words[0][:40]!r}")
        if len(words) - 1 != len(bone.dof):
            return _wrong_count(where, line_number, bone, len(words) - 1)
        for channel, word in zip(bone.dof, words[1:], strict=True):
            value = number(word)
            if value is None or abs(value) > LIMIT:
                return FormatError(f"{at}: bone {bone.name}: {channel}: expected a number within +-{LIMIT:g}, found {word[:40]!r}")
        position += 1
    if position < len(table.bones):
        return FormatError(f"{where}:{line_number}: the file ends within a frame: expected bone {table.bones[position].name} next")
    return FormatError(f"{where}:{line_number}: the file ends without a line break, so its last number may be cut short; add one if it is whole")


def _motion(values: Array, table: _Table, asf: Asf, degrees: bool, fps: float, name: str) -> Motion:
    """Turn the value columns into root positions and local rotations."""
    bones = asf.ordered
    place = {bone.name: index for index, bone in enumerate(bones)}
    channels = [(place[bone.name], channel) for bone in table.bones for channel in bone.dof]
    root_positions = np.tile(np.array(asf.root_position), (len(values), 1))
    rotating = [column for column, (_, channel) in enumerate(channels) if channel[0] == "r"]
    axes, turned = ["xyz".index(channels[c][1][1]) for c in rotating], [channels[c][0] for c in rotating]
    for column, (_, channel) in enumerate(channels):
        if channel[0] == "t":
            root_positions[:, "xyz".index(channel[1])] += values[:, column]
    planes = np.zeros((4, len(asf.skeleton.names), len(values)))  # each component of each bone in one piece: twice as fast
    planes[3] = 1.0
    rotations = planes.T
    for start in range(0, len(values), _FRAMES):
        block = values[start : start + _FRAMES, rotating].T
        angles = np.zeros((3, len(bones), block.shape[1]))
        angles[axes, turned] = block
        if degrees:
            angles *= math.radians(1.0)
        rotations[start : start + _FRAMES, : len(bones)] = _to_world_axes(_from_channels(angles.T, bones), asf.axis_rotations)
    planes.flags.writeable = rotations.flags.writeable = False  # so that the motion takes it as it is
    return Motion(asf.skeleton, rotations, root_positions * asf.metres_per_unit, fps, name)


def _from_channels(angles: Array, bones: tuple[AsfBone, ...]) -> Array:
    """Return L, (T, B, 4), from angles (T, B, 3) about x, y, z, in each bone's own order."""
    orders = {bone.axis_order for bone in bones}
    if len(orders) == 1:
        order = orders.pop()[::-1]
        return from_euler(order, angles[..., ["XYZ".index(letter) for letter in order]])
    out = np.empty((*angles.shape[:-1], 4))
    for order in (order[::-1] for order in sorted(orders)):
        chosen = [index for index, bone in enumerate(bones) if bone.axis_order[::-1] == order]
        out[:, chosen] = from_euler(order, angles[:, chosen][..., ["XYZ".index(letter) for letter in order]])
    return out


def _to_world_axes(rotations: Array, axes: Array) -> Array:
    """Return ``C L C^-1`` for every bone, and ``C L`` for the root, which comes first."""
    out = np.empty_like(rotations)
    out[:, 0] = multiply(axes[0], rotations[:, 0])
    # Conjugation turns the vector part by C and leaves w alone.
    out[:, 1:, :3] = rotate(axes[1:], rotations[:, 1:, :3])
    out[:, 1:, 3] = rotations[:, 1:, 3]
    return out


# Writing ------------------------------------------------------------------------------------------


def format_amc(motion: Motion, asf: Asf) -> bytes:
    """Return the bytes of an AMC file: :func:`parse_amc` undone, to 12 digits.

    Parameters
    ----------
    motion : Motion
        On any skeleton whose joints bear the names of the bones of `asf`; others must not rotate.
    asf : Asf
        The skeleton to write against; ``Asf.from_skeleton(motion.skeleton)`` fits every motion.

    Raises
    ------
    FormatError
        If a bone turns about, or the root moves along, an axis that its ``dof`` does not offer.
    """
    bones = asf.ordered
    joints = [motion.skeleton.names[0] if bone.name == ROOT else bone.name for bone in bones]
    missing = [joint for joint in motion.skeleton.names if joint not in joints and joint not in motion.skeleton.end_sites]
    if missing:
        raise FormatError(f"{motion.name}: joints without a bone in the ASF: {', '.join(missing[:5])}; write it against its own skeleton")
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (len(motion), len(bones), 1))
    present = [index for index, joint in enumerate(joints) if joint in motion.skeleton]
    rotations[:, present] = motion.rotations[:, motion.skeleton.indices([joints[index] for index in present])]
    axes = asf.axis_rotations
    turned = multiply(conjugate(axes), rotations)
    turned[:, 1:] = multiply(turned[:, 1:], axes[1:])
    positions = motion.root_positions / asf.metres_per_unit - np.array(asf.root_position)
    _check_travel(positions * asf.metres_per_unit, asf.root, motion.name)
    columns, template = [], ["%d"]
    for index, bone in enumerate(bones):
        angles = _channels(make_continuous(turned[:, index]), bone, motion.name)
        if not bone.dof:
            continue
        scaled = np.degrees(angles) if asf.degrees else angles
        columns += [positions[:, "xyz".index(c[1])] if c[0] == "t" else scaled[:, "xyz".index(c[1])] for c in bone.dof]
        template.append(" ".join([bone.name] + ["%.12g"] * len(bone.dof)))
    pattern = "\n".join(template)
    frames = (pattern % (number, *row) for number, row in enumerate(np.stack(columns, axis=1).tolist(), start=1))
    header = [
        "# AMC file written by mocapgen",
        f"# {motion.fps:.12g} frames per second",
        ":FULLY-SPECIFIED",
        ":DEGREES" if asf.degrees else ":RADIANS",
    ]
    return ("\n".join([*header, *frames]) + "\n").encode("latin-1")


def _check_travel(positions: Array, root: AsfBone, name: str) -> None:
    """Raise if root positions (T, 3), metres, need a channel that the root lacks."""
    for axis in "xyz":
        off = np.abs(positions[:, "xyz".index(axis)])
        if "t" + axis not in root.dof and off.max() > 1e-7:
            raise FormatError(
                f"{name}: bone {ROOT}: frame {off.argmax()} is {1000 * off.max():.3g} mm off along an axis that its dof ({' '.join(root.dof)}) lacks"
            )


def _channels(rotations: Array, bone: AsfBone, name: str) -> Array:
    """Return angles (T, 3) about x, y, z of the rotations (T, 4) of one bone, on the branch that its dof allow."""
    order = bone.axis_order[::-1]
    if "r" + order[0].lower() in bone.dof:
        first, middle, last = np.moveaxis(to_euler(order, rotations), -1, 0)
    else:  # at gimbal lock to_euler gives everything to the first angle; of the inverse, that is the last one
        last, middle, first = -np.moveaxis(to_euler(order[::-1], conjugate(rotations)), -1, 0)
    # Every rotation has two sets of angles; bones with few channels (a wrist of 170 degrees about y) often need the other.
    branches = np.array([[first, middle, last], [first + np.pi, np.pi - middle, last + np.pi]])
    branches = (branches + np.pi) % (2 * np.pi) - np.pi
    locked = [place for place, letter in enumerate(order) if "r" + letter.lower() not in bone.dof]
    cost = np.abs(branches[:, locked]).sum(axis=1) if locked else np.abs(branches).sum(axis=1)
    chosen = np.where(cost[1] < cost[0] - 1e-9, 1, 0)
    angles = branches[chosen, :, np.arange(len(rotations))]
    if locked and np.abs(angles[:, locked]).max() > 1e-6:
        frame = int(np.abs(angles[:, locked]).max(axis=1).argmax())
        turn = math.degrees(float(np.abs(angles[frame, locked]).max()))
        raise FormatError(
            f"{name}: bone {bone.name}: frame {frame} turns by {turn:.3g} degrees about an axis that its dof ({' '.join(bone.dof) or 'none'}) lacks"
        )
    out = np.empty_like(angles)
    out[:, ["XYZ".index(letter) for letter in order]] = angles
    return out


# Files --------------------------------------------------------------------------------------------


def find_asf(path: Path) -> Path:
    """Return the ASF file that belongs to an AMC file: same stem, else the longest stem that begins its name, else the only one there.

    Raises
    ------
    FormatError
        If there is none, or several of which none fits.
    """
    candidates = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf" and p.is_file())
    stem = path.stem.lower()
    fitting = [p for p in candidates if stem == p.stem.lower() or stem.startswith(p.stem.lower() + "_")]
    if fitting:
        return max(fitting, key=lambda p: len(p.stem))
    if len(candidates) == 1:
        return candidates[0]
    found = ", ".join(p.name for p in candidates[:5]) or "no .asf file"
    raise FormatError(f"{path}: expected its skeleton beside it (such as {path.stem.rsplit('_', 1)[0]}.asf), found {found}; say which with asf=...")


def read_amc(path: Path, asf: Path | None = None, fps: float | None = None, lenient: bool = False, notes: list[str] | None = None) -> Motion:
    """Read an AMC file and its ASF.

    Parameters
    ----------
    path : Path
    asf : Path, optional
        The skeleton; by default the one beside it (:func:`find_asf`).
    fps : float, optional
        Frames per second; by default what a comment in the file states, else the last part of an HDM05 name, else :data:`DEFAULT_FPS`.
    lenient, notes
        As for :func:`parse_amc`.
    """
    data = read_file(path)
    asf = find_asf(path) if asf is None else asf
    if fps is None and stated_fps(data) is None:
        in_name = _NAME_FPS.match(path.stem)
        fps = float(in_name.group(1)) if in_name else None
    return parse_amc(data, parse_asf(read_file(asf), str(asf)), str(path), fps, path.stem, lenient, notes)


def write_amc(path: Path, motion: Motion, asf: Path | None = None) -> None:
    """Write a motion as AMC, with a skeleton of its own beside it (``asf``, by default the same name with ``.asf``)."""
    description = Asf.from_skeleton(motion.skeleton, motion.name)
    data = format_amc(motion, description)
    (asf or path.with_suffix(".asf")).write_bytes(format_asf(description))
    path.write_bytes(data)


FORMAT = Format(".amc", read_amc, write_amc, options=("asf", "fps", "lenient"))
