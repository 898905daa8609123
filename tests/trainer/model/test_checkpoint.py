"""Checkpoints: whole or not there, and refused in one line if they are not what they should be."""

import json

import pytest
import torch
from safetensors.torch import save_file

from mocapgen.shared.files import write_file
from schemas.errors import DatasetError
from schemas.train import MODEL_VERSION, TrainConfig
from trainer import fit
from trainer.data.batches import Items, Loader
from trainer.model import checkpoint
from trainer.model.lift import lift


@pytest.fixture(scope="module")
def folder(data_file, tmp_path_factory):
    config = TrainConfig(model="videopose", model_settings={"width": 16, "depth": 1}, epochs=1, batch_size=16, threads=1, device="cpu")
    return fit.fit(data_file, config, tmp_path_factory.mktemp("run") / "run").folder


def test_weights_and_card_come_back(folder, data):
    first, card = checkpoint.load_lifter(folder)
    second, _ = checkpoint.load_lifter(folder / "last.safetensors")
    items = Items(*(torch.tensor(values).numpy() for values in ([0, 1], [0, 0], [20, 30])))
    batch = Loader(data).gather(items)
    assert not first.training
    assert torch.equal(lift(first, batch), lift(second, batch))
    assert json.loads((folder / "best.json").read_text()) == card.model_dump(mode="json")
    assert card.receptive_field == first.receptive_field
    assert card.parameters == sum(parameter.numel() for parameter in first.parameters())


def rewritten(folder, path, **changes):
    found = checkpoint.read(folder)
    card = {**found.card.model_dump(mode="json"), **changes}
    save_file(found.tensors, path, {"card": json.dumps(card)})
    return path


def test_wrong_checkpoints_are_one_line(folder, tmp_path):
    path = tmp_path / "x.safetensors"
    cases = []
    with pytest.raises(DatasetError, match="found nothing") as caught:
        checkpoint.read(path)
    cases.append(caught)
    with pytest.raises(DatasetError, match=r"expected a run with best\.safetensors") as caught:
        checkpoint.read(tmp_path)
    cases.append(caught)
    path.write_bytes((folder / "best.safetensors").read_bytes()[:3000])
    with pytest.raises(DatasetError, match="damaged one or something else") as caught:
        checkpoint.read(path)
    cases.append(caught)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(DatasetError, match="something else") as caught:
        checkpoint.read(path)
    cases.append(caught)
    with pytest.raises(DatasetError, match=f"version {MODEL_VERSION} or older, found {MODEL_VERSION + 1}") as caught:
        checkpoint.read(rewritten(folder, path, version=MODEL_VERSION + 1))
    cases.append(caught)
    with pytest.raises(DatasetError, match=r"x\.safetensors: card: fps: input should be a valid number, .*, found 'many'") as caught:
        checkpoint.read(rewritten(folder, path, fps="many"))
    cases.append(caught)
    save_file({"a": torch.zeros(2)}, path, {"card": '{"format": "x", "format": "y"}'})
    with pytest.raises(DatasetError, match=r"something else \(card:1: expected JSON, found: the key 'format' twice") as caught:
        checkpoint.read(path)
    cases.append(caught)
    with pytest.raises(DatasetError, match="weights of this network, found another shape of") as caught:
        checkpoint.load_lifter(rewritten(folder, path, model_settings={"width": 24, "depth": 1}))
    cases.append(caught)
    with pytest.raises(DatasetError, match="weights of this network, found no ") as caught:
        checkpoint.load_lifter(rewritten(folder, path, model="cvmnet", model_settings={}))
    cases.append(caught)
    assert all("\n" not in str(case.value) for case in cases)


def test_writing_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_file(path, b"old")

    def broken(handle):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(DatasetError, match="disk full; nothing was changed"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
