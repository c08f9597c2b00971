"""An opened county: its readers, its one writer, its settings, its home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from appliance.clock import Clock, SteadyClock
from appliance.errors import BadHome
from appliance.records import engine as engines
from appliance.records import schema
from appliance.records.anchor import Anchor, admit_loss
from appliance.records.checkpoints import Checkpointer
from appliance.records.feed import last_seq
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
        self._anchor = None if settings.database_url else Anchor(home)
        answered = self._anchor.seq if self._anchor else 0
        self.writer = Writer(writing, clock, self._committed, self._anchor.advance if self._anchor else None)
        self._checkpointer = None if settings.database_url else Checkpointer(home / DATABASE)
        if self._anchor is not None and answered > self._kept():
            self.write(lambda unit: admit_loss(unit, answered))
            self._anchor.reset(self._kept())

    @classmethod
    def open(cls, home: Path, *, settings: Settings | None = None, clock: Clock | None = None) -> Records:
        """Open a home, upgrading its schema first if it is older.

        Raises:
            BadHome: no settings or no database there, or a newer schema.
        """
        settings = settings or load(home)
        readers = county_engine(home, settings, read_only=True)
        writing = county_engine(home, settings, read_only=False)
        with readers.connect() as connection:
            revision = schema.current_revision(connection)
        if revision is None and settings.database_url:
            raise BadHome(
                "database_url 指向的数据库 (或模式) 里没有县;请先运行 wanmi init --database-url。",
                "There is no county at database_url (in its schema); run wanmi init --database-url first.",
            )
        if revision != schema.head_revision():
            schema.upgrade(writing)
        return cls(home, settings, readers, writing, clock or SteadyClock())

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
        if self._anchor is not None:
            self._anchor.close()

    def _kept(self) -> int:
        with self.read() as connection:
            return last_seq(connection)

    def _committed(self) -> None:
        for listener in self._listeners:
            listener()


def county_engine(home: Path, settings: Settings, *, read_only: bool) -> Engine:
    """An engine on the county's database, wherever it stands.

    Raises:
        BadHome: there is no database in the home.
    """
    if settings.database_url:
        return _on_postgis(settings.database_url, read_only=read_only)
    path = home / DATABASE
    if not path.exists():
        raise BadHome(
            f"{home} 里没有 {DATABASE};请先运行 wanmi init。", f"{home} has no {DATABASE}; run wanmi init first."
        )
    return engines.sqlite_engine(path, read_only=read_only)


@contextmanager
def glance(home: Path) -> Iterator[Connection]:
    """A connection for one look at a home, as the doctor takes it; nothing is upgraded and nothing stays open.

    Raises:
        BadHome: no settings or no database there.
    """
    reader = county_engine(home, load(home), read_only=True)
    try:
        with engines.reading(reader) as connection:
            yield connection
    finally:
        reader.dispose()


def create_database(home: Path, settings: Settings) -> None:
    """Make an empty database in a home.

    Raises:
        BadHome: there is one already, or this Python cannot load SpatiaLite.
    """
    if settings.database_url:
        _create_on_postgis(settings.database_url)
        return
    refusal = engines.extension_refusal()
    if refusal is not None:
        raise refusal
    path = home / DATABASE
    if path.exists():
        raise BadHome(f"{path} 已经存在,不会覆盖。", f"{path} exists already and is not overwritten.")
    engine = engines.sqlite_engine(path, read_only=False)
    try:
        schema.upgrade(engine)
    finally:
        engine.dispose()
    path.chmod(0o600)


def _create_on_postgis(url: str) -> None:
    engine = _on_postgis(url, read_only=False)
    try:
        with engine.connect() as connection:
            revision = schema.current_revision(connection)
        if revision is not None:
            raise BadHome(
                "database_url 指向的数据库里已有一个县,不会覆盖。",
                "There is a county at database_url already; it is not overwritten.",
            )
        schema.upgrade(engine)
    finally:
        engine.dispose()


def _on_postgis(url: str, *, read_only: bool) -> Engine:
    from appliance.records.postgis import postgis_engine, reached  # the driver is loaded only where it is needed

    return reached(postgis_engine(url, read_only=read_only))
