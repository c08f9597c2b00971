"""Geometry in and out of SQL, and the spatial index, spelt the same for SpatiaLite and PostGIS.

SpatiaLite never uses its index by itself, so every spatial question goes through `within_box`.
"""

from __future__ import annotations

import struct

from sqlalchemy import Connection, text

from appliance.errors import Broken
from appliance.records.base import SRID

POINT_SQL = f"ST_GeomFromWKB(:wkb, {SRID})"
"""Turns a WKB parameter named `wkb` into a geometry; both databases know the name."""

INSIDE = "xmin <= :east AND xmax >= :west AND ymin <= :north AND ymax >= :south"
INSIDE_I = "i.xmin <= :east AND i.xmax >= :west AND i.ymin <= :north AND i.ymax >= :south"
_VIEW = f"ST_MakeEnvelope(:west, :south, :east, :north, {SRID})"

_POINT = struct.Struct("<BIdd")


def point_wkb(lon: float, lat: float) -> bytes:
    """Little-endian WKB of a point, for `POINT_SQL`."""
    return _POINT.pack(1, 1, lon, lat)


def within_box(dialect: str, table: str, alias: str = "", column: str = "geom", key: str = "id") -> str:
    """SQL for "this row's box meets the box :west :south :east :north", by the spatial index.

    Args:
        dialect: SQLAlchemy's name, "sqlite" or "postgresql".
        table, alias, column, key: names from our own tables, never from input.
    """
    row = alias or table
    if dialect == "sqlite":
        return f"{row}.{key} IN (SELECT pkid FROM idx_{table}_{column} WHERE {INSIDE})"  # noqa: S608  # our own names
    return f"{row}.{column} && {_VIEW}"


def boxes(dialect: str, table: str, column: str = "geom", key: str = "id") -> str:
    """What stands in FROM, as `i`, for the boxes of a table: pkid, xmin, xmax, ymin, ymax."""
    if dialect == "sqlite":
        return f"idx_{table}_{column} i"
    edges = ", ".join(f"ST_{name}({column}) AS {name.lower()}" for name in ("XMin", "XMax", "YMin", "YMax"))
    return f"(SELECT {key} AS pkid, {column} AS shape, {edges} FROM {table} WHERE {column} IS NOT NULL) AS i"  # noqa: S608


def meets_view(dialect: str) -> str:
    """SQL for "the box `i` of `boxes` meets :west :south :east :north"."""
    return INSIDE_I if dialect == "sqlite" else f"i.shape && {_VIEW}"


def point(dialect: str) -> str:
    """SQL for the point :lon :lat."""
    return f"MakePoint(:lon, :lat, {SRID})" if dialect == "sqlite" else f"ST_SetSRID(ST_MakePoint(:lon, :lat), {SRID})"


def view_box(dialect: str) -> str:
    """SQL for the box :west :south :east :north as a shape."""
    return f"BuildMbr(:west, :south, :east, :north, {SRID})" if dialect == "sqlite" else _VIEW


def geojson(dialect: str, shape: str, digits: int | str = ":digits") -> str:
    """SQL for a shape as GeoJSON, NULL where nothing is left of it."""
    if dialect == "sqlite":
        return f"AsGeoJSON({shape}, {digits})"
    # the 0 leaves the reference system out, as RFC 7946 wants it
    return f"(SELECT ST_AsGeoJSON(g, {digits}, 0) FROM (SELECT {shape} AS g) AS drawn WHERE NOT ST_IsEmpty(g))"  # noqa: S608


def whole(dialect: str, number: str) -> str:
    """SQL for a number without its fraction; PostgreSQL's CAST alone would round."""
    return f"CAST({number} AS INTEGER)" if dialect == "sqlite" else f"CAST(trunc({number}) AS INTEGER)"


_REGISTERED = {
    "sqlite": text(
        "SELECT srid, spatial_index_enabled FROM geometry_columns "
        "WHERE lower(f_table_name) = :table AND lower(f_geometry_column) = :column"
    ),
    "postgresql": text(
        "SELECT srid, (SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid "
        "JOIN pg_am m ON m.oid = c.relam WHERE m.amname = 'gist' AND x.indrelid = to_regclass(:table) "
        "AND pg_get_indexdef(x.indexrelid, 1, true) = :column) "
        "FROM geometry_columns WHERE f_table_schema = current_schema() AND f_table_name = :table "
        "AND f_geometry_column = :column"
    ),
}


def check_registration(connection: Connection, table: str, column: str = "geom") -> None:
    """Make sure that a geometry column is registered with EPSG:4490 and has its spatial index.

    SpatiaLite's functions print to stderr and return 1 even when they failed, so we look at the result itself.

    Raises:
        Broken: not registered, another SRID, or no spatial index.
    """
    row = connection.execute(_REGISTERED[connection.dialect.name], {"table": table, "column": column}).one_or_none()
    known = connection.execute(text("SELECT 1 FROM spatial_ref_sys WHERE srid = :srid"), {"srid": SRID}).one_or_none()
    if row is None or row[0] != SRID or row[1] != 1 or known is None:
        raise Broken(
            f"表 {table} 的几何列 {column} 没有登记为 EPSG:{SRID} 或缺少空间索引;请运行 wanmi doctor。",
            f"The geometry column {column} of table {table} is not registered as EPSG:{SRID} or has no spatial index; "
            "run wanmi doctor.",
        )
