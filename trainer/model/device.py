"""Where and how to compute: processor or GPU, precision, threads, and one process or several."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.distributed.rendezvous import rendezvous

from mocapgen.shared.cores import usable_cores
from mocapgen.shared.freed_memory import keep_freed_memory
from mocapgen.shared.text import quoted
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Compute:
    """The choice for one process.

    Parameters
    ----------
    device : torch.device
    bf16 : bool
        Whether the network computes in bfloat16.
    threads : int
    rank, world : int
        Number of this process, and how many there are.
    store : torch.distributed.Store, optional
        What several processes share besides: texts by name.
    """

    device: torch.device
    bf16: bool
    threads: int
    rank: int = 0
    world: int = 1
    store: torch.distributed.Store | None = None  # type: ignore[name-defined]

    def describe(self) -> str:
        """Return the choice in one line."""
        where = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else f"processor, {self.threads} threads"
        several = f", {self.world} processes" if self.world > 1 else ""
        return f"{where}, {'bf16' if self.bf16 else 'fp32'}{several}"

    def sum(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return sums over all processes."""
        if self.world == 1:
            return dict(values)
        total = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(total)
        return dict(zip(values, total.tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process, so that all do the same; otherwise one would wait for another for ever."""
        if self.world == 1:
            return flag
        count = torch.tensor(int(flag), device=self.device)
        torch.distributed.all_reduce(count)
        return bool(count.item())

    def part(self, count: int) -> tuple[slice, float]:
        """Return which of so many rows are this process's, and their weight: 0 for a row that stands in where there are fewer than processes."""
        return slice(self.rank % count, None, self.world), float(self.rank < count)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            torch.distributed.barrier()

    def close(self) -> None:
        """Wait for the other processes and leave the group."""
        self.wait()
        if self.world > 1:
            torch.distributed.destroy_process_group()


def has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether the processor multiplies bfloat16 in hardware (AMX or AVX-512 BF16): without, bf16 is slower than fp32."""
    try:
        return re.search(r"\b(amx|avx512)_bf16\b", cpuinfo.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def choose(device: str = "auto", precision: str = "auto", threads: int = 0) -> Compute:
    """Choose where to compute, and join the other processes if torchrun has started several.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    precision : str
        ``auto``, ``fp32`` or ``bf16``.
    threads : int
        0 is one per usable core (shared among the processes of torchrun on this machine).

    Raises
    ------
    ConfigError
        If the device is unknown or not there.
    """
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device: expected auto, cpu, cuda or cuda:N, found {quoted(device)}") from None
    if chosen.type not in ("cpu", "cuda"):
        raise ConfigError(f"device: expected auto, cpu, cuda or cuda:N, found {quoted(device)}")
    if chosen.type == "cuda":
        index = int(os.environ.get("LOCAL_RANK", 0)) if world > 1 else chosen.index or 0
        if index >= torch.cuda.device_count():
            count = torch.cuda.device_count()
            rule = f"expected one of the {count} GPUs that PyTorch sees, found {quoted(name)}" if count else "expected a GPU, PyTorch sees none"
            raise ConfigError(f"device: {rule}; use device='cpu'")
        chosen = torch.device("cuda", index)
        torch.cuda.set_device(chosen)
    threads = threads or max(1, usable_cores() // (int(os.environ.get("LOCAL_WORLD_SIZE", world)) if chosen.type == "cpu" else 1))
    torch.set_num_threads(threads)
    if chosen.type == "cpu":
        keep_freed_memory(2**30)  # measured on two cores: a training step takes 15 to 20 % less
    store = None
    if world > 1 and not torch.distributed.is_initialized():
        store = next(rendezvous("env://"))[0]
        torch.distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", store=store, rank=rank, world_size=world)
    bf16 = precision == "bf16" or (precision == "auto" and (chosen.type == "cuda" or has_bf16()))
    return Compute(chosen, bf16, threads, rank, world, store)
