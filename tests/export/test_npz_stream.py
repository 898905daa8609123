"""Files of arrays that come block by block are those of numpy.savez, byte for byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mocapgen.export.npz_stream import NpzStream


def test_the_bytes_are_those_of_savez(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    points, seen = random.normal(size=(100, 17, 3)).astype(np.float32), random.random((100, 17)) > 0.5
    names = np.array(["a", "bcd"])
    np.savez(tmp_path / "whole.npz", points=points, seen=seen, names=names, fps=np.array(30.0))
    with NpzStream(tmp_path) as stream:
        for start in range(0, 100, 37):
            stream.append({"points": points[start : start + 37], "seen": seen[start : start + 37]})
        stream.save(tmp_path / "blocks.npz", {"names": names, "fps": np.array(30.0)})
    assert (tmp_path / "blocks.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocks.npz", "whole.npz"]


@pytest.mark.parametrize("block", [np.zeros((2, 4)), np.zeros((2, 3), dtype=np.float32)])
def test_blocks_of_another_kind_are_refused(tmp_path: Path, block: np.ndarray) -> None:
    with NpzStream(tmp_path) as stream:
        stream.append({"a": np.zeros((2, 3))})
        with pytest.raises(ValueError, match=r"a: expected rows of float64 and shape \(3,\)"):
            stream.append({"a": block})
