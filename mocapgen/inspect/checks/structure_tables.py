"""Checks of skeletons, joint sets, cameras and tables against the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mocapgen.inspect.lenient_reader import camera_frame, column, dataset, file_finding, frame_count, joint_names, members
from mocapgen.inspect.registry import check
from schemas.conventions import H36M17, H36M17_PARENTS, JOINT_PARENTS, mirrored
from schemas.inspection import Finding


def _tree(names: list[str], parents: list[int]) -> str:
    """Return what is wrong with a tree of joints, nothing if it is one."""
    if len(names) != len(parents):
        return f"one parent per joint, found {len(names)} names and {len(parents)} parents"
    if len(set(names)) != len(names):
        return f"unique joints, found several {sorted(name for name in names if names.count(name) > 1)[0]!r}"
    for index, (name, parent) in enumerate(zip(names, parents, strict=True)):
        if not -1 <= parent < len(names):
            return f"parents from -1 to {len(names) - 1}, found {parent} of {name}"
        if (parent == -1) != (index == 0):
            return f"one root, the first joint, found {'none' if index == 0 else name}"
        if parent >= index and index:
            return f"parents before children, found {name} before its parent {names[parent]}"
    return ""


@check("structure.skeletons", "error", "file")
def skeletons(file: h5py.File) -> Iterator[Finding]:
    """Skeletons are no trees of joints, are not the same tree, or have joints in the wrong places."""
    first: tuple[str, list[str], list[int]] | None = None
    for avatar in members(file, "/skeletons"):
        where = f"/skeletons/{avatar}"
        texts, numbers = column(file, f"{where}/names", "O", 1), column(file, f"{where}/parents", "iu", 1)
        if texts is None or numbers is None:
            continue  # reported by another check
        names, parents = [str(name) for name in texts], [int(parent) for parent in numbers]
        wrong = _tree(names, parents)
        if wrong:
            yield file_finding(f"expected {wrong}", f"{where}/parents")
            continue
        if first is None:
            first = (avatar, names, parents)
            yield from _known_joints(names, parents, where)
        if names != first[1]:
            other = next((pair for pair in zip(first[1], names, strict=False) if pair[0] != pair[1]), (len(first[1]), len(names)))
            yield file_finding(f"expected the joints of {first[0]}, found {other[1]!r} in place of {other[0]!r}", f"{where}/names")
        elif parents != first[2]:
            joint = next(name for name, one, two in zip(names, first[2], parents, strict=True) if one != two)
            yield file_finding(f"expected the tree of {first[0]}, found another parent of {joint}", f"{where}/parents", joint=joint)


def _known_joints(names: list[str], parents: list[int], where: str) -> Iterator[Finding]:
    """Compare the tree with the one that is convention, as far as it has its joints."""
    for name, parent in zip(names, parents, strict=True):
        wanted = JOINT_PARENTS.get(name)
        while wanted is not None and wanted not in names:
            wanted = JOINT_PARENTS[wanted]
        stated = names[parent] if parent >= 0 else None
        if name in JOINT_PARENTS and wanted != stated and (stated is None or stated in JOINT_PARENTS):
            yield file_finding(f"expected the parent {wanted} of {name}, found {stated}", f"{where}/parents", joint=name)


@check("structure.rest_pose", "error", "file", "m")
def rest_pose(file: h5py.File, *, tolerance: float = 1e-4, max_stature_error: float = 0.15) -> Iterator[Finding]:
    """A rest pose is no upright pose of its skeleton, is mirrored, or is of another size than stated."""
    frame = camera_frame(file)
    for avatar in members(file, "/skeletons"):
        where = f"/skeletons/{avatar}"
        texts, numbers = column(file, f"{where}/names", "O", 1), column(file, f"{where}/parents", "iu", 1)
        offsets, rest = (column(file, f"{where}/{name}", "f", 2) for name in ("offsets", "rest_positions"))
        if texts is None or numbers is None or offsets is None or rest is None or not (len(texts),) == numbers.shape == offsets.shape[:1]:
            continue  # reported by another check
        names = [str(name) for name in texts]
        if rest.shape != offsets.shape or rest.shape[1:] != (3,) or _tree(names, numbers.tolist()):
            continue
        summed = np.zeros_like(offsets)
        for index, parent in enumerate(numbers.tolist()[1:], start=1):
            summed[index] = summed[parent] + offsets[index]
        error = np.linalg.norm(summed - rest, axis=1)
        if not np.isfinite(error).all():
            yield file_finding("expected finite numbers, found some that are not", f"{where}/rest_positions")
            continue
        if error.max() > tolerance:
            joint = names[int(error.argmax())]
            text = f"expected the sums of the offsets, found {joint} {1000.0 * error.max():.3g} mm away from there"
            yield file_finding(text, f"{where}/rest_positions", error.max(), joint=joint)
        yield from _upright(where, dict(zip(names, summed, strict=True)), frame)
        yield from _stature(file, where, float(np.ptp(summed[:, 1])), max_stature_error)


def _upright(where: str, at: dict[str, np.ndarray], frame: str | None) -> Iterator[Finding]:
    """Check that up is up, and that left is on the left."""
    for above, below in (("Head", "Hips"), ("Hips", "LeftFoot")):
        if above in at and below in at and at[above][1] <= at[below][1]:
            heights = f"{at[above][1]:.3g} m and {at[below][1]:.3g} m"
            yield file_finding(f"expected {above} above {below} (y up), found {heights}", f"{where}/offsets", joint=above)
    if frame is None:
        return
    left = -1.0 if frame == "unity" else 1.0  # x points to the right of the person, or to the left
    for joint in ("LeftUpperArm", "LeftUpperLeg"):
        if joint in at and mirrored(joint) in at and left * (at[joint][0] - at[mirrored(joint)][0]) <= 0.0:
            side = "left" if frame == "opencv" else "right"
            yield file_finding(
                f"expected {joint} on the person's left (x points {side} in {frame} files), found it on the other side", where, joint=joint
            )


def _stature(file: h5py.File, where: str, height: float, max_error: float) -> Iterator[Finding]:
    stature = column(file, f"{where}/stature", "f", 0)
    if stature is None:
        return
    if not 0.3 <= float(stature) <= 3.0:
        yield file_finding(f"expected a person's height in metres, found {float(stature):g}", f"{where}/stature", float(stature))
    elif abs(height - float(stature)) > max_error * float(stature):
        text = f"expected a rest pose about as high as the stature of {float(stature):.3g} m, found one of {height:.3g} m"
        yield file_finding(text, where, abs(height - float(stature)))


@check("structure.joint_sets", "error", "file")
def joint_sets(file: h5py.File) -> Iterator[Finding]:
    """The joint set h36m17 is missing, or a set names joints that do not exist, is no tree, or pairs joints that are not left and right."""
    joints, sets = joint_names(file), members(file, "/joint_sets")
    if sets and "h36m17" not in sets:
        yield file_finding(f"expected the set h36m17, which most readers ask for, found {', '.join(sets)[:80]}", "/joint_sets")
    for name in sets:
        where = f"/joint_sets/{name}"
        texts = column(file, f"{where}/names", "O", 1)
        chosen, parents = (column(file, f"{where}/{key}", "iu", 1) for key in ("joints", "parents"))
        if texts is None or chosen is None or parents is None or joints is None or not texts.shape == chosen.shape == parents.shape:
            continue  # reported by another check
        names = [str(text) for text in texts]
        outside = [int(joint) for joint in chosen if not 0 <= joint < len(joints)]
        if outside:
            yield file_finding(f"expected joints from 0 to {len(joints) - 1}, found {outside[0]}", f"{where}/joints")
            continue
        meant = {text: joints[joint] for text, joint in zip(names, chosen.tolist(), strict=True)}
        wrong = _set_tree(names, parents.tolist(), meant)
        if wrong:
            yield file_finding(f"expected {wrong}", where)
        elif name == "h36m17":
            yield from _h36m17(names, parents.tolist(), meant, where)
        yield from _pairs(file, where, names, meant)


def _set_tree(names: list[str], parents: list[int], meant: dict[str, str]) -> str:
    """Return what is wrong with a joint set, in which parents may come after children."""
    if len(set(names)) != len(names) or len(set(meant.values())) != len(names):
        return "every name and every joint once, found one twice"
    if parents.count(-1) != 1:
        return f"one root, found {parents.count(-1)}"
    if not all(-1 <= parent < len(names) for parent in parents):
        return f"parents from -1 to {len(names) - 1}, found others"
    for index in range(len(names)):
        seen = {index}
        while (index := parents[index]) != -1:
            if index in seen:
                return f"a tree, found {names[index]} to be its own ancestor"
            seen.add(index)
    return ""


def _h36m17(names: list[str], parents: list[int], meant: dict[str, str], where: str) -> Iterator[Finding]:
    """Compare a set of that name with what everybody means by it."""
    if names != list(H36M17):
        yield file_finding(f"expected the names {', '.join(H36M17)} in this order, found {', '.join(names)[:200]}", f"{where}/names")
        return
    for (name, joint), parent in zip(H36M17.items(), parents, strict=True):
        if meant[name] != joint:
            yield file_finding(f"expected {name} to be {joint}, found {meant[name]}", f"{where}/joints", joint=joint)
        stated = names[parent] if parent >= 0 else None
        if stated != H36M17_PARENTS[name]:
            yield file_finding(f"expected the parent {H36M17_PARENTS[name]} of {name}, found {stated}", f"{where}/parents", joint=joint)


def _pairs(file: h5py.File, where: str, names: list[str], meant: dict[str, str]) -> Iterator[Finding]:
    pairs = column(file, f"{where}/symmetric_pairs", "iu", 2)
    if pairs is None or pairs.shape[1:] != (2,):
        return
    for left, right in pairs.tolist():
        if not (0 <= left < len(names) and 0 <= right < len(names)):
            yield file_finding(f"expected names from 0 to {len(names) - 1}, found the pair {left}, {right}", f"{where}/symmetric_pairs")
            continue
        one, two = meant[names[left]], meant[names[right]]
        if one == two or mirrored(one) != two or not one.startswith("Left"):
            yield file_finding(f"expected left and right of one joint, found {one} and {two}", f"{where}/symmetric_pairs", joint=one)


@check("structure.camera_rotation", "error", "file")
def camera_rotation(file: h5py.File, *, tolerance: float = 1e-5) -> Iterator[Finding]:
    """A camera's R is no rotation, or not of the handedness of the file's camera frame, or t is no place."""
    rotations, places, frame = column(file, "/cameras/R", "f", 3), column(file, "/cameras/t", "f", 2), camera_frame(file)
    if rotations is not None and rotations.shape[1:] == (3, 3):
        with np.errstate(all="ignore"):
            error = np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
            handed = np.linalg.det(np.where(np.isfinite(rotations), rotations, 0.0))
        for row in np.flatnonzero(~(error <= tolerance)):
            yield file_finding(f"expected R R^T to be the identity, found it {error[row]:.3g} off in row {row}", "/cameras/R", error[row])
        if frame is not None:
            wanted = -1.0 if frame == "unity" else 1.0
            for row in np.flatnonzero((error <= tolerance) & (handed * wanted < 0.0)):
                yield file_finding(f"expected det R = {wanted:+g} in {frame} files, found {handed[row]:+.3g} in row {row}", "/cameras/R")
    if places is not None:
        for row in np.flatnonzero(~np.isfinite(places).all(axis=1)):
            yield file_finding(f"expected finite numbers, found {places[row].tolist()} in row {row}", "/cameras/t")


@check("structure.camera_intrinsics", "error", "file")
def camera_intrinsics(file: h5py.File) -> Iterator[Finding]:
    """A camera's K is no pinhole camera of the file's camera frame, or does not look at its image."""
    matrices, frame = column(file, "/cameras/K", "f", 3), camera_frame(file)
    if matrices is None or matrices.shape[1:] != (3, 3) or dataset(file, "/cameras/K") is None:
        return
    sign = {"unity": -1.0, "opencv": 1.0, None: 0.0}[frame]
    sizes = [column(file, f"/cameras/{name}", "iu", 1) for name in ("width", "height")]
    for row, K in enumerate(matrices):
        wrong = _pinhole(K, sign)
        if wrong:
            yield file_finding(f"expected {wrong} in row {row}", "/cameras/K")
        for size, name, centre in zip(sizes, ("width", "height"), K[:2, 2], strict=True):
            if size is None or row >= len(size):
                continue  # reported by another check
            if size[row] < 1:
                yield file_finding(f"expected 1 or more pixels, found {size[row]} in row {row}", f"/cameras/{name}")
            elif not wrong and not 0.0 <= centre <= size[row]:
                yield file_finding(
                    f"expected the principal point inside the image, found {centre:g} of {size[row]} pixels in row {row}", "/cameras/K"
                )


def _pinhole(K: np.ndarray, sign: float) -> str:
    """Return what is wrong with intrinsics, nothing if they are those of a pinhole camera whose K[1, 1] has this sign (0: any)."""
    if not np.isfinite(K).all():
        return "finite numbers, found some that are not"
    if K[0, 1] != 0.0 or K[1, 0] != 0.0 or K[2].tolist() != [0.0, 0.0, 1.0]:
        return f"the form [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], found {np.round(K, 4).tolist()}"
    if K[0, 0] <= 0.0:
        return f"a positive focal length K[0, 0], found {K[0, 0]:g}"
    if K[1, 1] == 0.0 or K[1, 1] * sign < 0.0:
        return f"K[1, 1] to be {'negative (y points up)' if sign < 0.0 else 'positive (y points down)'}, found {K[1, 1]:g}"
    return ""


_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class _Sequences:
    """Makes findings in rows of ``/sequences``, with the clip of the row if it has one."""

    def __init__(self, file: h5py.File) -> None:
        ids, clips = column(file, "/clips/id", "O", 1), column(file, "/sequences/clip", "iu", 1)
        self._ids: list[str] = [] if ids is None else [str(id) for id in ids]
        self._clips: list[int] = [] if clips is None else clips.tolist()

    def finding(self, row: int, message: str, where: str, value: float | None = None) -> Finding:
        clip = self._clips[row] if row < len(self._clips) else -1
        return file_finding(message, where, value, sequence=row, clip=self._ids[clip] if 0 <= clip < len(self._ids) else "")


def _where(condition: NDArray[np.bool_]) -> list[int]:
    rows: list[int] = np.flatnonzero(condition).tolist()
    return rows


def _extents(file: h5py.File) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return first row and length of each sequence, None if the file does not tell."""
    start, length = (column(file, f"/sequences/{name}", "iu", 1) for name in ("start", "length"))
    if start is None or length is None or len(start) != len(length):
        return None
    return start.astype(np.int64), length.astype(np.int64)


@check("structure.rows", "error", "file")
def rows(file: h5py.File) -> Iterator[Finding]:
    """Sequences point at frames, clips, cameras or avatars that do not exist."""
    extents, frames, named = _extents(file), frame_count(file), _Sequences(file)
    if extents is not None:
        start, length = extents
        for row in _where((start < 0) | (length < 1) | (start > frames) | (length > frames - start)):
            text = f"expected 1 or more frames within the {frames:,} that there are, found {length[row]:,} from {start[row]:,} on"
            yield named.finding(row, text, "/sequences/start")
    for name, table in (("clip", "/clips/id"), ("camera", "/cameras/width")):
        pointers, there = column(file, f"/sequences/{name}", "iu", 1), column(file, table, "Oiu", 1)
        if pointers is None or there is None:
            continue  # reported by another check
        for row in _where((pointers < 0) | (pointers >= len(there))):
            text = f"expected a row of {table.rpartition('/')[0]} from 0 to {len(there) - 1:,}, found {pointers[row]:,}"
            yield named.finding(row, text, f"/sequences/{name}")
    avatars, known = column(file, "/sequences/avatar", "O", 1), set(members(file, "/skeletons"))
    for row, avatar in enumerate(() if avatars is None else avatars):
        if str(avatar) not in known:
            yield named.finding(row, f"expected one of {', '.join(sorted(known))}, found {str(avatar)[:60]!r}", "/sequences/avatar")


@check("structure.orphan_frames", "warning", "file", "frames")
def orphan_frames(file: h5py.File) -> Iterator[Finding]:
    """Frames belong to no sequence."""
    extents, frames = _extents(file), frame_count(file)
    if extents is None:
        return
    start, length = extents
    sound = (start >= 0) & (length > 0) & (start < frames)
    order = np.argsort(start[sound], kind="stable")
    begin, end = start[sound][order], np.minimum((start + length)[sound][order], frames)
    reached = np.maximum.accumulate(np.concatenate([[0], end]))
    begins = np.concatenate([begin, [frames]])
    for gap in _where(begins > reached):
        count = int(begins[gap] - reached[gap])
        text = f"expected every frame in a sequence, found {count:,} in none: rows {reached[gap]:,} to {begins[gap] - 1:,}"
        yield file_finding(text, "/frames", count)


@check("structure.overlaps", "warning", "file", "frames")
def overlaps(file: h5py.File) -> Iterator[Finding]:
    """Frames belong to several sequences."""
    extents = _extents(file)
    if extents is None or not len(extents[0]):
        return
    start, length = extents
    order = np.argsort(start, kind="stable")
    reached, named = np.maximum.accumulate((start + length)[order]), _Sequences(file)
    shared = np.minimum(reached[:-1], (start + length)[order][1:]) - start[order][1:]
    for place in _where(shared > 0):
        row, count = int(order[place + 1]), int(shared[place])
        text = f"expected every frame in one sequence, found {count:,} of this one in another, too: rows from {start[row]:,} on"
        yield named.finding(row, text, "/sequences/start", count)


@check("structure.repeated_sequences", "error", "file")
def repeated_sequences(file: h5py.File) -> Iterator[Finding]:
    """The same clip, avatar and camera are listed twice."""
    ids, rigs = column(file, "/clips/id", "O", 1), column(file, "/cameras/rig", "O", 1)
    table = [column(file, f"/sequences/{name}", kinds, 1) for name, kinds in (("clip", "iu"), ("avatar", "O"), ("camera", "iu"))]
    if ids is None or rigs is None or any(values is None for values in table) or len({len(values) for values in table if values is not None}) != 1:
        return
    first: dict[tuple[str, str, str], int] = {}
    named = _Sequences(file)
    for row, (clip, avatar, camera) in enumerate(zip(*table, strict=True)):
        if not (0 <= clip < len(ids) and 0 <= camera < len(rigs)):
            continue
        name = (str(ids[clip]), str(avatar), str(rigs[camera]))
        if name in first:
            yield named.finding(row, f"expected {' / '.join(name)[:160]} once, found it in row {first[name]}, too", "/sequences")
        first.setdefault(name, row)


@check("structure.clip_table", "error", "file")
def clip_table(file: h5py.File) -> Iterator[Finding]:
    """The table of clips holds rows that cannot be true."""
    ids = column(file, "/clips/id", "O", 1)
    first: dict[str, int] = {}
    for row, id in enumerate(() if ids is None else map(str, ids)):
        if not id.strip():
            yield file_finding(f"expected a name, found {id!r} in row {row}", "/clips/id")
        elif id in first:
            yield file_finding(f"expected unique names, found this one in rows {first[id]} and {row}", "/clips/id", clip=id)
        first.setdefault(id, row)

    def clip(row: int) -> str:
        return "" if ids is None or row >= len(ids) else str(ids[row])

    for name, kinds, wanted in (("source_fps", "f", "a positive number"), ("source_frames", "iu", "1 or more"), ("source_start", "iu", "0 or more")):
        values = column(file, f"/clips/{name}", kinds, 1)
        if values is None:
            continue  # reported by another check
        for row in _where(~_plausible(name, values)):
            yield file_finding(f"expected {wanted}, found {values[row]:g} in row {row}", f"/clips/{name}", clip=clip(row))
    digests = column(file, "/clips/sha256", "O", 1)
    for row, digest in enumerate(() if digests is None else map(str, digests)):
        if digest and not _SHA256.fullmatch(digest):
            yield file_finding(f"expected 64 hexadecimal digits, found {digest[:40]!r} in row {row}", "/clips/sha256", clip=clip(row))


def _plausible(name: str, values: NDArray[Any]) -> NDArray[np.bool_]:
    least = {"source_fps": np.nextafter(0.0, 1.0), "source_frames": 1, "source_start": 0}[name]
    return np.isfinite(values) & (values >= least)
