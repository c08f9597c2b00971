"""The thread that writes tracks: it takes all batches that wait, writes them by day, commits each day's file once.

Only then is anybody answered, so an answer means: on the disk. The files of the last days stay open.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue

from appliance.patrols import day_file
from appliance.patrols.position import Position

GROUP_AT_MOST = 20_000
"""A group takes no further batch when it has so many positions."""
OPEN_AT_MOST = 3

ByDay = dict[str, list[Position]]


class _Batch:
    """Positions by day, and whoever waits for them."""

    __slots__ = ("added", "by_day", "error", "future", "loop", "number", "waiter")

    def __init__(self, by_day: ByDay) -> None:
        self.by_day = by_day
        self.number = sum(len(group) for group in by_day.values())
        self.added = 0
        self.error: BaseException | None = None
        self.future: Future[int] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waiter: asyncio.Future[int] | None = None


class TrackWriter:
    """Writes the day files of one home.

    Args:
        written: told after each commit what is on the disk now; called in the writer's thread.
    """

    def __init__(self, home: Path, written: Callable[[list[Position]], None]) -> None:
        self._home = home
        self._written = written
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._files: OrderedDict[str, sqlite3.Connection] = OrderedDict()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.groups = 0

    @property
    def waiting(self) -> int:
        """How many batches wait for the writer now."""
        return self._queue.qsize()

    def write(self, by_day: ByDay) -> int:
        """Write a batch and return how many positions were new, once they are on the disk. For threads."""
        batch = _Batch(by_day)
        batch.future = Future()
        self._put(batch)
        return batch.future.result()

    async def write_async(self, by_day: ByDay) -> int:
        """The same for coroutines."""
        batch = _Batch(by_day)
        batch.loop = asyncio.get_running_loop()
        batch.waiter = batch.loop.create_future()
        self._put(batch)
        return await batch.waiter

    def close(self) -> None:
        """Write what waits, then end."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _put(self, batch: _Batch) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the tracks are closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wanmi-tracks", daemon=True)
                self._thread.start()
            self._queue.put(batch)

    def _run(self) -> None:
        ending = False
        while not ending:
            first = self._queue.get()
            if first is None:
                break
            batches, ending = self._gather(first)
            self._write_group(batches)
            _answer(batches)
        for connection in self._files.values():
            connection.close()

    def _gather(self, first: _Batch) -> tuple[list[_Batch], bool]:
        """All batches that wait, and whether the end was asked for."""
        batches, number = [first], first.number
        while number < GROUP_AT_MOST:
            try:
                batch = self._queue.get_nowait()
            except Empty:
                break
            if batch is None:
                return batches, True
            batches.append(batch)
            number += batch.number
        return batches, False

    def _write_group(self, batches: list[_Batch]) -> None:
        by_day: dict[str, list[_Batch]] = {}
        for batch in batches:
            for day in batch.by_day:
                by_day.setdefault(day, []).append(batch)
        for day, some in by_day.items():
            try:
                self._write_day(day, some)
            except BaseException as error:  # a full disk, a damaged file: those who wait are told, the others go on
                for batch in some:
                    batch.error = error
        self.groups += 1

    def _write_day(self, day: str, batches: list[_Batch]) -> None:
        connection = self._file(day)
        added = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            added = [day_file.store(connection, batch.by_day[day]) for batch in batches]
            connection.execute("COMMIT")
        except BaseException:
            self._files.pop(day).close()  # and with it what was begun
            raise
        for batch, number in zip(batches, added, strict=True):
            batch.added += number
            self._written(batch.by_day[day])

    def _file(self, day: str) -> sqlite3.Connection:
        if day not in self._files:
            self._files[day] = day_file.connect(day_file.path_of(self._home, day))
            while len(self._files) > OPEN_AT_MOST:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(day)
        return self._files[day]


def _answer(batches: list[_Batch]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Batch]] = {}
    for batch in batches:
        if batch.loop is not None:
            by_loop.setdefault(batch.loop, []).append(batch)
        elif batch.future is not None and batch.error is not None:
            batch.future.set_exception(batch.error)
        elif batch.future is not None:
            batch.future.set_result(batch.added)
    for loop, waiting in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer_waiters, waiting)


def _answer_waiters(batches: list[_Batch]) -> None:
    for batch in batches:
        assert batch.waiter is not None
        if batch.waiter.done():
            continue
        if batch.error is not None:
            batch.waiter.set_exception(batch.error)
        else:
            batch.waiter.set_result(batch.added)
