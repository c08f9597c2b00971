"""A home of any earlier schema is opened by this software: it is upgraded once, keeps every row, and works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from appliance.errors import BadHome
from appliance.records import schema
from appliance.records.metadata import metadata
from appliance.records.store import Records
from tests import homes

pytestmark = pytest.mark.sqlite("PostgreSQL runs the same migrations in test_postgis.py")


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    return sorted(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())


def fill(connection: Connection) -> dict[str, int]:
    """A row in every table of ours that needs no geometry; returns the rows of each."""
    looked = inspect(connection)
    filled: dict[str, int] = {}
    for table in sorted(set(looked.get_table_names()) & set(metadata().tables)):
        columns = looked.get_columns(table)
        if any(column["name"] == "geom" for column in columns):
            continue
        row: dict[str, Any] = {column["name"]: _value(column) for column in columns if not column["nullable"]}
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f":{name}" for name in row)
        if row:
            connection.execute(text(f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({values})'), row)
        filled[table] = connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()
    return filled


def _value(column: Any) -> Any:
    kind = column["type"].python_type
    if kind in (int, str, float, bool, bytes):
        return 77 if column["name"] == "id" else kind()
    return "{}"


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_a_home_of_an_earlier_schema_is_upgraded_and_keeps_every_row(revision: str, tmp_path: Path) -> None:
    making = homes.new_engine(tmp_path)
    schema.upgrade(making, revision)
    with making.begin() as connection:
        filled = fill(connection)
    making.dispose()
    assert len(filled) > 15

    records = Records.open(tmp_path)
    try:
        with records.read() as connection:
            assert schema.current_revision(connection) == schema.head_revision()
            for table, rows in filled.items():
                kept = connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()
                assert kept >= rows, table
            context = MigrationContext.configure(connection, opts={"include_object": _is_ours, "compare_type": False})
            assert compare_metadata(context, metadata()) == []
        records.write(lambda unit: unit.changed("part", "1"))
    finally:
        records.close()


def _is_ours(_: Any, name: str | None, kind: str, __: bool, ___: Any) -> bool:
    return kind != "table" or name in metadata().tables


def test_a_home_of_newer_software_is_not_touched(tmp_path: Path) -> None:
    making = homes.new_engine(tmp_path)
    schema.upgrade(making)
    with making.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    making.dispose()
    before = (tmp_path / "county.db").read_bytes()
    with pytest.raises(BadHome, match="newer than this software"):
        Records.open(tmp_path)
    assert (tmp_path / "county.db").read_bytes() == before
