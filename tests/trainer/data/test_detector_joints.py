"""The joints that detectors see: where they are on the avatars, what a model makes of those that are missing, and how their errors are imitated."""

import numpy as np
import pytest
import torch

from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_JOINTS, DETECTOR_PARENTS, SEEN_BY
from schemas.train import Augmentation, BodyAugmentation, DetectorErrors, TrainConfig
from trainer.data.augment import augment
from trainer.data.batches import Items, Loader
from trainer.data.bodies import change_bodies, stature_of
from trainer.data.dataset import load
from trainer.data.detector_errors import see
from trainer.data.normalise import fill_missing, project
from trainer.data.randomness import Randomness
from trainer.evaluate import evaluate
from trainer.fit import fit
from trainer.model.losses import bone_lengths

CPU = torch.device("cpu")
LEFT_LEG = "left_hip", "left_knee", "left_ankle"


@pytest.fixture(scope="module")
def seen(data_file):
    return load(data_file, "detector")


@pytest.fixture
def batch(seen):
    longest = np.argsort(seen.length)[-6:]
    return Loader(seen).gather(Items(longest, np.zeros_like(longest), seen.length[longest]))


def random(number=0):
    return Randomness(0, 1, number, CPU)


def test_the_joints_of_h36m17_come_first_and_are_those_of_the_file(seen, data_file):
    plain = load(data_file)
    assert seen.joints.joints == DETECTOR_JOINTS
    assert seen.joints.joints[:17] == plain.joints.joints == tuple(H36M17)
    np.testing.assert_array_equal(seen.positions_3d[:, :17], plain.positions_3d)
    np.testing.assert_allclose(seen.positions_2d[:, :17], plain.positions_2d, atol=1e-3)


def test_face_and_feet_are_where_a_person_has_them(seen):
    place = dict(zip(seen.joints.joints, seen.positions_3d.transpose(1, 0, 2), strict=True))
    neck, nose, ears = place["neck"], place["nose"], (place["left_ear"], place["right_ear"])
    between = (ears[0] + ears[1]) / 2
    up = place["head_top"] - neck
    assert np.all(((between - neck) * up).sum(-1) > 0)
    forward = nose - between
    # The left ear is on the left of somebody who looks along the nose: up x forward points to the left in a right-handed frame (opencv), to the
    # right in a left-handed one (unity), whose cross product has the other sense.
    side = np.cross(up, forward) * (-1 if seen.camera_frame == "unity" else 1)
    assert np.mean((side * (ears[0] - ears[1])).sum(-1) > 0) == 1.0
    for limb in ("left", "right"):
        foot = place[f"{limb}_toe"] - place[f"{limb}_heel"]
        assert 0.15 < np.linalg.norm(foot, axis=-1).mean() < 0.35
        assert np.mean((foot * forward).sum(-1) > 0) > 0.9  # who stands and walks looks where the feet point


def test_missing_joints_are_made_from_those_that_are_there(seen):
    truth = torch.from_numpy(seen.positions_2d[:1, None])
    confidence = torch.tensor([float(joint in SEEN_BY["coco17"]) for joint in DETECTOR_JOINTS])[None, None]
    filled = fill_missing(truth, confidence, seen.joints.parents, seen.joints.substitutes)[0, 0]
    at = dict(zip(DETECTOR_JOINTS, filled, strict=True))
    assert torch.allclose(at["pelvis"], (at["left_hip"] + at["right_hip"]) / 2)
    assert torch.allclose(at["thorax"], (at["left_shoulder"] + at["right_shoulder"]) / 2)
    assert torch.allclose(at["spine"], (at["pelvis"] + at["thorax"]) / 2)
    assert torch.allclose(at["head_top"], 2 * at["neck"] - at["thorax"])
    assert torch.equal(at["left_toe"], at["left_ankle"])
    for joint in SEEN_BY["coco17"]:
        assert torch.equal(at[joint], truth[0, 0, DETECTOR_JOINTS.index(joint)])
    nothing = fill_missing(truth, torch.zeros_like(confidence), seen.joints.parents, seen.joints.substitutes)
    assert torch.equal(nothing, torch.zeros_like(nothing))


def test_parents_come_before_children_and_sides_are_pairs():
    for number, parent in enumerate(DETECTOR_PARENTS.values()):
        assert parent is None or DETECTOR_JOINTS.index(parent) < number


def test_other_bodies_keep_the_pixels_of_the_root_and_have_the_stature_asked_for(batch, seen):
    settings = BodyAugmentation(probability=1.0, bones=0.0, straight_knees=0.0, stature=(1.5, 1.5))
    other = change_bodies(batch, settings, seen.joints, random())
    assert torch.allclose(stature_of(other.positions[:, 0], seen.joints), torch.tensor(1.5), atol=1e-3)
    assert torch.allclose(other.pixels[batch.mask], batch.pixels[batch.mask], atol=0.02)
    long_limbs = change_bodies(batch, BodyAugmentation(probability=1.0, straight_knees=0.0), seen.joints, random())
    lengths = bone_lengths(long_limbs.positions, seen.joints.parents)
    assert torch.allclose(lengths[:, 0], lengths[:, 5], atol=1e-4)  # constant over time
    names = [joint for joint in DETECTOR_JOINTS if joint != "pelvis"]
    old = bone_lengths(batch.positions, seen.joints.parents)[:, 0] / stature_of(batch.positions[:, 0], seen.joints)[:, None]
    changed = lengths[:, 0] / stature_of(long_limbs.positions[:, 0], seen.joints)[:, None] / old
    assert torch.allclose(changed[:, names.index("left_elbow")], changed[:, names.index("right_elbow")], atol=1e-4)
    assert 0.02 < changed.log().std() < 0.1


def knee_angle(positions):
    hip, knee, ankle = (positions[..., DETECTOR_JOINTS.index(joint), :] for joint in LEFT_LEG)
    a, b = torch.nn.functional.normalize(hip - knee, dim=-1), torch.nn.functional.normalize(ankle - knee, dim=-1)
    return torch.rad2deg(torch.acos((a * b).sum(-1).clamp(-1, 1)))


def test_knees_that_too_long_bones_bend_are_straight_again(batch, seen):
    settings = BodyAugmentation(probability=1.0, bones=0.0, straight_knees=1.0, stature=(1.7, 1.7))
    other = change_bodies(batch, settings, seen.joints, random())
    before, after = (knee_angle(one.positions)[batch.mask] for one in (batch, other))
    assert before.max() < 158  # these legs are never straight, as those of skeletons with too long bones
    assert 165 < after.max() <= 180
    assert (after - before).min() > -0.1
    assert (after - before)[before < 90].max() < 4
    ankles = [DETECTOR_JOINTS.index(f"{side}_ankle") for side in ("left", "right")]
    directions = [(one.positions - one.positions[:, :, :1])[:, :, ankles] for one in (batch, other)]
    assert torch.nn.functional.cosine_similarity(*directions, dim=-1).min() > 0.9999
    lengths = bone_lengths(other.positions, seen.joints.parents)
    assert torch.allclose(lengths[:, 0], lengths[:, 9], atol=1e-4)
    assert torch.allclose(project(other.positions, other.intrinsics), other.pixels)


@pytest.mark.parametrize("number", range(5))
def test_a_detector_sees_what_its_layout_has_and_says_how_sure_it_is(batch, seen, number):
    settings = DetectorErrors(probability=1.0, layouts={"coco17": 1.0}, cut=0.0)
    noisy = see(batch, settings, seen.joints, random(number))
    lacks = [joint not in SEEN_BY["coco17"] for joint in DETECTOR_JOINTS]
    assert torch.all(noisy.confidence[..., lacks] == 0)
    there = noisy.confidence > 0
    assert torch.all((noisy.confidence >= 0) & (noisy.confidence <= 1))
    offsets = batch.pixels - batch.pixels[:, :, :1]
    size = offsets.square().sum(-1).mean(-1).sqrt()[..., None]
    error = (noisy.pixels - batch.pixels).norm(dim=-1) / size
    assert 0.01 < error[there].median() < 0.12
    assert torch.equal(noisy.positions, batch.positions)


def test_without_errors_a_detector_sees_its_joints_exactly(batch, seen):
    exact = see(batch, DetectorErrors(probability=0.0, layouts={"h36m17": 1.0}), seen.joints, random())
    assert torch.equal(exact.pixels, batch.pixels)
    assert torch.all(exact.confidence[..., :17] == 1)
    assert torch.all(exact.confidence[..., 17:] == 0)


def test_the_recipe_gives_finite_batches(batch, seen):
    settings = Augmentation(
        body=BodyAugmentation(probability=1.0), detector=DetectorErrors(probability=1.0, missing=0.3, far=0.3, swapped=1.0, cut=1.0)
    )
    for number in range(3):
        out = augment(batch, settings, seen.joints, random(number))
        assert torch.isfinite(out.pixels).all()
        assert torch.isfinite(out.positions).all()
        assert torch.all((out.confidence > 0).sum(-1) >= 4)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"augment": {"detector": {"probability": 0.5}}}, "augment.detector: requires confidence"),
        ({"augment": {"detector": {"layouts": {"coco": 1.0}}}}, "layouts: expected weights of coco17"),
        ({"augment": {"detector": {"correlation": (0.5, 1.0)}}}, "correlation: expected the smaller number first"),
        ({"augment": {"body": {"stature": (2.0, 1.0)}}}, "stature: expected two lengths"),
    ],
)
def test_settings_that_contradict_are_refused(settings, found):
    with pytest.raises(ValueError, match=found):
        TrainConfig(**settings)


def test_models_of_these_joints_are_compared_over_those_of_h36m17(data_file, tmp_path):
    settings = {"joint_set": "detector", "confidence": True, "epochs": 1, "model": "cvmnet", "model_settings": {"width": 16, "depth": 1}}
    result = fit(data_file, TrainConfig(**settings, split="random", device="cpu", threads=1), tmp_path / "run")
    report = evaluate(tmp_path / "run", data_file)
    assert report.protocol["joints"] == "h36m17, 17"
    assert list(report.by_joint_mm) == list(H36M17)
    assert "24 detector joints" in report.protocol["2D source"]
    assert report.overall["mpjpe_mm"] == pytest.approx(result.metrics["mpjpe_mm"], rel=1e-4)
