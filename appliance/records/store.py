"""An opened county: its readers, its one writer, its settings, its home."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from appliance.clock import Clock, SystemClock
from appliance.errors import BadHome
from appliance.records import engine as engines
from appliance.records import schema
from appliance.records.checkpoints import Checkpointer
from appliance.records.writer import Unit, Writer
from appliance.settings import Settings, load

T = TypeVar("T")
DATABASE = "county.db"


class Records:
    """The records of one county, opened.

    Use `Records.open(home)`; close it when done. Reads are pooled, writes go through one thread.
    """

    def __init__(self, home: Path, settings: Settings, readers: Engine, writing: Engine, clock: Clock) -> None:
        self.home = home
        self.settings = settings
        self.clock = clock
        self.readers = readers
        self._writing = writing
        self._listeners: list[Callable[[], None]] = []
        self.writer = Writer(writing, clock, self._committed)
        self._checkpointer = None if settings.database_url else Checkpointer(home / DATABASE)

    @classmethod
    def open(cls, home: Path, *, settings: Settings | None = None, clock: Clock | None = None) -> Records:
        """Open a home, upgrading its schema first if it is older.

        Raises:
            BadHome: no settings or no database there, or a newer schema.
        """
        settings = settings or load(home)
        path = home / DATABASE
        if settings.database_url:
            readers = engines.postgis_engine(settings.database_url, read_only=True)
            writing = engines.postgis_engine(settings.database_url, read_only=False)
        elif not path.exists():
            raise BadHome(
                f"{home} 里没有 {DATABASE};请先运行 wanmi init。", f"{home} has no {DATABASE}; run wanmi init first."
            )
        else:
            readers = engines.sqlite_engine(path, read_only=True)
            writing = engines.sqlite_engine(path, read_only=False)
        with readers.connect() as connection:
            revision = schema.current_revision(connection)
        if revision != schema.head_revision():
            schema.upgrade(writing)
        return cls(home, settings, readers, writing, clock or SystemClock())

    def read(self) -> AbstractContextManager[Connection]:
        """A pooled connection inside one read transaction."""
        return engines.reading(self.readers)

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run one unit of work in the writer; its result comes back once it is on the disk."""
        return self.writer.write(work)

    async def write_async(self, work: Callable[[Unit], T]) -> T:
        """The same for coroutines."""
        return await self.writer.write_async(work)

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` (in the writer's thread) after each commit of this process."""
        self._listeners.append(listener)

    def close(self) -> None:
        """End the writer after what is queued, and close all connections."""
        self.writer.close()
        if self._checkpointer is not None:
            self._checkpointer.close()
        self.readers.dispose()
        self._writing.dispose()

    def _committed(self) -> None:
        for listener in self._listeners:
            listener()


def create_database(home: Path, settings: Settings) -> None:
    """Make an empty database in a home.

    Raises:
        BadHome: there is one already, or this Python cannot load SpatiaLite.
    """
    refusal = engines.extension_refusal()
    if refusal is not None:
        raise refusal
    if settings.database_url:
        schema.upgrade(engines.postgis_engine(settings.database_url, read_only=False))
        return
    path = home / DATABASE
    if path.exists():
        raise BadHome(f"{path} 已经存在,不会覆盖。", f"{path} exists already and is not overwritten.")
    engine = engines.sqlite_engine(path, read_only=False)
    try:
        schema.upgrade(engine)
    finally:
        engine.dispose()
    path.chmod(0o600)
