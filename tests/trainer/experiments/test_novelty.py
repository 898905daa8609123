"""Distance to the nearest training pose: none of a pose that was trained on, wherever it is seen from, and whoever plays it."""

import numpy as np

from schemas.experiments import DISTANCES_MM
from trainer.experiments.novelty import by_distance, nearest, standard_poses


def test_place_heading_and_side_make_no_difference(data):
    """All avatars and cameras of a clip are nearly one pose; the avatars' proportions differ."""
    names = np.array(data.clip)
    same = np.flatnonzero(names == names[0])
    assert len(same) > 1
    poses = [standard_poses(data, np.array([sequence])) for sequence in same]
    assert all(np.sqrt(np.square(pose - poses[0]).sum(axis=(1, 2)) / pose.shape[1]).mean() < 0.04 for pose in poses)
    assert np.abs(poses[0][:, data.joints.root]).max() == 0.0
    left, right = data.joints.place("left_hip", "right_hip")
    assert (poses[0][:, left, 0] > poses[0][:, right, 0]).all()
    assert np.median(poses[0][:, data.joints.place("head_top")[0], 1]) > 0.4  # y is up


def test_nearest_is_the_brute_force():
    random = np.random.default_rng(0)
    poses, known = random.normal(size=(30, 17, 3)), random.normal(size=(50, 17, 3))
    expected = np.sqrt(np.square(poses[:, None] - known[None]).sum(axis=(2, 3)) / 17).min(axis=1)
    np.testing.assert_allclose(nearest(poses, known), expected, rtol=1e-4)


def test_bins_hold_every_frame_and_its_error(data):
    everything = np.arange(len(data))
    train, test = everything[::2], everything[1::2]
    true = data.positions_3d[data.rows(test)]
    predicted = true + np.float32(0.02) * (np.arange(17) > 0)[:, None] * np.float32([1.0, 0.0, 0.0])
    found = by_distance(predicted, data, test, data, train)
    assert sum(row.frames for row in found) == len(true)
    assert [row.least_mm for row in found] == sorted({row.least_mm for row in found})
    assert {row.least_mm for row in found} <= {0.0, *DISTANCES_MM}
    np.testing.assert_allclose([row.mpjpe_mm for row in found], 20.0 * 16 / 17, rtol=1e-3)
    own = data.positions_3d[data.rows(train[:1])]
    first, *others = by_distance(own, data, train[:1], data, train[:1])  # every third frame is known, and the others are near
    assert (first.least_mm, first.mpjpe_mm) == (0.0, 0.0)
    assert first.frames > 0.7 * len(own)
    assert all(row.least_mm < 50.0 for row in others)
