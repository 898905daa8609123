"""Networks: any length, padding without influence, the receptive field that they state, masked statistics."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from schemas.errors import ConfigError
from schemas.train import TrainConfig
from trainer.data.augment import flip
from trainer.data.randomness import Randomness
from trainer.model.lifter import Lifter, absolute
from trainer.model.networks import build_network, model_names, network_class
from trainer.model.networks.layers import MaskedBatchNorm, depthwise_conv
from trainer.model.networks.symmixer import pairwise_gelu

SMALL = {
    "cvmnet": {"width": 16, "depth": 2, "dropout": 0.2},
    "stmixer": {"width": 16, "dilations": (1, 3), "dropout": 0.2},
    "symmixer": {"width": 16, "dilations": (1, 3), "smoothing": 2},
    "videopose": {"width": 16, "depth": 1},
}


def test_every_model_is_tested():
    assert set(SMALL) == set(model_names())


def own(name, **settings):
    """Return those of some settings that a network has."""
    return {key: value for key, value in settings.items() if key in network_class(name).Settings.model_fields}


def build(name, inputs=10, outputs=6, **settings):
    torch.manual_seed(0)
    network = build_network(name, {**SMALL[name], **settings}, inputs, outputs).double()
    for parameter in network.parameters():  # no weight is zero, so that every path is open
        nn.init.normal_(parameter, std=0.3)
    return network


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("frames", [1, 2, 7, 64, 301])
def test_any_length(name, frames):
    network = build(name).eval()
    x = torch.randn(2, frames, 10, dtype=torch.float64)
    assert network(x, torch.ones(2, frames, dtype=torch.bool)).shape == (2, frames, 6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_padding_has_no_influence(name, training):
    network = build(name, **own(name, dropout=0.0)).train(training)
    torch.manual_seed(1)
    x, mask = torch.randn(3, 40, 10, dtype=torch.float64), torch.arange(40) < torch.tensor([40, 25, 9])[:, None]
    longer = torch.cat([torch.where(mask[..., None], x, 99.0), torch.full((3, 16, 10), -77.0, dtype=torch.float64)], dim=1)
    first = network(x, mask)
    second = network(longer, torch.cat([mask, torch.zeros(3, 16, dtype=torch.bool)], dim=1))
    assert torch.allclose(first[mask], second[:, :40][mask], atol=1e-12)
    if not training:
        alone = network(x[2:, :9], mask[2:, :9])
        assert torch.allclose(first[2, :9], alone[0], atol=1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_receptive_field_is_what_it_says(name):
    network = build(name).eval()
    x = torch.randn(1, 201, 10, dtype=torch.float64, requires_grad=True)
    network(x, torch.ones(1, 201, dtype=torch.bool))[0, 100].sum().backward()
    seen = x.grad[0].abs().sum(dim=-1).nonzero()[:, 0]
    half, patch = (network.receptive_field - network.patch) // 2, network.patch
    assert 100 % patch == 0  # so frame 100 is the first of its patch
    assert (int(seen.min()), int(seen.max())) == (100 - half, 100 + half + patch - 1)


@pytest.mark.parametrize("name", ["stmixer", "symmixer"])
@pytest.mark.parametrize("patch", [1, 2, 4])
def test_smoothing_averages_frames_by_binomial_weights(name, patch):
    plain, smooth = (build(name, patch=patch, smoothing=smoothing).eval() for smoothing in (0, 2))
    smooth.load_state_dict(plain.state_dict())
    x, mask = torch.randn(2, 33, 10, dtype=torch.float64), torch.arange(33) < torch.tensor([33, 14])[:, None]
    before, after = plain(x, mask), smooth(x, mask)
    weights = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=torch.float64) / 16
    assert torch.allclose(after[1, 7], weights @ before[1, 5:10], atol=1e-12)
    assert torch.allclose(after[1, 13], weights[:3] @ before[1, 11:14] / weights[:3].sum(), atol=1e-12)  # the last frame


@pytest.mark.parametrize("name", ["stmixer", "symmixer"])
@pytest.mark.parametrize("smoothing", [1, 2, 3])
@pytest.mark.parametrize("patch", [1, 2, 4, 8])
def test_what_is_cut_out_at_a_multiple_of_the_patch_gives_the_same(name, patch, smoothing):
    network = build(name, patch=patch, smoothing=smoothing).eval()
    x = torch.randn(1, 151, 10, dtype=torch.float64)
    margin = (network.receptive_field - patch) // 2
    whole = network(x, torch.ones(1, 151, dtype=torch.bool))
    part = network(x[:, patch:], torch.ones(1, 151 - patch, dtype=torch.bool))
    assert torch.allclose(whole[:, patch + margin :], part[:, margin:], atol=1e-12)


def test_published_receptive_field_and_size():
    network = build_network("videopose", {}, 34, 51)
    assert network.receptive_field == 27
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(8.56e6, rel=0.01)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("settings", [{}, {"width": 24}, {"kernel": 7}, {"depth": 3}, {"expansion": 3, "patch": 4}])
def test_the_number_of_parameters_is_known_before_they_are_there(name, settings):
    kind = network_class(name)
    network = build(name, **own(name, **settings))
    assert kind.parameter_count(10, 6, network.settings) == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("stmixer", {"width": 65_536}, r"model_settings: expected a network of at most 200,000,000 trained numbers, found one of 137,\d+,\d+,\d+"),
        ("cvmnet", {"width": 65_536}, "model_settings: expected a network of at most 200,000,000 trained numbers"),
        ("videopose", {"width": 65_536}, "model_settings: expected a network of at most 200,000,000 trained numbers"),
        ("stmixer", {"width": 10**9}, "model_settings.width: input should be less than or equal to 65536"),
        ("stmixer", {"dilations": [0]}, r"model_settings.dilations\[0\]: input should be greater than or equal to 1, found 0"),
        ("symmixer", {"causal": True, "patch": 1, "smoothing": 2}, "causal: expected smoothing 0, since it looks ahead, found 2; set model_settings"),
        ("stmixer", {"dilations": []}, "model_settings.dilations: .* at least 1 item"),
        ("stmixer", {"dilations": [1] * 10_000}, "model_settings.dilations: .* at most 256 items"),
        ("stmixer", {"width": 1, "dilations": [10_000] * 99}, "model_settings: expected a receptive field of at most 100,000 frames"),
        ("cvmnet", {"width": 1, "depth": 32, "dilation": 1000}, "model_settings: expected a receptive field of at most 100,000 frames"),
        ("videopose", {"width": 1, "depth": 10**9}, "model_settings.depth: input should be less than or equal to 9"),
        ("cvmnet", {"width": True}, "model_settings.width: input should be a valid integer, found True"),
    ],
)
def test_a_network_that_would_be_too_large_is_refused_before_it_is_built(name, settings, words):
    with pytest.raises(ConfigError, match=words):
        build_network(name, settings, 72, 72)


@pytest.mark.parametrize("name", ["stmixer", "symmixer"])
def test_causal_mixer_looks_back_only(name):
    network = build(name, causal=True, patch=1, smoothing=0).eval()
    assert network.causal
    x = torch.randn(1, 60, 10, dtype=torch.float64, requires_grad=True)
    network(x, torch.ones(1, 60, dtype=torch.bool))[0, 40].sum().backward()
    seen = x.grad[0].abs().sum(dim=-1).nonzero()[:, 0]
    assert (int(seen.min()), int(seen.max())) == (41 - network.receptive_field, 40)


def test_unknown_model_and_setting_are_one_line():
    with pytest.raises(ConfigError, match="expected one of cvmnet, stmixer, symmixer, videopose, found 'resnet'"):
        network_class("resnet")
    with pytest.raises(ConfigError, match=r"^unknown setting 'model_settings\.widht'; did you mean 'width'\?$"):
        build_network("cvmnet", {"widht": 3}, 4, 4)
    with pytest.raises(ConfigError, match=r"model_settings\.kernel: .*odd kernel, found 4"):
        build_network("cvmnet", {"kernel": 4}, 4, 4)
    with pytest.raises(ConfigError, match=r"causal: expected patch 1, .*found 2; set model_settings\.patch=1"):
        build_network("stmixer", {"causal": True}, 4, 4)
    with pytest.raises(ConfigError, match=r"width: expected an even number, as channels are pairs, found 15"):
        build_network("symmixer", {"width": 15}, 4, 4)


@pytest.mark.parametrize("training", [False, True])
def test_symmetric_network_turns_the_odd_half_with_that_of_its_input(training):
    network = build("symmixer").train(training)
    x, mask = torch.randn(2, 30, 10, dtype=torch.float64), torch.arange(30) < torch.tensor([30, 17])[:, None]
    sign = torch.tensor([1.0, -1.0]).repeat_interleave(5)
    found, mirrored = network(x, mask)[mask], network(x * sign, mask)[mask]
    assert torch.allclose(mirrored, found * torch.tensor([1.0, -1.0]).repeat_interleave(3), atol=1e-12)
    assert not torch.allclose(mirrored, found, atol=1e-3)


def test_packed_rows_are_the_same_network_with_the_same_gradient():
    """Training leaves out the padding; evaluation and exported graphs work on all frames."""
    network = build("symmixer")
    x, mask = torch.randn(3, 24, 10, dtype=torch.float64), torch.arange(24) < torch.tensor([24, 9, 2])[:, None]
    results = []
    for training in (True, False):
        inputs = x.clone().requires_grad_()
        found = network.train(training)(inputs, mask)[mask]
        results.append([found, *torch.autograd.grad(found.square().sum(), [inputs, *network.parameters()])])
    for packed, plain in zip(*results, strict=True):
        assert torch.allclose(packed, plain, atol=1e-10)


def test_pairwise_gelu_has_the_gradient_of_what_it_computes():
    even, odd = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(pairwise_gelu, (even, odd))
    with torch.no_grad():
        plain = pairwise_gelu(even, odd)
    assert torch.equal(pairwise_gelu(even, odd), plain)
    pairs = torch.stack([even + odd, even - odd])
    one, other = nn.functional.gelu(pairs)
    assert torch.allclose(plain, torch.cat([one + other, one - other], dim=-1), atol=1e-12)


def test_masked_batch_norm_is_batch_norm_of_the_valid_frames():
    torch.manual_seed(2)
    ours, theirs = MaskedBatchNorm(4), nn.BatchNorm1d(4)
    for _ in range(3):
        x, mask = 3.0 * torch.randn(5, 4, 11) + 1.0, torch.arange(11) < torch.tensor([11, 3, 7, 1, 9])[:, None]
        valid = x.transpose(1, 2)[mask]
        assert torch.allclose(ours(x, mask).transpose(1, 2)[mask], theirs(valid), atol=1e-5)
    assert torch.allclose(ours.running_mean, theirs.running_mean, atol=1e-5)
    assert torch.allclose(ours.running_var, theirs.running_var, atol=1e-5)
    ours.eval()
    theirs.eval()
    assert torch.allclose(ours(x, mask).transpose(1, 2)[mask], theirs(valid), atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_depthwise_convolution_is_the_library_one(causal):
    torch.manual_seed(3)
    x, weight = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((2, 20, 6), (5, 6)))
    pad = (8, 0) if causal else (4, 4)
    expected = nn.functional.conv1d(nn.functional.pad(x.transpose(1, 2), pad), weight.T[:, None], dilation=2, groups=6).transpose(1, 2)
    found = depthwise_conv(x, weight, 2, causal)
    assert torch.allclose(found, expected, atol=1e-12)
    with torch.no_grad():
        assert torch.equal(depthwise_conv(x, weight, 2, causal), found)
    for ours, theirs in zip(*(torch.autograd.grad(y.square().sum(), (x, weight)) for y in (found, expected)), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_networks_whose_sequences_may_be_separated(name):
    """Such a network has no batch statistics and nothing random: what it makes of a sequence in training is what it makes of it alone."""
    assert "dropout" not in SMALL[name] or not build(name, dropout=0.2).separable
    network = build(name, **own(name, dropout=0.0)).train()
    x, mask = torch.randn(3, 20, 10, dtype=torch.float64), torch.arange(20) < torch.tensor([20, 11, 5])[:, None]
    together, alone = network(x, mask), network(x[1:2], mask[1:2])
    assert torch.allclose(together[1:2][mask[1:2]], alone[mask[1:2]], atol=1e-12) == network.separable


# Heads ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalisation", ["image", "ray", "root", "centred"])
@pytest.mark.parametrize("target", ["relative", "absolute"])
@pytest.mark.parametrize("head", ["ray", "rigid"])
def test_ray_head_puts_joints_on_their_rays(data, batch, normalisation, target, head):
    """Whatever the weights: with the across-ray part silenced, projecting the result gives the pixels back."""
    torch.manual_seed(4)
    lifter = Lifter(
        TrainConfig(model="cvmnet", model_settings=SMALL["cvmnet"], normalisation=normalisation, target=target, head=head), data.joints
    ).eval()
    last = lifter.network.refine.last, lifter.network.lift.last
    across = torch.arange(51) % 3 != 2
    with torch.no_grad():
        for layer in last:
            layer.weight[across] = 0.0
            layer.bias[across] = 0.0
        found = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, batch.confidence)
    if target == "relative":
        assert found[:, :, 0].abs().max() == 0.0
        return
    positions = absolute(found, 0)[batch.mask].double()
    intrinsics = batch.intrinsics[:, None].expand(-1, batch.mask.shape[1], -1)[batch.mask][:, None].double()
    pixels = positions[..., :2] / positions[..., 2:] * intrinsics[..., :2] + intrinsics[..., 2:]
    assert (pixels - batch.pixels[batch.mask]).abs().max() < 0.05


@pytest.mark.parametrize("normalisation", ["image", "ray", "root", "centred"])
@pytest.mark.parametrize("head", ["direct", "ray", "rigid"])
@pytest.mark.parametrize("target", ["relative", "absolute"])
def test_symmetric_lifter_gives_the_mirror_image_of_what_is_mirrored(data, batch, normalisation, head, target):
    """Of any weights, with confidences that differ from side to side."""
    torch.manual_seed(7)
    settings = {"model": "symmixer", "model_settings": SMALL["symmixer"], "confidence": True}
    lifter = Lifter(TrainConfig(normalisation=normalisation, head=head, target=target, **settings), data.joints).eval()
    for parameter in lifter.parameters():
        nn.init.normal_(parameter, std=0.1)
    batch = replace(batch, confidence=torch.rand_like(batch.confidence).clamp(min=0.1))
    batch = replace(batch, intrinsics=batch.intrinsics + torch.tensor([0.0, 0.0, 130.0, 0.0]))  # the principal point is not in the image's middle
    mirrored = flip(batch, 1.0, data.joints, Randomness(0, 0, 0, torch.device("cpu")))
    with torch.no_grad():
        found, other = (lifter(b.pixels, b.intrinsics, b.image, b.mask, b.confidence) for b in (batch, mirrored))
    expected = found[:, :, data.joints.mirror] * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(other[batch.mask], expected[batch.mask], atol=1e-4)
    assert (other - found)[batch.mask].abs().max() > 0.01


@pytest.mark.parametrize("head", ["direct", "ray", "rigid"])
def test_lifter_ignores_padding(data, batch, head):
    lifter = Lifter(TrainConfig(model="cvmnet", model_settings=SMALL["cvmnet"], head=head, confidence=True), data.joints).eval()
    torch.manual_seed(5)
    other = torch.where(batch.mask[..., None, None], batch.pixels, 3000 * torch.rand_like(batch.pixels))
    with torch.no_grad():
        first = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, batch.confidence)
        second = lifter(other, batch.intrinsics, batch.image, batch.mask, batch.confidence)
    assert torch.equal(first[batch.mask], second[batch.mask])


def test_missing_joints_may_be_anything(data, batch):
    lifter = Lifter(TrainConfig(model="cvmnet", model_settings=SMALL["cvmnet"], confidence=True), data.joints).eval()
    confidence = batch.confidence.clone()
    confidence[..., [3, 11]] = 0.0
    broken = batch.pixels.clone()
    broken[..., [3, 11], :] = torch.nan
    with torch.no_grad():
        first = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, confidence)
        second = lifter(broken, batch.intrinsics, batch.image, batch.mask, confidence)
    assert torch.isfinite(second).all()
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", SMALL)
def test_bf16_is_the_same_up_to_its_digits(data, batch, name):
    torch.manual_seed(6)
    lifter = Lifter(TrainConfig(model=name, model_settings={**SMALL[name], **own(name, dropout=0.0)}), data.joints).train()
    for parameter in lifter.parameters():
        nn.init.normal_(parameter, std=0.1)
    with torch.no_grad():
        exact = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, batch.confidence)[batch.mask]
        lifter.bf16 = True
        rounded = lifter(batch.pixels, batch.intrinsics, batch.image, batch.mask, batch.confidence)[batch.mask]
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    assert (exact - rounded).abs().mean() < 0.02
