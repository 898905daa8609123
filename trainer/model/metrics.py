"""Error metrics of 3D pose sequences; ``docs/metrics.md`` has the same formulas.

Poses are (F, J, 3) in metres, all frames of all sequences one after the other; `length` says how long each sequence is, so that no
difference over time crosses from one sequence to the next. Computed in float64. Functions return millimetres where their name or
docstring says so, metres otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MILLIMETRES = 1000.0
AUC_THRESHOLDS = np.linspace(0.0, 0.150, 31)
"""Metres: 0, 5, ..., 150 mm, as in MPI-INF-3DHP (Mehta et al., 3DV 2017)."""
PCK_THRESHOLDS = (0.150, 0.200)
"""Metres: the usual threshold, and the published one."""

PLAIN_NAMES = {
    "mpjpe_mm": "MPJPE, mm",
    "mpjpe_no_root_mm": "MPJPE without the root, mm",
    "p_mpjpe_mm": "P-MPJPE (turned and scaled to fit best), mm",
    "n_mpjpe_mm": "N-MPJPE (scaled to fit best), mm",
    "pck_150": "3DPCK at 150 mm, %",
    "pck_200": "3DPCK at 200 mm, %",
    "pck_150_no_root": "3DPCK at 150 mm without the root, %",
    "pck_200_no_root": "3DPCK at 200 mm without the root, %",
    "auc": "AUC, %",
    "auc_no_root": "AUC without the root, %",
    "velocity_mm_s": "velocity error, mm/s",
    "acceleration_m_s2": "acceleration error, m/s²",
    "bone_length_mm": "bone-length error, mm",
    "bone_length_spread_mm": "bone-length spread over time, mm",
    "root_mm": "error of the root's path, mm",
    "absolute_mpjpe_mm": "absolute MPJPE, mm",
}
"""What people call each figure, by its name in files."""


def root_relative(positions: ArrayLike, root: int = 0) -> Array:
    """Return positions relative to the root joint, (F, J, 3)."""
    positions = np.asarray(positions, dtype=np.float64)
    return positions - positions[:, root : root + 1]


def joint_errors(predicted: ArrayLike, true: ArrayLike) -> Array:
    """Return the Euclidean distance of each joint, (F, J) metres.

    Their mean over joints and frames is the MPJPE.

    Examples
    --------
    Two joints, off by 3 and 4 mm along different axes (5 mm in all), and by nothing: the MPJPE is 2.5 mm.

    >>> predicted, true = [[[0.003, 0.004, 0.0], [1.0, 1.0, 1.0]]], [[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]
    >>> print(round(1000 * joint_errors(predicted, true).mean(), 6))
    2.5
    """
    return np.linalg.norm(np.asarray(predicted, dtype=np.float64) - np.asarray(true, dtype=np.float64), axis=-1)


def procrustes_align(predicted: ArrayLike, true: ArrayLike) -> Array:
    r"""Return predictions after the similarity that brings each frame closest to the truth; their error is the P-MPJPE.

    With both poses centred, ``predicted`` P and ``true`` X as (J, 3), and the singular value decomposition P^T X = U S V^T:
    R = U D V^T with D = diag(1, 1, det(U V^T)), s = tr(S D) / ||P||^2, and P' = s P R + mean(X) (Umeyama, 1991). A rotation only, never
    a reflection: a mirrored pose keeps an error. Where all joints of a prediction coincide, P' is the mean of the truth.

    Parameters
    ----------
    predicted, true : (F, J, 3) float, metres

    Returns
    -------
    (F, J, 3) float64, metres

    Examples
    --------
    A pose rotated by 90 degrees about z, scaled by 2 and translated has P-MPJPE 0; its mirror image has not.

    >>> true = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    >>> rotated = 2.0 * true @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) + 5.0
    >>> print(round(1000 * joint_errors(procrustes_align(rotated, true), true).mean(), 6) + 0.0)
    0.0
    >>> print(round(1000 * joint_errors(procrustes_align(true * [-1, 1, 1], true), true).mean(), 3))
    428.152
    """
    predicted, true = np.asarray(predicted, dtype=np.float64), np.asarray(true, dtype=np.float64)
    centre = true.mean(axis=1, keepdims=True)
    P, X = predicted - predicted.mean(axis=1, keepdims=True), true - centre
    U, S, Vt = np.linalg.svd(np.swapaxes(P, 1, 2) @ X)
    sign = np.where(np.linalg.det(U @ Vt) < 0.0, -1.0, 1.0)
    D = np.ones_like(S)
    D[:, 2] = sign
    size = np.square(P).sum(axis=(1, 2))
    scale = np.divide((S * D).sum(axis=1), size, out=np.zeros_like(size), where=size > 1e-18)
    return scale[:, None, None] * (P @ ((U * D[:, None]) @ Vt)) + centre


def scale_align(predicted: ArrayLike, true: ArrayLike, root: int = 0) -> Array:
    """Return root-relative predictions after the best scale of each frame; their error from the root-relative truth is the N-MPJPE.

    s = <P, X> / <P, P> (Rhodin et al., CVPR 2018); 0 where a prediction has no extent.

    Parameters
    ----------
    predicted, true : (F, J, 3) float, metres
    root : int

    Returns
    -------
    (F, J, 3) float64, metres, relative to the root

    Examples
    --------
    >>> true = np.array([[[0.0, 0.0, 0.0], [0.3, 0.0, 0.0]]])
    >>> print(round(1000 * joint_errors(scale_align(0.5 * true, true), true).mean(), 6))
    0.0
    """
    P, X = root_relative(predicted, root), root_relative(true, root)
    size = np.square(P).sum(axis=(1, 2))
    scale = np.divide((P * X).sum(axis=(1, 2)), size, out=np.zeros_like(size), where=size > 1e-18)
    return scale[:, None, None] * P


def pck(errors: ArrayLike, threshold: float = 0.150) -> float:
    """Return the percentage of joints whose error is below a threshold in metres (3DPCK).

    Examples
    --------
    >>> pck([[0.0, 0.149, 0.150, 0.3]], 0.150)
    50.0
    """
    return float(100.0 * np.mean(np.asarray(errors) < threshold))


def auc(errors: ArrayLike) -> float:
    """Return the mean 3DPCK over the thresholds 0, 5, ..., 150 mm, in percent (31 thresholds).

    Examples
    --------
    An error of 52 mm is below 20 of the 31 thresholds, those from 55 to 150 mm: 64.516 %. No error at all is below 30 of them.

    >>> round(auc([[0.052]]), 3), round(auc([[0.0]]), 3)
    (64.516, 96.774)
    """
    values = np.sort(np.asarray(errors, dtype=np.float64).reshape(-1))
    return float(100.0 * np.mean(np.searchsorted(values, AUC_THRESHOLDS, side="left")) / len(values))


def within_sequences(length: ArrayLike, steps: int) -> NDArray[np.bool_]:
    """Return which of the F - `steps` differences between frames `steps` apart stay within one sequence."""
    length = np.asarray(length, dtype=np.int64)
    number = np.repeat(np.arange(len(length)), length)
    return number[steps:] == number[: len(number) - steps]


def velocity_errors(predicted: ArrayLike, true: ArrayLike, length: ArrayLike, fps: float) -> Array:
    """Return the error of each joint's velocity, (F', J) metres per second, F' the pairs of neighbouring frames of one sequence.

    ||(P[t+1] - P[t]) - (X[t+1] - X[t])|| fps: per second, not per frame, so that frame rates can be compared.

    Examples
    --------
    A joint that is predicted at rest while it moves by 10 mm per frame at 30 frames per second: 300 mm/s. The step to the second
    sequence does not count.

    >>> true = np.array([0.0, 0.01, 5.0])[:, None, None] * [1.0, 0.0, 0.0]
    >>> (1000 * velocity_errors(0 * true, true, [2, 1], 30.0)).round(6).tolist()
    [[300.0]]
    """
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(true, dtype=np.float64)
    return np.linalg.norm(np.diff(error, axis=0)[within_sequences(length, 1)], axis=-1) * fps


def acceleration_errors(predicted: ArrayLike, true: ArrayLike, length: ArrayLike, fps: float) -> Array:
    """Return the error of each joint's acceleration, (F'', J) metres per second squared, over triples of frames of one sequence.

    ||E[t+1] - 2 E[t] + E[t-1]|| fps^2 with E = P - X.

    Examples
    --------
    A prediction that jumps by 1 mm for one frame at 30 frames per second errs by 2 mm x 900 / s^2 = 1.8 m/s^2 there.

    >>> true = np.zeros((3, 1, 3))
    >>> acceleration_errors(np.array([[[0.0, 0, 0]], [[0.001, 0, 0]], [[0.0, 0, 0]]]), true, [3], 30.0).round(6).tolist()
    [[1.8]]
    """
    error = np.asarray(predicted, dtype=np.float64) - np.asarray(true, dtype=np.float64)
    return np.linalg.norm(np.diff(error, n=2, axis=0)[within_sequences(length, 2)], axis=-1) * fps**2


def bone_lengths(positions: ArrayLike, parents: tuple[int, ...]) -> Array:
    """Return the distance of each joint but the root from its parent, (F, J - 1) metres."""
    positions = np.asarray(positions, dtype=np.float64)
    children = [joint for joint, parent in enumerate(parents) if parent >= 0]
    return np.linalg.norm(positions[:, children] - positions[:, [parents[joint] for joint in children]], axis=-1)


def bone_length_errors(predicted: ArrayLike, true: ArrayLike, parents: tuple[int, ...]) -> Array:
    """Return the absolute error of each bone's length, (F, J - 1) metres.

    Examples
    --------
    A bone of 300 mm, predicted 280 mm long: 20 mm.

    >>> print(round(1000 * bone_length_errors([[[0, 0, 0], [0.28, 0, 0]]], [[[0, 0, 0], [0, 0.3, 0]]], (-1, 0)).mean(), 6))
    20.0
    """
    return np.abs(bone_lengths(predicted, parents) - bone_lengths(true, parents))


def bone_length_spread(predicted: ArrayLike, length: ArrayLike, parents: tuple[int, ...]) -> Array:
    """Return the standard deviation over time of each bone's length, (S, J - 1) metres: 0 for a rigid skeleton.

    Examples
    --------
    A bone that is 290 mm long in one frame and 310 mm in the other: 10 mm.

    >>> round(1000 * float(bone_length_spread([[[0, 0, 0], [0.29, 0, 0]], [[0, 0, 0], [0.31, 0, 0]]], [2], (-1, 0))[0, 0]), 6)
    10.0
    """
    bones = bone_lengths(predicted, parents)
    length = np.asarray(length, dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(length)[:-1]])
    mean = np.add.reduceat(bones, start, axis=0) / length[:, None]
    deviation = bones - np.repeat(mean, length, axis=0)  # two passes: no cancellation
    return np.sqrt(np.add.reduceat(np.square(deviation), start, axis=0) / length[:, None])


def root_errors(predicted: ArrayLike, true: ArrayLike, root: int = 0) -> Array:
    """Return the distance of the predicted root from the true one in the camera frame, (F,) metres: the root-trajectory error.

    Examples
    --------
    >>> print(round(1000 * root_errors([[[0.0, 0.0, 4.1]]], [[[0.0, 0.0, 4.0]]]).mean(), 6))
    100.0
    """
    return joint_errors(np.asarray(predicted)[:, root], np.asarray(true)[:, root])


class ErrorTotals:
    """All metrics of some sequences, added up part by part: sums, from which means come in the end.

    Parameters
    ----------
    fps : float
    parents : tuple of int
        Of the joints.
    has_root : bool
        Whether predictions have the root's trajectory; its errors are computed then.
    """

    def __init__(self, fps: float, parents: tuple[int, ...], has_root: bool = False) -> None:
        self._fps = fps
        self._parents = parents
        self._has_root = has_root
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._joints = np.zeros(len(parents))
        self._sequences: list[NDArray[np.float64]] = []

    def add(self, predicted: ArrayLike, true: ArrayLike, length: ArrayLike) -> None:
        """Add sequences.

        Parameters
        ----------
        predicted, true : (F, J, 3) float, metres, camera frame
            Absolute or root-relative; relative metrics subtract the root of each.
        length : (S,) int
            Frames of each sequence; they add up to F.
        """
        root, length = self._parents.index(-1), np.asarray(length, dtype=np.int64)
        P, X = root_relative(predicted, root), root_relative(true, root)
        errors = joint_errors(P, X)
        others = np.delete(errors, root, axis=1)
        found = {
            "mpjpe_mm": errors,
            "mpjpe_no_root_mm": others,
            "p_mpjpe_mm": joint_errors(procrustes_align(P, X), X),
            "n_mpjpe_mm": joint_errors(scale_align(P, X, root), X),
            "pck_150": errors < PCK_THRESHOLDS[0],
            "pck_200": errors < PCK_THRESHOLDS[1],
            "pck_150_no_root": others < PCK_THRESHOLDS[0],
            "pck_200_no_root": others < PCK_THRESHOLDS[1],
            "auc": _thresholds_above(errors),
            "auc_no_root": _thresholds_above(others),
            "velocity_mm_s": velocity_errors(P, X, length, self._fps),
            "acceleration_m_s2": acceleration_errors(P, X, length, self._fps),
            "bone_length_mm": bone_length_errors(P, X, self._parents),
            "bone_length_spread_mm": bone_length_spread(P, length, self._parents),
        }
        if self._has_root:
            found["root_mm"] = root_errors(predicted, true, root)
            found["absolute_mpjpe_mm"] = joint_errors(predicted, true)
        for name, values in found.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(values.sum())
            self._counts[name] = self._counts.get(name, 0) + values.size
        self._joints += errors.sum(axis=0)
        start = np.cumsum(length) - length
        hits = (errors < PCK_THRESHOLDS[1]).sum(axis=1)
        self._sequences.append(np.stack([np.add.reduceat(errors.mean(axis=1), start), np.add.reduceat(hits, start), length], axis=1))

    def overall(self) -> dict[str, float]:
        """Return each metric's mean, so that long sequences have a larger weight; see :func:`summarise`."""
        return {name: float(_scale(name) * self._sums[name] / count) if count else float("nan") for name, count in self._counts.items()}

    def by_joint(self, joints: tuple[str, ...]) -> dict[str, float]:
        """Return the root-relative MPJPE of each joint, mm, by name."""
        return dict(zip(joints, (MILLIMETRES * self._joints / self._frames()).tolist(), strict=True))

    def by_label(self, labels: ArrayLike) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each label, in alphabetical order, with its mean error and its number of frames and sequences.

        Parameters
        ----------
        labels : (S,) str
            Action, actor, avatar, ... of each sequence, in the order in which they were added.
        """
        # As objects: an array of texts would hold each as long as the longest, and a large file has a label for each of 100,000 sequences.
        names, of = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
        errors, hits, frames = (np.bincount(of, column) for column in np.concatenate(self._sequences).T)
        figures = zip(
            np.bincount(of).tolist(),
            frames.astype(np.int64).tolist(),
            (MILLIMETRES * errors / frames).tolist(),
            (100.0 * hits / (frames * len(self._parents))).tolist(),
            strict=True,
        )
        columns = ("sequences", "frames", "mpjpe_mm", "pck_200")
        for name, row in zip(names.tolist(), figures, strict=True):
            yield name, dict(zip(columns, row, strict=True))

    def _frames(self) -> float:
        return float(sum(part[:, 2].sum() for part in self._sequences))


def _scale(name: str) -> float:
    """Return by what a mean is multiplied: millimetres of metres, percent of shares or of thresholds."""
    if name.startswith(("pck", "auc")):
        return 100.0 if name.startswith("pck") else 100.0 / len(AUC_THRESHOLDS)
    return MILLIMETRES if "_mm" in name else 1.0


def _thresholds_above(errors: Array) -> NDArray[np.intp]:
    """Return how many of the thresholds of :func:`auc` are above each error."""
    return len(AUC_THRESHOLDS) - np.searchsorted(AUC_THRESHOLDS, errors.reshape(-1), side="right")


def summarise(
    predicted: ArrayLike, true: ArrayLike, length: ArrayLike, fps: float, parents: tuple[int, ...], has_root: bool = False
) -> dict[str, float]:
    """Return all metrics of some sequences, each a mean over frames, so that long sequences have a larger weight.

    Parameters
    ----------
    predicted, true, length
        See :meth:`ErrorTotals.add`.
    fps, parents, has_root
        See :class:`ErrorTotals`.

    Returns
    -------
    dict of str to float
        ``mpjpe_mm`` counts the root, whose own error is 0, as the published figures do; ``mpjpe_no_root_mm`` does not. Velocity in
        mm/s, acceleration in m/s^2 (NaN where no sequence is long enough), PCK and AUC in percent.
    """
    totals = ErrorTotals(fps, parents, has_root)
    totals.add(predicted, true, length)
    return totals.overall()


def by_joint(predicted: ArrayLike, true: ArrayLike, joints: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, float]:
    """Return the root-relative MPJPE of each joint, mm, by name."""
    root = parents.index(-1)
    means = MILLIMETRES * joint_errors(root_relative(predicted, root), root_relative(true, root)).mean(axis=0)
    return {joint: float(mean) for joint, mean in zip(joints, means, strict=True)}


def by_group(per_joint: dict[str, float], groups: tuple[str, ...]) -> dict[str, float]:
    """Return the mean of each group's joints, in order of appearance; joints in no group (an empty name) are left out.

    Examples
    --------
    >>> by_group({"pelvis": 0.0, "left_hip": 30.0, "right_hip": 60.0, "spine": 9.0}, ("hip", "hip", "hip", ""))
    {'hip': 30.0}
    """
    members: dict[str, list[float]] = {}
    for value, group in zip(per_joint.values(), groups, strict=True):
        if group:
            members.setdefault(group, []).append(value)
    return {group: float(np.mean(values)) for group, values in members.items()}
