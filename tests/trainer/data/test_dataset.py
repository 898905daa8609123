"""Reading into memory, and what is refused, each in one line."""

import h5py
import numpy as np
import pytest

from schemas.errors import DatasetError
from schemas.train import ModelCard
from trainer.data.dataset import load, require_match


def test_arrays_are_those_of_the_file(data_file, data):
    with h5py.File(data_file) as file:
        joints = file["/joint_sets/h36m17/joints"][()]
        sequence = 5
        start, length = file["/sequences/start"][sequence], file["/sequences/length"][sequence]
        np.testing.assert_array_equal(data.positions_3d[data.rows([sequence])], file["/frames/positions_3d"][start : start + length][:, joints])
        camera = file["/sequences/camera"][sequence]
        assert data.clip[sequence] == file["/clips/id"].asstr()[file["/sequences/clip"][sequence]]
        assert data.image[sequence].tolist() == [file["/cameras/width"][camera], file["/cameras/height"][camera]]
    fx, fy, cx, cy = data.intrinsics[sequence]
    x, y, z = np.moveaxis(data.positions_3d[data.rows([sequence])].astype(float), -1, 0)
    np.testing.assert_allclose(data.positions_2d[data.rows([sequence])], np.stack([fx * x / z + cx, fy * y / z + cy], axis=-1), atol=1e-3)
    np.testing.assert_allclose(data.up[sequence], [0, 1, 0], atol=1e-6)
    assert data.joints.joints[data.joints.root] == "pelvis"
    left = data.joints.joints.index("left_knee")
    assert data.joints.joints[data.joints.mirror[left]] == "right_knee"


def test_rows_follow_the_sequences_asked_for(data):
    rows = data.rows([4, 1])
    expected = np.concatenate([np.arange(data.start[s], data.start[s] + data.length[s]) for s in (4, 1)])
    np.testing.assert_array_equal(rows, expected)
    assert len(set(data.names)) == len(data)


def set_nan(file):
    file["/frames/positions_2d"][int(file["/sequences/start"][7]) + 3, 0] = np.nan


def newer(file):
    file.attrs["schema_version"] = "2.0"


def without(name):
    def edit(file):
        del file[name]

    return edit


def reshaped(file):
    del file["/frames/positions_2d"]
    file["/frames/positions_2d"] = np.zeros((10, 27, 2), "f4")


def replaced(name, value):
    def edit(file):
        file[name][0] = value

    return edit


def attribute(name, value):
    def edit(file):
        file.attrs[name] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (newer, ["schema 1.0 or older", "found 2.0"]),
        (attribute("format", "something"), ["format", "'something'"]),
        (attribute("fps", 0.0), ["attribute fps", "found 0.0"]),
        (attribute("conventions", "[]"), ["attribute conventions", "JSON object", "found []"]),
        (attribute("conventions", '{"camera_frame": "x"}'), ["attribute conventions", "camera_frame", "found 'x'"]),
        (without("/frames/positions_2d"), ["/frames/positions_2d", "found nothing"]),
        (without("/clips/actor"), ["/clips/actor", "found nothing"]),
        (without("/joint_sets/h36m17"), ["joint set", "found 'h36m17'"]),
        (without("/joint_sets/h36m17/parents"), ["/joint_sets/h36m17/parents", "found nothing"]),
        (reshaped, ["/frames/positions_2d", "expected shape", "(10, 27, 2)"]),
        (replaced("/sequences/clip", 999), ["/sequences/clip", "999"]),
        (replaced("/sequences/length", 10**6), ["/sequences/length", "expected numbers from 1 to below", "found 1000000 in row 0"]),
        (replaced("/joint_sets/h36m17/parents", 3), ["/joint_sets/h36m17/parents", "one root", "found 0"]),
        (replaced("/joint_sets/h36m17/names", "spine"), ["/joint_sets/h36m17/names", "every joint once", "'spine' twice"]),
        (replaced("/joint_sets/h36m17/joints", 27), ["/joint_sets/h36m17/joints", "found 27 in row 0"]),
        (replaced("/cameras/K", [[900, 5, 0], [0, 900, 0], [0, 0, 1]]), ["/cameras/K", "skew"]),
    ],
)
def test_unusable_file_is_one_line(changed, edit, words):
    with pytest.raises(DatasetError) as caught:
        load(changed(edit))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_what_overflows_is_refused(changed):
    def overflow(file):
        file["/frames/positions_2d"][int(file["/sequences/start"][7]) + 3, 0] = 3e38

    with pytest.raises(DatasetError, match=r"/frames/positions_2d: expected finite numbers, found NaN or more than 1e\+15 in .*, frame 3$"):
        load(changed(overflow))


def test_nan_is_reported_with_the_sequence(changed, data):
    with pytest.raises(DatasetError) as caught:
        load(changed(set_nan))
    assert data.names[7] in str(caught.value)
    assert "frame 3" in str(caught.value)


@pytest.mark.parametrize(("content", "words"), [(None, "found nothing"), (b"no HDF5", "HDF5 file"), ("folder", "a folder")])
def test_what_is_no_file(tmp_path, content, words):
    path = tmp_path / "x.h5"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=words):
        load(path)


def test_truncated_file_is_one_line(data_file, tmp_path):
    path = tmp_path / "short.h5"
    path.write_bytes(data_file.read_bytes()[: data_file.stat().st_size // 2])
    with pytest.raises(DatasetError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: expected an HDF5 file, found one whose end is missing; copy or make it again"


@pytest.fixture
def card(data):
    joints = data.joints
    return ModelCard(
        model="cvmnet", model_settings={}, normalisation="ray", head="ray", target="relative", confidence=False, joint_set=joints.name,
        joints=joints.joints, parents=joints.parents, symmetric_pairs=joints.pairs, groups=joints.groups, camera_frame=data.camera_frame,
        fps=data.fps, receptive_field=1, parameters=1, epoch=1, data={}, split="", versions={},
    )  # fmt: skip


def test_matching_file_is_accepted(data, card):
    require_match(data, card)


def test_differences_are_named(data, card):
    other = card.model_copy(update={"joints": ("pelvis", "tail", *card.joints[2:]), "fps": 60.0, "camera_frame": "opencv"})
    with pytest.raises(DatasetError) as caught:
        require_match(data, other)
    message = str(caught.value)
    for words in ("without joints tail", "surplus joints right_hip", "30 frames per second instead of 60", "unity instead of opencv"):
        assert words in message
    swapped = card.model_copy(update={"joints": (card.joints[0], card.joints[2], card.joints[1], *card.joints[3:])})
    with pytest.raises(DatasetError, match="another order"):
        require_match(data, swapped)
    moved = card.model_copy(update={"parents": (*card.parents[:-1], 0)})
    with pytest.raises(DatasetError, match="another parent of right_wrist"):
        require_match(data, moved)
