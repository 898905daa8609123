"""Threads that each do jobs of their own; how many there are; and how they wait."""

import os
import subprocess
import sys

import pytest
import torch

from mocapgen.shared.cores import usable_cores
from trainer.model.threads import side_by_side

PROCESSOR = torch.device("cpu")
WAITING = "import os, trainer.cli.main as cli\ntry: cli.main(['models', '-q'])\nexcept SystemExit: print(os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize("threads", [1, 2])
def test_each_operation_has_one_thread(threads):
    torch.set_num_threads(threads)
    with side_by_side(PROCESSOR) as workers:
        assert list(workers.map(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
        assert workers.submit(lambda a, b: a - b, 5, b=2).result() == 3
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_come_with_the_result(threads):
    torch.set_num_threads(threads)
    with side_by_side(PROCESSOR) as workers, pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 / 0).result()
    with pytest.raises(ZeroDivisionError), side_by_side(PROCESSOR) as workers:
        list(workers.map(lambda number: 1 / number, (1, 0)))
    assert torch.get_num_threads() == threads


def test_cores_are_those_of_the_container(tmp_path):
    everything, quota = usable_cores(tmp_path / "none"), tmp_path / "cpu.max"
    for text, expected in (("max 100000\n", everything), ("50000 100000\n", 1), ("100000000 100000\n", everything), ("", everything)):
        quota.write_text(text)
        assert usable_cores(quota) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")], ids=["none", "count", "policy"]
)
def test_threads_of_the_program_do_not_spin_for_long(given, expected):
    environment = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")} | given
    done = subprocess.run([sys.executable, "-c", WAITING], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[-1] == expected
