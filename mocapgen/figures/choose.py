"""Select the sequences, frames and joints of a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from mocapgen.shared.text import matches, no_match
from mocapgen.store.predictions import Predictions
from mocapgen.store.reader import Dataset
from schemas.errors import ConfigError
from schemas.render import RenderConfig

ALL = "all"
MOST_CELLS = 400
"""Clips on one contact sheet: more are too small to see."""

_RANGE = re.compile(r"(\d*):(\d*)(?::(\d+))?")


def sequences_of(data: Dataset | Predictions, config: RenderConfig) -> list[int]:
    """Return the rows of ``/sequences`` to draw: one, or one for each avatar, or those of a sheet.

    Raises
    ------
    ConfigError
        If there is no such clip, avatar or camera, or nothing is left; with those that are near and those that there are.
    """
    if not len(data):
        raise ConfigError(f"{data.path}: expected at least one sequence to draw, found none")
    labels = _labels(data)
    if config.sheet:
        return _sheet(data, config, labels)
    clip, avatar = labels[0], labels[3]
    wanted = str(clip[0]) if config.clip is None else config.clip
    if wanted not in clip:
        raise no_match("clip", "the id of a clip", wanted, _unique(clip))
    rows = np.flatnonzero(clip == wanted)
    names = _unique(avatar[rows])
    if config.avatars:
        chosen = _chosen("avatars", "a pattern that matches an avatar of this clip", config.avatars, names)
    elif config.avatar is not None and config.avatar not in names:
        raise no_match("avatar", f"an avatar of clip {wanted}", config.avatar, names)
    else:
        chosen = [config.avatar or names[0]]
    return [_before_camera(data, [int(row) for row in rows if avatar[row] == name], config.camera, f"clip {wanted}") for name in chosen]


def _labels(data: Dataset | Predictions) -> tuple[np.ndarray, ...]:
    """Return clip id, action, actor and avatar of every sequence, (S,) str each."""
    table = data.sequences
    if isinstance(data, Predictions):
        return tuple(np.asarray(table[name], dtype=np.str_) for name in ("clip", "action", "actor", "avatar"))
    clips = (np.asarray(data.clips[name], dtype=np.str_)[table["clip"]] for name in ("id", "action", "actor"))
    return (*clips, np.asarray(table["avatar"], dtype=np.str_))


def _sheet(data: Dataset | Predictions, config: RenderConfig, labels: tuple[np.ndarray, ...]) -> list[int]:
    """Return the sequences of a contact sheet: one avatar for each clip, the first that passes, unless several are asked for."""
    clip, avatar = labels[0], labels[3]
    keep = np.ones(len(data), dtype=np.bool_)
    wanted = {
        "clip": config.clips,
        "action": config.actions,
        "actor": config.actors,
        "avatar": config.avatars or ((config.avatar,) if config.avatar else ()),
    }
    for (what, patterns), column in zip(wanted.items(), labels, strict=True):
        if patterns:
            keep &= np.isin(column, _chosen(f"{what}s", f"a name or pattern that matches {what}s", patterns, _unique(column)))
    cells: dict[tuple[str, str], list[int]] = {}
    performer: dict[str, str] = {}
    for row in np.flatnonzero(keep).tolist():
        name, person = str(clip[row]), str(avatar[row])
        if config.avatars or performer.setdefault(name, person) == person:
            cells.setdefault((name, person), []).append(row)
    if not cells:
        raise ConfigError(f"{data.path}: expected clips that match everything asked for, found none; loosen one of the options")
    if len(cells) > MOST_CELLS:
        raise ConfigError(
            f"sheet: expected at most {MOST_CELLS} thumbnails, found {len(cells)}; choose with actions=..., actors=..., clips=... or avatars=..."
        )
    return [_before_camera(data, rows, config.camera, f"clip {name}") for (name, _), rows in cells.items()]


def _chosen(option: str, wanted: str, patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the names that any pattern matches, in their order."""
    for pattern in patterns:
        if pattern != ALL and not any(matches(name, pattern) for name in names):
            raise no_match(option, wanted, pattern, names)
    return [name for name in names if any(pattern == ALL or matches(name, pattern) for pattern in patterns)]


def _before_camera(data: Dataset | Predictions, rows: Sequence[int], camera: int, what: str) -> int:
    """Return the sequence before the n-th camera, of those that differ in nothing else."""
    if camera >= len(rows):
        there = "only camera 0" if len(rows) == 1 else f"cameras 0 to {len(rows) - 1}"
        raise ConfigError(f"camera: expected a camera of {what}, which has {there}, found {camera}")
    return sorted(rows, key=lambda row: int(data.sequences["camera"][row]))[camera]


def _unique(names: np.ndarray) -> list[str]:
    return list(dict.fromkeys(names.tolist()))


# Frames -------------------------------------------------------------------------------------------


def frames_of(text: str, length: int) -> list[int]:
    """Return the frames that ``0,10,20`` or ``START:STOP:STEP`` (or several of them, with commas) mean.

    Parameters
    ----------
    text : str
        STOP is not included, as in Python; left out, START and STOP are the clip's ends.
    length : int
        Frames of the clip.

    Raises
    ------
    ConfigError
        If it means anything else, no frame, or frames beyond the clip.
    """
    found: list[int] = []
    for part in text.split(","):
        whole = _RANGE.fullmatch(part.strip())
        if part.strip().isdecimal() and part.strip().isascii():
            found.append(_within(int(part), length - 1, length))
        elif whole is not None and part.isascii() and int(whole[3] or 1) > 0:
            start, stop = int(whole[1] or 0), int(whole[2] or length)
            found += range(start, _within(stop, length, length), int(whole[3] or 1))
        else:
            raise ConfigError(f"frames: expected frames such as 0,10,20 or a range START:STOP:STEP, found {text!r}")
    if not found:
        raise ConfigError(f"frames: expected at least one frame, found {text!r}, which is none")
    return found


def _within(frame: int, last: int, length: int) -> int:
    if frame > last:
        raise ConfigError(f"frames: expected frames of the clip, which has {length} (0 to {length - 1}), found {frame}")
    return frame


def range_of(text: str | None, length: int) -> range:
    """Return the part of a clip that an animation shows, of ``START:STOP``; all of it for None.

    Raises
    ------
    ConfigError
        If it is no such range.
    """
    if text is None:
        return range(length)
    frames = frames_of(text, length)
    if ":" not in text or frames != list(range(frames[0], frames[-1] + 1)):
        raise ConfigError(f"frames: expected a range START:STOP in an animation, found {text!r}")
    return range(frames[0], frames[-1] + 1)


def joints_of(patterns: Sequence[str], names: Sequence[str]) -> frozenset[str]:
    """Return the joints that any pattern matches.

    Raises
    ------
    ConfigError
        If a pattern matches none.
    """
    return frozenset(_chosen("trail", "the name of a joint", patterns, names))
