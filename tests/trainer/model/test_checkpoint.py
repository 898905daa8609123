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
    with pytest.raises(DatasetError, match=r"x\.safetensors: card: fps: input should be a valid number, found 'many'") as caught:
        checkpoint.read(rewritten(folder, path, fps="many"))
    cases.append(caught)
    save_file({"a": torch.zeros(2)}, path, {"card": '{"format": "x", "format": "y"}'})
    with pytest.raises(DatasetError, match=r"something else \(card: expected JSON, found: the key 'format' twice") as caught:
        checkpoint.read(path)
    cases.append(caught)
    with pytest.raises(DatasetError, match="weights of this network, found another shape of") as caught:
        checkpoint.load_lifter(rewritten(folder, path, model_settings={"width": 8, "depth": 1}))
    cases.append(caught)
    with pytest.raises(DatasetError, match="weights of this network, found no ") as caught:
        checkpoint.load_lifter(rewritten(folder, path, model="cvmnet", model_settings={"width": 8, "depth": 1}))
    cases.append(caught)
    assert all("\n" not in str(case.value) for case in cases)


CARDS = {
    "a width of a million": ({"model_settings": {"width": 10**6, "depth": 1}}, "model_settings.width: input should be less than or equal to 65536"),
    "a network larger than the file": ({"model_settings": {"width": 4096, "depth": 1}}, "expected a network of at most"),
    "a network that is not there": ({"model": "../x"}, "model: expected one of cvmnet, stmixer, symmixer, videopose, found '../x'"),
    "another setting": ({"model_settings": {"widht": 3}}, "unknown setting 'model_settings.widht'"),
    "no root": ({"parents": [1, *range(16)]}, "card: parents: expected a tree with one root"),
    "a parent that is not there": ({"parents": [-1, *range(1, 16), 17]}, "card: parents: expected a tree"),
    "two roots": ({"parents": [-1, -1, *range(1, 16)]}, "card: parents: expected a tree"),
    "a joint too many": ({"joints": ["a"] * 18}, "card: joints: expected a name, a parent and a group for each"),
    "a pair too far": ({"symmetric_pairs": [[0, 17]]}, "card: symmetric_pairs: expected numbers of joints from 0 to 16, each once"),
    "joints of no detector": ({"joint_set": "detector"}, "card: joints: expected those of joint set detector, found others"),
    "no rate": ({"fps": 0}, "card: fps: input should be greater than 0, found 0"),
    "a truth value": ({"epoch": True}, "card: epoch: input should be a valid integer, found True"),
}


@pytest.mark.parametrize("case", CARDS)
def test_a_card_that_lies_is_one_line(folder, tmp_path, case):
    changes, words = CARDS[case]
    path = rewritten(folder, tmp_path / "x.safetensors", **changes)
    with pytest.raises(DatasetError) as caught:
        checkpoint.load_lifter(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensor: tensor / 0.0, "expected finite weights, found NaN, infinity or millions in network.last.bias"),
        (lambda tensor: tensor + 1e7, "expected finite weights, found NaN, infinity or millions in network.last.bias"),
        (lambda tensor: tensor.to(torch.int32), "found another type of network.last.bias"),
        (lambda tensor: tensor[None], "found another shape of network.last.bias"),
    ],
)
def test_weights_that_cannot_be_are_one_line(folder, tmp_path, change, words):
    found = checkpoint.read(folder)
    tensors = {name: change(tensor) if name == "model.network.last.bias" else tensor for name, tensor in found.tensors.items()}
    save_file(tensors, tmp_path / "x.safetensors", {"card": found.card.model_dump_json()})
    with pytest.raises(DatasetError, match=words):
        checkpoint.load_lifter(tmp_path / "x.safetensors")


def test_weights_that_give_no_pose_are_one_line(folder, tmp_path):
    found = checkpoint.read(folder)
    tensors = {name: 1e5 * torch.ones_like(tensor) for name, tensor in found.tensors.items()}
    save_file(tensors, tmp_path / "x.safetensors", {"card": found.card.model_dump_json()})
    with pytest.raises(DatasetError, match=r"x\.safetensors: expected weights that give poses, found NaN, infinity or kilometres"):
        checkpoint.load_lifter(tmp_path / "x.safetensors")


def test_a_header_that_lies_about_its_length_is_refused_at_once(tmp_path):
    path = tmp_path / "x.safetensors"
    for size in (2**24, 2**62, 2**64 - 1):
        path.write_bytes(size.to_bytes(8, "little") + b"{}")
        with pytest.raises(DatasetError, match=f"found a damaged one or something else .a header of {size:,} bytes"):
            checkpoint.read(path)
    for data in (b"", b"\x01", b"\x02" + b"\0" * 7 + b"{}", (100).to_bytes(8, "little") + b"[" * 100):
        path.write_bytes(data)
        with pytest.raises(DatasetError, match="something else"):
            checkpoint.read(path)


STATES = {
    "no row": ({"epoch": 2}, "state: history: expected a row for each of 2 completed epochs, found 1"),
    "a text": ({"step": "3"}, "state: step: input should be a valid integer, found '3'"),
    "a negative batch": ({"batch": -1}, "state: batch: input should be greater than or equal to 0, found -1"),
    "no sums": ({"batch": 1}, "state: sums: expected loss, mpjpe, frames and norm"),
    "something else": ({"x": 1}, "state: unknown setting 'x'"),
}


@pytest.mark.parametrize("case", STATES)
def test_progress_that_cannot_be_is_one_line(folder, tmp_path, case):
    changes, words = STATES[case]
    found = checkpoint.read(folder / "last.safetensors")
    state = {**found.progress.model_dump(mode="json"), **changes}
    save_file(found.tensors, tmp_path / "x.safetensors", {"card": found.card.model_dump_json(), "state": json.dumps(state)})
    with pytest.raises(DatasetError) as caught:
        checkpoint.read(tmp_path / "x.safetensors")
    assert str(caught.value).startswith(f"{tmp_path}/x.safetensors: {words}")


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
