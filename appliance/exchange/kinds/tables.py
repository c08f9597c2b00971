"""Places and departments in the feed: the columns of one table, and the shape as GeoJSON in EPSG:4490."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import shapely
from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.exchange.kinds.base import Kind, Line, Page, Record, Sight, by_keys, chunks, encode, json_value
from appliance.exchange.moments import micros_of
from appliance.places.names import derived
from appliance.records.base import SRID
from appliance.records.spatial import point_wkb

ATTRIBUTES = "attributes"


@dataclass(frozen=True, slots=True)
class Table:
    """How a table stands in the feed.

    Attributes:
        columns: column by member of the record, in the record's order; the first is the key.
        area: the column whose code begins with the area's; None where a record belongs to no area.
        shape: `point` (from lon and lat), `geometry` (a member of the record), or empty.
        moments: columns of microseconds, told as RFC 3339.
    """

    name: str
    columns: dict[str, str]
    area: str | None
    shape: str
    moments: frozenset[str] = frozenset()


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


PART = Table(
    "part",
    _same(
        "code", "type", "edition", "name", "state", "department", "owner", "owner_department", "maintainer",
        "maintainer_department", "grid", "address", "lon", "lat", "accuracy", "source", "installed_on", "changed_on",
        "note", ATTRIBUTES,
    ),
    "grid",
    "point",
)  # fmt: skip
GRID = Table(
    "unit_grid",
    _same(
        "code", "name", "street", "community", "duty_grid", "area_m2", "land_use", "grade", "responsible", "note",
        "valid_from", "valid_to", "lon", "lat", ATTRIBUTES,
    ),
    "code",
    "geometry",
)  # fmt: skip
DUTY_GRID = Table(
    "duty_grid", _same("code", "name", "collector", "valid_from", "valid_to", ATTRIBUTES), "code", "geometry"
)
PLACE = Table("place", _same("code", "name", "type", "parent", "address", "lon", "lat", ATTRIBUTES), None, "geometry")
DEPARTMENT = Table(
    "department",
    {
        **_same("code", "name", "parent", "phone"), "group": "duty_group",
        **_same("area", "upper_code", ATTRIBUTES, "ended_at"),
    },
    None,
    "",
    frozenset(("ended_at",)),
)  # fmt: skip


class TableKind(Kind):
    """A type whose records are rows of one table, told apart by `code`."""

    scope = "places.read"

    def __init__(self, name: str, table: Table) -> None:
        self.name = name  # type: ignore[misc]  # one class serves five types
        self._table = table
        columns = ", ".join(f'"{column}"' for column in table.columns.values())
        shape = ", ST_AsBinary(geom)" if table.shape == "geometry" else ""
        read = f'SELECT {columns}{shape} FROM "{table.name}"'  # noqa: S608  # names of our own tables
        self._by_keys = by_keys(f"{read} WHERE code IN :keys")
        self._page = text(f"{read} WHERE code > :after ORDER BY code LIMIT :limit")
        self._put = text(_upsert(table))
        self._delete = text(f'DELETE FROM "{table.name}" WHERE code = :key')  # noqa: S608

    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for keys in chunks(ids):
            found.update(self._lines(connection.execute(self._by_keys, {"keys": keys}).all(), sight))
        return found

    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        rows = connection.execute(self._page, {"after": after or "", "limit": limit}).all()
        return Page(self._lines(rows, sight), rows[-1][0] if len(rows) == limit else None)

    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        if records:
            connection.execute(self._put, [self._bound(record) for record in records])

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        if ids:
            connection.execute(self._delete, [{"key": key} for key in ids])

    def _lines(self, rows: Sequence[Any], sight: Sight) -> list[Line]:
        table = self._table
        if sight.areas and table.area is not None:
            place = list(table.columns.values()).index(table.area)
            rows = [row for row in rows if sight.holds(row[place])]
        records = [self._told(row) for row in rows]
        if table.shape == "geometry" and rows:
            shapes = shapely.to_geojson(shapely.from_wkb([bytes(row[-1]) for row in rows]))
            for record, shape in zip(records, shapes, strict=True):
                record["geometry"] = msgspec.Raw(shape.encode())
        return [(record["code"], encode(record)) for record in records]

    def _told(self, row: Any) -> Record:
        record = dict(zip(self._table.columns, row, strict=False))
        if record.get(ATTRIBUTES) is not None:
            record[ATTRIBUTES] = json_value(record[ATTRIBUTES])
        for name in self._table.moments:
            record[name] = rfc3339(record[name])
        return record

    def _bound(self, record: Record) -> Record:
        table = self._table
        values = {column: record.get(name) for name, column in table.columns.items()}
        if values[ATTRIBUTES] is not None:
            values[ATTRIBUTES] = encode(values[ATTRIBUTES]).decode()
        for name in table.moments:
            values[name] = micros_of(values[name])
        if table.shape == "geometry":
            values["wkb"] = shapely.to_wkb(shapely.from_geojson(encode(record["geometry"])))
        elif table.shape == "point":
            values["wkb"] = point_wkb(record["lon"], record["lat"])
        if table is PLACE:
            values |= derived(record["name"], record["type"], record["parent"], record["address"])
        return values


def _upsert(table: Table) -> str:
    columns = {f'"{column}"': f":{column}" for column in table.columns.values()}
    if table is PLACE:
        columns |= {"initials": ":initials", "search": ":search"}
    if table.shape:
        columns["geom"] = f"ST_GeomFromWKB(:wkb, {SRID})"
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column != '"code"')
    return (
        f'INSERT INTO "{table.name}" ({", ".join(columns)}) VALUES ({", ".join(columns.values())}) '  # noqa: S608
        f"ON CONFLICT (code) DO UPDATE SET {changes}"
    )
