"""Metrics against loops that are written from the definitions, and the docstrings' worked numbers."""

import doctest
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from trainer.model import metrics

PARENTS = (-1, 0, 1, 0, 3)
GROUPS = ("hip", "hip", "knee", "", "knee")
LENGTH = [7, 1, 2, 12]
FPS = 25.0


def poses(seed: int, noise: float = 0.1):
    random = np.random.default_rng(seed)
    true = random.normal(size=(sum(LENGTH), 5, 3))
    return true + noise * random.normal(size=true.shape), true


def sequences(values):
    end = np.cumsum(LENGTH)
    return [values[stop - size : stop] for stop, size in zip(end, LENGTH, strict=True)]


def distance(a, b):
    return float(np.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))))


def test_docstrings():
    assert doctest.testmod(metrics).failed == 0
    assert doctest.testmod(metrics).attempted > 10


def test_documentation(repository):
    done = doctest.testfile(str(repository / "docs" / "metrics.md"), module_relative=False)
    assert done.failed == 0
    assert done.attempted > 20


def test_documentation_names_every_figure(repository):
    predicted, true = poses(9)
    text = (repository / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in metrics.summarise(predicted, true, LENGTH, FPS, PARENTS, has_root=True) if f"`{name}`" not in text] == []


def test_mpjpe_pck_and_auc_agree_with_loops():
    predicted, true = poses(0)
    found = metrics.summarise(predicted, true, LENGTH, FPS, PARENTS, has_root=True)
    errors = []
    for p, x in zip(predicted, true, strict=True):
        errors.append([distance(p[joint] - p[0], x[joint] - x[0]) for joint in range(5)])
    with_root = [error for row in errors for error in row]
    without = [error for row in errors for error in row[1:]]
    assert found["mpjpe_mm"] == pytest.approx(1000 * sum(with_root) / len(with_root), abs=1e-6)
    assert found["mpjpe_no_root_mm"] == pytest.approx(1000 * sum(without) / len(without), abs=1e-6)
    assert found["pck_150"] == pytest.approx(100 * sum(error < 0.15 for error in with_root) / len(with_root), abs=1e-9)
    assert found["pck_200_no_root"] == pytest.approx(100 * sum(error < 0.2 for error in without) / len(without), abs=1e-9)
    curve = [100 * sum(error < threshold / 1000 for error in without) / len(without) for threshold in range(0, 151, 5)]
    assert len(curve) == 31
    assert found["auc_no_root"] == pytest.approx(sum(curve) / 31, abs=1e-6)
    assert found["root_mm"] == pytest.approx(1000 * np.mean([distance(p[0], x[0]) for p, x in zip(predicted, true, strict=True)]), abs=1e-6)
    absolute = [distance(a, b) for p, x in zip(predicted, true, strict=True) for a, b in zip(p, x, strict=True)]
    assert found["absolute_mpjpe_mm"] == pytest.approx(1000 * np.mean(absolute), abs=1e-6)


def test_differences_in_time_agree_with_loops():
    predicted, true = poses(1)
    velocity, acceleration = [], []
    for p, x in zip(sequences(predicted), sequences(true), strict=True):
        p, x = p - p[:, :1], x - x[:, :1]
        for t in range(len(p) - 1):
            velocity += [distance((p[t + 1, j] - p[t, j]) * FPS, (x[t + 1, j] - x[t, j]) * FPS) for j in range(5)]
        for t in range(1, len(p) - 1):
            second = [(y[t + 1] - 2 * y[t] + y[t - 1]) * FPS * FPS for y in (p, x)]
            acceleration += [distance(second[0][j], second[1][j]) for j in range(5)]
    found = metrics.summarise(predicted, true, LENGTH, FPS, PARENTS)
    assert found["velocity_mm_s"] == pytest.approx(1000 * np.mean(velocity), abs=1e-6)
    assert found["acceleration_m_s2"] == pytest.approx(np.mean(acceleration), abs=1e-6)


def test_bones_agree_with_loops():
    predicted, true = poses(2)
    error, spread = [], []
    bones = [(joint, parent) for joint, parent in enumerate(PARENTS) if parent >= 0]
    for p, x in zip(sequences(predicted), sequences(true), strict=True):
        for joint, parent in bones:
            lengths = [distance(frame[joint], frame[parent]) for frame in p]
            error += [abs(a - distance(frame[joint], frame[parent])) for a, frame in zip(lengths, x, strict=True)]
            spread.append(np.std(lengths))
    found = metrics.summarise(predicted, true, LENGTH, FPS, PARENTS)
    assert found["bone_length_mm"] == pytest.approx(1000 * np.mean(error), abs=1e-6)
    assert found["bone_length_spread_mm"] == pytest.approx(1000 * np.mean(spread), abs=1e-6)


def test_scale_alignment_is_the_best_scale():
    predicted, true = poses(3)
    aligned = metrics.scale_align(predicted, true)
    for p, x, found in zip(metrics.root_relative(predicted), metrics.root_relative(true), aligned, strict=True):
        best = minimize(lambda s, p=p, x=x: np.sum((s * p - x) ** 2), x0=[1.0], tol=1e-14).x[0]
        np.testing.assert_allclose(found, best * p, atol=1e-6)


def kabsch(p, x):
    """One frame by SciPy: rotation from align_vectors, scale and shift in closed form."""
    p0, x0 = p - p.mean(axis=0), x - x.mean(axis=0)
    turned = Rotation.align_vectors(x0, p0)[0].apply(p0)
    return np.sum(turned * x0) / np.sum(p0 * p0) * turned + x.mean(axis=0)


def test_procrustes_agrees_with_scipy_frame_by_frame():
    predicted, true = poses(4, noise=0.4)
    expected = np.stack([kabsch(p, x) for p, x in zip(predicted, true, strict=True)])
    np.testing.assert_allclose(metrics.procrustes_align(predicted, true), expected, atol=1e-6)


def test_procrustes_never_mirrors():
    _, true = poses(5)
    mirrored = true * [-1.0, 1.0, 1.0]
    expected = np.stack([kabsch(p, x) for p, x in zip(mirrored, true, strict=True)])
    found = metrics.procrustes_align(mirrored, true)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert metrics.joint_errors(found, true).mean() > 0.1


@pytest.mark.parametrize("kind", ["point", "line", "plane", "truth is a point"])
def test_procrustes_of_degenerate_poses(kind):
    _, true = poses(6)
    predicted = true.copy()
    if kind == "point":
        predicted[:] = 0.3
    elif kind == "line":
        predicted[..., 1:] = 0.0
    elif kind == "plane":
        predicted[..., 2] = 0.0
    else:
        true = np.full_like(true, 2.0)
    found = metrics.procrustes_align(predicted, true)
    assert np.isfinite(found).all()
    centre = np.broadcast_to(true.mean(axis=1, keepdims=True), true.shape)
    error = np.square(found - true).sum(axis=(1, 2))
    assert (error <= np.square(centre - true).sum(axis=(1, 2)) + 1e-9).all()  # the scale 0 is always there to be chosen
    if kind in ("point", "truth is a point"):
        np.testing.assert_allclose(found, centre, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
def test_procrustes_undoes_any_similarity(seed, scale):
    random = np.random.default_rng(seed)
    true = random.normal(size=(3, 17, 3))
    turn = Rotation.random(3, rng=random).as_matrix()
    predicted = scale * true @ turn + random.normal(size=(3, 1, 3))
    np.testing.assert_allclose(metrics.procrustes_align(predicted, true), true, atol=1e-8)


def test_per_joint_group_and_label():
    predicted, true = poses(7)
    joints = ("a", "b", "c", "d", "e")
    totals = metrics.ErrorTotals(FPS, PARENTS)
    totals.add(predicted, true, LENGTH)
    per_joint = totals.by_joint(joints)
    relative = metrics.joint_errors(metrics.root_relative(predicted), metrics.root_relative(true))
    assert per_joint["c"] == pytest.approx(1000 * np.mean([row[2] for row in relative]))
    groups = metrics.by_group(per_joint, GROUPS)
    assert groups == {"hip": pytest.approx((per_joint["a"] + per_joint["b"]) / 2), "knee": pytest.approx((per_joint["c"] + per_joint["e"]) / 2)}
    rows = dict(totals.by_label(["x", "y", "x", "y"]))
    assert (rows["x"]["sequences"], rows["x"]["frames"], rows["y"]["frames"]) == (2, 9, 13)
    kept = np.concatenate([relative[:7], relative[8:10]])
    assert rows["x"]["mpjpe_mm"] == pytest.approx(1000 * kept.mean())
    assert rows["x"]["pck_200"] == pytest.approx(100 * np.mean(kept < 0.2))


def test_labels_take_the_memory_of_their_texts():
    labels = [f"{number}{'x' * 100_000 * (number == 3)}" for number in range(2000)]
    totals = metrics.ErrorTotals(FPS, PARENTS)
    predicted, true = poses(7)
    for _ in range(500):
        totals.add(predicted, true, LENGTH)
    tracemalloc.start()
    try:
        assert sorted(name for name, _ in totals.by_label(labels)) == sorted(labels)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10e6  # an array of texts of equal length would take 800 MB


def test_single_frames_have_no_velocity():
    predicted, true = poses(8)
    found = metrics.summarise(predicted[:2], true[:2], [1, 1], FPS, PARENTS)
    assert np.isnan(found["velocity_mm_s"])
    assert np.isnan(found["acceleration_m_s2"])
    assert found["bone_length_spread_mm"] == 0.0


@pytest.mark.parametrize("has_root", [False, True])
def test_parts_add_up_to_the_whole(has_root):
    predicted, true = poses(9)
    labels, ends = ["x", "y", "x", "y"], np.cumsum(LENGTH)
    whole, parted = (metrics.ErrorTotals(FPS, PARENTS, has_root) for _ in range(2))
    whole.add(predicted, true, LENGTH)
    for first, end in ((0, 1), (1, 3), (3, 4)):
        rows = slice(ends[first] - LENGTH[first], ends[end - 1])
        parted.add(predicted[rows], true[rows], LENGTH[first:end])
    assert parted.overall() == pytest.approx(whole.overall(), rel=1e-12)
    assert parted.by_joint(tuple("abcde")) == pytest.approx(whole.by_joint(tuple("abcde")), rel=1e-12)
    assert dict(parted.by_label(labels))["y"] == pytest.approx(dict(whole.by_label(labels))["y"], rel=1e-12)
