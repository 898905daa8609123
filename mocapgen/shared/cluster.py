"""Connections to Dask clusters: a scheduler that runs somewhere, or one on this machine for as long as it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from mocapgen.shared.cluster_worker import check_versions, versions
from mocapgen.shared.parallel import interrupts_blocked, main_module_hidden
from mocapgen.shared.text import one_line, quoted
from mocapgen.shared.version import __version__
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from distributed import Client

CONNECT = 5.0
"""Seconds in which a scheduler answers."""
_LOCAL = re.compile(r"local:(\d+)")
_SILENT = logging.CRITICAL + 1


@contextlib.contextmanager
def cluster_client(cluster: str) -> Iterator[Client]:
    """Yield a connection to a cluster, whose workers need not be there yet.

    Parameters
    ----------
    cluster : str
        ``local:N`` for N workers on this machine, which end with the block; else the address of a Dask scheduler.

    Raises
    ------
    ConfigError
        If Dask is not installed, nothing that is a scheduler answers, or its workers have other versions.
    """
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise ConfigError(f"cluster: expected the package distributed, found: {error}; pip install 'mocapgen[cluster]'") from None
    with _silence(), dask.config.set({"distributed.comm.timeouts.connect": CONNECT}):
        local = _LOCAL.fullmatch(cluster)
        with _local_cluster(int(local[1])) if local else contextlib.nullcontext(cluster) as address:
            if not local:
                _require_scheduler(cluster)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # versions are checked below
                client = Client(address, timeout=CONNECT, set_as_default=False)
            try:
                yield client
            finally:
                with contextlib.suppress(OSError):  # late (a machine that slept, say): the work is done, and the connection ends with the process
                    client.close(timeout=CONNECT)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let nothing be logged: what matters is raised."""
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado", "asyncio")]
    levels = {name: logging.getLogger(name).level for name in known}
    for name in levels:
        logging.getLogger(name).setLevel(_SILENT)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _local_cluster(workers: int) -> Iterator[str]:
    """Yield the address of a cluster on this machine."""
    import dask
    from distributed import LocalCluster

    if os.name == "posix":
        with interrupts_blocked():
            resource_tracker.ensure_running()
    with (
        tempfile.TemporaryDirectory(prefix="mocapgen-", ignore_cleanup_errors=True) as scratch,
        main_module_hidden(),
        dask.config.set({"temporary-directory": scratch}),
    ):
        with interrupts_blocked():  # by the thread that is started here as well, which starts the workers
            running = LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=0,  # as without a cluster
                local_directory=scratch,
                silence_logs=_SILENT,
            )
        running.shutdown_on_close = False  # at the end of the process, which ends workers anyway
        try:
            running.scale(workers)
            yield running.scheduler_address
        finally:
            with contextlib.suppress(OSError, AssertionError):  # as above; or a worker was just being started, which Dask does not expect
                running.close(timeout=CONNECT)


def _require_scheduler(address: str) -> None:
    """Check that a Dask scheduler answers; a client would wait for ever where something else does.

    Raises
    ------
    ConfigError
        With what is there instead, as far as that is known.
    """
    from distributed.core import rpc
    from distributed.security import Security

    async def kind() -> str:
        async with rpc(address, timeout=CONNECT, connection_args=Security().get_connection_args("client")) as there:
            return str((await there.identity())["type"])

    try:
        # in a thread of its own: in a notebook, this one has a loop that runs
        with ThreadPoolExecutor(1) as thread:
            found = thread.submit(asyncio.run, asyncio.wait_for(kind(), CONNECT)).result()
    except (ValueError, TypeError, RuntimeError) as error:  # no such scheme, no port, no certificate
        raise ConfigError(f"cluster: expected the address of a Dask scheduler such as tcp://host:8786, found {quoted(address)}: {error}") from None
    except (TimeoutError, OSError):
        said = f"found none that answers within {CONNECT:g} s; check that it runs, and its host and port (not the dashboard's)"
        raise ConfigError(f"cluster: expected a Dask scheduler at {address}, {said}") from None
    if found != "Scheduler":
        raise ConfigError(f"cluster: expected a Dask scheduler at {address}, found a {found.lower()}; its scheduler's address is wanted")


def check_workers(client: Client) -> None:
    """Check that the workers that are there have the versions of this process.

    Raises
    ------
    ConfigError
        With the first that does not.
    """
    for worker, found in client.run(versions, on_error="return").items():
        if isinstance(found, Exception):
            said = f"expected mocapgen {__version__}, found: {found.__cause__ or found}; install it on all machines"
            raise ConfigError(one_line(f"worker {worker}", said))
        check_versions(worker, found, versions())


def reaches_workers(client: Client) -> bool:
    """Return whether this process can connect to the workers, so that results need not pass through the scheduler."""
    from distributed.comm.addressing import get_address_host_port

    try:
        host_and_port = get_address_host_port(next(iter(client.nthreads())))
        socket.create_connection(host_and_port, CONNECT).close()
    except (OSError, ValueError, StopIteration):
        return False
    return True
