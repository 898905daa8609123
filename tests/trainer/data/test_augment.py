"""Augmentation: what it changes, what it must leave alone, and that it is the same for the same seed."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from schemas.train import Augmentation, CameraAugmentation
from trainer.data.augment import add_detector_errors, augment, change_speed, flip, perturb_poses
from trainer.data.normalise import project
from trainer.data.randomness import Randomness
from trainer.data.virtual_cameras import axis_angle, new_cameras, random_rotations
from trainer.model.losses import bone_lengths

CPU = torch.device("cpu")
EVERYTHING = Augmentation(
    flip=0.5,
    reverse=0.5,
    speed=(0.7, 1.4),
    pose_perturbation=0.5,
    camera=CameraAugmentation(probability=0.8, roll=10.0, random_rotation=0.3),
    noise=0.02,
    bias=0.02,
    outliers=0.05,
    missing=0.1,
)


def randomness(batch=0):
    return Randomness(0, 1, batch, CPU)


def reprojects(batch, tolerance=0.01):
    return (project(batch.positions, batch.intrinsics) - batch.pixels)[batch.mask].abs().max() < tolerance


def test_a_function_of_seed_epoch_and_batch(batch, data):
    first, second = (augment(batch, EVERYTHING, data.joints, randomness()) for _ in range(2))
    assert torch.equal(first.pixels, second.pixels)
    assert torch.equal(first.positions, second.positions)
    other = augment(batch, EVERYTHING, data.joints, randomness(1))
    assert other.pixels.shape != first.pixels.shape or not torch.equal(other.pixels, first.pixels)


def test_nothing_asked_for_changes_nothing(batch, data):
    assert augment(batch, Augmentation(), data.joints, randomness()) is batch


def test_flip_twice_is_nothing(batch, data):
    once = flip(batch, 1.0, data.joints, randomness())
    assert reprojects(once)
    twice = flip(once, 1.0, data.joints, randomness())
    assert torch.allclose(twice.positions, batch.positions)
    assert torch.allclose(twice.pixels, batch.pixels, atol=1e-3)


def test_flip_makes_left_joints_right_ones(batch, data):
    once = flip(batch, 1.0, data.joints, randomness())
    left, right = (data.joints.joints.index(name) for name in ("left_wrist", "right_wrist"))
    assert torch.equal(once.positions[:, :, left, 0], -batch.positions[:, :, right, 0])
    assert torch.equal(once.positions[:, :, left, 1:], batch.positions[:, :, right, 1:])


def test_a_new_camera_keeps_the_body_and_all_of_it_in_view(batch, data):
    settings = CameraAugmentation(probability=1.0, roll=20.0, random_rotation=0.5)
    for number in range(20):
        seen = new_cameras(batch, settings, 0, randomness(number))
        assert reprojects(seen)
        before, after = bone_lengths(batch.positions, data.joints.parents), bone_lengths(seen.positions, data.joints.parents)
        assert torch.allclose(before, after, atol=1e-5)
        pixels = seen.pixels[seen.mask]
        assert pixels.amin() >= 0.0
        assert (pixels <= batch.image[0]).all()
        assert seen.positions[seen.mask][..., 2].min() >= 0.29
        # A turn, not a mirror image: the handedness of three limbs stays.
        triple = [b.positions[:, :, [3, 6, 10]] - b.positions[:, :, :1] for b in (batch, seen)]
        assert torch.allclose(torch.det(triple[0]), torch.det(triple[1]), atol=1e-4)
        ratio = seen.intrinsics[:, :2] / batch.intrinsics[:, :2]
        assert torch.allclose(ratio[:, 0], ratio[:, 1])
        assert ratio.min() >= settings.focal[0] - 1e-6
        assert ratio.max() <= settings.focal[1] + 1e-6


def test_a_level_turn_keeps_heights(batch):
    settings = CameraAugmentation(probability=1.0, elevation=(0.0, 0.0), offset=0.0)
    seen = new_cameras(batch, settings, 0, randomness())
    heights = [b.positions[..., 1] - b.positions[:, :1, :1, 1] for b in (batch, seen)]
    assert torch.allclose(heights[0], heights[1], atol=1e-4)
    assert torch.allclose(seen.up, batch.up, atol=1e-6)
    assert not torch.allclose(batch.positions[..., 0], seen.positions[..., 0], atol=0.1)


def test_a_higher_camera_looks_down(batch):
    """From above, the vertical points up in the image and towards the camera."""
    seen = new_cameras(batch, CameraAugmentation(probability=1.0, azimuth=180.0, elevation=(30.0, 30.0)), 0, randomness())
    expected = torch.tensor([0.0, math.cos(math.radians(30.0)), -math.sin(math.radians(30.0))])
    assert torch.allclose(seen.up, expected.expand_as(seen.up), atol=1e-5)


def test_a_tilted_source_camera_is_levelled_first(batch):
    from dataclasses import replace

    tilt = axis_angle(torch.tensor([[0.8, 0.0, 0.6]]), torch.tensor([0.5]))[0]
    tilted = replace(batch, up=batch.up @ tilt.T, positions=batch.positions @ tilt.T)
    settings = CameraAugmentation(probability=1.0, elevation=(0.0, 0.0), azimuth=0.0, offset=0.0)
    seen, plain = new_cameras(tilted, settings, 0, randomness()), new_cameras(batch, settings, 0, randomness())
    assert torch.allclose(seen.up, batch.up, atol=1e-5)
    heights = [b.positions[..., 1] - b.positions[:, :1, :1, 1] for b in (plain, seen)]
    assert torch.allclose(heights[0], heights[1], atol=1e-4)


def test_bent_bodies_keep_their_bones_and_their_root(batch, data):
    bent = perturb_poses(batch, Augmentation(pose_perturbation=1.0, pose_perturbation_angle=40.0), data.joints, randomness())
    assert reprojects(bent)
    before, after = bone_lengths(batch.positions, data.joints.parents), bone_lengths(bent.positions, data.joints.parents)
    assert torch.allclose(before, after, atol=1e-5)
    assert torch.equal(bent.positions[:, :, 0], batch.positions[:, :, 0])
    ankle = data.joints.joints.index("left_ankle")
    assert ((bent.positions - batch.positions)[:, :, ankle].norm(dim=-1) > 0.01).any(dim=1).float().mean() > 0.5


def test_bones_that_share_a_joint_turn_together_and_for_good(batch, data):
    """At the pelvis nothing turns; at the thorax neck and shoulders turn alike, by a rotation that frames of a sequence share."""
    bent = perturb_poses(batch, Augmentation(pose_perturbation=1.0, pose_perturbation_angle=40.0), data.joints, randomness())
    place = data.joints.joints.index
    bones = [
        positions[:, :, 1:] - positions[:, :, [parent for parent in data.joints.parents if parent >= 0]]
        for positions in (batch.positions, bent.positions)
    ]
    assert torch.allclose(bones[0][:, :, place("left_hip") - 1], bones[1][:, :, place("left_hip") - 1], atol=1e-6)
    for row in range(len(batch.mask)):
        girdle = [positions[row][:, [place(name) - 1 for name in ("neck", "left_shoulder", "right_shoulder")]].flatten(0, 1) for positions in bones]
        u, _, vt = torch.linalg.svd(girdle[0].T.double() @ girdle[1].double())  # Kabsch (1976): the rotation between the two
        turn = (u @ vt).T
        assert torch.det(turn) > 0.0
        assert torch.allclose(girdle[0].double() @ turn.T, girdle[1].double(), atol=1e-5)


def test_only_a_share_of_the_bodies_is_bent(batch, data):
    many = [
        perturb_poses(batch, Augmentation(pose_perturbation=0.5, pose_perturbation_angle=40.0), data.joints, randomness(number))
        for number in range(20)
    ]
    moved = torch.cat([((bent.positions - batch.positions).abs().amax(dim=(1, 2, 3)) > 1e-3) for bent in many])
    assert 0.3 < moved.float().mean() < 0.7
    assert torch.allclose(
        perturb_poses(batch, Augmentation(pose_perturbation=1.0, pose_perturbation_angle=0.0), data.joints, randomness()).positions,
        batch.positions,
        atol=1e-5,
    )


def test_nobody_is_bent_into_the_camera(batch, data):
    near = replace(batch, positions=batch.positions - batch.positions.new_tensor([0.0, 0.0, 1.0]) * (batch.positions[..., 2].min() - 0.31))
    for number in range(10):
        bent = perturb_poses(near, Augmentation(pose_perturbation=1.0, pose_perturbation_angle=80.0), data.joints, randomness(number))
        assert bent.positions[..., 2].min() > 0.3
        assert torch.isfinite(bent.pixels).all()


def test_knees_can_be_left_as_they_are(batch, data):
    settings = Augmentation(pose_perturbation=1.0, pose_perturbation_angle=40.0, pose_perturbation_knees=0.0)
    bent = perturb_poses(batch, settings, data.joints, randomness())

    def lengths(positions):
        return (positions[:, :, data.joints.place("left_ankle")] - positions[:, :, data.joints.place("left_hip")]).norm(dim=-1)

    assert torch.allclose(lengths(bent.positions), lengths(batch.positions), atol=1e-4)
    assert not torch.allclose(bent.positions, batch.positions, atol=0.05)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_stretch_keeps_stored_frames(batch, speed):
    played = change_speed(batch, Augmentation(speed=(speed, speed)), randomness())
    length = batch.mask.sum(dim=1)
    assert played.mask.sum(dim=1).tolist() == [math.floor((n - 1) / speed) + 1 for n in length.tolist()]
    row, n = 1, int(played.mask[1].sum())
    step = round(1 / speed) if speed < 1 else 1
    stored = batch.positions[row, :: round(speed) if speed > 1 else 1]
    kept = played.positions[row, :n:step]
    assert torch.allclose(kept, stored[: len(kept)], atol=1e-5)
    assert reprojects(played)


def test_stretch_backwards_and_cut(batch):
    played = change_speed(batch, Augmentation(reverse=1.0), randomness())
    n = int(batch.mask[0].sum())
    assert torch.allclose(played.positions[0, :n], batch.positions[0, :n].flip(0), atol=1e-6)
    assert int(change_speed(batch, Augmentation(speed=(0.5, 0.5)), randomness(), longest=32).mask.sum(dim=1).max()) == 32


def test_noise_has_the_size_that_was_asked_for(batch):
    offsets = batch.pixels - batch.pixels[:, :, :1]
    size = offsets.square().sum(-1).mean(-1).sqrt()[..., None, None]
    noisy = add_detector_errors(batch, Augmentation(noise=0.03), 0, randomness())
    share = (noisy.pixels - batch.pixels) / size
    assert float(share.std()) == pytest.approx(0.03, rel=0.05)
    drifting = add_detector_errors(batch, Augmentation(bias=0.03), 0, randomness())
    share = (drifting.pixels - batch.pixels) / size
    assert (share - share[:, :1]).abs().max() < 1e-3
    jumping = add_detector_errors(batch, Augmentation(outliers=0.1), 0, randomness())
    moved = (jumping.pixels - batch.pixels).abs().sum(-1) > 1e-3
    assert float(moved.float().mean()) == pytest.approx(0.1, abs=0.02)
    assert torch.equal(noisy.positions, batch.positions)


def test_missing_joints_are_marked_for_some_frames(batch):
    gone = add_detector_errors(batch, Augmentation(missing=0.2), 0, randomness()).confidence == 0
    assert float(gone.float().mean()) == pytest.approx(0.2, abs=0.06)
    changes = (gone[:, 1:] != gone[:, :-1]).float().mean()
    assert changes < 0.5 * 2 * 0.2 * 0.8  # in stretches: fewer changes than independent frames would have


def test_random_rotations_are_rotations_of_every_kind():
    turns = random_rotations(2000, randomness())
    assert torch.allclose(turns @ turns.transpose(1, 2), torch.eye(3).expand(2000, 3, 3), atol=1e-5)
    assert torch.allclose(torch.det(turns), torch.ones(2000), atol=1e-5)
    assert turns.mean(dim=0).abs().max() < 0.06
    np.testing.assert_allclose(axis_angle(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([math.pi / 2]))[0] @ torch.eye(3)[0], [0, 1, 0], atol=1e-6)


def test_cameras_that_stay_only_turn_the_person(batch, data):
    """Heights, the camera and the middle of the root's path stay; nothing comes too near."""
    seen = new_cameras(batch, CameraAugmentation(probability=1.0, keep_camera=1.0), data.joints.root, randomness())
    assert reprojects(seen)
    assert torch.equal(seen.intrinsics, batch.intrinsics)
    height = [(part.positions * part.up[:, None, None]).sum(-1)[part.mask] for part in (batch, seen)]
    assert torch.allclose(*height, atol=1e-4)
    middle = [
        torch.where(part.mask[..., None], part.positions[:, :, data.joints.root], 0.0).sum(1) / part.mask.sum(1, keepdim=True)
        for part in (batch, seen)
    ]
    assert torch.allclose(*middle, atol=1e-4)
    assert not torch.allclose(seen.positions[batch.mask], batch.positions[batch.mask], atol=0.05)


def test_cameras_do_not_stay_where_the_person_would_run_into_them(batch, data):
    far = batch.positions.clone()
    far[..., 0] += torch.linspace(-6.0, 6.0, far.shape[1])[:, None]  # across the image, wider than the camera is far away
    wide = replace(batch, positions=far, pixels=project(far, batch.intrinsics))
    seen = new_cameras(wide, CameraAugmentation(probability=1.0, keep_camera=1.0), data.joints.root, randomness())
    assert seen.positions[wide.mask][..., 2].min() > 0.25
