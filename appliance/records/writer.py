"""The one writer: a thread that takes queued units of work and commits them in groups.

Each unit runs in a savepoint inside one `BEGIN IMMEDIATE`; the group is committed once with `synchronous=FULL`; only
then is anybody answered. So an answer means: on the disk. A unit that fails takes back only itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from appliance.clock import Clock
from appliance.records import feed
from appliance.records.sql import Sql

T = TypeVar("T")

SAVEPOINT, ROLLBACK, RELEASE = Sql("SAVEPOINT unit"), Sql("ROLLBACK TO unit"), Sql("RELEASE unit")

GROUP_SIZE = 64
"""At most so many units share a commit."""

GROUP_SECONDS = 0.05
"""A group takes no further unit after this time, so that the first one's answer is not late."""


class Unit:
    """One unit of work inside the writer's transaction.

    Attributes:
        connection: the writer's connection, inside the transaction.
        now: the moment of this unit in microseconds.
        seq: the number of its last change once it is done, 0 where it changed nothing.
    """

    __slots__ = ("_changes", "_late", "connection", "now", "seq")

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection = connection
        self.now = now
        self.seq = 0
        self._changes: dict[tuple[str, str], str] = {}
        self._late: list[tuple[Sql, dict[str, Any]]] = []

    def changed(self, type: str, id: str, op: str = "put") -> None:
        """Note that a record changed; one row for each record and unit, however often it was touched."""
        self._changes.pop((type, id), None)
        self._changes[type, id] = op

    def at_end(self, statement: Sql, values: dict[str, Any]) -> None:
        """Execute this at the end of the transaction, after all units of the group; for indexes that like it so."""
        self._late.append((statement, values))

    def run_late(self) -> None:
        """Execute what was kept for the end; the writer does so once, before it commits.

        A statement that fails here fails the whole group: it has no savepoint of its own any more.
        """
        for statement, values in self._late:
            statement.run(self.connection, values)

    def _finish(self) -> None:
        if self._changes:
            changes = [(type_, id_, op) for (type_, id_), op in self._changes.items()]
            self.seq = feed.append(self.connection, changes, self.now)


class _Job:
    """A queued unit and whoever waits for it: a thread (Future) or a coroutine (its loop's future)."""

    __slots__ = ("error", "future", "loop", "result", "unit", "waiter", "work")

    def __init__(self, work: Callable[[Unit], Any]) -> None:
        self.work = work
        self.unit: Unit | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.future: Future[Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waiter: asyncio.Future[Any] | None = None


def _answer_waiters(jobs: list[_Job]) -> None:
    for job in jobs:
        assert job.waiter is not None
        if job.waiter.done():
            continue
        if job.error is not None:
            job.waiter.set_exception(job.error)
        else:
            job.waiter.set_result(job.result)


class Writer:
    """The thread that owns the only writing connection of this process."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        on_commit: Callable[[], None] | None = None,
        before_answers: Callable[[int], None] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._on_commit, self._before_answers = on_commit, before_answers
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="wanmi-writer", daemon=True)
        self._thread.start()
        self.groups = 0
        self.units = 0

    @property
    def waiting(self) -> int:
        """How many units wait for the writer now."""
        return self._queue.qsize()

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run a unit and return its result once it is on the disk. For threads; a coroutine uses `write_async`."""
        job = _Job(work)
        job.future = Future()
        self._put(job)
        result: T = job.future.result()
        return result

    async def write_async(self, work: Callable[[Unit], T]) -> T:
        """Run a unit and wait for the commit without blocking the event loop."""
        job = _Job(work)
        job.loop = asyncio.get_running_loop()
        job.waiter = job.loop.create_future()
        self._put(job)
        result: T = await job.waiter
        return result

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _put(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the writer is closed")
            self._queue.put(job)

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while True:
                job = self._queue.get()
                if job is None:
                    return
                if self._run_group(connection, job):
                    return

    def _run_group(self, connection: Connection, first: _Job) -> bool:
        """Run one group; True when the writer was asked to end."""
        jobs: list[_Job] = []
        ending = False
        try:
            with connection.begin():
                started = monotonic()
                job: _Job | None = first
                while True:
                    assert job is not None
                    jobs.append(job)
                    self._run_unit(connection, job)
                    if len(jobs) >= GROUP_SIZE or monotonic() - started > GROUP_SECONDS:
                        break
                    try:
                        job = self._queue.get_nowait()
                    except Empty:
                        break
                    if job is None:
                        ending = True
                        break
                for done in jobs:
                    if done.unit is not None:
                        done.unit.run_late()
        except BaseException as error:  # the group is lost as a whole: a full disk, a lock that was never given
            for job in jobs or [first]:
                job.error = job.error or error
        self.groups += 1
        self.units += len(jobs)
        seq = max((job.unit.seq for job in jobs if job.unit is not None and job.error is None), default=0)
        if seq and self._before_answers is not None:
            self._before_answers(seq)
        self._answer(jobs or [first])
        return ending

    def _run_unit(self, connection: Connection, job: _Job) -> None:
        SAVEPOINT.run(connection, {})
        unit = Unit(connection, self._clock.now())
        try:
            job.result = job.work(unit)
            unit._finish()
        except BaseException as error:
            ROLLBACK.run(connection, {})
            RELEASE.run(connection, {})
            job.error = error
        else:
            RELEASE.run(connection, {})
            job.unit = unit

    def _answer(self, jobs: list[_Job]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in jobs:
            if job.loop is not None:
                by_loop.setdefault(job.loop, []).append(job)
            elif job.future is not None:
                if job.error is not None:
                    job.future.set_exception(job.error)
                else:
                    job.future.set_result(job.result)
        for loop, waiting in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer_waiters, waiting)
        if self._on_commit is not None:
            self._on_commit()
