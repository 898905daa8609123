"""Several avatars at once give what each of them alone gives; the solver behind the planted feet is exact."""

import numpy as np
import pytest

from mocapgen.anatomy.avatars import avatar_skeleton, load_avatar
from mocapgen.core.motion import Motion, Skeleton
from mocapgen.core.rotation import make_continuous, normalise
from mocapgen.retarget import Posed, retarget, retarget_to_all
from mocapgen.retarget.contacts import solve_tridiagonal
from schemas.config import DEFAULT_AVATARS


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 64, 65])
def test_tridiagonal_systems_are_solved(frames):
    random = np.random.default_rng(frames)
    between = -random.uniform(0, 300, (frames - 1, 2))
    diagonal = 1.0 + np.pad(-between, ((0, 1), (0, 0))) + np.pad(-between, ((1, 0), (0, 0)))
    right = random.normal(size=(frames, 5, 2, 3))
    found = solve_tridiagonal(diagonal[:, None, :, None], between[:, None, :, None], right)
    for side in range(2):
        matrix = np.diag(diagonal[:, side]) + np.diag(between[:, side], 1) + np.diag(between[:, side], -1)
        expected = np.linalg.solve(matrix, right[:, :, side].reshape(frames, -1)).reshape(frames, 5, 3)
        np.testing.assert_allclose(found[:, :, side], expected, rtol=0, atol=1e-11)


@pytest.fixture(scope="module")
def skeletons():
    return [avatar_skeleton(load_avatar(name)) for name in DEFAULT_AVATARS]


@pytest.fixture(scope="module")
def wandering(skeletons):
    """A slow random motion of the tall man, feet on and off the floor."""
    random = np.random.default_rng(1)
    skeleton = skeletons[3]
    steps = random.normal(0, 0.02, (90, len(skeleton.names), 4))
    rotations = make_continuous(normalise(np.array([0.0, 0.0, 0.0, 1.0]) + np.cumsum(steps, axis=0)))
    root = np.cumsum(random.normal(0, 0.005, (90, 3)), axis=0) + np.array([0.0, 0.95, 0.0])
    return Motion(skeleton, rotations, root, 30.0)


def test_together_as_alone(skeletons, wandering):
    for skeleton, together in zip(skeletons, retarget_to_all(Posed.of(wandering), skeletons), strict=True):
        alone = retarget(wandering, skeleton)
        assert together.motion.skeleton is skeleton
        np.testing.assert_allclose(together.motion.rotations, alone.rotations, rtol=0, atol=1e-12)
        np.testing.assert_allclose(together.motion.root_positions, alone.root_positions, rtol=0, atol=1e-12)


def test_together_only_with_the_same_tree(skeletons, wandering):
    other = Skeleton(skeletons[0].names, skeletons[0].parents, skeletons[0].offsets)  # its end sites are ordinary joints
    with pytest.raises(ValueError, match="same joints"):
        retarget_to_all(Posed.of(wandering), [skeletons[0], other])
