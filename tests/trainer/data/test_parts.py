"""Parts of a file hold what the whole holds."""

import h5py
import numpy as np
import pytest

from schemas.errors import DatasetError
from trainer.data.dataset import load
from trainer.data.parts import parts


@pytest.mark.parametrize("joint_set", ["h36m17", "detector"])
@pytest.mark.parametrize("frames", [1, 500, 10**9])
def test_parts_are_the_whole(data_file, joint_set, frames):
    whole, tables = load(data_file, joint_set), load(data_file, joint_set, frames=False)
    assert len(tables.positions_3d) == 0
    sequences = np.flatnonzero(np.arange(len(whole)) % 5 != 2)
    found = list(parts(tables, sequences, frames))
    assert (len(found) == len(sequences)) if frames == 1 else (len(found) == 1) == (frames > whole.length.sum())
    for name in ("positions_3d", "positions_2d"):
        joined = np.concatenate([getattr(part, name) for part in found])
        np.testing.assert_array_equal(joined, getattr(whole, name)[whole.rows(sequences)])
    assert [name for part in found for name in part.names] == [whole.names[sequence] for sequence in sequences]
    assert all(len(part.rows(np.arange(len(part)))) == len(part.positions_3d) for part in found)
    np.testing.assert_array_equal(np.concatenate([part.up for part in found]), whole.up[sequences])


def test_numbers_that_are_none_are_found_in_their_part(changed):
    def spoil(file: h5py.File):
        file["/frames/positions_2d"][file["/sequences/start"][3] + 1, 0] = np.nan

    data = load(changed(spoil), frames=False)
    with pytest.raises(DatasetError, match=f"expected finite numbers, found NaN or more than .* in {data.names[3]}, frame 1"):
        list(parts(data, np.arange(len(data)), 100))
