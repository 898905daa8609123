"""Splits: shares, determinism, honesty."""

import re
from dataclasses import replace

import h5py
import numpy as np
import pytest

from schemas.errors import ConfigError, DatasetError
from schemas.train import SplitRecord
from trainer.data.dataset import load
from trainer.data.splits import Split, make_split, read_split_record, require_no_leak, split_from_record


def sides(split):
    return split.train, split.validation, split.test


@pytest.mark.parametrize("spec", ["clip", "random", "actor=sa", "action=hop*", "action=hop*,WALK"])
def test_sides_are_a_partition_and_the_same_every_time(data, spec):
    split = make_split(data, spec, seed=3)
    joined = np.concatenate(sides(split))
    assert sorted(joined) == list(range(len(data)))
    assert all(len(side) for side in sides(split))
    again = make_split(data, spec, seed=3)
    assert [side.tolist() for side in sides(again)] == [side.tolist() for side in sides(split)]


def test_clip_keeps_avatars_together_and_random_says_that_it_does_not(data):
    honest = make_split(data, "clip")
    assert not set(data.recording[honest.test]) & set(data.recording[np.concatenate([honest.train, honest.validation])])
    assert len(honest.test) == pytest.approx(0.2 * len(data), abs=2)
    assert honest.note == ""
    published = make_split(data, "random")
    assert set(data.recording[published.test]) & set(data.recording[published.train])
    assert "both sides" in published.note
    assert "\n" not in published.note


def test_seed_changes_the_split(data):
    assert make_split(data, "clip", seed=0).test.tolist() != make_split(data, "clip", seed=1).test.tolist()


def test_order_of_the_file_makes_no_difference(data):
    order = np.random.default_rng(0).permutation(len(data))
    columns = ("start", "length", "clip", "recording", "actor", "action", "avatar", "camera")
    shuffled = replace(data, **{name: getattr(data, name)[order] for name in columns})
    for spec in ("clip", "random"):
        first, second = make_split(data, spec), make_split(shuffled, spec)
        assert {data.names[i] for i in first.test} == {shuffled.names[i] for i in second.test}
        assert {data.names[i] for i in first.validation} == {shuffled.names[i] for i in second.validation}


def test_actor_and_action_are_the_test_side(data):
    assert set(data.actor[make_split(data, "actor=sb").test]) == {"sb"}
    assert "sb" not in set(data.actor[make_split(data, "actor=sb").train])
    assert set(data.action[make_split(data, "action=Hop*").test]) == {"hop"}


def test_a_recording_under_two_names_stays_together(changed):
    """A file of a folder that is a copy of a database's, merged with it."""

    def twins(file: h5py.File):
        names = file["clips/sha256"].asstr()[()]
        half = len(names) // 2
        file["clips/sha256"][half : 2 * half] = names[:half]
        file["clips/source"][half : 2 * half] = ["folder"] * half

    data = load(changed(twins))
    assert len(set(data.recording)) <= len(set(data.clip)) - len(set(data.clip)) // 2
    for seed in range(5):
        split = make_split(data, "clip", seed)
        assert not set(data.content[split.test]) & set(data.content[np.concatenate([split.train, split.validation])])


def test_windows_of_one_recording_stay_together(data):
    ids = np.array([f"{name}#{index}" for index, name in enumerate(data.clip)], dtype=object)
    split = make_split(replace(data, clip=ids), "clip")
    assert not set(data.recording[split.test]) & set(data.recording[split.train])


def test_file_of_clip_ids(data, tmp_path):
    wanted = sorted(set(data.clip))[:3]
    path = tmp_path / "test.txt"
    path.write_text("# held out\n" + "\n".join(wanted) + "\n\n")
    assert set(data.clip[make_split(data, str(path)).test]) == set(wanted)
    path.write_text("nobody\n")
    with pytest.raises(ConfigError, match="nobody"):
        make_split(data, str(path))


def test_leak_is_refused(data, tmp_path):
    leaky = Split("own", np.array([0, 2]), np.array([], dtype=np.int64), np.array([1]))
    assert data.recording[0] == data.recording[1]
    with pytest.raises(ConfigError, match=r"train and test: .*; put all clips of a recording on one side"):
        require_no_leak(data, leaky)
    windows = replace(data, clip=np.array([f"w{index}" for index in range(len(data))], dtype=object))
    path = tmp_path / "test.txt"
    path.write_text("w0\n")  # one avatar of a recording whose others stay on the training side
    with pytest.raises(ConfigError, match="every recording on one side"):
        make_split(windows, str(path))


@pytest.mark.parametrize(
    ("spec", "words"), [("actor=nobody", "sa, sb"), ("action=", "found none"), ("clips", "expected clip, random"), ("action=*", "train side")]
)
def test_impossible_split_is_one_line(data, spec, words):
    with pytest.raises(ConfigError, match=words) as caught:
        make_split(data, spec)
    assert "\n" not in str(caught.value)


def test_record_gives_the_split_back(data):
    split = make_split(data, "clip", seed=5)
    record = SplitRecord(**split.record(data))
    assert [side.tolist() for side in sides(split_from_record(data, record))] == [side.tolist() for side in sides(split)]
    with pytest.raises(DatasetError, match="found no 'another'"):
        split_from_record(data, record.model_copy(update={"test": ("another",)}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ":1: expected JSON, found: nothing"),
        ("[]", ": expected the split of a run as a JSON object"),
        ("{}", ": spec: field required (and 4 more)"),
        ('{"spec": "clip", "note": "", "train": ["a"], "validation": [], "test": [1]}', ": test[0]: input should be a valid string, found 1"),
        ('{"spec": "clip", "note": "", "train": ["a"], "validation": [], "test": "b"}', ": test: input should be a valid tuple, found 'b'"),
        ('{"spec": "clip", "note": "", "train": ["a"], "validation": [], "test": ["a"]}', ": expected every sequence on one side, once"),
        ('{"spec": "clip", "train": [], "train": []}', ": expected JSON, found: the key 'train' twice"),
    ],
)
def test_a_damaged_record_is_one_line(tmp_path, text, words):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_split_record(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/split.json{words}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["x" * 5000, "a\0b", "action=" + "y" * 1000, "\x1b[31m"])
def test_an_odd_split_is_one_short_line(data, spec):
    with pytest.raises(ConfigError) as caught:
        make_split(data, spec)
    assert re.fullmatch("[ -~…]{1,300}", str(caught.value))


def test_no_validation_if_none_is_wanted(data):
    assert len(make_split(data, "clip", validation_share=0.0).validation) == 0


def test_all_leaves_no_test_side(data):
    split = make_split(data, "all")
    assert len(split.test) == 0
    assert sorted([*split.train, *split.validation]) == list(range(len(data)))
    assert len(make_split(data, "all", validation_share=0.0).train) == len(data)
