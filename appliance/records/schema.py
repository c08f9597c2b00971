"""The schema of a database: made, upgraded and checked by Alembic migrations."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import Geometry
from sqlalchemy import Connection, Engine, text

from appliance.errors import BadHome, Broken
from appliance.records import postgis
from appliance.records.metadata import metadata
from appliance.records.spatial import check_registration

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the database to a schema (the newest), in one transaction; an empty one is made from nothing.

    Raises:
        BadHome: the database is of a newer version of the software, or a PostgreSQL that cannot hold a county.
        Broken: a geometry column was not registered.
    """
    with engine.connect() as connection, connection.begin():
        config = _config(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if connection.dialect.name == "postgresql":
            postgis.prepare(connection)
        current = current_revision(connection)
        if current is not None and current not in known:
            raise BadHome(
                f"数据库的版本 {current} 比本软件新;请先升级软件。",
                f"The database has schema {current}, newer than this software; upgrade the software first.",
            )
        if current is None and connection.dialect.name == "sqlite":
            _initialise_spatialite(connection)
        command.upgrade(config, to)
        _name_feed(connection)
        for table, column in geometry_columns():
            check_registration(connection, table, column)


def geometry_columns() -> list[tuple[str, str]]:
    """Table and column of every geometry of ours."""
    return [
        (table.name, column.name)
        for table in metadata().tables.values()
        for column in table.columns
        if isinstance(column.type, Geometry)
    ]


def current_revision(connection: Connection) -> str | None:
    """The schema the database is at, None when it has none."""
    options = {"version_table_schema": postgis.own_schema(connection)}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def head_revision() -> str:
    """The schema this software wants."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revision = ScriptDirectory.from_config(config).get_current_head()
    assert revision is not None
    return revision


def _initialise_spatialite(connection: Connection) -> None:
    # 0 = leave the transaction to us: the whole schema is made in one; the default form takes seconds
    done = connection.exec_driver_sql("SELECT InitSpatialMetaDataFull(0)").scalar_one()
    known = connection.exec_driver_sql("SELECT 1 FROM spatial_ref_sys WHERE srid = 4490").one_or_none()
    if done != 1 or known is None:
        raise Broken(
            "SpatiaLite 元数据初始化失败 (缺少 EPSG:4490);请重装 libsqlite3-mod-spatialite。",
            "SpatiaLite's metadata could not be made (EPSG:4490 is missing); reinstall libsqlite3-mod-spatialite.",
        )


def _name_feed(connection: Connection) -> None:
    if connection.execute(text("SELECT 1 FROM feed WHERE id = 1")).one_or_none() is None:
        connection.execute(
            text("INSERT INTO feed (id, name, last, first) VALUES (1, :name, 0, 1)"), {"name": uuid4().hex}
        )
