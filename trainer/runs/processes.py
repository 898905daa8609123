"""Several processes of one run, started by torchrun: an error of one ends all of them, so that none waits for another for ever, and is told once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed

from mocapgen.shared.command import Stopped
from schemas.errors import ConfigError, MocapError
from trainer.model.device import Compute

_ERROR = "error"
"""Key under which the first error of a run is stored."""


class FailedElsewhere(ConfigError):
    """Another process of the run has failed, and has said so."""


def is_first() -> bool:
    """Return whether this process is the one that prints and writes: the first of several, or the only one."""
    return int(os.environ.get("RANK", 0)) == 0


def start_command() -> list[str]:
    """Return the words that start the program: ``trainer``, by torchrun if there are several processes."""
    world = int(os.environ.get("WORLD_SIZE", 1))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", world))
    machines = ["--nnodes", str(world // here)] if world > here else []
    return ["torchrun", *machines, "--nproc-per-node", str(here), "-m", "trainer"] if world > 1 else ["trainer"]


@contextmanager
def sharing_errors(compute: Compute) -> Iterator[None]:
    """Let an error within the block be an error of all processes of the run.

    Whoever fails stores the error and leaves the group, which ends the others' waiting for it; they find the error then. A torchrun that ends
    the others itself, as it does a moment later, makes no difference.

    Parameters
    ----------
    compute : Compute

    Raises
    ------
    FailedElsewhere
        In all processes but the one that has failed first.
    """
    if compute.store is None:
        yield
        return
    try:
        yield
    except Stopped:  # all have saved together
        _leave()
        raise
    except (MocapError, RuntimeError, KeyboardInterrupt) as error:
        told = _first_error(compute, error if isinstance(error, MocapError) else None)
        _leave()
        if told is not None:
            raise FailedElsewhere(*told) from None
        if isinstance(error, RuntimeError) and _lost(error):
            rule = f"expected {compute.world} processes to train together, found that one of them has ended"
            raise ConfigError(f"torchrun: {rule}; see what it printed, and go on with resume=True") from None
        raise


def _first_error(compute: Compute, own: MocapError | None) -> list[str] | None:
    """Return the lines of the first error of any other process, None if there is none; one's own is stored if it is the first."""
    assert compute.store is not None
    try:
        if own is not None:
            mine = json.dumps([compute.rank, *map(str, own.args)])
            first = compute.store.compare_set(_ERROR, "", mine)
        elif compute.store.check([_ERROR]):
            first = compute.store.get(_ERROR)
        else:
            return None
    except RuntimeError:  # the store has gone with the process that kept it
        return None
    rank, *lines = json.loads(first)
    return None if rank == compute.rank else lines


def _lost(error: RuntimeError) -> bool:
    """Return whether an error says that the connection to another process is lost."""
    return isinstance(error, torch.distributed.DistError) or "gloo/transport" in str(error)


def _leave() -> None:
    """Close the connections to the other processes."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
