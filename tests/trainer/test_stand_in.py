"""The stand-in for real videos: it runs, exact keypoints are better than erring ones, and a run is judged on the side that was held out."""

import pytest
from click.testing import CliRunner

from benchmarks.stand_in import main, stand_in
from schemas.train import TrainConfig
from trainer.data.dataset import load
from trainer.data.splits import read_split_record
from trainer.fit import fit

OPTIONS = {
    "actor": None,
    "avatars": "average_man",
    "sequences": 2,
    "elevation": (18.0, 34.0),
    "layouts": "h36m17",
    "sizes": "1,0",
    "seed": 0,
    "settings": (),
}


@pytest.fixture(scope="module")
def trained(data_file, tmp_path_factory):
    """A run of some epochs, without augmentation."""
    small = {"model": "cvmnet", "model_settings": {"width": 32, "depth": 1}, "normalisation": "centred", "head": "ray"}
    config = TrainConfig(epochs=15, batch_size=8, threads=1, device="cpu", learning_rate=3e-3, **small)
    return fit(data_file, config, tmp_path_factory.mktemp("runs") / "stand-in").folder


def test_errors_of_the_keypoints_are_errors_of_the_result(data_file, trained):
    section = stand_in(data_file, model=str(trained), side="test", stored_cameras=True, **OPTIONS)
    erring, exact = section.figures
    assert 10.0 < exact["MPJPE"] < erring["MPJPE"] < 400.0
    assert exact["P-MPJPE"] <= exact["MPJPE"]
    record = read_split_record(trained)
    frames = load(data_file, "detector", frames=False)
    expected = sum(int(frames.length[frames.names.index(name)]) for name in record.test)
    assert f"{len(record.test)} sequences" in section.note
    assert f"{expected:,} frames; cameras of the file" in section.note


def test_new_cameras(data_file, trained):
    section = stand_in(data_file, model=str(trained), side=None, stored_cameras=False, **{**OPTIONS, "sizes": "1"})
    assert section.figures[0]["MPJPE"] > 0.0
    assert "2 sequences" in section.note
    assert "look down by 18 to 34 degrees" in section.note


def test_a_side_of_a_model_without_a_split_is_one_line(data_file):
    done = CliRunner().invoke(main, ["default", str(data_file), "--side", "test"])
    assert done.exit_code == 1
    assert done.output == "Error: default: expected the folder of a run with its split.json, found none; leave --side out for other models\n"
