"""Opening the county's SpatiaLite file; PostGIS is opened by `postgis`.

SQLite runs in WAL with `synchronous=FULL`. One connection writes (`Writer`); a small fixed pool of connections reads,
because mod_spatialite must not be loaded and unloaded at every request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from appliance.errors import BadHome

READERS = 4
WRITER_CACHE_KIB = 65_536
READER_CACHE_KIB = 12_288
BUSY_MILLISECONDS = 30_000
PAGES_BEFORE_OWN_CHECKPOINT = 16_384


def extension_refusal() -> BadHome | None:
    """Why this Python cannot load SpatiaLite, or None if it can."""
    connection = sqlite3.connect(":memory:")
    try:
        if not hasattr(connection, "enable_load_extension"):
            return BadHome(
                "这个 Python 不能加载 SQLite 扩展;请用 Debian 的 /usr/bin/python3 重建 .venv (./install.sh 会这样做)。",
                "This Python cannot load SQLite extensions; rebuild .venv with Debian's /usr/bin/python3 "
                "(./install.sh does so).",
            )
        connection.enable_load_extension(True)
        connection.load_extension("mod_spatialite")
    except sqlite3.OperationalError as error:
        return BadHome(
            f"无法加载 mod_spatialite ({error});请安装 libsqlite3-mod-spatialite。",
            f"mod_spatialite cannot be loaded ({error}); install libsqlite3-mod-spatialite.",
        )
    finally:
        connection.close()
    return None


def connect_sqlite(path: Path, *, cache_kib: int, read_only: bool) -> sqlite3.Connection:
    """A SQLite connection as every part of the house needs it.

    Raises:
        BadHome: this Python cannot load SpatiaLite.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    try:
        connection.enable_load_extension(True)
        connection.load_extension("mod_spatialite")
        connection.enable_load_extension(False)
    except (AttributeError, sqlite3.OperationalError) as error:
        connection.close()
        raise extension_refusal() or BadHome(str(error), str(error)) from error
    for pragma in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"cache_size = -{cache_kib}",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")
    # the log is folded back by `checkpoints`, and by whoever closes the database last
    connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_BEFORE_OWN_CHECKPOINT}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def sqlite_engine(path: Path, *, read_only: bool) -> Engine:
    """An engine on a SpatiaLite file; a writing one has a single connection and begins IMMEDIATE."""
    cache = READER_CACHE_KIB if read_only else WRITER_CACHE_KIB

    def creator() -> sqlite3.Connection:
        return connect_sqlite(path, cache_kib=cache, read_only=read_only)

    if read_only:
        engine = create_engine(
            "sqlite://", creator=creator, poolclass=QueuePool, pool_size=READERS, max_overflow=0, pool_timeout=30
        )
    else:
        engine = create_engine("sqlite://", creator=creator, poolclass=NullPool)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A pooled connection inside one read transaction, so that several queries see one moment."""
    with engine.connect() as connection, connection.begin():
        yield connection
