"""Inspecting a file: what is run, what is left out, and that no file, however damaged, ends it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocapgen.inspect import policy, registry, run_checks
from mocapgen.inspect.registry import Check, checks
from mocapgen.inspect.run import inspect
from mocapgen.store import open_dataset
from schemas.errors import ConfigError, DatasetError
from schemas.inspection import CHECK_FAILED, Finding, Inspection
from tests.inspect.defects import change, rewrite
from tests.inspect.defects.dataset import copied
from tests.inspect.defects.structure import flipped_bits


@pytest.fixture
def edited(clean: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copy the clean file and edit it."""

    def edit(*edits: Callable[[h5py.File], None]) -> Path:
        path = tmp_path / "edited.h5"
        shutil.copy(clean, path)
        with h5py.File(path, "r+") as file:
            for each in edits:
                each(file)
        return path

    return edit


def found(inspection: Inspection, check: str) -> list[Finding]:
    return [finding for finding in inspection.findings if finding.check == check]


def left_out(inspection: Inspection) -> dict[str, str]:
    return {result.id: result.left_out for result in inspection.checks if result.left_out}


# Which checks, and how ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "ignore", "ran"),
    [
        ("structure.rows", (), {"structure.rows"}),
        (("structure.rows,structure.shapes", "dataset.lengths"), (), {"structure.rows", "structure.shapes", "dataset.lengths"}),
        ("structure.camera*", "structure.camera_rotation", {"structure.camera_intrinsics"}),
        ("structure", "structure.[!t]*", {"structure.types"}),
    ],
)
def test_select_and_ignore_take_ids_patterns_families_and_lists(clean: Path, select: str, ignore: str, ran: set[str]) -> None:
    inspection = inspect(clean, select=select, ignore=ignore, workers=1)
    assert {result.id for result in inspection.checks if not result.left_out} == ran
    assert len(inspection.checks) == sum("dataset" in check.kinds for check in checks().values())


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (
            {"select": "structure.row"},
            "select: expected the id of a check or a pattern such as 'motion.*', found 'structure.row'; did you mean 'structure.rows'?",
        ),
        ({"ignore": "motoin"}, "did you mean 'motion'?"),
        ({"select": " , "}, "select: expected ids of checks or patterns, found nothing"),
        ({"policy": "trainnig"}, "expected one of default, archive, training, or the path of a YAML file"),
        ({"split": "nowhere.json"}, "split: nowhere.json: expected a JSON file of the split of a run, found nothing"),
    ],
)
def test_names_that_do_not_exist_are_refused_with_near_ones(clean: Path, options: dict[str, str], part: str) -> None:
    with pytest.raises(ConfigError) as error:
        inspect(clean, workers=1, **options)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("severity: {}", "unknown setting 'severity'; did you mean 'severities'?"),
        ("severities: {motion.speed_spikes: error}", "did you mean 'motion.speed_spike'?"),
        ("severities: {structure.rows: fatal}", "found 'fatal'"),
        ("limits: {dataset.length: {min_frames: 3}}", "limits: unknown check 'dataset.length'; did you mean 'dataset.lengths'?"),
        ("limits: {dataset.lengths: {min_frame: 3}}", "limits: unknown limit 'min_frame' of dataset.lengths; did you mean 'min_frames'?"),
        ("limits: {dataset.lengths: {min_frames: many}}", "found 'many'"),
        ("- a", "expected a policy as 'key: value' lines, found a list"),
        ("severities: {}\nlimits: {}\nseverities: {}", "own.yaml:3: expected YAML, found: the key 'severities' twice, first in line 1"),
        ("severities:\n  motion.*: off\n  motion.*: error", "own.yaml:3: expected YAML, found: the key 'motion.*' twice, first in line 2"),
        ("a: [", "own.yaml:1: expected YAML, found: "),
        ("\x00", "own.yaml: expected YAML, found: "),
    ],
)
def test_a_wrong_policy_is_one_line(clean: Path, tmp_path: Path, text: str, part: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        inspect(clean, policy=own, workers=1)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_policy_changes_severities_and_limits_and_leaves_out(clean: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "severities:\n  dataset.*: error\n  dataset.unused: off\n  dataset.duplicates: off\nlimits:\n  dataset.lengths: {min_frames: 1000}\n",
        encoding="utf-8",
    )
    inspection = inspect(clean, policy=own, select="dataset,dataset.duplicates", workers=1)
    assert inspection.policy == "own"
    assert {finding.severity for finding in found(inspection, "dataset.lengths")} == {"error"}
    assert left_out(inspection)["dataset.unused"] == "left out by the policy"
    assert "dataset.duplicates" not in left_out(inspection)  # asked for by name
    (lengths,) = [result for result in inspection.checks if result.id == "dataset.lengths"]
    assert (lengths.limits["min_frames"], lengths.findings, lengths.sequences, lengths.clips) == (1000, 16, 16, 8)


@pytest.mark.parametrize("name", policy.policy_names())
def test_built_in_policies_are_valid_and_say_for_whom(name: str) -> None:
    assert policy.load_policy(name).description


@pytest.mark.parametrize(("threshold", "status"), [("info", 1), ("warning", 0), ("error", 0)])
def test_the_threshold_decides_the_exit_status(edited: Callable[..., Path], threshold: str, status: int) -> None:
    path = edited(lambda file: file.attrs.update(author="me"))
    assert inspect(path, threshold=threshold, select="structure", workers=1).exit_status == status  # type: ignore[arg-type]


# What cannot be inspected -------------------------------------------------------------------------


def test_a_newer_schema_and_other_formats_are_not_inspected(edited: Callable[..., Path]) -> None:
    for attribute, value in (("schema_version", "2.0"), ("format", "mocapgen-predictions"), ("format", 3)):
        path = edited(lambda file, attribute=attribute, value=value: file.attrs.update({attribute: value}))
        with pytest.raises(DatasetError, match="expected"):
            inspect(path, workers=1)


def test_without_tables_only_the_structure_is_inspected(edited: Callable[..., Path]) -> None:
    inspection = inspect(edited(lambda file: file.__delitem__("sequences")), workers=1)
    assert {finding.check for finding in inspection.findings} == {"structure.missing"}
    assert inspection.notes[0].startswith("sequences and the dataset as a whole could not be looked at")
    ran = {result.id.partition(".")[0] for result in inspection.checks if not result.left_out}
    assert ran == {"structure"}
    assert set(left_out(inspection).values()) == {"the structure does not allow it", "needs --split"}


def test_lists_of_numbers_are_no_names(clean: Path, tmp_path: Path) -> None:
    shutil.copy(clean, tmp_path / "lists.h5")
    with h5py.File(tmp_path / "lists.h5", "a") as file:
        count = len(file["clips/actor"])
        del file["clips/actor"]
        file.create_dataset("clips/actor", shape=(count,), dtype=h5py.vlen_dtype("i4"))
    inspection = inspect(tmp_path / "lists.h5", select="structure", workers=1)
    assert "/clips/actor" in {finding.where for finding in found(inspection, "structure.types")}
    assert json.loads(inspection.model_dump_json())


def test_a_damaged_sequence_does_not_end_the_rest(edited: Callable[..., Path]) -> None:
    def spike(file: h5py.File) -> None:
        change(file, "positions_3d", 15, lambda values: values + np.eye(len(values))[:, 60, None, None].astype("f4"))

    inspection = inspect(edited(spike, flipped_bits("/frames/positions_3d", 0)), workers=1)
    damaged = found(inspection, "structure.checksums")
    assert {finding.sequence for finding in damaged} >= {0}
    assert 15 not in {finding.sequence for finding in damaged}
    assert {finding.sequence for finding in inspection.findings if finding.check.startswith("motion.")} == {15}
    (fk,) = [result for result in inspection.checks if result.id == "kinematics.forward_kinematics"]
    assert fk.unread == len({finding.sequence for finding in damaged})


def test_sequences_of_no_use_are_noted_and_the_rest_is_inspected(edited: Callable[..., Path]) -> None:
    inspection = inspect(edited(lambda file: file["/sequences/start"].__setitem__(3, -5)), workers=1)
    assert [finding.sequence for finding in found(inspection, "structure.rows")] == [3]
    assert inspection.notes[0].startswith("1 of 16 sequences could not be looked at")
    assert left_out(inspection) == {"dataset.split_leak": "needs --split", "dataset.split_names": "needs --split"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_takes_the_place_of_what_the_inspection_ends_well(clean: Path, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "odd.h5"
    shutil.copy(clean, path)
    with h5py.File(path, "r+") as file:
        places: list[str] = []
        file.visit(places.append)
        for place in data.draw(st.lists(st.sampled_from(sorted(places)), min_size=1, max_size=3)):
            if place not in file:
                continue
            odd = data.draw(st.sampled_from(ODD))
            del file[place]
            if odd is not None:
                file[place] = odd
    inspection = inspect(path, workers=1)
    assert [finding.message for finding in inspection.findings if finding.check == CHECK_FAILED] == []
    if not inspection.count("error"):
        open_dataset(path).close()  # readers refuse nothing that the inspection has no error for
    assert Inspection.model_validate_json(inspection.model_dump_json()) == inspection


ODD = (
    None,
    np.zeros((0,), "f4"),
    np.zeros((0, 0, 0), "f4"),
    np.float32(1.5),
    np.full((3,), np.nan),
    np.arange(6).reshape(2, 3),
    np.array([b"abc", b"\xff\xfe"]),
    np.array(["Hips", "[bold]", ""], dtype=object),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    np.array([2**62, -1]),
    np.array([1 + 2j]),
)


# Checks that fail, many findings, long sequences, workers -----------------------------------------


@pytest.fixture
def with_check(monkeypatch: pytest.MonkeyPatch) -> Callable[[Check], None]:
    known = dict(checks())

    def add(check: Check) -> None:
        for module in (registry, policy):
            monkeypatch.setattr(module, "checks", lambda: {**known, check.id: check})

    return add


def _fails(sequence: object) -> Iterator[Finding]:
    """Fails."""
    raise ZeroDivisionError("by zero\nand more")
    yield


def _many(sequence: object, *, count: int = 300) -> Iterator[Finding]:
    """Finds much."""
    for value in range(count):
        yield sequence.finding("expected less", frame=value, value=value)  # type: ignore[attr-defined]


def test_a_check_that_fails_is_a_finding_and_ends_nothing(clean: Path, with_check: Callable[[Check], None]) -> None:
    with_check(Check("motion.fails", "info", "sequence", "", _fails))
    inspection = inspect(clean, select="motion.fails,structure", workers=1, threshold="error")
    failed = found(inspection, CHECK_FAILED)
    assert len(failed) == 16
    assert failed[0].message == "expected motion.fails to run, found ZeroDivisionError: by zero and more; this is a bug: please report it"
    assert (inspection.exit_status, inspection.count("error")) == (1, 16)


def test_of_very_many_findings_the_worst_are_kept_and_all_are_counted(clean: Path, with_check: Callable[[Check], None]) -> None:
    with_check(Check("motion.many", "warning", "sequence", "m", _many))
    inspection = inspect(clean, select="motion.many", workers=1)
    (result,) = [result for result in inspection.checks if result.id == "motion.many"]
    assert (result.findings, result.sequences, result.clips) == (4800, 16, 8)
    assert len(inspection.findings) == run_checks.KEPT
    assert min(finding.value or 0.0 for finding in inspection.findings) >= 300 - run_checks.KEPT / 16 - 1
    assert inspection.count("warning") == 4800


def test_findings_are_sorted_worst_first(edited: Callable[..., Path]) -> None:
    path = edited(copied(2), lambda file: file.attrs.update(author="me"), lambda file: file["/sequences/start"].__setitem__(3, -5))
    severities = [finding.severity for finding in inspect(path, workers=1).findings]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert len(set(severities)) == 3


def test_long_sequences_are_looked_at_in_parts_that_keep_their_frames(edited: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: h5py.File) -> None:
        change(file, "positions_3d", 6, lambda values: np.where((np.arange(len(values)) == 70)[:, None, None], np.nan, values))

    path = edited(broken)
    monkeypatch.setattr(run_checks, "PART", 32)
    (finding,) = found(inspect(path, select="structure.not_finite", workers=1), "structure.not_finite")
    assert (finding.sequence, finding.frame, finding.joint) == (6, 70, "Hips")


@given(lengths=st.lists(st.integers(1, 20_000), max_size=40))
def test_little_is_looked_at_at_a_time_and_nothing_is_left_out(lengths: list[int]) -> None:
    batches = list(run_checks._batches(list(enumerate(lengths))))
    assert all(sum(part.length for part in batch) <= run_checks.PART for batch in batches)
    looked: dict[int, int] = {}
    for part in (part for batch in batches for part in batch):
        assert looked.get(part.sequence, 0) == part.offset
        looked[part.sequence] = part.offset + part.length
    assert list(looked.values()) == lengths


def test_what_is_gathered_from_parts_is_what_is_gathered_from_the_whole(edited: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = edited(copied(1, first_frame=5))
    whole = found(inspect(path, select="dataset", workers=1), "dataset.near_duplicates")
    monkeypatch.setattr(run_checks, "PART", 32)
    parts = found(inspect(path, select="dataset", workers=1), "dataset.near_duplicates")
    assert [(finding.clip, finding.value) for finding in parts] == [(finding.clip, finding.value) for finding in whole] != []


def test_workers_make_no_difference(edited: Callable[..., Path]) -> None:
    path = edited(copied(2), flipped_bits("/frames/euler", 3))
    alone, together = (inspect(path, workers=workers, policy="training") for workers in (1, 2))
    assert alone == together
    assert alone.findings


def test_progress_is_told(clean: Path) -> None:
    calls: list[tuple[int, int]] = []
    inspect(clean, workers=1, progress=lambda done, total, label: calls.append((done, total)))
    assert calls[-1] == (16, 16)


# Splits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"train": 3, "validation": [], "test": []}', '{"train": [1], "validation": [], "test": []}'])
def test_what_is_no_split_is_refused(clean: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "split.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^split: "):
        inspect(clean, split=tmp_path, workers=1)


def test_a_split_by_clip_of_the_trainer_has_no_leak(clean: Path, tmp_path: Path) -> None:
    from trainer.data.dataset import load
    from trainer.data.splits import make_split

    data = load(clean)
    for spec, leaks in (("clip", 0), ("random", 8)):
        (tmp_path / "split.json").write_text(json.dumps(make_split(data, spec).record(data)), encoding="utf-8")
        inspection = inspect(clean, select="dataset.split*", split=tmp_path, workers=1)
        assert inspection.split == spec
        assert bool(found(inspection, "dataset.split_leak")) is bool(leaks)
        assert found(inspection, "dataset.split_names") == []


# Summary ------------------------------------------------------------------------------------------


def test_windows_of_a_recording_are_one_clip(edited: Callable[..., Path]) -> None:
    def windows(file: h5py.File) -> None:
        for row in (1, 2):
            file["/clips/file"][row] = file["/clips/file"][0]

    summary = inspect(edited(windows), select="structure.rows", workers=1).summary
    assert (summary.clips, summary.windows) == (6, 8)
    assert sum(tally.clips for tally in summary.actors) == 6


def test_the_summary_agrees_with_the_file(clean: Path) -> None:
    summary = inspect(clean, select="structure.rows", workers=1).summary
    with h5py.File(clean) as file:
        length = file["/sequences/length"][:]
        assert (summary.sequences, summary.frames, summary.clips) == (len(length), length.sum(), len(file["/clips/id"]))
        assert summary.lengths is not None
        assert (summary.lengths.shortest, summary.lengths.median, summary.lengths.longest) == (length.min(), np.median(length), length.max())
        assert sum(summary.skipped.values()) == len(file["/skipped/file"])
    for tallies in (summary.sources, summary.actors, summary.actions, summary.avatars, summary.rigs):
        assert sum(tally.sequences for tally in tallies) == summary.sequences
        assert sum(tally.frames for tally in tallies) == summary.frames
    assert [tally.name for tally in summary.actors] == ["sa", "sd"]


def test_an_empty_dataset_is_inspected(edited: Callable[..., Path]) -> None:
    def emptied(file: h5py.File) -> None:
        for group in ("sequences", "clips", "cameras"):
            for name in list(file[group]):
                rewrite(file, f"/{group}/{name}", file[f"/{group}/{name}"][()][:0])
        for dataset in file["/frames"].values():
            dataset.resize(0, axis=0)

    inspection = inspect(edited(emptied), workers=1)
    assert {finding.check for finding in inspection.findings} <= {"dataset.unused"}
    assert (inspection.summary.sequences, inspection.summary.lengths) == (0, None)
