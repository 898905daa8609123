"""What is drawn is where the file says it is, in the colour of its side."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocapgen import open_dataset
from mocapgen.figures.canvas import Canvas, drawing, shortened
from mocapgen.figures.colours import THEMES, blend, palette, rgb
from mocapgen.figures.compose import contact_sheet, filmstrip, pair, row_of_avatars
from mocapgen.figures.panels import Details, ImagePanel, WorldPanel
from mocapgen.figures.viewpoint import Box, direction, fit, on_picture, robust_bounds
from tests.figures.conftest import AVATARS, SHIFT_MM, clip_of

LIGHT = THEMES["light"]


def drawn(sequence, frame, details=None, width=1200, height=470, theme="light"):
    """Return the method's figure and its pixels, (height, width, 3), at a frame."""
    with drawing():
        picture = pair(Canvas(width, height, 110, THEMES[theme]), sequence, details or Details())
        picture.show(frame)
        return picture, picture.canvas.pixels()


def mask(pixels, colour, tolerance=30):
    return np.abs(pixels.astype(int) - rgb(colour)).max(axis=-1) <= tolerance


def within(pixels, box):
    return pixels[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]


def alone(points, distance):
    """Return which points have no other one near."""
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(len(points))
    return apart.min(axis=1) > distance


# Where and in which colour ------------------------------------------------------------------------


def test_every_joint_is_drawn_where_the_file_has_it(any_frame):
    sequence, frame = clip_of(any_frame, "grabHigh"), 30
    picture, pixels = drawn(sequence, frame)
    with open_dataset(any_frame) as data:
        row = next(row for row in data if row.clip["action"] == "grabHigh" and row.avatar == AVATARS[0])
        stored, names = row["positions_2d"][frame], data.joint_names
    box = picture.panels[0].box
    expected = [box.left, box.top] + stored * (box.width / 1920)  # the image is drawn whole and to scale
    assert box.width / box.height == pytest.approx(1920 / 1080, rel=1e-6)
    clear = alone(expected, 7.0)
    assert clear.sum() >= 10
    for name, (u, v) in zip(np.array(names)[clear], expected[clear], strict=True):
        colour = LIGHT.left if name.startswith("Left") else LIGHT.right if name.startswith("Right") else LIGHT.centre
        patch = pixels[int(v) - 1 : int(v) + 2, int(u) - 1 : int(u) + 2]
        assert mask(patch, colour).mean() > 0.8, name


def test_left_is_the_persons_left(any_frame):
    """A person who faces the camera has the left hand at the image's right, whatever the axes of the file."""
    sequence = clip_of(any_frame, "kick")
    picture, pixels = drawn(sequence, 0)
    for panel in picture.panels:
        shown = within(pixels, panel.box)
        left, right = (np.nonzero(mask(shown, colour))[1] for colour in (LIGHT.left, LIGHT.right))
        assert min(len(left), len(right)) > 50
        assert left.mean() > right.mean() + 5
    pose = dict(zip(sequence.poses.tree.names, sequence.poses.world[0], strict=True))
    ahead = pose["LeftToes"] - pose["LeftFoot"]  # the toes say where the person faces; y up and right-handed
    assert np.dot(pose["LeftHand"] - pose["RightHand"], np.cross([0, 1, 0], ahead)) > 0


def test_the_world_is_upright_and_on_the_ground(any_frame):
    sequence = clip_of(any_frame, "kick")
    picture, pixels = drawn(sequence, 0)
    world = picture.panels[1]
    points = dict(zip(sequence.poses.tree.names, world.on_picture(sequence.poses.world[0])[0], strict=True))
    assert points["HeadTop"][1] < points["Hips"][1] - 50 < points["LeftFoot"][1] - 100
    toes = sequence.poses.world[0, sequence.poses.tree.names.index("LeftToesEnd")]
    below = world.on_picture(toes * [1, 0, 1])[0]
    assert np.linalg.norm(points["LeftToesEnd"] - below) < 12
    assert mask(within(pixels, world.box), LIGHT.shadow, 3).sum() > 100
    u, v = np.round(points["HeadTop"]).astype(int)
    assert mask(pixels[v - 1 : v + 2, u - 1 : u + 2], LIGHT.centre).all()


def test_near_limbs_cover_far_ones(path):
    """Of two limbs that cross in the picture, the nearer one is whole."""
    sequence = clip_of(path, "kick")
    with drawing():
        canvas = Canvas(200, 200, 100, LIGHT)
        tree = sequence.poses.tree
        stick = WorldPanel(
            canvas,
            Box(0, 0, 200, 200),
            [(sequence, np.zeros(3))],
            fit(sequence.poses.world.reshape(-1, 3), Box(0, 0, 200, 200), np.array([0.0, 0.0, 1.0])),
        )
        figure = stick._figures[0][0]
        points = np.full((len(tree.names), 2), np.nan)
        depth = np.full(len(tree.names), 5.0)
        for bone, ends in {"LeftLowerArm": [(100, 40), (100, 160)], "RightLowerArm": [(40, 100), (160, 100)]}.items():
            joint = tree.names.index(bone)
            points[[tree.parents[joint], joint]] = ends
        for nearer, colour in (("Left", LIGHT.left), ("Right", LIGHT.right)):
            for joint, name in enumerate(tree.names):
                depth[joint] = 2.0 if name.startswith(nearer) else 5.0
            figure.show(points, depth)
            assert mask(canvas.pixels()[99:102, 99:102], colour).all()


def test_other_frames_look_different_and_none_is_blank(path):
    sequence = clip_of(path, "kick")
    pictures = [drawn(sequence, frame)[1] for frame in (0, sequence.representative_frame)]
    assert (pictures[0] != pictures[1]).any(axis=-1).sum() > 500
    for pixels in pictures:
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_names_and_trails(path, theme):
    sequence = clip_of(path, "kick")
    plain = drawn(sequence, 25, theme=theme)[1]
    named = drawn(sequence, 25, Details(joint_names=True), theme=theme)[1]
    trailed = drawn(sequence, 25, Details(trail=frozenset({"LeftFoot"})), theme=theme)[1]
    trail = blend(THEMES[theme].left, THEMES[theme].panel, 0.45)
    assert mask(trailed, trail, 6).sum() > mask(plain, trail, 6).sum() + 40
    assert (named != plain).any(axis=-1).sum() > 2000


def test_an_animation_shows_what_stills_show(path):
    sequence = clip_of(path, "kick")
    with drawing():
        moving = pair(Canvas(800, 320, 90, LIGHT), sequence, Details(), moving=True)
        frames = list(moving.animate([3, 30]))
        for frame, image in zip([3, 30], frames, strict=True):
            still = pair(Canvas(800, 320, 90, LIGHT), sequence, Details())
            still.show(frame)
            different = np.abs(still.canvas.pixels().astype(int) - image).max(axis=-1) > 40
            assert different.mean() < 0.002


def test_a_filmstrip_shows_each_moment_around_the_person(path):
    sequence, frames = clip_of(path, "kick"), [0, 20, 40]
    with drawing():
        picture = filmstrip(Canvas(900, 500, 110, LIGHT), sequence, frames, Details())
        pixels = picture.canvas.pixels()
    images, worlds = picture.panels[::2], picture.panels[1::2]
    assert [type(panel) for panel in (*images, *worlds)] == [ImagePanel] * 3 + [WorldPanel] * 3
    for frame, image, world in zip(frames, images, worlds, strict=True):
        points = image.on_picture(sequence.poses.pixels[frame])
        assert (points >= [image.box.left, image.box.top]).all()
        assert (points <= [image.box.right, image.box.bottom]).all()
        for panel in (image, world):
            assert min(mask(within(pixels, panel.box), colour).sum() for colour in (LIGHT.left, LIGHT.right)) > 30


def test_avatars_stand_in_a_row_at_one_scale(path):
    people = [clip_of(path, "kick", avatar) for avatar in AVATARS]
    with drawing():
        picture = row_of_avatars(Canvas(900, 400, 100, LIGHT), people, Details())
        picture.show(0)
    world = picture.panels[0]
    heights, middles = [], []
    for sequence, shift in world._people:
        points = world.on_picture(sequence.poses.world[0] + shift)[0]
        heights.append(np.ptp(points[:, 1]))
        middles.append(points[:, 0].mean())
    assert middles[0] < middles[1]
    assert 1.15 < heights[0] / heights[1] < 1.45  # a man and a child of ten


def test_a_sheet_has_a_cell_for_each_clip(path):
    people = [clip_of(path, action) for action in ("kick", "grabHigh")]
    with drawing():
        picture = contact_sheet(Canvas(500, 300, 100, LIGHT), people, "data.h5", Details())
        picture.show(0)
        pixels = picture.canvas.pixels()
    for cell in picture.panels:
        assert mask(within(pixels, cell.box), LIGHT.left).sum() > 30


# Difficult input ----------------------------------------------------------------------------------


def test_a_prediction_lies_over_the_pale_truth(path, predicted):
    from mocapgen.figures.drawn_sequence import read_sequence
    from mocapgen.store.matching import PredictionMatches
    from mocapgen.store.predictions import open_predictions

    with open_dataset(path) as data, open_predictions(predicted) as predictions:
        sequence = read_sequence(data, data[0], PredictionMatches(predictions, data))
    assert sequence.poses.tree.names == sequence.truth.tree.names == predictions_names()
    assert sequence.errors == pytest.approx(SHIFT_MM / 17, rel=1e-3)
    pixels = drawn(sequence, 10)[1]
    assert mask(pixels, LIGHT.truth, 4).sum() > 200
    assert mask(pixels, LIGHT.left).sum() > 200


def predictions_names():
    from schemas.conventions import H36M17

    return tuple(H36M17)


def test_points_that_are_nowhere_are_left_out(path):
    sequence = clip_of(path, "kick")
    world, pixels = sequence.poses.world.copy(), sequence.poses.pixels.copy()
    world[5], pixels[5] = np.nan, np.nan
    pixels[6, :3] = np.nan
    world[7, 2] = 1e7
    poses = dataclasses.replace(sequence.poses, world=world, pixels=pixels)
    damaged = dataclasses.replace(sequence, poses=poses)
    whole = drawn(sequence, 0)[1]
    assert (np.abs(drawn(damaged, 0)[1].astype(int) - whole).max(axis=-1) > 60).mean() < 0.03  # a spike elsewhere shrinks nobody
    for frame in (5, 6, 7):
        drawn(damaged, frame, Details(joint_names=True, trail=frozenset({"LeftHand"})))


@pytest.mark.parametrize("name", ["$\\frac{1}{0}$", "a $b$ c", "<b>&amp;</b>", "人物", "x" * 400, "two\nlines\x07", "‮rtl"])
def test_names_are_no_markup(path, name):
    sequence = dataclasses.replace(clip_of(path, "kick"), clip=name, avatar=name)
    picture, pixels = drawn(sequence, 0, width=700)
    assert mask(within(pixels, picture.panels[0].box), LIGHT.left).sum() > 50


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 700), (1500, 70), (701, 499)])
def test_any_size(path, width, height):
    assert drawn(clip_of(path, "kick"), 0, Details(joint_names=True), width, height)[1].shape == (height, width, 3)


@settings(max_examples=30)
@given(st.integers(64, 900), st.integers(64, 900), st.integers(20, 300))
def test_the_canvas_has_exactly_the_pixels_asked_for(width, height, dpi):
    with drawing():
        assert Canvas(width, height, dpi, LIGHT).pixels().shape == (height, width, 3)


# Parts --------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.floats(-180, 180), st.floats(-60, 60), st.floats(20, 800), st.floats(20, 800))
def test_a_viewpoint_shows_everything_as_large_as_it_goes(seed, azimuth, elevation, width, height):
    points = np.random.default_rng(seed).normal(size=(30, 3)) * [1.0, 2.0, 3.0] + [5.0, 0.0, -7.0]
    box = Box(13.0, 29.0, width, height)
    pixels, depth = on_picture(fit(points, box, direction(np.array([0.0, 0.0, 1.0]), azimuth, elevation)), points)
    assert (depth > 0).all()
    low, high = pixels.min(axis=0) - [box.left, box.top], pixels.max(axis=0) - [box.left, box.top]
    assert (low >= -1e-6).all()
    assert (high <= np.array([width, height]) + 1e-6).all()
    assert np.ptp(pixels, axis=0) / [width, height] == pytest.approx(1.0, rel=1e-6, abs=1.0)
    assert max(np.ptp(pixels, axis=0) / [width, height]) == pytest.approx(1.0, rel=1e-6)


def test_bounds_ignore_a_spike_but_not_a_motion():
    points = np.zeros((200, 4, 3))
    points[:, 0, 1] = np.linspace(0, 2, 200)
    points[77, 2] = 1e6
    points[78] = np.nan
    low, high = robust_bounds(points)
    assert low == pytest.approx([0, 0, 0])
    assert high == pytest.approx([0, 2, 0], abs=0.05)


def test_the_telling_frame_is_the_kick_and_no_spike(path):
    sequence = clip_of(path, "kick")
    foot = sequence.poses.world[:, sequence.poses.tree.names.index("LeftFoot"), 1]
    assert foot[sequence.representative_frame] > 0.9 * foot.max()
    world = sequence.poses.world.copy()
    world[3, 4] += 50.0
    assert dataclasses.replace(sequence, poses=dataclasses.replace(sequence.poses, world=world)).representative_frame == sequence.representative_frame


@given(st.text(max_size=60), st.integers(0, 60))
def test_shortened_names_fit_and_keep_both_ends(text, letters):
    short = shortened(text, lambda part: len(part) <= letters)
    assert len(short) <= letters
    if 2 < letters < len(text):
        assert short[0] == (text[0] if text[0].isprintable() else " ")
        assert "…" in short
        assert len(short) == letters


MACHADO = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009; severity 1, linear RGB."""


def lab(colour, vision):
    """Return CIE L*a*b* (D65) of an sRGB colour as somebody with a colour vision sees it."""
    value = np.array(rgb(colour)) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(MACHADO.get(vision, np.eye(3))) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear / [0.9505, 1.0, 1.089]
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("vision", ["usual", *MACHADO])
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_sides_can_be_told_apart_by_everybody(theme, vision):
    colours = [theme.left, theme.right, theme.centre, theme.panel]
    distances = [np.linalg.norm(lab(one, vision) - lab(other, vision)) for k, one in enumerate(colours) for other in colours[:k]]
    assert min(distances) > 20


def test_the_palette_holds_what_is_drawn(path):
    for theme in THEMES.values():
        assert len(palette(theme)) <= 256
    pixels = drawn(clip_of(path, "kick"), 20)[1].reshape(-1, 3).astype(int)
    colours = np.array(palette(LIGHT))
    unique, count = np.unique(pixels, axis=0, return_counts=True)
    error = np.abs(unique[:, None] - colours[None]).max(axis=-1).min(axis=-1)
    assert np.average(error, weights=count) < 0.5
    assert count[error > 48].sum() < 30
