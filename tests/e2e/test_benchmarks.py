"""The benchmark command on a handful of clips: every figure is there and positive, and peers agree with us."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def figures(tmp_path_factory, repository, data_dir):
    """What the benchmarks measure, by section and row, and the Markdown they print."""
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    root = data_dir / "hdm05" / "HDM05_cut_amc"
    command = [sys.executable, "-m", "benchmarks", "--root", root, "--clips", "4", "--repeat", "1", "--markdown", "--json", file]
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # quiet when nobody is watching
    return {section["title"]: section["figures"] for section in json.loads(file.read_text())["sections"]}, done.stdout


def test_every_step_has_a_positive_figure(figures):
    sections, printed = figures
    steps = {row["step"]: row for row in sections["Steps on one core"]}
    for step in ("read", "forward kinematics", "resample", "retarget, all avatars", "render", "write"):
        assert steps[step]["frames/s, best"] > 0
        assert f"| {step} |" in printed


def test_the_whole_build_reports_time_and_memory(figures):
    builds = figures[0]["The whole build"]
    assert [(row["clips"], row["workers"]) for row in builds] == [(4, 2), (4, 1), (2, 2)]
    for row in builds:
        assert row["seconds, best"] > 0
        assert row["frames"] > 0
        assert 0 < row["writer's share, %"] < 100
        if sys.platform == "linux":
            assert row["peak MB, main process"] > 10
            assert (row["peak MB, largest worker"] is not None) == (row["workers"] > 1)


def test_peers_find_the_same(figures):
    for row in figures[0]["Against peers"]:
        assert row["ours, frames/s"] > 0
        assert row["peer, frames/s"] > 0
        assert float(row["largest difference"].split()[0]) < 1e-6, row["task"]


def test_bvh_is_compared(figures):
    rows = figures[0]["Reading BVH"]
    assert {row["task"] for row in rows} == {"read", "read, new rig", "read + positions"}
    for row in rows:
        assert min(row["ours"], row["pybvh"], row["bvh alone"], row["np.loadtxt"]) > 0
        assert float(row["largest difference"]) < 1e-6


def test_storage_is_compared(figures):
    sizes = {row["filter"]: row["size, MB"] for row in figures[0]["Compression"]}
    assert 0 < sizes["gzip 4"] < sizes["gzip 1"] < sizes["none"]
    assert all(row["windows/s"] > 0 for row in figures[0]["Random windows"])


def test_a_small_synthetic_cmu_is_written_and_built(repository, tmp_path):
    numbers = ["--clips", "3", "--frames", "480", "--avatars", "1", "--workers", "2", "--markdown"]
    command = [sys.executable, "-m", "benchmarks.cmu", "--folder", str(tmp_path), *numbers]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith(("| sample", "| build"))]
    assert [row[1].strip() for row in rows] == ["sample", "build, 1 avatar"]
    assert all(float(row[3].replace(",", "")) > 0 for row in rows)
    assert len(list(tmp_path.rglob("*.bvh"))) == 3
    assert not list(tmp_path.rglob("*.h5"))


def test_the_share_of_the_writer_is_measured(repository):
    command = [sys.executable, "-m", "benchmarks.writer", "--frames", "60", "--cameras", "3", "--markdown"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith(("| 2 |", "| 1 |"))]
    assert [float(row[2]) for row in rows] == [180, 180]
    assert all(0 < float(row[6]) < 100 for row in rows)
