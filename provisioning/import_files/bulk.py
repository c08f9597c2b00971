"""A writing connection for imports: one transaction a slice, without the savepoints of the node's one writer.

A savepoint keeps a copy of every page that is touched in it, which doubles the time of a slice of hundreds of rows. An
import has a process of its own and nothing to share; between it and the node SQLite's own lock decides.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

from sqlalchemy import Connection

from appliance.records.store import Records, county_engine
from appliance.records.writer import Unit

T = TypeVar("T")

PRAGMAS = ("cache_size = -262144", "wal_autocheckpoint = 16384")
"""256 MiB of pages, for indexes whose order is not that of the file; and 64 MiB of log before it is folded back."""


@contextmanager
def whole() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a slice: one that is torn leaves a connection that keeps the write lock."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or not _is_main_thread():
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if pressed:
            raise KeyboardInterrupt


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class BulkUnit(Unit):
    """A unit that is a whole transaction."""

    __slots__ = ()

    def end(self) -> None:
        """Write what changed into the feed; the last thing before the commit."""
        self._finish()
        self.run_late()


class BulkWriter:
    """Runs units one after the other on a connection of its own; use it in a `with`."""

    def __init__(self, records: Records) -> None:
        self._clock = records.clock
        self._engine = county_engine(records.home, records.settings, read_only=False)
        self._connection: Connection | None = None

    def __enter__(self) -> BulkWriter:
        self._connection = self._engine.connect()
        if self._connection.dialect.name == "sqlite":
            for pragma in PRAGMAS:
                self._connection.exec_driver_sql(f"PRAGMA {pragma}")
            self._connection.commit()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run a unit in a transaction of its own; its result comes back once it is on the disk.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed meanwhile; the unit is on the disk all the same.
        """
        assert self._connection is not None
        with whole(), self._connection.begin():
            unit = BulkUnit(self._connection, self._clock.now())
            result = work(unit)
            unit.end()
        return result
