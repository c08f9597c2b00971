"""A county's schema: where its replica stands, the second one in which a snapshot grows, and how it takes its place.

Readers see a county whole or as it was before: the second schema replaces the first in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine, text

from appliance.errors import Broken
from appliance.exchange.landing import Item, ReplicaState, begin_snapshot, land_changes, replica_state
from appliance.records import schema as migrations
from appliance.records.postgis import postgis_engine
from appliance.records.writer import Unit
from server.prefecture.counties import all_counties, change_county
from server.prefecture.granted import Granted
from server.prefecture.store import Platform
from server.prefecture.views import drop_views, live, remake_views

T = TypeVar("T")

_MIGRATING = Lock()
"""Alembic keeps its context in a module, one for all threads."""

_THERE = text("SELECT to_regclass(:table) IS NOT NULL")
_BUSY = text("SELECT pg_try_advisory_lock(:errand, CAST(:county AS integer))")
_FREE = text("SELECT pg_advisory_unlock(:errand, CAST(:county AS integer))")
PULLING, FETCHING, WRITING = 76322, 76323, 76324
"""Errands that one process, one thread at a time runs in a county."""

_IN_PLACE = text("UPDATE prefecture.county SET types = coming_types, coming_types = '' WHERE code = :county")
_REVISION = "SELECT version_num FROM {schema}.alembic_version"


def coming(county: str) -> str:
    """The schema in which a snapshot of a county grows."""
    return f"county_{county}_next"


def state_in(connection: Connection, schema: str) -> ReplicaState | None:
    """How far the replica in a schema is, None where there is none or it never began."""
    if not connection.execute(_THERE, {"table": f"{schema}.replica"}).scalar_one():
        return None
    return replica_state(connection, f"{schema}.replica")


class Replica:
    """One schema of a county, opened for writing.

    Args:
        schema: its name, one of `live` and `coming`.
    """

    def __init__(self, platform: Platform, schema: str) -> None:
        self._clock = platform.clock
        self.engine: Engine = postgis_engine(platform.settings.database(schema), read_only=False)

    def write(self, work: Callable[[Unit], T]) -> T:
        """Run one unit of work in a transaction of its own; it is on the disk when this returns."""
        with self.engine.begin() as connection:
            return work(Unit(connection, self._clock.now()))

    def state(self) -> ReplicaState | None:
        """How far it is."""
        with self.engine.begin() as connection:
            return replica_state(connection)


@contextmanager
def opened_replica(platform: Platform, schema: str) -> Iterator[Replica]:
    """A schema of a county, closed at the end."""
    replica = Replica(platform, schema)
    try:
        yield replica
    finally:
        replica.engine.dispose()


def drop_coming(platform: Platform, county: str) -> None:
    """Forget a snapshot under way, if there is one."""
    with platform.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {coming(county)} CASCADE")


def begin_coming(platform: Platform, county: str, feed: str, cursor: int, granted: Granted) -> None:
    """Make the second schema empty, with the county's own migrations, and note where its snapshot begins."""
    drop_coming(platform, county)
    with opened_replica(platform, coming(county)) as replica:
        with _MIGRATING:
            migrations.upgrade(replica.engine)

        def begin(unit: Unit) -> None:
            begin_snapshot(unit, county, feed, cursor, granted.types)
            change_county(unit.connection, county, coming_types=granted.words)

        replica.write(begin)


def put_in_place(platform: Platform, county: str) -> None:
    """Let the second schema, whole now, take the place of the first one, in one transaction."""
    first, second = live(county), coming(county)
    with platform.begin() as connection:
        drop_views(connection)
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {first} CASCADE")
        connection.exec_driver_sql(f"ALTER SCHEMA {second} RENAME TO {first}")
        connection.execute(_IN_PLACE, {"county": county})
        remake_views(connection)


def land_page(unit: Unit, county: str, items: Sequence[Item], next_: int, types: Sequence[str]) -> int:
    """Take in a page of changes of a county; returns how many records were written or forgotten.

    Raises:
        Broken: a change is missing, or the replica is of another county. Invalid: a record that is none of its type.
    """
    at = replica_state(unit.connection)
    if at is None or at.county != county:
        there = at.county if at else "—"
        raise Broken(
            f"这里是 {there} 的副本,不是 {county} 的。", f"This is the replica of {there} and not of {county}."
        )
    return land_changes(unit, items, next_, types)


def upgrade_all(platform: Platform) -> list[str]:
    """Bring the schemas of all counties to the migrations of this software; returns the counties that were older."""
    head, older = migrations.head_revision(), []
    with platform.begin() as connection:
        counties = [county.code for county in all_counties(connection, left=True)]
        schemas = {live(code): code for code in counties} | {coming(code): code for code in counties}
        for schema in list(schemas):
            there = connection.execute(_THERE, {"table": f"{schema}.alembic_version"}).scalar_one()
            if not there or connection.exec_driver_sql(_REVISION.format(schema=schema)).scalar() == head:
                del schemas[schema]
        if schemas:
            drop_views(connection)
    for schema, code in schemas.items():
        with opened_replica(platform, schema) as replica, _MIGRATING:
            migrations.upgrade(replica.engine)
        older.append(code)
    if schemas:
        with platform.begin() as connection:
            remake_views(connection)
    return older


@contextmanager
def held(platform: Platform, county: str, errand: int = PULLING) -> Iterator[bool]:
    """Whether this county is ours now: one process, one thread pulls a county at a time."""
    named = {"county": county, "errand": errand}
    with platform.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        got = bool(connection.execute(_BUSY, named).scalar_one())
        try:
            yield got
        finally:
            if got:
                connection.execute(_FREE, named)
