"""Views over all counties, in the schema `prefecture`: what QGIS, ogr2ogr and a report see of the whole prefecture.

Each has the county's code as its first column. They are made anew when a county joins, leaves or is replaced.
"""

from __future__ import annotations

from typing import Any, cast

from geoalchemy2 import Geometry
from sqlalchemy import Column, Connection, Table, text

from appliance.records.metadata import metadata
from appliance.records.schema import geometry_columns
from server.prefecture.tables import SCHEMA

VIEWS = {
    "all_cases": "cases", "all_case_actions": "case_action", "all_requests": "request",
    "all_supervisions": "supervision", "all_parts": "part", "all_unit_grids": "unit_grid",
    "all_duty_grids": "duty_grid", "all_places": "place", "all_departments": "department",
}  # fmt: skip
"""View by the table of which it is the union; reporters stay in their counties' schemas."""

_LOCK = text("SELECT pg_advisory_xact_lock(7463298410)")
_PATIENCE = text("SET LOCAL lock_timeout = '30s'")
"""A report that reads for long makes the change wait for its next turn, and not all other readers behind it."""

_SHOWN = text(
    "SELECT code FROM prefecture.county WHERE left_at IS NULL AND to_regclass('county_' || code || '.replica') "
    "IS NOT NULL ORDER BY code"
)


def live(county: str) -> str:
    """The schema in which a county is read."""
    return f"county_{county}"


def drop_views(connection: Connection) -> None:
    """Take the views away until the end of the transaction, so that what they show can be replaced."""
    connection.execute(_PATIENCE)
    connection.execute(_LOCK)
    for view in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {SCHEMA}.{view}")


def remake_views(connection: Connection) -> None:
    """Make the views over the counties that belong to the prefecture and have been taken in whole."""
    drop_views(connection)
    counties = list(connection.execute(_SHOWN).scalars())
    if not counties:
        return
    shapes = dict(geometry_columns())
    for view, name in VIEWS.items():
        table = metadata().tables[name]
        union = " UNION ALL ".join(_select(table, county, shapes.get(name)) for county in counties)
        connection.exec_driver_sql(f"CREATE VIEW {SCHEMA}.{view} AS {union}")


def _select(table: Table, county: str, shape: str | None) -> str:
    columns = ", ".join(_geometry(column) if column.name == shape else f'"{column.name}"' for column in table.columns)
    return f"SELECT '{county}'::text AS county, {columns} FROM {live(county)}.\"{table.name}\""  # noqa: S608


def _geometry(column: Column[Any]) -> str:
    """A shape with its kind and reference system, which a union alone would lose."""
    kind = cast("Geometry", column.type)
    return f'"{column.name}"::geometry({kind.geometry_type}, {kind.srid}) AS "{column.name}"'
