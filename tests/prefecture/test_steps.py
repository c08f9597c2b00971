"""A platform made by older software opens, and is at the newest step; one of newer software is refused."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from appliance.errors import BadHome
from server.prefecture.replicas import state_in, upgrade_all
from server.prefecture.steps import STEPS, upgrade_tables
from server.prefecture.store import Platform
from server.prefecture.tables import METADATA, SCHEMA
from server.prefecture.views import live
from tests import homes, postgis
from tests.cases.desk import Desk
from tests.prefecture.city import City
from tests.prefecture.counties import DeskPort, enrolled, pull, same_as_county

FIRST = """
DROP TABLE prefecture.schema_version, prefecture.monthly_return, prefecture.evidence;
ALTER TABLE prefecture.county ADD COLUMN seen bigint;
ALTER TABLE prefecture.certificate DROP COLUMN scopes;
ALTER TABLE prefecture.file_link DROP COLUMN up_created;
ALTER TABLE county_411081.replica DROP COLUMN seen;
ALTER TABLE county_411081.account DROP COLUMN ended_at;
UPDATE county_411081.alembic_version SET version_num = '0006'
"""
"""Makes a platform what it was before its tables had steps, with a county in it."""
FOLDERS_SINCE = ("scoring", "ledgers", "campaigns", "assessment", "papers", "scheduling")
TABLES_SINCE = ("photo_look", "training", "duty_post", "second_factor", "recovery_code")


def tables_since() -> list[str]:
    """The tables of a county that came with later migrations."""
    folders = tuple(f"appliance.{folder}." for folder in FOLDERS_SINCE)
    mappers = SQLModel._sa_registry.mappers
    found = [mapper.local_table.name for mapper in mappers if mapper.class_.__module__.startswith(folders)]
    return sorted({*found, *TABLES_SINCE})


def test_a_platform_made_by_the_first_software_opens_and_goes_on(city: City, platform: Platform, desk: Desk) -> None:
    """How far each county was proved complete comes along."""
    enrolled(platform)
    pull(platform, DeskPort(desk))
    with platform.begin() as connection:
        at = state_in(connection, live(homes.COUNTY))
        assert at is not None
        for statement in FIRST.split(";"):
            connection.exec_driver_sql(statement)
        for name in tables_since():
            connection.exec_driver_sql(f"DROP TABLE county_411081.{name}")
        connection.execute(text("UPDATE prefecture.county SET seen = :seen"), {"seen": at.cursor - 1})
    again = city.open()
    try:
        with again.begin() as connection:
            steps = connection.execute(text("SELECT step FROM prefecture.schema_version ORDER BY 1")).scalars()
            assert list(steps) == list(range(1, len(STEPS) + 1))
            found = state_in(connection, live(homes.COUNTY))
            assert found is not None
            assert (found.seen, found.cursor) == (at.cursor - 1, at.cursor)
        desk.report()
        assert upgrade_all(again) == [homes.COUNTY], "its schema has the county's own migrations"
        pull(again, DeskPort(desk))
        assert same_as_county(again, desk)
    finally:
        again.close()


def test_the_steps_make_the_tables_that_the_software_knows(city: City) -> None:
    """Seen from outside of the schema, which is how Alembic tells it from others."""
    outside = create_engine(postgis.cluster().url(city.database))
    options = {
        "include_schemas": True, "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        "compare_type": True,
    }  # fmt: skip
    with outside.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
    outside.dispose()


def test_a_platform_of_newer_software_is_refused_in_a_sentence(city: City, platform: Platform) -> None:
    with platform.begin() as connection:
        connection.execute(text("INSERT INTO prefecture.schema_version VALUES (:step)"), {"step": len(STEPS) + 1})
    with pytest.raises(BadHome, match="newer than this software"):
        city.open()
    with platform.begin() as connection, pytest.raises(BadHome):
        upgrade_tables(connection)
