"""Reading and writing C3D: what counts as seen, labels, units, axes, and another reader of the same files."""

from __future__ import annotations

import io
import pickle
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mocapgen.core.markers import Markers
from mocapgen.core.motion import Motion
from mocapgen.formats.c3d import format_c3d, parse_c3d, people_in_c3d, read_markers, write_c3d
from mocapgen.markers.virtual import place_markers
from mocapgen.reading import read
from mocapgen.sources.sample import clips, make
from schemas.errors import FormatError
from tests.formats.c3d_files import as_dec, c3d_file, text

REAL = ("hdm05/takes/dg/HDM_dg_06-03_03_120.c3d", "hdm05/takes/mm/HDM_mm_01-02_03_120.c3d", "cmu/c3d/85_12.c3d")


@pytest.fixture(scope="module")
def body() -> Markers:
    motion, _ = make(clips()[0])
    return place_markers(motion.slice(100, 130))


def points(frames: int = 5, markers: int = 3) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(frames, markers, 3)) * 300.0 + 1000.0


# Samples that were not seen -----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [-0.1, 0.1])
@pytest.mark.parametrize("word", [-1, -5, -32768])
def test_a_negative_fourth_word_is_a_gap(scale: float, word: int) -> None:
    fourth = np.zeros((5, 3))
    fourth[2, 1] = word
    markers = parse_c3d(c3d_file(points(), ["A", "B", "C"], scale=scale, fourth=fourth), "a.c3d")
    assert np.argwhere(~markers.valid).tolist() == [[2, 1]]
    assert np.isnan(markers.positions[2, 1]).all()
    assert np.isfinite(markers.positions[markers.valid]).all()


def test_a_fourth_word_of_65535_is_minus_one() -> None:
    fourth = np.zeros((5, 3))
    fourth[2, 1] = 65535.0
    assert np.argwhere(~parse_c3d(c3d_file(points(), ["A", "B", "C"], fourth=fourth), "a.c3d").valid).tolist() == [[2, 1]]


@pytest.mark.parametrize("word", [0, 1, 255, 256, 32767])
def test_any_other_fourth_word_is_a_camera_mask_and_a_residual(word: int) -> None:
    for scale in (-0.1, 0.1):
        assert parse_c3d(c3d_file(points(), ["A", "B", "C"], scale=scale, fourth=np.full((5, 3), word)), "a.c3d").valid.all()


@pytest.mark.parametrize("sample", [(0.0, 0.0, 0.0), (np.nan, np.nan, np.nan), (np.nan, 1.0, 1.0), (np.inf, 1.0, 1.0)])
def test_zeros_and_what_is_no_number_are_gaps(sample: tuple[float, float, float]) -> None:
    values = points()
    values[2, 1] = sample
    assert np.argwhere(~parse_c3d(c3d_file(values, ["A", "B", "C"]), "a.c3d").valid).tolist() == [[2, 1]]


def test_a_marker_on_an_axis_is_seen() -> None:
    values = points()
    values[2, 1, :2] = 0.0
    assert parse_c3d(c3d_file(values, ["A", "B", "C"]), "a.c3d").valid.all()


def test_dec_files() -> None:
    intel = c3d_file(points(), ["A", "B", "C"])
    markers = parse_c3d(as_dec(intel, 15), "a.c3d")
    assert np.abs(markers.positions - parse_c3d(intel, "a.c3d").positions).max() < 1e-6
    assert markers.fps == 120.0


# Labels -------------------------------------------------------------------------------------------


def test_prefixes_are_taken_off_and_unlabelled_points_left_out() -> None:
    markers = parse_c3d(c3d_file(points(5, 5), ["*0", "bd:LFWT", "bd:RFWT", "*12", "bd:C7"]), "a.c3d")
    assert markers.labels == ("LFWT", "RFWT", "C7")
    assert np.allclose(markers.position("RFWT")[:, [2, 0, 1]], 0.001 * points(5, 5)[:, 2], atol=1e-6)


def test_two_people_are_refused() -> None:
    with pytest.raises(FormatError, match=r"^a\.c3d: expected the markers of one person, found those of ann, bob; choose with subject=\.\.\.$"):
        parse_c3d(c3d_file(points(5, 2), ["ann:C7", "bob:C7"]), "a.c3d")


def test_labels_have_to_be_there() -> None:
    with pytest.raises(FormatError, match=r"^a\.c3d: POINT:LABELS: expected one label for each marker, found none among 2 points$"):
        parse_c3d(c3d_file(points(5, 2), ["*1", "*2"]), "a.c3d")


def test_of_points_with_one_label_the_first_with_data_is_taken_and_that_is_said() -> None:
    values = points(5, 4)
    values[:, 1] = 0.0
    markers = parse_c3d(c3d_file(values, ["A", "C7", "C7", "C7"]), "a.c3d")
    assert markers.labels == ("A", "C7")
    assert np.allclose(markers.position("C7")[:, [2, 0, 1]], 0.001 * values[:, 2], atol=1e-6)
    assert markers.notes[0] == "label C7 more than once; the first point with data is taken"


def test_all_residuals_negative_say_nothing() -> None:
    values = points()
    values[2, 1] = 0.0
    markers = parse_c3d(c3d_file(values, ["A", "B", "C"], fourth=np.full((5, 3), -1.0)), "a.c3d")
    assert np.argwhere(~markers.valid).tolist() == [[2, 1]]
    assert [note for note in markers.notes if "all residuals are negative" in note]


@pytest.mark.parametrize(
    "label", ["LHipAngles", "LKneeMoment", "RAnklePower", "LAbsAnkleAngle", "LGroundReactionForce", "CentreOfMass", "CenterOfMass"]
)
def test_results_of_models_are_no_markers(label: str) -> None:
    assert parse_c3d(c3d_file(points(), ["A", label, "C"]), "a.c3d").labels == ("A", "C")


def test_points_that_a_parameter_lists_as_results_are_no_markers() -> None:
    data = c3d_file(points(), ["A", "Bent", "C"], extra=[text("ANGLES", ["Bent"])])
    assert parse_c3d(data, "a.c3d").labels == ("A", "C")


# People and props ---------------------------------------------------------------------------------


def together(body: Markers, *names: str, more: Sequence[str] = ()) -> bytes:
    """Return a file of several people side by side, their markers prefixed, and of points of other names."""
    parts = [1000.0 * body.positions[..., [2, 0, 1]] + [0.0, 1500.0 * place, 0.0] for place in range(len(names))]
    labels = [f"{name}{label}" for name in names for label in body.labels]
    return c3d_file(np.concatenate([*parts, points(len(body), len(more))], axis=1), [*labels, *more])


def test_people_are_found_by_the_parameters_alone(body: Markers) -> None:
    data = together(body, "Anna:", "Bert:", more=["Ball:B1", "Ball:B2"])
    assert people_in_c3d(data[: 16 * 512], "a.c3d") == ("Anna", "Bert")
    with pytest.raises(FormatError, match=r"beyond|claims"):
        people_in_c3d(data[:1200], "a.c3d")


def test_one_of_two_people_is_read(body: Markers) -> None:
    data = together(body, "Anna:", "Bert:")
    with pytest.raises(FormatError, match=r"found those of Anna, Bert; choose with subject=\.\.\.$"):
        parse_c3d(data, "a.c3d")
    anna, bert = (parse_c3d(data, "a.c3d", subject=name) for name in ("Anna", "Bert"))
    assert np.abs(anna.positions - body.positions).max() < 1e-6
    assert np.abs(bert.positions - body.positions - [1.5, 0.0, 0.0]).max() < 1e-6
    assert re.fullmatch(r"subject Bert left out \(another person: (\w+, ){5}\w+ and 35 more\)", anna.notes[0])
    with pytest.raises(FormatError, match=r"subject: expected Anna, Bert, found 'Carl'$"):
        parse_c3d(data, "a.c3d", subject="Carl")


def test_a_prop_beside_one_person_is_left_out_and_said(body: Markers) -> None:
    markers = parse_c3d(together(body, "Anna:", more=["Ball:B1", "Ball:B2"]), "a.c3d")
    assert markers.labels == body.labels
    assert markers.notes == ("subject Ball left out (no person: B1, B2)",)


def test_a_prefix_may_end_with_an_underscore(body: Markers) -> None:
    assert parse_c3d(together(body, "Anna_"), "a.c3d").labels == body.labels
    assert people_in_c3d(together(body, "Anna_", "Bert_"), "a.c3d") == ("Anna", "Bert")


# Units and axes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "metres"), [("mm", 0.001), ("cm", 0.01), ("m", 1.0), ("in", 0.0254)])
def test_units(body: Markers, unit: str, metres: float) -> None:
    markers = parse_c3d(c3d_file(body.positions[..., [2, 0, 1]] / metres, body.labels, units=unit), "a.c3d")
    assert np.abs(markers.positions - body.positions).max() < 1e-6
    assert not markers.notes


@pytest.mark.parametrize(("stated", "metres"), [("m", 0.001), ("mm", 1.0), ("", 0.01), ("furlong", 0.001)])
def test_a_unit_that_makes_no_person_is_corrected_and_said(body: Markers, stated: str, metres: float) -> None:
    markers = parse_c3d(c3d_file(body.positions[..., [2, 0, 1]] / metres, body.labels, units=stated), "a.c3d")
    assert np.abs(markers.positions - body.positions).max() < 1e-6
    assert len(markers.notes) == 1
    assert markers.notes[0].startswith(f"POINT:UNITS is {stated!r}")


def test_a_body_of_no_size_is_refused(body: Markers) -> None:
    with pytest.raises(FormatError, match=r"^a\.c3d: expected a body of 0\.6 to 2\.6 m, found .* mm from head to feet$"):
        parse_c3d(c3d_file(body.positions * 30.0, body.labels), "a.c3d")


# World (x, y, z) in the file's axes, with up along each of them; all proper rotations.
UPS = {
    "+Z": lambda p: p[..., [2, 0, 1]],
    "+Y": lambda p: p,
    "+X": lambda p: p[..., [1, 2, 0]],
    "-Z": lambda p: p[..., [2, 0, 1]] * [-1.0, 1.0, -1.0],
    "-Y": lambda p: p * [1.0, -1.0, -1.0],
}


@pytest.mark.parametrize("up", UPS)
@pytest.mark.parametrize("stated", [None, "+Z", "+Y", "+X"])
def test_up_is_where_the_head_is_whatever_the_file_says(body: Markers, up: str, stated: str | None) -> None:
    markers = parse_c3d(c3d_file(1000.0 * UPS[up](body.positions), body.labels, screen=stated), "a.c3d")
    assert np.abs(markers.position("LFHD")[:, 1] - body.position("LFHD")[:, 1]).max() < 1e-6
    distance = np.linalg.norm(markers.positions[:, :, None] - markers.positions[:, None], axis=-1)
    assert np.abs(distance - np.linalg.norm(body.positions[:, :, None] - body.positions[:, None], axis=-1)).max() < 1e-5
    handed = np.linalg.det(markers.positions[0, :3] - markers.positions[0, 3]) * np.linalg.det(body.positions[0, :3] - body.positions[0, 3])
    assert handed > 0
    assert len(markers.notes) == (up != (stated or "+Z"))


def test_somebody_who_lies_keeps_the_stated_axis(body: Markers) -> None:
    lying = body.positions[..., [1, 2, 0]] * [1.0, 1.0, 1.0] + [3.0, 0.0, 2.0]  # head along x, far from zero there
    lying[..., 1] -= lying[..., 1].min()
    markers = parse_c3d(c3d_file(1000.0 * lying, body.labels, screen="+Y"), "a.c3d")
    assert np.abs(markers.positions - lying).max() < 1e-6
    assert not markers.notes


# Writing ------------------------------------------------------------------------------------------


def test_written_and_read_is_the_same_to_32_bits(body: Markers, tmp_path: Path) -> None:
    valid = np.random.default_rng(2).random(body.valid.shape) > 0.1
    markers = Markers(body.labels, body.positions, valid, 119.88, "take")
    write_c3d(tmp_path / "take.c3d", markers, "bd")
    again = read_markers(tmp_path / "take.c3d")
    assert again.labels == markers.labels
    assert again.fps == markers.fps
    assert again.name == "take"
    assert (again.valid == valid).all()
    millimetres = (1000.0 * markers.positions[valid]).astype(np.float32)
    assert (again.positions[valid] == 0.001 * millimetres.astype(np.float64)).all()
    assert format_c3d(markers, "bd") == (tmp_path / "take.c3d").read_bytes()


@pytest.mark.parametrize("file", REAL)
def test_another_reader_sees_the_same(data_dir: Path, file: str) -> None:
    import c3d

    data = (data_dir / file).read_bytes()
    markers = parse_c3d(data, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of parameters that it does not expect
        reader = c3d.Reader(io.BytesIO(data))
        labels = [label.strip().rpartition(":")[2] for label in reader.point_labels]
        frames = [frame[1] for number, frame in enumerate(reader.read_frames(copy=True)) if number % 50 == 0]
    values = np.array(frames, dtype=np.float64)[..., :3]
    for label in markers.labels:
        theirs = 0.001 * values[:, labels.index(label)][:, [1, 2, 0]]
        assert np.abs(markers.position(label)[::50] - theirs).max() < 1e-7
    assert markers.fps == reader.point_rate == 120.0
    assert len(markers.labels) == 41
    assert not markers.notes


def test_markers_can_be_pickled(body: Markers) -> None:
    again = pickle.loads(pickle.dumps(body))
    assert again.labels == body.labels
    assert (again.positions == body.positions).all()


def test_reading_a_file_gives_its_motion(body: Markers, tmp_path: Path) -> None:
    write_c3d(tmp_path / "take.C3D", body)
    motion = read(tmp_path / "take.C3D")
    assert isinstance(motion, Motion)
    assert (len(motion), motion.fps, motion.name) == (len(body), 120.0, "take")
