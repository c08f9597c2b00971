"""What every table shares: one metadata with stable constraint names, and the column kinds of the house."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import JSON, BigInteger, Column, Integer, text
from sqlmodel import Field, SQLModel

SRID = 4490
"""CGCS2000, longitude and latitude in degrees: the one reference system that is stored."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMES

Identity = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; in SQLite it must be spelt INTEGER to be the row id."""


def only(condition: str) -> dict[str, Any]:
    """Options of an index that holds only the rows of this condition, on either database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def identity() -> Any:
    """The primary key of a table whose rows the database numbers."""
    return Field(default=None, sa_column=Column(Identity, primary_key=True, autoincrement=True))


def moment(*, nullable: bool = True) -> Any:
    """A point in time: microseconds since 1970 UTC."""
    if nullable:
        return Field(default=None, sa_column=Column(BigInteger, nullable=True))
    return Field(sa_column=Column(BigInteger, nullable=False))


def document(*, nullable: bool = False) -> Any:
    """A JSON value."""
    return Field(default=None, sa_column=Column(JSON, nullable=nullable))


def geometry(kind: str, *, nullable: bool = False) -> Any:
    """A geometry column in EPSG:4490 with a spatial index. `kind` is POINT, MULTIPOLYGON or GEOMETRY."""
    return Field(default=None, sa_column=Column(Geometry(kind, srid=SRID, spatial_index=True), nullable=nullable))
