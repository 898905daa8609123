"""The body and the walk that the tests of the world share."""

import pytest

from schemas.detectors import DETECTOR_PARENTS
from tests.trainer.predict.world.scenes import body_of, joints_of


@pytest.fixture(scope="session")
def body():
    return body_of(DETECTOR_PARENTS)


@pytest.fixture(scope="session")
def walk():
    return joints_of("walk_001")
