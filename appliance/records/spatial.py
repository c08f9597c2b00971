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

_POINT = struct.Struct("<BIdd")


def point_wkb(lon: float, lat: float) -> bytes:
    """Little-endian WKB of a point, for `POINT_SQL`."""
    return _POINT.pack(1, 1, lon, lat)


def within_box(dialect: str, table: str, column: str = "geom", key: str = "id") -> str:
    """SQL for "this row's box meets the box :west :south :east :north", by the R-tree.

    Args:
        dialect: SQLAlchemy's name, "sqlite" or "postgresql".
        table, column, key: names from our own tables, never from input.
    """
    if dialect == "sqlite":
        return (
            f"{table}.{key} IN (SELECT pkid FROM idx_{table}_{column} "  # noqa: S608  # names of our own tables
            "WHERE xmin <= :east AND xmax >= :west AND ymin <= :north AND ymax >= :south)"
        )
    return f"{table}.{column} && ST_MakeEnvelope(:west, :south, :east, :north, {SRID})"


def check_registration(connection: Connection, table: str, column: str = "geom") -> None:
    """Make sure that a geometry column is registered with EPSG:4490 and has its R-tree.

    SpatiaLite's functions print to stderr and return 1 even when they failed, so we look at the result itself.

    Raises:
        Broken: not registered, another SRID, or no spatial index.
    """
    row = connection.execute(
        text(
            "SELECT srid, spatial_index_enabled FROM geometry_columns "
            "WHERE lower(f_table_name) = :table AND lower(f_geometry_column) = :column"
        ),
        {"table": table, "column": column},
    ).one_or_none()
    known = connection.execute(text("SELECT 1 FROM spatial_ref_sys WHERE srid = :srid"), {"srid": SRID}).one_or_none()
    if row is None or row[0] != SRID or row[1] != 1 or known is None:
        raise Broken(
            f"表 {table} 的几何列 {column} 没有登记为 EPSG:{SRID} 或缺少空间索引;请运行 wanmi doctor。",
            f"The geometry column {column} of table {table} is not registered as EPSG:{SRID} or has no spatial index; "
            "run wanmi doctor.",
        )
