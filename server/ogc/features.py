"""Reading features: filters, keyset pages, counts, extents. Geometry comes as GeoJSON straight from the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.cases.sight import sees_all
from appliance.clock import micros, rfc3339
from appliance.errors import FieldError, Invalid, NotFound
from appliance.people.actor import Actor
from appliance.records.feed import last_seq
from appliance.records.spatial import within_box
from server.ogc.collections import Collection
from server.ogc.crs import CRS84, LATITUDE_FIRST, Box

DIGITS = 8
LIMIT = 1000
LIMIT_AT_MOST = 10_000
COUNTS_AT_MOST = 256
EXTENT_SECONDS = 300.0
MANY, COUNT_SECONDS = 50_000, 10.0
"""More than so many features are not counted anew at every change, but after so much time."""


@dataclass(frozen=True, slots=True)
class Question:
    """What of a collection is asked for."""

    collection: Collection
    actor: Actor | None
    system: str = CRS84
    box: Box | None = None
    interval: tuple[int | None, int | None] = (None, None)
    filters: dict[str, str] = field(default_factory=dict)
    after: int = 0
    limit: int = LIMIT


@dataclass(frozen=True, slots=True)
class Answer:
    """A page: the features as JSON, how many fit in all, and the key to go on after (None on the last page)."""

    features: list[bytes]
    matched: int
    next: int | None


class Features:
    """Reads pages of features; counts and extents are kept as long as nothing changed."""

    def __init__(self) -> None:
        self._counts: dict[Any, tuple[int, int, float]] = {}
        self._extents: dict[str, tuple[float, Box | None]] = {}

    def page(self, connection: Connection, question: Question) -> Answer:
        """One page in the order of the rows' keys."""
        where, values = _where(connection, question)
        matched = self._count(connection, question, where, values)
        # a few rows of a long table are found by their time, not by walking it in the order of its keys
        timed = question.collection.interval is not None and question.interval != (None, None)
        key = "+id" if timed and matched <= MANY else "id"
        statement = text(
            f"SELECT id, {_columns(connection, question)} FROM {question.collection.table} "  # noqa: S608
            f"WHERE {where} AND {key} > :after ORDER BY {key} LIMIT :limit"
        ).bindparams(*_lists(values))
        rows = connection.execute(statement, {**values, "after": question.after, "limit": question.limit + 1}).all()
        more = len(rows) > question.limit
        rows = rows[: question.limit]
        features = [feature(question, row._mapping) for row in rows]
        return Answer(features, matched, rows[-1].id if more else None)

    def one(self, connection: Connection, question: Question, key: str) -> bytes:
        """One feature by its code or number.

        Raises:
            NotFound: there is none that this person may see.
        """
        where, values = _where(connection, question, ended=True)
        columns, collection = _columns(connection, question), question.collection
        statement = text(
            f"SELECT id, {columns} FROM {collection.table} WHERE {collection.key} = :wanted_key AND {where}"  # noqa: S608
        ).bindparams(*_lists(values))
        row = connection.execute(statement, {**values, "wanted_key": key}).first()
        if row is None:
            raise NotFound(f"{collection.title} 中没有 {key}。", f"There is no {key} in {collection.name}.")
        return feature(question, row._mapping)

    def extent(self, connection: Connection, collection: Collection) -> Box | None:
        """The box around all features, None where there are none; at most five minutes old."""
        read_at, box = self._extents.get(collection.name, (float("-inf"), None))
        if box is None or monotonic() - read_at > EXTENT_SECONDS:
            box = _extent(connection, collection)
            self._extents[collection.name] = (monotonic(), box)
        return box

    def _count(self, connection: Connection, question: Question, where: str, values: dict[str, Any]) -> int:
        seq = last_seq(connection)
        key = (question.collection.name, where, repr(sorted(values.items(), key=lambda item: item[0])))
        known = self._counts.get(key)
        if known is not None and (known[0] == seq or (known[1] > MANY and monotonic() < known[2] + COUNT_SECONDS)):
            return known[1]
        statement = text(f"SELECT count(*) FROM {question.collection.table} WHERE {where}")  # noqa: S608
        count = int(connection.execute(statement.bindparams(*_lists(values)), values).scalar_one())
        if len(self._counts) >= COUNTS_AT_MOST:
            self._counts.clear()
        self._counts[key] = (seq, count, monotonic())
        return count


def feature(question: Question, row: Any) -> bytes:
    """A GeoJSON feature."""
    collection = question.collection
    properties: dict[str, Any] = {}
    for name in shown_columns(collection, question.actor):
        value = row[name]
        if name in collection.times:
            value = rfc3339(value)
        elif name in collection.documents and isinstance(value, str):
            value = msgspec.Raw(value.encode())
        properties[name] = value
    shape = row["shape"]
    geometry = None if shape is None else msgspec.Raw(shape.encode())
    return msgspec.json.encode(
        {"type": "Feature", "id": row[collection.key], "geometry": geometry, "properties": properties}
    )


def shown_columns(collection: Collection, actor: Actor | None) -> tuple[str, ...]:
    """The properties this person gets."""
    if actor is not None:
        return collection.columns
    return tuple(name for name in collection.columns if name not in collection.signed_in_only)


def interval_of(written: str | None) -> tuple[int | None, int | None]:
    """The bounds of a `datetime` parameter in microseconds: an instant, or `start/end` with `..` for open ends.

    Raises:
        Invalid: not such a time.
    """
    if not written:
        return None, None
    parts = written.split("/")
    try:
        bounds = [None if part in ("", "..") else _instant(part) for part in parts]
    except ValueError:
        bounds = []
    if len(bounds) == 1 and bounds[0] is not None:
        return bounds[0], bounds[0]
    if len(bounds) != 2 or (None not in bounds and bounds[0] > bounds[1]):  # type: ignore[operator]  # both are numbers here
        raise Invalid(
            f"datetime 须为 RFC 3339 时间或 起/止,例如 2026-10-01T00:00:00Z/..;得到 {written}。",
            f"datetime must be an RFC 3339 time or start/end, as 2026-10-01T00:00:00Z/..; got {written}.",
            fields=(FieldError("datetime", "不是时间", "not a time"),),
        )
    return bounds[0], bounds[1]


def _instant(written: str) -> int:
    text_ = f"{written}T00:00:00Z" if len(written) == 10 else written
    return micros(datetime.fromisoformat(text_))


def _where(connection: Connection, question: Question, *, ended: bool = False) -> tuple[str, dict[str, Any]]:
    """SQL for the rows that fit, and its values."""
    collection, values = question.collection, dict[str, Any]()
    terms = ["1 = 1"]
    if collection.current and not ended:
        terms.append(collection.current)
    if question.box is not None:
        terms.append(within_box(connection.dialect.name, collection.table))
        if collection.points:  # the R-tree rounds outwards to single precision
            terms.append("lon BETWEEN :west AND :east AND lat BETWEEN :south AND :north")
        values |= dict(zip(("west", "south", "east", "north"), question.box, strict=True))
    if collection.interval is not None:
        for sign, bound, name in ((">=", question.interval[0], "since"), ("<=", question.interval[1], "till")):
            if bound is not None:
                terms.append(f"{collection.interval} {sign} :{name}")
                values[name] = bound
    for name, value in question.filters.items():
        terms.append(f"{name} = :is_{name}")
        values[f"is_{name}"] = value
    if collection.name == "cases" and question.actor is not None and not sees_all(question.actor):
        terms.append(_in_sight(question.actor, values))
    return " AND ".join(terms), values


def _in_sight(actor: Actor, values: dict[str, Any]) -> str:
    """SQL for the cases a department or a collector may see (`appliance.cases.sight`)."""
    values |= {"units": sorted(actor.subtree), "account": actor.account, "duty_grids": sorted(actor.duty_grids)}
    terms = []
    if "department" in actor.roles:
        terms += ["department IN :units", "sub_unit IN :units"]
    if "collector" in actor.roles:
        terms += ["collector = :account", "registered_by = :account", "duty_grid IN :duty_grids"]
    for name in ("units", "duty_grids", "account"):
        if not any(f":{name}" in term for term in terms):
            del values[name]
    return f"({' OR '.join(terms)})" if terms else "1 = 0"


def _lists(values: dict[str, Any]) -> list[Any]:
    return [bindparam(name, expanding=True) for name, value in values.items() if isinstance(value, list)]


def _columns(connection: Connection, question: Question) -> str:
    names = ", ".join(dict.fromkeys((question.collection.key, *shown_columns(question.collection, question.actor))))
    swapped = question.system in LATITUDE_FIRST
    if connection.dialect.name == "sqlite":
        shape = f"AsGeoJSON({'SwapCoords(geom)' if swapped else 'geom'}, {DIGITS})"
    else:
        shape = f"ST_AsGeoJSON({'ST_FlipCoordinates(geom)' if swapped else 'geom'}, {DIGITS}, 0)"
    return f"{names}, {shape} AS shape"


def _extent(connection: Connection, collection: Collection) -> Box | None:
    if connection.dialect.name == "sqlite":
        statement = f"SELECT min(xmin), min(ymin), max(xmax), max(ymax) FROM idx_{collection.table}_geom"  # noqa: S608
    else:
        around = f"(SELECT ST_Extent(geom) AS e FROM {collection.table}) AS around"  # noqa: S608  # our own tables
        statement = f"SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM {around}"  # noqa: S608
    west, south, east, north = connection.execute(text(statement)).one()
    return None if west is None else (west, south, east, north)
