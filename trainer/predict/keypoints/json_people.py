"""People in JSON, whoever wrote it: frames with people, people with frames, in lists or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mocapgen.shared.room import Room
from trainer.predict.keypoints.json_text import parse
from trainer.predict.keypoints.vocabulary import FRAME, FRAMES, PEOPLE, POINTS, RATE, SIZE, TIME, Raw, key_of, number_of, person_of, value_of


class Found(NamedTuple):
    """A person in a frame; `key` is the frame's number or name, None if the file does not say, `time` whether it is a time."""

    key: Any
    order: int
    person: Raw


class People(NamedTuple):
    """Everybody in a file.

    Parameters
    ----------
    people : list of Found
    frames : list
        The key of each frame, those without people included, in order.
    timed : str
        The key of times, if frames have these in place of numbers.
    words : set of str
        Keys by which a tool is recognised.
    about : dict
        ``fps``, ``width``, ``height`` and ``layout``, as far as the file says.
    room : Room
        What the file can hold.
    """

    people: list[Found]
    frames: list[Any]
    timed: str
    words: set[str]
    about: dict[str, Any]
    room: Room


def people_in(content: Any, room: Room) -> People | None:
    """Return the people in JSON; None if there are none in any known form.

    Raises
    ------
    DatasetError
        If there are more of them than a file of its size can hold.
    """
    out = People([], [], "", set(), {}, room)
    content = _parsed(content, room)
    if isinstance(content, dict):
        out.about.update(stated(content))
    frames = _frames(content, out, 0)
    if frames is None:
        return None
    timed = ""
    for order, (key, time, people) in enumerate(frames):
        if key is None and time is not None:
            timed, key = time
        out.frames.append(key)
        for item in people:
            person = person_of(item)
            if person is not None:
                out.people.append(Found(key, order, person))
                if isinstance(item, dict):
                    out.words.update(str(word) for word in item)
    return out._replace(timed=timed) if out.people else None


def stated(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file states about its video: ``fps``, ``width``, ``height``, ``layout``."""
    out: dict[str, Any] = {}
    for item in (
        content,
        *(
            content[key]
            for key in ("meta_info", "metadata", "meta", "info", "video", "video_info", "video_metadata")
            if isinstance(content.get(key), dict)
        ),
    ):
        rate = value_of(item, RATE)
        if number_of(rate) is not None:
            out.setdefault("fps", rate)
        for name, words in SIZE.items():
            if number_of(value_of(item, words)) is not None:
                out.setdefault(name, value_of(item, words))
        size = value_of(item, ("image_size", "resolution", "frame_size", "size"))
        if isinstance(size, list) and len(size) == 2 and all(number_of(side) is not None for side in size):
            out.setdefault("width", size[0])
            out.setdefault("height", size[1])
    if isinstance(content.get("layout"), str):
        out["layout"] = content["layout"]
    return out


Frame = tuple[Any, Any, Sequence[Any]]


def _parsed(content: Any, room: Room) -> Any:
    """Return content in which texts that are JSON themselves, as Ultralytics' to_json returns, are read."""
    if isinstance(content, str):
        return parse(content, room) if content.lstrip()[:1] in ("[", "{") else content
    if isinstance(content, list) and content and all(isinstance(item, str) for item in content):
        return [_parsed(item, room) for item in content]
    return content


def _frames(content: Any, out: People, depth: int) -> list[Frame] | None:
    """Return frames: key, (name of the time, time) and people each; None if this is none of the known forms."""
    if depth > 3:
        return None
    if isinstance(content, dict):
        return _of_mapping(content, out, depth)
    if not isinstance(content, list) or not content:
        return None
    things = [item for item in content if item is not None and item != []]
    if things and all(isinstance(item, dict) for item in things):
        return _of_list(content, out)
    if things and all(isinstance(item, list) for item in things) and any(isinstance(item[0], dict) for item in things):
        out.words.add("lists of people")
        return [frame for number, item in enumerate(content) for frame in _of_nested(number, item or [], out)]
    return None


def _of_nested(number: int, people: list[Any], out: People) -> list[Frame]:
    """Return the frame that a list of people is; of points by name or with x and y, the one person."""
    first = people[0] if people else None
    if isinstance(first, dict) and key_of(first, ("x",)) and not key_of(first, POINTS):
        return [(number, None, [{"landmarks": people}])]
    if isinstance(first, dict) and len(people) == 1 and key_of(first, PEOPLE) and not person_of(first):
        return [(number, None, _people(first))]
    return [(_frame_of(first, number), None, people)]


def _frame_of(item: Any, default: Any) -> Any:
    found = _plain(value_of(item, FRAME)) if isinstance(item, dict) else None
    return default if found is None else found


def _of_mapping(content: Mapping[str, Any], out: People, depth: int) -> list[Frame] | None:
    out.words.update(str(key) for key in list(content)[:30])
    if isinstance(content.get("annotations"), list) and isinstance(content.get("images"), list):
        return _coco(content, out)
    if isinstance(value_of(content, PEOPLE), list) and not (value_of(content, PEOPLE) and isinstance(value_of(content, PEOPLE)[0], list)):
        found = value_of(content, PEOPLE)
        if any(isinstance(item, dict) and (key_of(item, PEOPLE) or key_of(item, FRAME)) and not _bare(item) for item in found):
            return _frames(found, out, depth + 1)
        return [(_frame_of(content, 0), None, found)]
    for name in FRAMES:
        inner = content.get(name)
        if isinstance(inner, list | dict) and len(inner):
            frames = _frames(inner, out, depth + 1)
            if frames is not None:
                out.words.add(name)
                return frames
    out.room.require("frames and people", len(content), out.room.items)
    values = [value for value in content.values() if value is not None]
    named = [(key, value) for key, value in content.items() if isinstance(value, list | dict)]
    if values and len(named) >= 0.8 * len(values) and any(any(mark.isdigit() for mark in str(key)) for key, _ in named):
        return [(key, None, _people(value)) for key, value in named]
    return [(_frame_of(content, 0), None, [content])] if person_of(content) else None


def _bare(item: Mapping[str, Any]) -> bool:
    """Return whether a mapping is a person and says of no frame."""
    return person_of(item) is not None and not key_of(item, FRAME)


def _people(value: Any) -> Sequence[Any]:
    """Return the people of a frame, of a list of people or of a mapping with them."""
    if isinstance(value, dict):
        found = value_of(value, PEOPLE)
        if isinstance(found, dict):
            return [{"id": key, **item} for key, item in found.items() if isinstance(item, dict)]
        if isinstance(found, list):
            return found
        if person_of(value):
            return [value]
        return [{"id": key, **item} for key, item in value.items() if isinstance(item, dict) and person_of(item)]
    if isinstance(value, list) and value and isinstance(value[0], dict) and key_of(value[0], ("x",)) and not key_of(value[0], POINTS):
        return [{"landmarks": value}]
    if isinstance(value, list) and value and isinstance(value[0], int | float):
        return [{"keypoints": value}]
    if (
        isinstance(value, list)
        and value
        and isinstance(value[0], list)
        and value[0]
        and isinstance(value[0][0], int | float)
        and len(value[0]) in (2, 3, 4)
    ):
        return [{"keypoints": value}]
    return value if isinstance(value, list) else []


def _of_list(content: list[Any], out: People) -> list[Frame]:
    """Return the frames of a list of frames with people, or of a list of people with frames."""
    out.room.require("frames and people", len(content), out.room.items)
    items = [item if isinstance(item, dict) else {} for item in content]
    out.words.update(str(key) for key in items[0])
    if any(key_of(item, PEOPLE) or _only_named(item) for item in items) or not any(key_of(item, POINTS) for item in items):
        return [(_frame_of(item, None), _time(item), _people(item)) for item in items]
    if not any(key_of(item, FRAME) or key_of(item, TIME) for item in items):
        people_of_one = any(key_of(item, ("bbox", "box", "class", "bbox_score")) for item in items)
        return [(0, None, items)] if people_of_one else [(number, None, _landmarks(item)) for number, item in enumerate(items)]
    return [(_frame_of(item, None), _time(item), _landmarks(item)) for item in items]


def _landmarks(item: Mapping[str, Any]) -> Sequence[Any]:
    """Return the people of an item: itself, or, of MediaPipe's tasks, one for each list of landmarks in the list."""
    points = value_of(item, POINTS)
    if isinstance(points, list) and points and isinstance(points[0], list) and points[0] and isinstance(points[0][0], dict):
        return [{"landmarks": one} for one in points]
    return [item]


def _only_named(item: Mapping[str, Any]) -> bool:
    return not key_of(item, POINTS) and person_of(item) is not None


def _time(item: Mapping[str, Any]) -> tuple[str, Any] | None:
    name = key_of(item, TIME)
    return None if name is None else (name, item[name])


def _coco(content: Mapping[str, Any], out: People) -> list[Frame]:
    """Return the frames of a data set in COCO's format: annotations by the file names of their images."""
    out.room.require("frames and people", len(content["images"]) + len(content["annotations"]), out.room.items)
    images = {_plain(item.get("id")): item for item in content["images"] if isinstance(item, dict)}
    for item in images.values():
        for name, words in SIZE.items():
            if number_of(value_of(item, words)) is not None:
                out.about.setdefault(name, value_of(item, words))
    out.words.add("images")
    named = {number: _plain(item.get("file_name", number)) for number, item in images.items()}
    frames: list[Frame] = [(name, None, []) for name in named.values()]
    items = [item for item in content["annotations"] if isinstance(item, dict)]
    return frames + [(named.get(key := _plain(item.get("image_id")), key), None, [item]) for item in items]


def _plain(value: Any) -> str | int | float | None:
    """Return the number or name of a frame; None if it is neither."""
    return value if isinstance(value, str | int | float) else None
