"""Live use gives what the whole video gives, and needs a model that only looks back."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError, DatasetError
from schemas.predictions import PredictConfig
from schemas.train import TrainConfig
from trainer.fit import fit
from trainer.model.checkpoint import load_lifter
from trainer.model.lift import lift_frames, reach
from trainer.predict.camera import assumed_intrinsics
from trainer.predict.keypoints import LAYOUTS, Keypoints, Person, to_detector
from trainer.predict.predict import of_keypoints, predict
from trainer.predict.stream import Stream

IMAGE = (1920, 1080)
CONFIG = PredictConfig(image=IMAGE, causal=True)


@pytest.fixture(scope="module")
def placed_folder(data_file, tmp_path_factory):
    """A causal model that is told no confidences and gives no path: joints are filled in, and the person is placed."""
    config = TrainConfig(
        model="stmixer",
        model_settings={"width": 8, "dilations": (1, 3), "causal": True, "patch": 1},
        normalisation="ray",
        epochs=1,
        batch_size=16,
        threads=1,
        device="cpu",
    )
    return fit(data_file, config, tmp_path_factory.mktemp("run") / "placed").folder


@pytest.fixture(scope="module")
def pixels(data):
    return data.positions_2d[data.rows([int(np.argmax(data.length))])].astype(float)


def push_all(stream, frames):
    """Return what a stream gives for all frames, NaN where it gives nothing."""
    nothing = np.full((17, 3), np.nan, dtype=np.float32)
    return np.stack([nothing if pose is None else pose for pose in map(stream.push, frames)])


def test_every_frame_is_that_of_the_whole_video(live_folder, pixels):
    stream = Stream(live_folder, CONFIG.model_copy(update={"smooth": 0.0}))
    lifter, card = load_lifter(live_folder)
    image = np.array(IMAGE, dtype=float)
    whole = lift_frames(lifter, pixels, np.ones(pixels.shape[:2]), assumed_intrinsics(image, CONFIG, card.camera_frame), image)
    before, after = reach(lifter)
    assert (after, before) == (0, card.receptive_field - 1)
    assert len(pixels) > before + 50  # the window has begun to slide
    found = push_all(stream, pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, whole, atol=2e-5)
    assert stream.fps == card.fps == 30.0


@pytest.mark.parametrize("kind", ["live", "placed"])
@pytest.mark.parametrize("seed", range(3))
def test_missing_joints_and_people_are_met_alike(live_folder, placed_folder, pixels, tmp_path, kind, seed):
    folder = live_folder if kind == "live" else placed_folder
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.3, 1.0, pixels.shape[:2])
    confidence[random.random(pixels.shape[:2]) < 0.15] = 0.0
    confidence[30:90, random.integers(0, 17, 3)] = 0.0
    confidence[:4] = confidence[40:44] = confidence[100:125] = 0.0
    confidence[60, 4:] = 0.05  # hardly anything for one frame
    points = np.concatenate([pixels, confidence[..., None]], axis=2)
    content = {"keypoints": points.tolist(), "layout": "h36m17", "fps": 30, "width": IMAGE[0], "height": IMAGE[1]}
    (tmp_path / "k.json").write_text(json.dumps(content))
    predict(folder, tmp_path / "k.json", tmp_path / "out.h5", PredictConfig(causal=True), threads=1)
    with h5py.File(tmp_path / "out.h5") as file:
        expected, starts = file["/frames/positions_3d"][()], file["/sequences/start"][()].tolist()
    found = push_all(Stream(folder, CONFIG), points)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, atol=5e-5, rtol=1e-4)
    assert starts == [4, 125]
    assert np.isnan(found[108:125]).all()
    assert np.isfinite(found[100:107]).all()  # waited for, for a quarter of a second


@settings(max_examples=10, deadline=None)
@given(st.integers(5, 60), st.integers(0, 10**6))
def test_no_frame_depends_on_a_later_one(live_folder, pixels, tmp_path_factory, frame, seed):
    lifter, card = load_lifter(live_folder)
    random = np.random.default_rng(seed)
    where = tmp_path_factory.getbasetemp() / "same.json"
    where.write_text("{}")
    results = []
    for noise in (0.0, 50.0):
        changed = pixels[:80].copy()
        changed[frame:] += noise * random.standard_normal(changed[frame:].shape)
        seen, sure = to_detector(np.concatenate([changed, np.ones((80, 17, 1))], axis=2), LAYOUTS["h36m17"])
        person = Person(seen, sure, np.arange(80), 80)
        keypoints = Keypoints((person,), card.fps, *IMAGE, "h36m17")
        results.append(of_keypoints(lifter, card, keypoints, where, CONFIG).positions_3d)
    np.testing.assert_allclose(results[0][:frame], results[1][:frame], atol=1e-6)
    assert np.abs(results[0][frame:] - results[1][frame:]).max() > 1e-4


def test_reset_forgets(live_folder, pixels):
    stream = Stream(live_folder, CONFIG)
    first = push_all(stream, pixels[:20])
    push_all(stream, pixels[60:90])
    stream.reset()
    np.testing.assert_array_equal(push_all(stream, pixels[:20]), first)


def test_frames_of_another_layout(live_folder, pixels):
    stream = Stream(live_folder, CONFIG.model_copy(update={"layout": "coco17"}))
    random = np.random.default_rng(0)
    frame = np.concatenate([random.uniform(300, 700, (17, 2)), np.full((17, 1), 0.9)], axis=1)
    pose = stream.push(frame)
    assert pose.shape == (17, 3)
    assert stream.push(frame[:, :2]) is not None  # without confidences all is seen
    assert stream.card.joints != LAYOUTS["coco17"]


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        ("run_folder", {}, "use default-causal, or train one (trainer fit DATA.H5 --recipe video-causal)"),
        ("live_folder", {"image": None}, "expected the size of the image"),
        ("live_folder", {"fps": 25.0}, "expected frames at the model's rate of 30 frames per second, found 25"),
        ("live_folder", {"layout": "coco"}, "layout: expected one of h36m17, coco17, body_25"),
    ],
)
def test_wrong_use_is_one_line(request, model, changes, words):
    with pytest.raises(ConfigError) as caught:
        Stream(request.getfixturevalue(model), CONFIG.model_copy(update=changes))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("frame", [np.zeros((16, 3)), np.zeros((17, 4)), np.zeros(17), np.zeros((1, 17, 3))])
def test_a_frame_of_another_shape_is_refused(live_folder, frame):
    with pytest.raises(DatasetError, match=r"expected keypoints of shape \(17, 2 or 3\), found"):
        Stream(live_folder, CONFIG).push(frame)


def test_nothing_comes_before_anybody_does(live_folder, pixels):
    stream = Stream(live_folder, CONFIG)
    assert stream.push(np.full((17, 3), np.nan)) is None
    assert stream.push(np.zeros((17, 3))) is None
    assert stream.push(pixels[0]) is not None
