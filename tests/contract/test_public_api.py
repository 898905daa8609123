"""``import mocapgen``: every public name is there, and loaded at first use."""

import pytest

import mocapgen

NAMES = (
    "BuildConfig",
    "Motion",
    "SelectConfig",
    "Skeleton",
    "build",
    "forward_kinematics",
    "merge_datasets",
    "open_dataset",
    "read",
    "select_sequences",
)


def test_every_public_name_is_there_and_listed():
    assert set(mocapgen.__all__) == {"__version__", *NAMES}
    assert all(getattr(mocapgen, name) is not None for name in mocapgen.__all__)
    assert set(mocapgen.__all__) <= set(dir(mocapgen))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mocapgen' has no attribute 'nothing'"):
        mocapgen.nothing  # noqa: B018
