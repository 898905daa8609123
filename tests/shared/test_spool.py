"""What does not fit into the memory waits in a file, and nothing of it is left."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mocapgen.shared import spool
from mocapgen.shared.spool import Spool, SpoolPlace


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_items_come_back_in_their_order_and_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 250)
    with SpoolPlace.beside(tmp_path / "data.h5") as place:
        filled = Spool[bytes](place)
        for number in range(count):
            filled.add(bytes([number]) * 100, 100)
        assert len(list(tmp_path.iterdir())) == (count > 2)
        sent = pickle.loads(pickle.dumps(filled))
        assert len(pickle.dumps(filled)) < 1000
        assert list(sent) == [bytes([number]) * 100 for number in range(count)]
        assert list(tmp_path.iterdir()) == []


def test_what_is_not_read_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 0)
    with SpoolPlace.beside(tmp_path / "data.h5") as place:
        for _ in range(3):
            Spool[bytes](place).add(b"x", 1)
        thrown = Spool[bytes](place)
        thrown.add(b"y", 1)
        thrown.discard()
        assert len(list(tmp_path.iterdir())) == 3
    assert list(tmp_path.iterdir()) == []
