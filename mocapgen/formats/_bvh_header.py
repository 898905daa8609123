"""The head of a BVH file: the HIERARCHY and the two lines that say how many frames there are and how long each lasts.

The tree comes from the ``bvh`` package. It takes braces only on lines of their own, splits names at blanks, forgets
where things stand, loses a last line without a line break and believes unbalanced braces. So the rows are split,
checked and numbered here, and it is given each as its keyword and number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, NoReturn

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.formats._text import number
from schemas.errors import FormatError

MAX_JOINTS = 5000
"""Most joints and end sites of a file: many times those of a rig with fingers and face."""
MAX_ROWS = 5 * MAX_JOINTS + 10
"""Most rows of a hierarchy: a joint has its name, OFFSET, CHANNELS and two braces."""
MAX_LINES = 1_000_000
"""Most lines of a hierarchy, blank ones included."""
LONGEST_LINE = 100_000
"""Most characters of a line of the hierarchy."""
SHORTEST, LONGEST = 1e-5, 100.0
"""Frame times that are believed, seconds."""

BLANKS = bytes(range(33))
TO_BLANKS = bytes.maketrans(BLANKS, b" " * 33)
_LINE_BLANKS = TO_BLANKS[:10] + b"\n" + TO_BLANKS[11:]
_MOTION = re.compile(rb"^[ \t]*MOTION[ \t]*$", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(rb"[^\x00-\x20]")
_BRACE = re.compile(r"([{}])")
_FRAMES = re.compile(rb"\s*frames\s*:?\s*(\S*)\s*", re.IGNORECASE)
_FRAME_TIME = re.compile(rb"\s*frame\s*time\s*:?\s*(\S*)\s*", re.IGNORECASE)
_CHANNEL = re.compile(r"([XYZ])(position|rotation)", re.IGNORECASE)
_BLOCKS = {"ROOT": "ROOT", "JOINT": "JOINT", "END": "END", "ENDSITE": "END"}
_KEYWORDS = {"HIERARCHY": "HIERARCHY", "OFFSET": "OFFSET", "CHANNELS": "CHANNELS", **_BLOCKS}


class Repairs:
    """What is wrong with a file and can be mended: an error, or in a lenient reading a note.

    Parameters
    ----------
    where : str
        Name of the file, for messages.
    lenient : bool
        Note what was mended in `notes` rather than raise.
    """

    def __init__(self, where: str, lenient: bool) -> None:
        self.where = where
        self.lenient = lenient
        self.notes: list[str] = []

    def mend(self, line_number: int, fault: str, remedy: str) -> None:
        """Raise FormatError for a fault; in a lenient reading note it together with what is done about it."""
        if not self.lenient:
            self.fail(line_number, f"{fault} (with lenient=True: {remedy})")
        self.notes.append(f"{self.where}:{line_number}: {fault}: {remedy}")

    def fail(self, line_number: int, fault: str) -> NoReturn:
        """Raise FormatError for what cannot be mended."""
        raise FormatError(f"{self.where}:{line_number}: {fault}")


class HeaderLine(NamedTuple):
    """The words of a keyword's line, or a brace."""

    words: tuple[str, ...]
    number: int

    def quote(self) -> str:
        """Return the row as a message can show it."""
        return quoted(" ".join(self.words))


@dataclass
class BvhJoint:
    """A joint or an end site as it stands in the file."""

    name: str
    parent: int
    line_number: int
    is_end: bool = False
    offset: tuple[float, ...] | None = None
    channels: tuple[str, ...] | None = None

    @property
    def subject(self) -> str:
        """What a message calls it."""
        return f"end site of {shown(self.name)}" if self.is_end else f"joint {shown(self.name)}"


@dataclass(frozen=True)
class Hierarchy:
    """The tree of a BVH file."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    end_sites: frozenset[str]
    channels: tuple[tuple[str, ...], ...]
    columns: tuple[tuple[str, str], ...]
    """The joint and the channel of every value of a frame."""


@dataclass(frozen=True)
class BvhHeader:
    """All of a BVH file but its frames."""

    hierarchy: Hierarchy
    frames: int | None
    """As declared; None where nothing usable is."""
    frame_time: float
    start: int
    """Where in the file the first frame begins."""
    line_number: int
    """Of that place."""


def shown(name: str) -> str:
    """Return a name or word as a message can show it."""
    name = name if len(name) <= 40 else name[:37] + "..."
    return name if name.isprintable() else repr(name)


def quoted(text: str) -> str:
    """Return what was found as a message can show it."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def parse_header(data: bytes, repairs: Repairs) -> BvhHeader:
    """Read everything before the first frame.

    Parameters
    ----------
    data : bytes
        The whole file, with line breaks as LF.
    repairs : Repairs

    Raises
    ------
    FormatError
        With file, line and joint.
    """
    # From shortly before the first such word: a search without regard to case is slow.
    motion = _MOTION.search(data, max(0, data.find(b"MOTION") - 1000)) or _MOTION.search(data)
    if motion is None:
        _normalised(_rows(data, repairs), Repairs(repairs.where, lenient=True))  # whatever else is wrong comes first
        repairs.fail(data.count(b"\n") + 1, "expected a line MOTION after the hierarchy, found none: the file was cut short")
    text = data[: motion.start()]
    try:
        hierarchy = _sound_hierarchy(text)
    except FormatError:
        hierarchy = _hierarchy(text, repairs)
    frames, frame_time, start, line_number = _timing(data, motion.end(), text.count(b"\n") + 1, repairs)
    return BvhHeader(hierarchy, frames, frame_time, start, line_number)


# Hierarchy ----------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _sound_hierarchy(text: bytes) -> Hierarchy:
    """Read a hierarchy without faults; the files of one rig begin with the same text, which is the slow part of short clips."""
    return _hierarchy(text, Repairs("", lenient=False))


def forget_hierarchies() -> None:
    """Forget the hierarchies read so far, for measuring."""
    _sound_hierarchy.cache_clear()


def _hierarchy(text: bytes, repairs: Repairs) -> Hierarchy:
    """Read everything before MOTION."""
    joints = _joints(_rows(text, repairs), repairs)
    names = unique_names(joints)
    channels = tuple(joint.channels or () for joint in joints)
    offsets = np.array([joint.offset for joint in joints], dtype=np.float64)
    offsets.flags.writeable = False
    return Hierarchy(
        names=names,
        parents=tuple(joint.parent for joint in joints),
        offsets=offsets,
        end_sites=frozenset(name for name, joint in zip(names, joints, strict=True) if joint.is_end),
        channels=channels,
        columns=tuple((name, channel) for name, own in zip(names, channels, strict=True) for channel in own),
    )


def _rows(data: bytes, repairs: Repairs) -> list[HeaderLine]:
    """Split the hierarchy so that each brace and each keyword has a row of its own."""
    if (lines := data.count(b"\n")) > MAX_LINES:
        repairs.fail(1, f"expected at most {MAX_LINES} lines before the frames, found {lines}")
    text = _decode(data.translate(_LINE_BLANKS))
    split = str.split if text.isascii() else _words  # a no-break blank is no blank
    rows: list[HeaderLine] = []
    for line_number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            repairs.fail(line_number, f"expected at most {LONGEST_LINE} characters in a line of the hierarchy, found {len(line)}")
        parts = _BRACE.split(line) if "{" in line or "}" in line else (line,)
        rows += [HeaderLine(tuple(words), line_number) for part in parts if (words := split(part))]
        if len(rows) > MAX_ROWS:
            repairs.fail(line_number, f"expected at most {MAX_JOINTS} joints, found {MAX_ROWS} lines and braces of a hierarchy so far")
    return rows


def _words(text: str) -> list[str]:
    return [word for word in text.split(" ") if word]


def _decode(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _keyword(row: HeaderLine) -> str:
    word = row.words[0]
    return word if word in "{}" else _KEYWORDS.get(word.upper(), "")


def _joints(rows: list[HeaderLine], repairs: Repairs) -> list[BvhJoint]:
    """Return joints and end sites, parents before children, in the order of their channels."""
    import bvh

    tree = bvh.Bvh(_normalised(rows, repairs)).root
    roots = [node for node in tree.children if node.value[0] == "R"]
    if not roots:
        repairs.fail(rows[-1].number, "expected a ROOT, found none")
    joints: list[BvhJoint] = []
    pending = [(roots[0], -1)]  # a stack, not recursion: the depth is the file's choice
    while pending:
        node, parent = pending.pop()
        joints.append(_joint(rows[int(node.value[1])], parent, joints))
        if len(joints) > MAX_JOINTS:
            repairs.fail(joints[-1].line_number, f"expected at most {MAX_JOINTS} joints, found more")
        blocks = [child for child in node.children if child.value[0] in "JE"]
        for child in node.children:
            if child.value[0] in "OC":
                _set_field(joints[-1], rows[int(child.value[1])], repairs)
        _check_complete(joints[-1], repairs)
        pending += [(block, len(joints) - 1) for block in reversed(blocks)]
        if joints[-1].is_end and blocks:
            row = rows[int(blocks[0].value[1])]
            repairs.fail(row.number, f"{joints[-1].subject}: expected OFFSET alone, found {_keyword(row)}")
    return joints


def _normalised(rows: list[HeaderLine], repairs: Repairs) -> str:
    """Return the rows as the ``bvh`` package reads them: first letter of the keyword and row number, braces checked and balanced.

    The package goes through its text character by character, so there is as little of it as possible.
    """
    if not rows or _keyword(rows[0]) != "HIERARCHY":
        found = rows[0].quote() if rows else "nothing"
        repairs.fail(rows[0].number if rows else 1, f"expected a BVH file, which begins with HIERARCHY, found {found}")
    out, depth, roots, opens = ["H 0"], 0, 0, False
    for index, row in enumerate(rows[1:], start=1):
        keyword = _keyword(row)
        if not keyword or (keyword == "HIERARCHY"):
            repairs.fail(row.number, f"expected ROOT, JOINT, End Site, OFFSET, CHANNELS, a brace or MOTION, found {row.quote()}")
        if opens != (keyword == "{"):
            wanted = f"an opening brace after {rows[index - 1].quote()}" if opens else "ROOT, JOINT or End Site before an opening brace"
            repairs.fail(row.number, f"expected {wanted}, found {row.quote()}")
        opens = keyword in _BLOCKS
        if keyword == "}" and depth == 0:
            repairs.mend(row.number, "expected as many closing as opening braces, found one more", "left out")
            continue
        roots += keyword == "ROOT"
        if keyword == "ROOT" and (depth or roots > 1):
            repairs.fail(row.number, f"expected one skeleton, found a second ROOT, {row.quote()}; split the file")
        if keyword not in ("ROOT", "}") and depth == 0 and keyword != "{":
            repairs.fail(row.number, f"expected ROOT, found {row.quote()} outside of any joint")
        depth += (keyword == "{") - (keyword == "}")
        out.append(keyword if keyword in "{}" else f"{keyword[0]} {index}")
    if opens:
        repairs.fail(rows[-1].number, f"expected an opening brace after {rows[-1].quote()}, found the end of the hierarchy")
    if depth:
        repairs.mend(rows[-1].number, f"expected as many closing as opening braces, found {depth} fewer", "added at the end")
    return "\n".join([*out, *["}"] * depth, ""])


def _joint(row: HeaderLine, parent: int, joints: Sequence[BvhJoint]) -> BvhJoint:
    """Return a new joint; an end site bears its joint's name."""
    if _keyword(row) == "END":
        return BvhJoint(joints[parent].name, parent, row.number, is_end=True)
    return BvhJoint(" ".join(row.words[1:]), parent, row.number)


def _set_field(joint: BvhJoint, row: HeaderLine, repairs: Repairs) -> None:
    """Read an OFFSET or CHANNELS row into a joint."""
    keyword = _keyword(row)
    if (joint.offset if keyword == "OFFSET" else joint.channels) is not None:
        repairs.fail(row.number, f"{joint.subject}: expected one {keyword}, found a second")
    if keyword == "OFFSET":
        joint.offset = _offset(joint, row, repairs)
    else:
        joint.channels = _channels(joint, row, repairs)


def _offset(joint: BvhJoint, row: HeaderLine, repairs: Repairs) -> tuple[float, ...]:
    words = row.words[1:]
    if "," in (text := "".join(words)) and "." not in text:
        repairs.mend(row.number, f"{joint.subject}: OFFSET: expected decimal points, found commas", "read as points")
        words = tuple(word.replace(",", ".") for word in words)
    values = [number(word) for word in words[:3]]
    if len(words) != 3 or None in values:
        repairs.fail(row.number, f"{joint.subject}: OFFSET: expected 3 numbers, found {quoted(' '.join(row.words[1:]))}")
    return tuple(values)  # type: ignore[arg-type]


@lru_cache(maxsize=64)
def _channel(word: str) -> str:
    """Return a channel as we spell it, or nothing."""
    match = _CHANNEL.fullmatch(word)
    return match[1].upper() + match[2].lower() if match else ""


def _channels(joint: BvhJoint, row: HeaderLine, repairs: Repairs) -> tuple[str, ...]:
    if len(row.words) < 2 or not (row.words[1].isascii() and row.words[1].isdigit()):
        repairs.fail(row.number, f"{joint.subject}: CHANNELS: expected their number, found {quoted(' '.join(row.words[1:]))}")
    channels = tuple(map(_channel, row.words[2:]))
    if not all(channels):
        wrong = quoted(row.words[2 + channels.index("")])
        repairs.fail(row.number, f"{joint.subject}: CHANNELS: expected X, Y, Z and position or rotation such as Zrotation, found {wrong}")
    if len(set(channels)) != len(channels):
        twice = next(channel for channel in channels if channels.count(channel) > 1)
        repairs.fail(row.number, f"{joint.subject}: CHANNELS: expected each once, found {twice} {channels.count(twice)} times")
    if row.words[1].lstrip("0") != str(len(channels) or ""):
        repairs.mend(row.number, f"{joint.subject}: CHANNELS: expected {shown(row.words[1])} channels, found {len(channels)}", "those named are used")
    if joint.is_end and channels:
        repairs.fail(row.number, f"{joint.subject}: expected no channels, found {len(channels)}; make it a JOINT")
    return channels


def _check_complete(joint: BvhJoint, repairs: Repairs) -> None:
    if not joint.name:
        repairs.mend(joint.line_number, "expected a name after JOINT or ROOT, found none", "called joint")
        joint.name = "joint"
    if joint.offset is None:
        repairs.mend(joint.line_number, f"{joint.subject}: expected OFFSET, found none", "taken as 0 0 0")
        joint.offset = (0.0, 0.0, 0.0)
    if joint.channels is None and not joint.is_end:
        repairs.mend(joint.line_number, f"{joint.subject}: expected CHANNELS, found none", "taken as none")


def unique_names(joints: Sequence[BvhJoint]) -> tuple[str, ...]:
    """Return a name of its own for each joint: ``Spine``, ``Spine_2``, and ``Spine_end`` for the end site of the first."""
    names = [""] * len(joints)
    taken: dict[str, int] = {}
    for is_end in (False, True):  # joints first: they keep their names where an end site would take them
        for index, joint in enumerate(joints):
            if joint.is_end == is_end:
                names[index] = _unused(names[joint.parent] + "_end" if is_end else joint.name, taken)
    return tuple(names)


def _unused(name: str, taken: dict[str, int]) -> str:
    """Return the name, with the first number from 2 that makes it new, and take it; `taken` holds the last number tried."""
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}_{taken[name]}"
    taken[candidate] = 1
    return candidate


# Frames and frame time ----------------------------------------------------------------------------


def _timing(data: bytes, position: int, line_number: int, repairs: Repairs) -> tuple[int | None, float, int, int]:
    """Return the number of frames, the frame time, and where the first frame begins, given where the word MOTION ends."""
    frames: tuple[bytes, int] | None = None
    frame_time: tuple[bytes, int] | None = None
    position, line_number = position + 1, line_number + 1  # the line after it
    while word := _WORD.search(data, position):
        begin = data.rfind(b"\n", position, word.start()) + 1 or position
        position, line_number = begin, line_number + data.count(b"\n", position, begin)
        stop = data.find(b"\n", position)
        stop = len(data) if stop < 0 else stop
        line = data[word.start() : min(stop, word.start() + 200)]
        if frame_time is None and (match := _FRAME_TIME.fullmatch(line)):
            frame_time = match[1], line_number
        elif frames is None and (match := _FRAMES.fullmatch(line)):
            frames = match[1], line_number
        else:
            break
        position, line_number = stop + 1, line_number + 1
    if frame_time is None:
        found = quoted(_decode(line).strip()) if word else "the end of the file"
        repairs.fail(line_number, f"expected a line such as 'Frame Time: 0.00833333' before the first frame, found {found}")
    declared = _declared(*frames, repairs) if frames else _declared(None, line_number, repairs)
    return declared, _seconds(*frame_time, repairs), position if word else len(data), line_number


def _declared(word: bytes | None, line_number: int, repairs: Repairs) -> int | None:
    if word is not None and word.isdigit() and len(word) < 10:
        return int(word)
    found = "none" if word is None else quoted(_decode(word))
    repairs.mend(line_number, f"expected a line such as 'Frames: 100' before the first frame, found {found}", "the rows are counted")
    return None


def _seconds(word: bytes, line_number: int, repairs: Repairs) -> float:
    text = _decode(word)
    if "," in text and "." not in text:
        repairs.mend(line_number, f"Frame Time: expected a decimal point, found {quoted(text)}", "read as a point")
        text = text.replace(",", ".")
    value = number(text)
    if value is None or not SHORTEST <= value <= LONGEST:
        repairs.fail(line_number, f"Frame Time: expected {SHORTEST:g} to {LONGEST:g} seconds, found {quoted(text)}")
    return value
