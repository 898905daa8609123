"""ASF, the skeleton half of Acclaim's ASF/AMC format: bytes <-> :class:`Asf`.

Conventions (Acclaim; Lander, Working with motion capture file formats, Game Developer 1998; checked against the
published HDM05 parser through the golden values in the tests):

- a bone's ``direction`` and ``axis`` are given in the world, in the base pose;
- its rotation relative to the world is ``parent C L C^-1``, C from its ``axis``, L from the values of its ``dof``;
  hence the base pose is one in which every joint is unrotated; the root is ``C L``, C from its ``orientation``
  (as in the parser published with HDM05);
- the letters of ``axis`` name the order of rotation: XYZ rotates about the fixed x axis first, z last; the order of
  ``dof`` only says in which order the values stand in the AMC file;
- an :class:`~mocapgen.core.motion.Skeleton` places a joint at the bone's **head**; where ASF speaks of a bone's position
  it means its far end, which is the head of its children, or the end site ``<bone>_end`` of a leaf.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mocapgen.core.motion import Array, Skeleton
from mocapgen.core.rotation import from_euler
from mocapgen.formats._text import Line, lines_of
from schemas.errors import FormatError

INCH = 0.0254
"""Metres per inch: a length in the file, divided by its ``length`` unit, is in inches."""

ROOT = "root"
END = "_end"
"""Suffix of the end site that marks a leaf bone's far end."""
MAX_BONES = 1000
MAX_NAME = 100
"""Longest name of a bone, so that every message about one stays readable."""

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class AsfBone:
    """One bone (or the root, with length 0) as the file states it: lengths in file units, angles in radians."""

    name: str
    direction: Vector = (0.0, 0.0, 0.0)
    length: float = 0.0
    axis: Vector = (0.0, 0.0, 0.0)
    axis_order: str = "XYZ"
    dof: tuple[str, ...] = ()
    """Channels in file order, lower case: ``rx ry rz``, for the root also ``tx ty tz``."""

    @property
    def vector(self) -> Array:
        """(3,) float64, file units: from the bone's head to its far end in the base pose."""
        return np.array(self.direction) * self.length


@dataclass(frozen=True)
class Asf:
    """A skeleton file.

    Parameters
    ----------
    name : str
    metres_per_unit : float
        Length of one file unit.
    degrees : bool
        Whether angles are in degrees in the file (and in its AMC files, unless they say otherwise).
    root : AsfBone
        ``axis`` holds the file's ``orientation``.
    root_position : tuple of 3 float, file units
    bones : tuple of AsfBone
    parents : dict of str to str
        Parent's name of each bone.
    """

    name: str
    metres_per_unit: float
    degrees: bool
    root: AsfBone
    root_position: Vector
    bones: tuple[AsfBone, ...]
    parents: dict[str, str] = field(hash=False)

    @cached_property
    def ordered(self) -> tuple[AsfBone, ...]:
        """Root and bones, parents before children, as the joints of :attr:`skeleton` (without end sites)."""
        children: dict[str, list[AsfBone]] = {}
        for bone in self.bones:
            children.setdefault(self.parents[bone.name], []).append(bone)
        found, queue = [], [self.root]
        while queue:
            bone = queue.pop(0)
            found.append(bone)
            queue = children.get(bone.name, []) + queue
        return tuple(found)

    @cached_property
    def skeleton(self) -> Skeleton:
        """The same skeleton in metres, joints at the bones' heads, end sites at the leaves."""
        names, parents, offsets = [ROOT], [-1], [np.zeros(3)]
        index = {ROOT: 0}
        vectors = {bone.name: bone.vector * self.metres_per_unit for bone in self.ordered}
        inner = set(self.parents.values())
        end_sites = set()
        for bone in self.ordered[1:]:
            parent = self.parents[bone.name]
            index[bone.name] = len(names)
            names.append(bone.name)
            parents.append(index[parent])
            offsets.append(vectors[parent])
        for bone in self.ordered[1:]:
            if bone.name not in inner:
                names.append(bone.name + END)
                parents.append(index[bone.name])
                offsets.append(vectors[bone.name])
                end_sites.add(bone.name + END)
        return Skeleton(tuple(names), tuple(parents), np.array(offsets), frozenset(end_sites))

    @cached_property
    def axis_rotations(self) -> Array:
        """(B, 4) float64: C of every bone of :attr:`ordered`."""
        return np.stack([from_euler(bone.axis_order[::-1], np.array(bone.axis)[_letters(bone.axis_order[::-1])]) for bone in self.ordered])

    @classmethod
    def from_skeleton(cls, skeleton: Skeleton, name: str = "mocapgen") -> Asf:
        """Describe a skeleton as ASF: metres per inch as usual, every bone with three degrees of freedom.

        A bone has one far end only. Where the children of a joint start at different points (and at the root, whose
        children all start at its own position), a fixed bone ``<joint>_to_<child>`` leads to each of them; the
        original joints keep their names, except that the root is always called ``root``.

        Raises
        ------
        FormatError
            If a joint's name is no name in ASF (more than one word, not latin-1) or is taken by one of the fixed bones.
        """
        unit = INCH / 0.45
        bones: list[AsfBone] = []
        parents: dict[str, str] = {}

        def add(bone: str, parent: str, vector: Array, dof: tuple[str, ...]) -> None:
            if not _is_name(bone) or bone == ROOT or bone in parents:
                raise _unwritable(bone)
            length = float(np.linalg.norm(vector))
            direction = (0.0, 1.0, 0.0) if length == 0.0 else tuple(float(x) for x in vector / length)
            bones.append(AsfBone(bone, direction, length / unit, dof=dof))  # type: ignore[arg-type]
            parents[bone] = parent

        for joint in skeleton.names[1:]:
            if joint not in skeleton.end_sites and not _is_name(joint):
                raise _unwritable(joint)
        far_end = {skeleton.names[0]: ROOT}  # joint -> the bone at whose far end its children start
        for joint in skeleton.names:
            if joint in skeleton.end_sites:
                continue
            children = skeleton.children(joint)
            offsets = [skeleton.offsets[skeleton.index(child)] for child in children]
            is_root = skeleton.parent(joint) is None
            single = not is_root and all(np.array_equal(offset, offsets[0]) for offset in offsets)
            if not is_root:
                add(joint, far_end[joint], offsets[0] if single and offsets else np.zeros(3), ("rx", "ry", "rz"))
            for child, offset in zip(children, offsets, strict=True):
                far_end[child] = ROOT if is_root else joint
                if not single and np.any(offset):
                    far_end[child] = f"{ROOT if is_root else joint}_to_{child}"
                    add(far_end[child], ROOT if is_root else joint, offset, ())
        root = AsfBone(ROOT, dof=("tx", "ty", "tz", "rx", "ry", "rz"))
        taken = _taken_end(parents)
        if taken:
            raise _unwritable(taken)
        return cls(name, unit, True, root, (0.0, 0.0, 0.0), tuple(bones), parents)


def _letters(order: str) -> list[int]:
    return ["XYZ".index(letter) for letter in order]


def _is_name(bone: str) -> bool:
    """Tell whether a name comes back as it was from an ASF file."""
    try:
        (line,) = lines_of(bone.encode("latin-1"), bone, comment=b"#")
    except (UnicodeEncodeError, FormatError, ValueError):
        return False
    return line.words == (bone,) and not bone.startswith(":") and len(bone) <= MAX_NAME


def _unwritable(joint: str) -> FormatError:
    wanted = "one word of latin-1 that does not begin with # or : and is no other bone's name"
    return FormatError(f"skeleton: joint {joint[:MAX_NAME]!r} cannot be written to ASF: expected {wanted}")


def _taken_end(parents: dict[str, str]) -> str | None:
    """Return the name of a bone that is needed as the end site of another one."""
    inner = set(parents.values())
    return next((bone + END for bone in parents if bone not in inner and bone + END in parents), None)


# Reading ------------------------------------------------------------------------------------------


def parse_asf(data: bytes, where: str) -> Asf:
    """Read an ASF file.

    Parameters
    ----------
    data : bytes
        The file's content; latin-1, CRLF or LF.
    where : str
        Name of the file, for messages.

    Returns
    -------
    Asf

    Raises
    ------
    FormatError
        With file, line and bone.
    """
    sections = _sections(lines_of(data, where, comment=b"#"))
    for needed in ("units", "root", "bonedata", "hierarchy"):
        if needed not in sections:
            raise FormatError(f"{where}: expected a section :{needed} as in every ASF file, found {_known(sections)}")
    scale, degrees = _units(sections["units"], where)
    to_radians = math.radians(1.0) if degrees else 1.0
    root, position = _root(sections["root"], to_radians, where)
    bones = _bones(sections["bonedata"], to_radians, where)
    parents = _hierarchy(sections["hierarchy"], bones, where)
    name = " ".join(sections["name"][0].words) if sections.get("name") else ""
    return Asf(name, INCH / scale, degrees, root, position, tuple(bones.values()), parents)


def _known(sections: dict[str, list[Line]]) -> str:
    return ", ".join(f":{name[:20]}" for name in list(sections)[:10]) or "none at all"


def _sections(lines: list[Line]) -> dict[str, list[Line]]:
    """Split lines at ``:keyword``; words after the keyword are the section's first line."""
    found: dict[str, list[Line]] = {}
    current: list[Line] | None = None
    for line in lines:
        keyword = line.words[0]
        if keyword.startswith(":"):
            key = keyword[1:].lower()
            if key in found:
                raise line.error(f"section :{key[:40]} stands twice")
            current = found[key] = [line.rest()] if len(line.words) > 1 else []
        elif current is None:
            raise line.error(f"expected an ASF file that starts with a section such as :version, found {line.quote()}")
        else:
            current.append(line)
    return found


def _units(lines: list[Line], where: str) -> tuple[float, bool]:
    stated = _by_keyword(lines, "units", ("length", "angle"))
    for needed in ("length", "angle"):
        if needed not in stated:
            raise FormatError(f"{where}: units: expected a line {needed!r}, found none: numbers mean nothing without it")
    (scale,) = stated["length"].numbers(1)
    if not 1e-6 <= scale <= 1e6:
        raise stated["length"].error(f"unit length: expected a number from 1e-6 to 1e6, found {scale:g}")
    unit = stated["angle"].only_word("deg or rad").lower()
    if unit not in ("deg", "rad", "degrees", "radians"):
        raise stated["angle"].error(f"unit angle: expected deg or rad, found {unit[:40]!r}")
    return scale, unit.startswith("deg")


def _by_keyword(lines: list[Line], what: str, once: tuple[str, ...]) -> dict[str, Line]:
    """Return lines by their lower-case keyword; those in `once` may not contradict each other by standing twice."""
    found: dict[str, Line] = {}
    for line in lines:
        keyword = line.words[0].lower()
        if keyword in once and keyword in found:
            raise line.error(f"{what}: {keyword!r} stands twice, first in line {found[keyword].number}")
        found[keyword] = line
    return found


def _order(line: Line, word: str) -> str:
    order = word.upper()
    if sorted(order) != ["X", "Y", "Z"]:
        raise line.error(f"axis order: expected three different letters such as XYZ, found {word[:40]!r}")
    return order


def _root(lines: list[Line], to_radians: float, where: str) -> tuple[AsfBone, Vector]:
    order, axis, position, orientation = None, "XYZ", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for keyword, line in _by_keyword(lines, "root", ("order", "axis", "position", "orientation")).items():
        if keyword == "order":
            order = tuple(word.lower() for word in line.words[1:])
            if not order or len(set(order)) != len(order) or not set(order) <= {"tx", "ty", "tz", "rx", "ry", "rz"}:
                raise line.error(f"root order: expected TX TY TZ RX RY RZ in some order, found {line.rest().quote()}")
        elif keyword == "axis":
            axis = _order(line, line.only_word("an axis order such as XYZ"))
        elif keyword == "position":
            position = line.vector()
        elif keyword == "orientation":
            x, y, z = line.vector()
            orientation = (x * to_radians, y * to_radians, z * to_radians)
        else:
            raise line.error(f"root: expected order, axis, position or orientation, found {line.words[0][:40]!r}")
    if order is None:
        raise FormatError(f"{where}: root: expected a line 'order TX TY TZ RX RY RZ', found none")
    return AsfBone(ROOT, axis=orientation, axis_order=axis, dof=order), position


def _bones(lines: list[Line], to_radians: float, where: str) -> dict[str, AsfBone]:
    bones: dict[str, AsfBone] = {}
    block: list[Line] | None = None
    begin = 0
    for line in lines:
        keyword = line.words[0].lower()
        if keyword == "begin":
            if block is not None:
                raise line.error(f"bonedata: 'begin' inside a bone that begins in line {begin} and has no 'end'")
            block, begin = [], line.number
        elif keyword == "end":
            if block is None:
                raise line.error("bonedata: 'end' without 'begin'")
            bone = _bone(block, line, to_radians)
            if bone.name in bones or bone.name == ROOT:
                raise line.error(f"bone {bone.name}: the name stands twice")
            bones[bone.name] = bone
            block = None
        elif block is None:
            raise line.error(f"bonedata: expected 'begin', found {line.quote()}")
        else:
            block.append(line)
    if block is not None:
        raise FormatError(f"{where}:{begin}: bonedata: a bone begins here and has no 'end'")
    if not bones or len(bones) > MAX_BONES:
        raise FormatError(f"{where}: expected 1 to {MAX_BONES} bones, found {len(bones)}")
    return bones


def _bone(block: list[Line], end: Line, to_radians: float) -> AsfBone:
    by_keyword = _by_keyword(block, "bonedata", ("name", "direction", "length", "axis", "dof"))
    if "name" not in by_keyword:
        raise end.error("bonedata: a bone has no 'name' line")
    name = by_keyword["name"].only_word("the bone's name")
    if len(name) > MAX_NAME:
        raise by_keyword["name"].error(f"bonedata: expected a name of at most {MAX_NAME} characters, found {len(name)}")
    for needed in ("direction", "length"):
        if needed not in by_keyword:
            raise end.error(f"bone {name}: no {needed!r} line")
    direction = by_keyword["direction"].vector(name)
    (length,) = by_keyword["length"].numbers(1, name)
    norm = math.hypot(*direction)
    if length < 0:
        raise by_keyword["length"].error(f"bone {name}: expected a length of at least 0, found {length:g}")
    if length > 0 and abs(norm - 1.0) > 0.01:
        raise by_keyword["direction"].error(f"bone {name}: expected a direction of length 1, found length {norm:.4g}")
    x, y, z = direction
    unit = (x / norm, y / norm, z / norm) if norm > 0 else direction
    axis, order = (0.0, 0.0, 0.0), "XYZ"
    if "axis" in by_keyword:
        line = by_keyword["axis"]
        x, y, z = line.vector(name, more=1)
        axis, order = (x * to_radians, y * to_radians, z * to_radians), _order(line, line.word(4, f"bone {name}: an axis order after the angles"))
    dof: tuple[str, ...] = ()
    if "dof" in by_keyword:
        line = by_keyword["dof"]
        dof = tuple(word.lower() for word in line.words[1:])
        if len(set(dof)) != len(dof) or not set(dof) <= {"rx", "ry", "rz"}:
            raise line.error(f"bone {name}: expected dof out of rx ry rz, found {line.rest().quote()} (moving or stretching bones are not supported)")
    return AsfBone(name, unit, length, axis, order, dof)


def _hierarchy(lines: list[Line], bones: dict[str, AsfBone], where: str) -> dict[str, str]:
    parents: dict[str, str] = {}
    stated: dict[str, Line] = {}
    for line in lines:
        if line.words[0].lower() in ("begin", "end") and len(line.words) == 1:
            continue
        parent, *children = line.words
        for bone in (parent, *children):
            if bone not in bones and bone != ROOT:
                raise line.error(f"hierarchy: bone {bone[:MAX_NAME]} is not in :bonedata")
        for child in children:
            if child == ROOT:
                raise line.error(f"hierarchy: {ROOT} stands below {parent}, but hangs on nothing")
            if child in parents:
                raise line.error(f"hierarchy: bone {child} has two parents, {parents[child]} and {parent}")
            parents[child], stated[child] = parent, line
    for bone in bones:
        seen, at = {bone}, bone
        while at != ROOT:
            if at not in parents:
                raise FormatError(f"{where}: hierarchy: bone {at} hangs on nothing (expected it below root)")
            at = parents[at]
            if at in seen:
                raise stated[at].error(f"hierarchy: bone {at} is its own ancestor")
            seen.add(at)
    taken = _taken_end(parents)
    if taken:
        raise stated[taken].error(f"hierarchy: the name {taken} is needed for the far end of bone {taken.removesuffix(END)}")
    return parents


# Writing ------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    return f"{value:.12g}"


def format_asf(asf: Asf) -> bytes:
    """Return the bytes of an ASF file: :func:`parse_asf` undone, to 12 digits."""
    angle = math.degrees(1.0) if asf.degrees else 1.0

    def vector(values: Vector, scale: float = 1.0) -> str:
        return " ".join(_number(value * scale) for value in values)

    lines = ["# ASF file written by mocapgen", ":version 1.10", f":name {' '.join(asf.name.split()) or 'mocapgen'}", ":units", "  mass 1.0"]
    lines += [f"  length {_number(INCH / asf.metres_per_unit)}", f"  angle {'deg' if asf.degrees else 'rad'}"]
    lines += [":documentation", "   written by mocapgen", ":root", f"   order {' '.join(asf.root.dof).upper()}", f"   axis {asf.root.axis_order}"]
    lines += [f"   position {vector(asf.root_position)}", f"   orientation {vector(asf.root.axis, angle)}", ":bonedata"]
    for number, bone in enumerate(asf.bones, start=1):
        lines += ["  begin", f"     id {number}", f"     name {bone.name}", f"     direction {vector(bone.direction)}"]
        lines += [f"     length {_number(bone.length)}", f"     axis {vector(bone.axis, angle)} {bone.axis_order}"]
        lines += [f"    dof {' '.join(bone.dof)}"] * bool(bone.dof) + ["  end"]
    lines += [":hierarchy", "  begin"]
    for parent in (ROOT, *(bone.name for bone in asf.bones)):
        children = [bone.name for bone in asf.bones if asf.parents[bone.name] == parent]
        lines += [f"    {parent} {' '.join(children)}"] * bool(children)
    return ("\n".join([*lines, "  end"]) + "\n").encode("latin-1", errors="replace")
