"""Files of pickled objects, made part by part."""

import tracemalloc

import numpy as np
import pytest

from mocapgen.export.npz_pickle import Later, save_objects


def test_parts_are_what_they_stand_for(tmp_path):
    array = np.arange(6.0).reshape(2, 3)[:, ::2]
    found = {"a": Later(lambda: array), "b": [Later(lambda: [array, "text"]), Later(lambda: {"deep": array})], "c": 1.5}
    save_objects(tmp_path / "x.npz", {"first": found, "second": {"empty": Later(dict)}})
    with np.load(tmp_path / "x.npz", allow_pickle=True) as file:
        first, second = file["first"].item(), file["second"].item()
        assert file["first"].shape == ()
    assert list(first) == ["a", "b", "c"]
    for same in (first["a"], first["b"][0][0], first["b"][1]["deep"]):
        assert type(same) is np.ndarray
        np.testing.assert_array_equal(same, array)
    assert (first["b"][0][1], first["c"], second) == ("text", 1.5, {"empty": {}})


def test_one_part_is_in_memory_at_a_time(tmp_path):
    parts = {str(number): [Later(lambda: np.ones(250_000, dtype=np.float32))] for number in range(40)}
    tracemalloc.start()
    try:
        save_objects(tmp_path / "x.npz", {"parts": parts})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "x.npz").stat().st_size > 40e6
    assert most < 8e6


def test_an_error_of_a_part_ends_the_writing(tmp_path):
    def fails():
        raise ValueError("a damaged part")

    with pytest.raises(ValueError, match="a damaged part"):
        save_objects(tmp_path / "x.npz", {"parts": [Later(fails)]})
