"""An opened platform: its settings, its keys, its database."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from appliance.clock import Clock, SystemClock
from appliance.errors import BadHome, Conflict
from appliance.records.postgis import postgis_engine, prepare
from appliance.scoring.periods import Period, month_of
from server.prefecture.keys import Keys
from server.prefecture.settings import Prefecture, load, save
from server.prefecture.steps import upgrade_tables
from server.prefecture.tables import CERTIFICATE, SCHEMA

SPARE_CONNECTIONS = 4
"""Connections beside one for each county that is pulled: routes, orders, the loop itself."""


class Platform:
    """A platform, opened; close it when done.

    Attributes:
        home, settings, keys, clock: what it is made of.
        engine: its own tables, and views of all counties. A county's schema is opened by `replicas`.
    """

    def __init__(self, home: Path, settings: Prefecture, clock: Clock | None = None) -> None:
        self.home, self.settings, self.keys = home, settings, Keys(home)
        self.clock = clock or SystemClock()
        self.engine = _engine(settings)

    @classmethod
    def open(cls, home: Path, clock: Clock | None = None) -> Platform:
        """Open a platform's home, bringing its own tables to this software first.

        Raises:
            BadHome: it is none, its database cannot be reached, or its tables are of newer software.
        """
        platform = cls(home, load(home), clock)
        try:
            with platform.begin() as connection:
                upgrade_tables(connection)
        except OperationalError as error:
            platform.close()
            raise _away(error) from None
        except ProgrammingError:
            platform.close()
            raise BadHome(
                f"{home} 的 database_url 指向的数据库里没有平台 (模式 {SCHEMA});请核对数据库,或先恢复它的备份。",
                f"The database at database_url of {home} holds no platform (schema {SCHEMA}); check which database it "
                "is, or restore its backup first.",
            ) from None
        except BadHome:
            platform.close()
            raise
        return platform

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A connection inside a transaction that is committed at the end."""
        with self.engine.begin() as connection:
            yield connection

    def towards(self, county: str) -> ssl.SSLContext:
        """TLS towards a county: only a peer whose certificate is that county's, and was not taken back."""
        query = select(CERTIFICATE.c.serial).where(
            CERTIFICATE.c.county == county, CERTIFICATE.c.revoked_at.is_not(None)
        )
        with self.begin() as connection:
            return self.keys.context(county, set(connection.execute(query).scalars()))

    def month(self, written: str) -> Period:
        """The month `2026-10` in the prefecture's time.

        Raises:
            Invalid: no such month, or one that has not begun.
        """
        return month_of(written, self.settings.zone, self.clock.now())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def make_platform(home: Path, settings: Prefecture) -> None:
    """Make a platform's home and its tables, all or nothing.

    Raises:
        Conflict: there is something in the home, or a platform in the database.
        BadHome: the database cannot be reached or cannot hold a platform; the sentence says why.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Conflict(
            f"{home} 已经存在且不为空,不会覆盖。", f"{home} exists and is not empty; nothing is overwritten."
        )
    home.parent.mkdir(parents=True, exist_ok=True)
    building = Path(mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    try:
        Keys(building).make(settings.name, settings.host)
        save(building, settings)
        engine = postgis_engine(settings.database(SCHEMA), read_only=False)
        try:
            with engine.begin() as connection:
                _make_tables(connection)
                _put_in_place(building, home)  # inside the transaction: whichever fails takes the other back
        except OperationalError as error:
            raise _away(error) from None
        finally:
            engine.dispose()
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _away(error: OperationalError) -> BadHome:
    return BadHome(
        f"连不上 database_url 指向的数据库: {error.orig}",
        f"The database at database_url cannot be reached: {error.orig}",
    )


def _make_tables(connection: Connection) -> None:
    if connection.execute(text(f"SELECT to_regclass('{SCHEMA}.county')")).scalar_one() is not None:
        raise Conflict(
            f"数据库里已有一个地市平台(模式 {SCHEMA}),不会覆盖。",
            f"There is a prefecture in this database already (schema {SCHEMA}); it is not overwritten.",
        )
    prepare(connection)
    upgrade_tables(connection)


def _put_in_place(building: Path, home: Path) -> None:
    if home.exists():
        home.rmdir()
    building.rename(home)


def _engine(settings: Prefecture) -> Engine:
    connections = settings.at_once + SPARE_CONNECTIONS
    return create_engine(
        settings.database(SCHEMA), pool_size=connections, max_overflow=connections, pool_pre_ping=True,
        hide_parameters=True,
    )  # fmt: skip


@contextmanager
def opened(home: Path) -> Iterator[Platform]:
    """The platform of a home, closed at the end."""
    platform = Platform.open(home)
    try:
        yield platform
    finally:
        platform.close()


def home_of(written: str | None) -> Path:
    """The home given, else `WANMI_PREFECTURE`.

    Raises:
        BadHome: none was given.
    """
    found = written or os.environ.get("WANMI_PREFECTURE")
    if not found:
        raise BadHome(
            "请用 --home 指定平台目录,或设置 WANMI_PREFECTURE。",
            "Give the platform's home with --home, or set WANMI_PREFECTURE.",
        )
    return Path(found)
