"""`mocapgen render`: every kind of file is written, and read again by another program; wrong uses are one line."""

from __future__ import annotations

import sys
import warnings
from xml.etree import ElementTree as ET

import cv2
import h5py
import numpy as np
import pytest
from PIL import Image, ImageSequence

from mocapgen.figures import render
from mocapgen.figures.colours import THEMES, rgb
from mocapgen.figures.rerun_recording import _eye
from mocapgen.shared.body_colours import LEFT, RIGHT
from mocapgen.shared.config import settings
from schemas.errors import ConfigError, DatasetError
from schemas.render import RenderConfig

KICK = "sample_sa_kick_001_120"
LIGHT = THEMES["light"]


def run(path, out, **options):
    return render(path, settings(RenderConfig, {"out": out, "clip": None if options.get("sheet") else KICK, **options}))


def length_of(path):
    with h5py.File(path) as file:
        clip = list(file["clips/id"].asstr()).index(KICK)
        return int(file["sequences/length"][list(file["sequences/clip"]).index(clip)])


def near(image, colour, tolerance):
    return np.abs(np.asarray(image.convert("RGB")).astype(int) - rgb(colour)).max(axis=-1) <= tolerance


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"frame": 5},
        {"count": 3},
        {"frames": "0,20"},
        {"avatars": "all"},
        {"sheet": True},
        {"theme": "dark", "joint_names": True, "trail": "*Foot"},
    ],
    ids=str,
)
def test_png(path, tmp_path, options):
    out = tmp_path / "a.png"
    told = run(path, out, size="640x300", **options)
    with Image.open(out) as image:
        assert image.size == (640, 300)
        assert len(image.convert("RGB").getcolors(100_000)) > 50
        theme = THEMES[options.get("theme", "light")]
        assert min(near(image, colour, 30).sum() for colour in (theme.left, theme.right)) > 20
    assert "640 x 300 pixels" in told.pairs["size"]
    assert str(out) in told.pairs["file"]


def test_dpi_without_size_makes_the_same_picture_sharper(path, tmp_path):
    for dpi in (60, 120):
        run(path, tmp_path / f"{dpi}.png", dpi=dpi)
    small, large = (Image.open(tmp_path / f"{dpi}.png").convert("RGB") for dpi in (60, 120))
    assert np.abs(np.subtract(large.size, 2 * np.array(small.size))).max() <= 1
    assert round(large.info["dpi"][0]) == 120
    shrunk = np.asarray(large.resize(small.size, Image.Resampling.BOX)).astype(int)
    assert (np.abs(shrunk - np.asarray(small)).max(axis=-1) > 90).mean() < 0.02


def test_svg(path, tmp_path):
    run(path, tmp_path / "a.svg")
    root = ET.fromstring((tmp_path / "a.svg").read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text.count(LIGHT.left) > 10
    assert text.count(LIGHT.right) > 10


def test_pdf(path, tmp_path):
    run(path, tmp_path / "a.pdf", count=2, size="300x200")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"CreationDate" not in content


@pytest.mark.parametrize("fps", [None, 12.0])
def test_gif(path, tmp_path, fps):
    out = tmp_path / "a.gif"
    run(path, out, size="401x201", fps=fps)
    seconds = length_of(path) / 30
    with Image.open(out) as gif:
        frames = [(frame.info["duration"], frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
        assert gif.info["loop"] == 0
    assert {frame.size for _, frame in frames} == {(402, 202)}
    assert sum(duration for duration, _ in frames) / 1000 == pytest.approx(seconds, abs=0.5 / (fps or 30) + 0.01)
    assert len(frames) == round(seconds * (fps or 30))
    assert min(duration for duration, _ in frames) >= 20
    for _, frame in frames[::10]:
        left, right = (np.nonzero(near(frame, colour, 25))[1] for colour in (LIGHT.left, LIGHT.right))
        assert min(len(left), len(right)) > 20
    assert np.abs(np.asarray(frames[0][1]).astype(int) - np.asarray(frames[len(frames) // 2][1])).max() > 100


def test_mp4(path, tmp_path):
    out = tmp_path / "a.mp4"
    run(path, out, size="401x201", frames="10:40")
    video = cv2.VideoCapture(str(out))
    size = (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT))
    assert (*size, video.get(cv2.CAP_PROP_FPS)) == (402, 202, 30)
    images = []
    while (found := video.read())[0]:
        images.append(Image.fromarray(found[1][..., ::-1]))
    video.release()
    assert len(images) == 30
    for image in images[::10]:
        assert min(near(image, colour, 60).sum() for colour in (LIGHT.left, LIGHT.right)) > 20
    assert np.abs(np.asarray(images[0]).astype(int) - np.asarray(images[15])).max() > 100


def test_moving_sheets_and_avatars(path, tmp_path):
    for name, options in {"sheet": {"sheet": True}, "avatars": {"avatars": "all"}}.items():
        out = tmp_path / f"{name}.gif"
        run(path, out, size="300x150", frames="0:12", **options)
        with Image.open(out) as gif:
            assert gif.n_frames > 6


def test_the_same_input_gives_the_same_bytes(path, tmp_path):
    for name in ("a.png", "a.svg", "a.gif"):
        options = {"frames": "0:6"} if name == "a.gif" else {}
        contents = []
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir(exist_ok=True)
            run(path, tmp_path / folder / name, size="300x150", **options)
            contents.append((tmp_path / folder / name).read_bytes())
        assert contents[0] == contents[1], name


def test_predictions_over_the_truth_and_alone(path, predicted, tmp_path):
    run(path, tmp_path / "over.png", predictions=predicted)
    run(predicted, tmp_path / "alone.png")
    with Image.open(tmp_path / "over.png") as over, Image.open(tmp_path / "alone.png") as alone:
        assert near(over, LIGHT.truth, 3).sum() > 300
        assert near(alone, LIGHT.truth, 3).sum() < 50
        assert near(alone, LIGHT.left, 30).sum() > 300


def test_a_users_matplotlibrc_changes_nothing(path, tmp_path):
    import matplotlib as mpl

    run(path, tmp_path / "a.png")
    with mpl.rc_context({"font.size": 30, "lines.antialiased": False, "savefig.bbox": "tight", "axes.unicode_minus": False}):
        run(path, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


# Failures -----------------------------------------------------------------------------------------


def test_files_are_not_replaced_unless_asked(path, tmp_path):
    out = tmp_path / "a.png"
    out.write_bytes(b"old")
    with pytest.raises(DatasetError, match=r"exists already.*overwrite=True"):
        run(path, out)
    assert out.read_bytes() == b"old"
    run(path, out, overwrite=True)
    assert out.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DatasetError, match="create it first"):
        run(path, tmp_path / "no" / "a.png")


def test_what_was_there_stays_when_drawing_fails(path, tmp_path, monkeypatch):
    from mocapgen.figures import output

    def fail(partial, *_):
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    out = tmp_path / "a.gif"
    out.write_bytes(b"old")
    monkeypatch.setattr(output, "gif", fail)
    with pytest.raises(DatasetError, match="No space left on device; nothing was changed"):
        run(path, out, overwrite=True)
    assert out.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize(
    ("package", "out", "words"),
    [
        ("matplotlib", "a.png", r"matplotlib, which is not installed: pip install 'mocapgen\[report\]'"),
        ("av", "a.mp4", r"av \(PyAV\), which is not installed: pip install 'mocapgen\[video\]'"),
        ("rerun", "a.rrd", r"rerun-sdk, which is not installed: pip install 'mocapgen\[rerun\]'"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(path, tmp_path, monkeypatch, package, out, words):
    monkeypatch.setitem(sys.modules, package, None)
    options = {"out": None, "rrd": tmp_path / out} if out == "a.rrd" else {"out": tmp_path / out}
    with pytest.raises(ConfigError, match=words):
        render(path, settings(RenderConfig, {"clip": KICK, **options}))
    assert list(tmp_path.iterdir()) == []


def test_predictions_of_something_else(path, predicted, tmp_path):
    other = tmp_path / "other.h5"
    other.write_bytes(predicted.read_bytes())
    with h5py.File(other, "r+") as file:
        file["sequences/length"][:] -= 1
    with pytest.raises(DatasetError, match=r"expected a prediction of .* frames of clip"):
        run(path, tmp_path / "a.png", predictions=other)
    with pytest.raises(ConfigError, match=r"^predictions: expected a dataset file"):
        run(predicted, tmp_path / "a.png", predictions=predicted)


@pytest.mark.parametrize(("metres", "found"), [(np.nan, "found none that is finite"), (1e12, r"within 1e\+06 m to draw in sequence 4, found")])
def test_nothing_that_can_be_drawn(path, tmp_path, metres, found):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(path.read_bytes())
    with h5py.File(damaged, "r+") as file:
        file["frames/positions_3d"][:] = metres
    with pytest.raises(DatasetError, match=found):
        run(damaged, tmp_path / "a.png")


WRONG = {
    "an unknown clip": (["--clip", "sample_sa_kik_001_120", "--out", "a.png"], "did you mean sample_sa_kick_001_120"),
    "an unknown suffix": (["--out", "a.bmp"], "found 'a.bmp'"),
    "a frame beyond the end": (["--frame", "999", "--out", "a.png"], "--frame: expected a frame of clip"),
    "frames beyond the end": (["--frames", "0,999", "--out", "a.png"], "found 999"),
    "too many frames": (["--frames", "0:60", "--out", "a.png"], "--frames: expected at most 40 frames in a filmstrip, found 60"),
    "too fast": (["--fps", "31", "--out", "a.gif"], "--fps: expected at most the 30"),
    "too large": (["--dpi", "1200", "--count", "40", "--out", "a.png"], "--dpi: expected a picture of at most"),
    "no output": ([], "--out: expected the file to write"),
    "an unknown joint": (["--trail", "LeftHnad", "--out", "a.png"], "did you mean"),
    "no file": (["--predictions", "none.h5", "--out", "a.png"], "none.h5"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_uses_are_one_line(path, tmp_path, monkeypatch, call, wrong):
    arguments, words = WRONG[wrong]
    monkeypatch.chdir(tmp_path)
    status, out, err = call("render", path, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("mocapgen: error: ")
    assert err.count("\n") == 1
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(path, tmp_path, call):
    status, out, err = call("render", path, "--clip", KICK, "--out", tmp_path / "a.png", "--avatars", "all")
    assert (status, err) == (0, "")
    assert KICK in out
    assert "average_man, child_10" in out
    assert call("render", path, "--out", tmp_path / "a.png", "--overwrite", "-q") == (0, "", "")


# Recordings ---------------------------------------------------------------------------------------


def columns(path):
    """Return what Rerun's own reader finds in a recording: (entity, component) to rows."""
    from rerun.chunk import RrdReader

    found = {}
    for chunk in RrdReader(path).stream().to_chunks():
        batch = chunk.to_record_batch()
        for name in [name for name in batch.schema.names if not name.startswith("rerun.")]:
            values = batch.column(name)
            found[chunk.entity_path, name] = (values.cast("int64") if str(values.type).startswith("duration") else values).to_pylist()
    return found


def test_a_recording_holds_joints_bones_camera_and_time(any_frame, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("rerun", reason="rerun-sdk (170 MB, with pyarrow 48 MB more) is not part of the extra dev: pip install 'mocapgen[rerun]'")
    from tests.figures.conftest import clip_of

    render(any_frame, settings(RenderConfig, {"rrd": tmp_path / "a.rrd", "clip": KICK}))
    found, sequence = columns(tmp_path / "a.rrd"), clip_of(any_frame, "kick")
    place = "/world/average_man"
    points = np.array(found[f"{place}/pose", "Points3D:positions"])
    assert points == pytest.approx(sequence.poses.world, abs=1e-5)
    assert np.array(found[f"{place}/camera/pose", "Points2D:positions"]) == pytest.approx(sequence.poses.pixels, abs=1e-2)
    assert found[f"{place}/pose", "frame"] == list(range(len(sequence)))
    assert np.array(found[f"{place}/pose", "time"]) / 1e9 == pytest.approx(np.arange(len(sequence)) / 30, abs=1e-8)
    description = found["/world", "AnnotationContext:context"][0][0][0]["class_description"]
    names = [joint["label"] for joint in description["keypoint_annotations"]]
    assert names == list(sequence.poses.tree.names)
    tree, lines = sequence.poses.tree, np.array(found[f"{place}/pose/bones", "LineStrips3D:strips"])
    assert lines == pytest.approx(sequence.poses.world[:, tree.bones], abs=1e-5)
    flat = np.array(found[f"{place}/camera/pose/bones", "LineStrips2D:strips"])
    assert flat == pytest.approx(sequence.poses.pixels[:, tree.bones], abs=1e-2)
    colours = dict(zip((names[child] for _, child in tree.bones), found[f"{place}/pose/bones", "LineStrips3D:colors"][0], strict=True))
    sides = {"LeftLowerArm": LEFT["dark"], "RightFoot": RIGHT["dark"], "Head": THEMES["dark"].centre}
    assert {name: colours[name] for name in sides} == {name: int(f"{colour[1:]}ff", 16) for name, colour in sides.items()}
    # The pinhole, by itself: world -> camera -> image gives the 2D points.
    rotation = np.array(found[f"{place}/camera", "Transform3D:mat3x3"][0][0]).reshape(3, 3).T  # columns first
    intrinsics = np.array(found[f"{place}/camera", "Pinhole:image_from_camera"][0][0]).reshape(3, 3).T
    assert np.linalg.det(rotation) == pytest.approx(1.0, abs=1e-5)
    seen = (points - found[f"{place}/camera", "Transform3D:translation"][0][0]) @ rotation @ intrinsics.T
    assert seen[..., :2] / seen[..., 2:] == pytest.approx(sequence.poses.pixels, abs=0.05)
    assert found[f"{place}/camera", "Pinhole:resolution"][0][0] == [1920, 1080]


def test_the_world_of_a_recording_is_seen_with_every_pose_in_it(any_frame):
    from tests.figures.conftest import clip_of

    sequence = clip_of(any_frame, "kick")
    position, target = _eye([sequence])
    points = sequence.poses.world.reshape(-1, 3)
    axis = (target - position) / np.linalg.norm(target - position)
    seen = points - position
    angles = np.degrees(np.arccos(seen @ axis / np.linalg.norm(seen, axis=1)))
    assert 10.0 < angles.max() <= 22.01  # the viewer shows 27.5 degrees above and below the middle
    assert position[1] > points[:, 1].max() - 0.5  # from above


def test_a_recording_of_predictions_and_of_avatars(path, predicted, tmp_path):
    pytest.importorskip("rerun", reason="rerun-sdk (170 MB, with pyarrow 48 MB more) is not part of the extra dev: pip install 'mocapgen[rerun]'")
    run(path, tmp_path / "a.png", rrd=tmp_path / "a.rrd", predictions=predicted)
    found = columns(tmp_path / "a.rrd")
    truth, guess = (np.array(found[f"/world/average_man/{kind}", "Points3D:positions"]) for kind in ("truth", "prediction"))
    assert np.linalg.norm(truth - guess, axis=-1).max(axis=-1) == pytest.approx(0.04, abs=1e-4)
    labels = [entry["class_description"]["info"]["label"] for entry in found["/world", "AnnotationContext:context"][0][0]]
    assert labels == ["truth", "prediction"]
    run(path, None, rrd=tmp_path / "b.rrd", avatars="all")
    assert {entity.split("/")[2] for entity, _ in columns(tmp_path / "b.rrd") if entity.startswith("/world/")} == {"average_man", "child_10"}
