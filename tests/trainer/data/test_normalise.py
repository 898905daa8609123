"""Normalisations: invertible, blind to padding, and what `centred` promises."""

import pytest
import torch

from trainer.data.joints import LiftedJoints
from trainer.data.normalise import (
    SIZE_WINDOW,
    apparent_size,
    axis_rotation,
    context_size,
    encode,
    extra_frames,
    fill_missing,
    project,
    to_pixels,
    to_rays,
)

NAMES = ("image", "ray", "root", "centred")


def decode(name, encoded, intrinsics, image):
    """Return the pixels, (B, T, J, 2), of a normalised batch: the inverse of :func:`encode`, from `points` and `context` alone."""
    points = encoded.points
    if name == "image":
        return 0.5 * (points * image[:, None, None, :1] + image[:, None, None, :])
    if name == "ray":
        return to_pixels(points, intrinsics)
    origin, size = encoded.context[..., :2], encoded.context[..., 2:].exp()
    rays = points * size[..., None]
    if name == "root":
        return to_pixels(rays + origin[:, :, None], intrinsics)
    directions = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1) @ axis_rotation(origin).transpose(-1, -2)
    return to_pixels(directions[..., :2] / directions[..., 2:], intrinsics)


@pytest.mark.parametrize("name", NAMES)
def test_decode_inverts_encode(batch, name):
    encoded = encode(name, batch.pixels, batch.intrinsics, batch.image, batch.mask, 0)
    assert encoded.context.shape[-1] == context_size(name)
    assert (decode(name, encoded, batch.intrinsics, batch.image) - batch.pixels).abs().max() < 2e-3


def test_image_is_minus_one_to_one_across_the_width():
    pixels = torch.tensor([[[[0.0, 0.0], [1920.0, 1080.0], [960.0, 540.0]]]])
    intrinsics, image, mask = torch.tensor([[900.0, -900.0, 960.0, 540.0]]), torch.tensor([[1920.0, 1080.0]]), torch.ones(1, 1, dtype=torch.bool)
    points = encode("image", pixels, intrinsics, image, mask, 0).points[0, 0]
    assert points.tolist() == [[-1.0, -0.5625], [1.0, 0.5625], [0.0, 0.0]]


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing(batch, name):
    torch.manual_seed(0)
    other = torch.where(batch.mask[..., None, None], batch.pixels, 5000 * torch.rand_like(batch.pixels))
    first = encode(name, batch.pixels, batch.intrinsics, batch.image, batch.mask, 0)
    second = encode(name, other, batch.intrinsics, batch.image, batch.mask, 0)
    for part in ("points", "context"):
        assert torch.equal(getattr(first, part)[batch.mask], getattr(second, part)[batch.mask])


def test_centred_is_what_a_camera_that_looks_at_the_root_sees(batch):
    encoded = encode("centred", batch.pixels, batch.intrinsics, batch.image, batch.mask, 0)
    assert encoded.rotation is not None
    positions = batch.positions.double() @ encoded.rotation.double()
    assert positions[:, :, 0, :2].abs().max() < 1e-4
    rays = positions[..., :2] / positions[..., 2:]
    assert (rays - encoded.rays).abs().max() < 1e-4
    assert torch.det(encoded.rotation).sub(1).abs().max() < 1e-5


def test_centred_does_not_see_where_the_camera_is_turned(batch):
    tilt = axis_rotation(torch.tensor([[0.1, 0.0]]))[0]  # about the y axis, so that the picture stays upright
    turned = batch.positions @ tilt
    first = encode("centred", batch.pixels, batch.intrinsics, batch.image, batch.mask, 0)
    second = encode("centred", project(turned, batch.intrinsics), batch.intrinsics, batch.image, batch.mask, 0)
    level = first.context[..., 1].abs() < 0.02  # elsewhere the axis of the turn is not quite vertical to the line of sight
    level &= batch.mask
    assert level.any()
    assert (first.points - second.points)[level].abs().max() < 0.02
    assert (first.context[..., :2] - second.context[..., :2])[level].abs().max() > 0.05


def test_apparent_size_is_a_windowed_mean_of_valid_frames():
    torch.manual_seed(1)
    offsets, mask = torch.rand(2, 120, 5, 2), torch.ones(2, 120, dtype=torch.bool)
    mask[1, 70:] = False
    square = offsets.square().sum(-1).mean(-1)
    for causal in (False, True):
        found = apparent_size(offsets, mask, causal)
        half = SIZE_WINDOW // 2
        for row, frame in ((0, 0), (0, 60), (0, 119), (1, 50), (1, 69)):
            begin, end = (frame - SIZE_WINDOW + 1, frame) if causal else (frame - half, frame + half)
            window = [square[row, t] for t in range(max(begin, 0), min(end, 119) + 1) if mask[row, t]]
            assert found[row, frame, 0] == pytest.approx(float(torch.stack(window).mean().sqrt()), rel=1e-5)
    assert extra_frames("centred") == SIZE_WINDOW - 1
    assert extra_frames("image") == 0


def test_rays_and_pixels(batch):
    rays = to_rays(batch.pixels, batch.intrinsics)
    assert (rays - batch.positions[..., :2] / batch.positions[..., 2:]).abs().max() < 1e-5


def test_missing_joints_go_to_their_nearest_seen_ancestor():
    joints = LiftedJoints("x", ("a", "b", "c", "d"), (-1, 0, 1, 0), (), ("", "", "", ""))
    pixels = torch.tensor([[[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]]]])
    pixels[0, 0, 1] = torch.nan

    def filled(*confidence):
        return fill_missing(pixels, torch.tensor([[confidence]]), joints.parents)[0, 0, :, 0].tolist()

    assert filled(1.0, 0.0, 0.0, 1.0) == [1.0, 1.0, 1.0, 4.0]
    assert filled(0.0, 0.0, 1.0, 1.0) == [3.5, 3.5, 3.0, 4.0]
    assert filled(0.0, 0.0, 0.0, 0.0) == [0.0, 0.0, 0.0, 0.0]
