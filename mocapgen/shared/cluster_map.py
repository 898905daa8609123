"""Map over work on a Dask cluster: the contract of :mod:`mocapgen.shared.parallel`, on any number of machines.

Dask is asked through ``Client.submit``, its concurrent-futures interface. Its ``Executor`` would fetch each result as soon as it is done,
so that the main process's memory would grow with the number of workers; these futures leave results with the workers until their turn comes.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mocapgen.shared.cluster import check_workers, cluster_client, reaches_workers
from mocapgen.shared.cluster_worker import Answer, Unpickler, read_part, remove, run_batch, versions
from mocapgen.shared.spool import read_items
from mocapgen.shared.text import one_line
from schemas.errors import MocapError

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as Remote

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 120.0
"""Seconds to wait for a first worker, or for one to come back."""
_ASK = 1.0  # seconds between two questions who is there
_IN_FLIGHT = 3  # batches for each thread of a worker: one that runs, one that is next, one that waits to be fetched
_FETCHED = 3  # batches that are fetched before their turn
_MOST_ITEMS, _MOST_SECONDS, _MOST_BYTES = 16, 0.25, 16 * 2**20  # of a batch: Dask takes a millisecond for each, some clips take five
_PART = 16 * 2**20  # bytes of a worker's file that are fetched at once
_TRIES = 4


@dataclass
class _Batch(Generic[Item]):
    """Items that a worker does in one go."""

    items: Sequence[Item]
    remote: Remote[Answer]
    fetched: Future[Answer] | None = None


@dataclass
class ClusterMap(Generic[Item, Result]):
    """Applies a task to items on a cluster.

    Parameters
    ----------
    task : callable
        Picklable, and defined in a module that the workers have.
    items : sequence
    name : callable
        What an item is called in errors.
    check : callable
        Called with each item, its result and the worker that it comes from, in the items' order.
    waiting : callable
        Called with what is waited for, every second while there is no worker.
    """

    task: Callable[[Item], Result]
    items: Sequence[Item]
    name: Callable[[Item], str]
    check: Callable[[Item, Result, str], None]
    waiting: Callable[[str], None]
    _pending: deque[_Batch[Item]] = field(default_factory=deque)
    _seconds: float = _MOST_SECONDS
    _bytes: float = _MOST_BYTES
    _threads: int = 0
    _asked: float = 0.0

    @contextlib.contextmanager
    def on(self, cluster: str) -> Iterator[Iterator[Result]]:
        """Yield the results in the order of the items: see :func:`mocapgen.shared.cluster.cluster_client`.

        Raises
        ------
        ConfigError
            See there.
        MocapError
            If the scheduler is lost, no worker is there for :data:`PATIENCE` seconds, or an item ends each worker that does it.
        """
        with cluster_client(cluster) as self._client:
            self._fetchers = ThreadPoolExecutor(_FETCHED)
            try:
                yield self._results()
            finally:
                self._fetchers.shutdown(wait=False, cancel_futures=True)  # they end when the connection does

    def _results(self) -> Iterator[Result]:
        with _lost_scheduler():
            self._wait_for_workers()
            check_workers(self._client)
            self._direct = reaches_workers(self._client)
            self._shared = self._client.submit(bytes, pickle.dumps(self.task), pure=False)
        remaining = deque(self.items)
        while remaining or self._pending:
            with _lost_scheduler():
                self._submit(remaining)
                batch, answer = self._next()
            yield from self._unpacked(batch.items, answer)

    def _submit(self, remaining: deque[Item]) -> None:
        """Keep the workers busy."""
        if time.monotonic() - self._asked > _ASK:
            self._count_threads()
        while remaining and len(self._pending) < _IN_FLIGHT * max(self._threads, 1) + _FETCHED:
            fair = len(remaining) // (2 * max(self._threads, 1))  # towards the end, all workers shall have something to do
            size = int(min(_MOST_ITEMS, _MOST_SECONDS / self._seconds, _MOST_BYTES / self._bytes, fair))
            self._pending.append(self._batch([remaining.popleft() for _ in range(max(size, 1))]))

    def _batch(self, items: Sequence[Item]) -> _Batch[Item]:
        return _Batch(items, self._client.submit(run_batch, self._shared, items, versions(), pure=False))

    def _next(self) -> tuple[_Batch[Item], Answer]:
        """Return the first pending batch, when it is done."""
        from distributed.scheduler import KilledWorker

        while True:
            for batch in islice(self._pending, _FETCHED):
                batch.fetched = batch.fetched or self._fetchers.submit(self._fetch, batch.remote)
            batch = self._pending.popleft()
            try:
                return batch, self._waited(batch)
            except KilledWorker:
                if len(batch.items) == 1:
                    raise self._deadly(batch.items[0]) from None
                self._pending.extendleft(self._batch([item]) for item in reversed(batch.items))  # one of them it is

    def _fetch(self, remote: Remote[Answer]) -> Answer:
        """Wait for the answer of a worker, take it and let Dask forget it."""
        answer: Answer = self._client.gather(remote, direct=self._direct)
        remote.release()
        return answer

    def _waited(self, batch: _Batch[Item]) -> Answer:
        assert batch.fetched is not None
        while True:
            with contextlib.suppress(TimeoutError):
                answer = batch.fetched.result(_ASK)
                break
            self._wait_for_workers()
        for seconds, result in zip(answer.seconds, answer.results, strict=True):
            self._seconds += (seconds - self._seconds) / 8
            self._bytes += (len(result) - self._bytes) / 8
        return answer

    def _deadly(self, item: Item) -> MocapError:
        said = "every worker died that converted it (killed, or out of memory); nothing was changed; give workers more memory, or leave it out"
        return MocapError(one_line(self.name(item), said))

    def _count_threads(self) -> None:
        self._threads, self._asked = sum(self._client.nthreads().values()), time.monotonic()

    def _wait_for_workers(self) -> None:
        until = time.monotonic() + PATIENCE
        self._count_threads()
        while not self._threads:
            if time.monotonic() > until:
                raise MocapError(f"the cluster has no workers, and none came within {PATIENCE:g} s; nothing was changed; start workers first")
            self.waiting("waiting for workers")
            time.sleep(_ASK)
            self._count_threads()

    def _unpacked(self, items: Sequence[Item], answer: Answer) -> Iterator[Result]:
        for item, pickled in zip(items, answer.results, strict=False):
            result = self._unpickled(item, pickled, answer.worker)[0]
            self.check(item, result, answer.worker)
            yield result
        if answer.error is not None:
            raise answer.error

    def _unpickled(self, item: Item, pickled: bytes, worker: str) -> tuple[Result, list[_RemoteSpool]]:
        """Return a result, and the spools in it that are still in files of the worker."""
        spools: list[_RemoteSpool] = []

        def spool(path: str) -> _RemoteSpool:
            number = len(spools)
            spools.append(_RemoteSpool(self._client, worker, path, again=lambda: self._again(item)[number]))
            return spools[-1]

        return Unpickler(pickled, spool).load(), spools

    def _again(self, item: Item) -> list[_RemoteSpool]:
        """Have an item done once more, since its files are lost."""
        with _lost_scheduler():
            self._pending.appendleft(self._batch([item]))
            _, answer = self._next()
        if answer.error is not None:
            raise answer.error
        return self._unpickled(item, answer.results[0], answer.worker)[1]


@contextlib.contextmanager
def _lost_scheduler() -> Iterator[None]:
    """Say in one line that the connection is gone."""
    try:
        yield
    except (OSError, CancelledError):
        said = "the connection to the scheduler was lost (it ended, or the network); nothing was changed; start it and the build again"
        raise MocapError(said) from None


# Long results -------------------------------------------------------------------------------------


class _LostError(Exception):
    """A file cannot be fetched any more."""


@dataclass
class _RemoteSpool:
    """A spool that waits in a file of a worker, read once; should the worker die meanwhile, its item is done again and reading goes on."""

    client: Client
    worker: str
    path: str
    again: Callable[[], _RemoteSpool]

    def __iter__(self) -> Iterator[Any]:
        """Yield the items of the spool."""
        done, place = 0, self
        for _ in range(_TRIES):
            try:
                for item in islice(place.stored(), done, None):
                    yield item
                    done += 1
            except _LostError:
                place = self.again()
            else:
                place.discard()
                return
        raise MocapError(f"worker {place.worker}: {_TRIES} workers died while their results were fetched; nothing was changed; try again")

    def stored(self) -> Iterator[Any]:
        """Yield the items of the file."""
        return read_items(io.BufferedReader(_RemoteFile(self.client, self.worker, self.path), _PART))

    def discard(self) -> None:
        """Remove the file; where that is not possible, it goes with the worker."""
        with contextlib.suppress(Exception):
            self.client.run(remove, self.path, workers=[self.worker])


class _RemoteFile(io.RawIOBase):
    """A file of a worker, read from the beginning to the end."""

    def __init__(self, client: Client, worker: str, path: str) -> None:
        self._client, self._worker, self._path, self._at = client, worker, path, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fetch as many bytes as there is room for."""
        try:
            (part,) = self._client.run(read_part, self._path, self._at, len(buffer), workers=[self._worker]).values()
        except Exception as error:  # a worker that is gone is told in many ways
            raise _LostError from error
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
