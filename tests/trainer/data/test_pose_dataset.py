"""The PyTorch dataset: the file's frames, equal batches however they are loaded, and arrays that workers share."""

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset, random_split

from schemas.errors import ConfigError, DatasetError
from trainer.data.pose_dataset import PoseDataset, PoseSample, collate_sequences


def assert_equal(first, second):
    assert type(first) is type(second) is PoseSample
    for name, a, b in zip(PoseSample._fields, first, second, strict=True):
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, name


def identity(samples):
    return list(samples)


@pytest.mark.parametrize(("window", "stride"), [(27, None), (81, None), (30, 10), (20, 50), (None, None)])
def test_items_are_the_files_frames(data_file, data, window, stride):
    poses = PoseDataset(data_file, window=window, stride=stride)
    place = {name: index for index, name in enumerate(data.names)}
    covered = np.zeros(len(data.positions_3d), dtype=int)
    for index in range(len(poses)):
        item = poses[index]
        sequence = place[item.name]
        n = int(item.mask.sum())
        assert item.mask[:n].all()
        assert n == min(window or data.length[sequence], data.length[sequence] - item.first)
        assert item.positions_3d.shape == ((window or n), 17, 3)
        rows = data.start[sequence] + item.first + np.arange(n)
        covered[rows] += 1
        np.testing.assert_array_equal(item.positions_3d[:n], data.positions_3d[rows])
        np.testing.assert_array_equal(item.positions_2d[:n], data.positions_2d[rows])
        np.testing.assert_array_equal(item.intrinsics, data.intrinsics[sequence])
        np.testing.assert_array_equal(item.image, data.image[sequence])
        assert torch.equal(item.positions_3d[n:], item.positions_3d[n - 1 : n].expand(len(item.mask) - n, 17, 3))
    if stride is None:
        assert (covered == 1).all()
    elif stride < window:
        assert covered.min() >= 1


def test_what_it_says_about_itself(data_file, data):
    poses = PoseDataset(data_file, window=81)
    assert (poses.joints, poses.parents, poses.fps, poses.camera_frame) == (data.joints.joints, data.joints.parents, data.fps, data.camera_frame)
    assert repr(poses) == f"PoseDataset(sample.h5: {len(poses)} windows of 81 frames, 17 joints (h36m17), 30 fps)"
    assert repr(PoseDataset(data_file)) == f"PoseDataset(sample.h5: {len(data)} sequences, 17 joints (h36m17), 30 fps)"
    assert_equal(poses[-1], poses[len(poses) - 1])
    with pytest.raises(IndexError):
        poses[len(poses)]


def test_chosen_sequences(data_file, data):
    poses = PoseDataset(data_file, sequences=[7, 2])
    assert poses.names == (data.name(7), data.name(2))
    np.testing.assert_array_equal(poses[0].positions_3d, data.positions_3d[data.rows([7])])
    assert PoseDataset(data_file, window=9, sequences=np.array([3]))[0].name == data.name(3)


@pytest.mark.parametrize("window", [None, 27])
def test_batches_are_padded_items(data_file, window):
    poses = PoseDataset(data_file, window=window)
    batch = next(iter(DataLoader(poses, batch_size=5)))
    frames = int(batch.mask.sum(dim=1).max())
    assert batch.positions_2d.shape == (5, window or frames, 17, 2)
    assert len(batch.name) == 5
    one_by_one = [poses[index] for index in range(5)]
    assert_equal(batch, collate_sequences(one_by_one))
    assert_equal(batch, next(iter(DataLoader(poses, batch_size=5, collate_fn=collate_sequences))))
    for a, b in zip(next(iter(DataLoader(poses, batch_size=5, collate_fn=identity))), one_by_one, strict=True):
        assert_equal(a, b)
    assert_equal(batch, next(iter(DataLoader(Subset(poses, range(20)), batch_size=5))))
    some, _ = random_split(poses, [0.5, 0.5], torch.Generator().manual_seed(0))
    assert len(next(iter(DataLoader(some, batch_size=4))).mask) == 4


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on one core
@pytest.mark.parametrize(("method", "window"), [("fork", 40), ("fork", None), ("spawn", None), ("forkserver", 40)])
def test_workers_of_each_start_method_give_equal_batches(data_file, method, window):
    poses = PoseDataset(data_file, window=window)
    alone = list(DataLoader(poses, batch_size=16))
    several = list(DataLoader(poses, batch_size=16, num_workers=2, multiprocessing_context=method))
    assert len(alone) == len(several) > 1
    for a, b in zip(alone, several, strict=True):
        assert_equal(a, b)


def test_pickled_copy_is_equal(data_file):
    poses = PoseDataset(data_file, window=40)
    copy = pickle.loads(pickle.dumps(poses))
    assert repr(copy) == repr(poses)
    assert_equal(copy[3], poses[3])


def test_sampler_of_like_lengths(data_file, data):
    poses = PoseDataset(data_file)
    sampler = poses.batches(6, seed=1)
    loader = DataLoader(poses, batch_sampler=sampler)
    epochs = [[batch.name for batch in loader] for _ in range(2)]
    assert len(loader) == len(epochs[0])
    for epoch in epochs:
        assert sorted(name for names in epoch for name in names) == sorted(poses.names)
    assert epochs[0] != epochs[1]
    again = poses.batches(6, seed=1)
    again.epoch = 1
    assert [[poses.names[index] for index in batch] for batch in again] == [list(names) for names in epochs[1]]
    padded = sum(len(batch) * int(data.length[batch].max()) for batch in poses.batches(4))
    assert padded < 1.1 * data.length.sum()


def test_wrong_arguments_are_one_line(data_file, tmp_path):
    for options, words in (
        ({"window": 0}, "window: expected a number of frames from 1, found 0"),
        ({"window": 9, "stride": -1}, "stride: expected"),
        ({"sequences": [10**6]}, "sequences: expected numbers from 0 to"),
        ({"sequences": []}, "sequences: expected"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            PoseDataset(data_file, **options)
        assert "\n" not in str(caught.value)
    with pytest.raises(DatasetError):
        PoseDataset(tmp_path / "none.h5")
    with pytest.raises(DatasetError, match="joint set"):
        PoseDataset(data_file, joints="none")
    with pytest.raises(ConfigError, match="batch_size"):
        PoseDataset(data_file).batches(0)
