"""Models learn from files that were selected and merged as from any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mocapgen.store.merge import merge_datasets
from mocapgen.store.select import select_sequences
from schemas.subset import SelectConfig
from schemas.train import TrainConfig
from trainer.data.dataset import load
from trainer.fit import fit
from trainer.model import checkpoint


def test_a_run_on_a_merged_file(data_file: Path, tiny: TrainConfig, tmp_path: Path) -> None:
    parts = [tmp_path / "walk.h5", tmp_path / "rest.h5"]
    for path, invert in zip(parts, (False, True), strict=True):
        select_sequences(data_file, SelectConfig(actions=("walk",), invert=invert), path)
    merge_datasets(parts, tmp_path / "merged.h5")
    before, after = load(data_file), load(tmp_path / "merged.h5")
    order = [after.names.index(name) for name in before.names]
    assert sorted(order) == list(range(len(before)))
    for sequence, place in enumerate(order):
        assert np.array_equal(before.positions_3d[before.rows([sequence])], after.positions_3d[after.rows([place])])
        assert np.array_equal(before.intrinsics[sequence], after.intrinsics[place])
        assert before.recording[sequence] == after.recording[place]
    run = fit(tmp_path / "merged.h5", tiny, tmp_path / "run")
    assert len(run.history) == 2
    card = checkpoint.read(run.folder / "best.safetensors").card
    assert [source["file"] for source in card.data["config"]["inputs"]] == ["walk.h5", "rest.h5"]
