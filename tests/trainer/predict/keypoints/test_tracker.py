"""People are followed by their motion: nobody jumps, a short absence changes nothing, and ids help but do not decide."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DatasetError
from tests.trainer.predict.keypoints.figures import IMAGE, expected, keypoints
from trainer.predict.keypoints import Keypoints, read_keypoints


def video(path: Path, frames: list[list[tuple[np.ndarray, object]]]) -> Path:
    """Write frames of people, (K, 3) and id each, as MMPose does."""
    info = []
    for row, frame in enumerate(frames):
        people = [{"keypoints": one[:, :2].tolist(), "keypoint_scores": one[:, 2].tolist(), "track_id": name} for one, name in frame]
        info.append({"frame_id": row, "instances": people})
    path.write_text(json.dumps({"meta_info": {}, "instance_info": info}))
    return path


def read(path: Path) -> Keypoints:
    return read_keypoints(path, fps=30, image=IMAGE)


def tracks(found: Keypoints, truth: np.ndarray) -> np.ndarray:
    """Return in which rows the first person is where `truth` is."""
    return np.abs(found.people[0].positions - expected(truth, "coco17")[0]).max(axis=(1, 2)) < 1e-6


BIG = keypoints("coco17", frames=60, size=320.0, at=(700.0, 500.0), speed=2.0)
SMALL = keypoints("coco17", frames=60, size=260.0, at=(1000.0, 520.0), speed=-2.0, turn=2.0)


@settings(max_examples=12, deadline=None)
@given(st.integers(5, 50), st.integers(1, 8), st.booleans(), st.integers(0, 10**6))
def test_a_person_who_is_missed_for_a_while_is_the_same_person_again(tmp_path_factory, first, gap, swapped, seed) -> None:
    random = np.random.default_rng(seed)
    frames = []
    for row in range(60):
        people = [] if first <= row < first + gap else [(BIG[row], 1 if not swapped or row < 30 else 2)]
        people.append((SMALL[row], 2 if not swapped or row < 30 else 1))
        frames.append([people[place] for place in random.permutation(len(people))])
    found = read(video(tmp_path_factory.getbasetemp() / "k.json", frames))
    assert len(found.people) == 2
    away = (np.arange(60) >= first) & (np.arange(60) < first + gap)
    np.testing.assert_array_equal(tracks(found, BIG), ~away)
    assert (found.people[0].confidence[away] == 0).all()


@pytest.mark.parametrize("ids", [True, False])
def test_two_who_pass_each_other_stay_who_they_are(tmp_path: Path, ids: bool) -> None:
    one = keypoints("coco17", frames=60, at=(600.0, 500.0), speed=10.0)
    other = keypoints("coco17", frames=60, at=(1200.0, 500.0), speed=-10.0, turn=2.5, size=280.0)
    found = read(video(tmp_path / "k.json", [[(other[row], "b" if ids else None), (one[row], "a" if ids else None)] for row in range(60)]))
    assert tracks(found, one).all()


def test_nobody_jumps_to_someone_else(tmp_path: Path) -> None:
    far = keypoints("coco17", frames=60, at=(1600.0, 500.0))
    found = read(video(tmp_path / "k.json", [[(BIG[row], 0)] if row < 30 else [(far[row], 0)] for row in range(60)]))
    steps = np.linalg.norm(np.diff(found.people[0].positions[found.people[0].confidence.any(axis=1)], axis=0), axis=2)
    assert (len(found.people), steps.max() < 100) == (2, True)


def test_a_person_alone_who_comes_back_after_a_while_is_the_same(tmp_path: Path) -> None:
    elsewhere = keypoints("coco17", frames=60, at=(1500.0, 560.0), size=250.0)
    frames = [[(BIG[row], 1)] if row < 20 else [] if row < 40 else [(elsewhere[row], 7)] for row in range(60)]
    found = read(video(tmp_path / "k.json", frames))
    assert len(found.people) == 1
    np.testing.assert_array_equal(found.people[0].confidence.any(axis=1), (np.arange(60) < 20) | (np.arange(60) >= 40))


def test_the_same_person_twice_is_one_person(tmp_path: Path) -> None:
    again = BIG.copy()
    again[..., :2] += 6.0
    again[:, :5, 2] = 0.0
    found = read(video(tmp_path / "k.json", [[(again[row], None), (BIG[row], None)] for row in range(60)]))
    assert len(found.people) == 1
    assert tracks(found, BIG).all()


def test_what_is_seen_for_a_moment_is_nobody(tmp_path: Path) -> None:
    ghost = keypoints("coco17", frames=60, at=(300.0, 300.0), size=60.0)
    found = read(video(tmp_path / "k.json", [[(BIG[row], None), *([(ghost[row], None)] if row == 12 else [])] for row in range(60)]))
    assert len(found.people) == 1


def test_people_are_chosen_by_size_or_all(tmp_path: Path) -> None:
    found = read(video(tmp_path / "k.json", [[(SMALL[row], "x"), (BIG[row], "y")] for row in range(60)]))
    assert [person.id for person in found.people] == ["y", "x"]
    assert found.chosen("largest", "k") == found.chosen("1", "k") == found.people[:1]
    assert found.chosen("2", "k") == found.people[1:]
    assert found.chosen("all", "k") == found.people
    with pytest.raises(DatasetError, match="k: expected person 3, found 2; give person=1 to 2, largest or all"):
        found.chosen("3", "k")
    assert any(note.startswith("2 people, the largest first") for note in found.notes)


def test_a_crowd_is_followed_in_time(tmp_path: Path) -> None:
    crowd = [keypoints("coco17", frames=40, at=(150.0 + 220.0 * number, 500.0), size=200.0 + 4 * number, speed=1.0) for number in range(8)]
    order = np.random.default_rng(0)
    frames = [[(crowd[one][row], None) for one in order.permutation(8)] for row in range(40)]
    found = read(video(tmp_path / "k.json", frames))
    assert len(found.people) == 8
    for person, truth in zip(found.people, crowd[::-1], strict=True):
        np.testing.assert_allclose(person.positions, expected(truth, "coco17")[0])


def test_two_who_are_in_the_same_place_for_a_moment_stay_two(tmp_path: Path) -> None:
    one = keypoints("coco17", frames=60, at=(600.0, 500.0), speed=8.0)
    other = keypoints("coco17", frames=60, at=(1072.0, 500.0), speed=-8.0)
    found = read(video(tmp_path / "k.json", [[(one[row], None), (other[row], None)] for row in range(60)]))
    assert [int((person.confidence > 0).any(axis=1).sum()) for person in found.people] == [60, 60]


def test_people_of_the_same_size_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    one, other = (keypoints("coco17", frames=30, at=(at, 500.0)) for at in (1500.0, 400.0))
    found = read(video(tmp_path / "k.json", [[(one[row], "b"), (other[row], "a")] for row in range(30)]))
    assert [person.id for person in found.people] == ["b", "a"]
