"""The columns of `cases` once, for the statements of the hot path; rows travel as plain dicts by column name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from appliance.cases.tables import Case
from appliance.records.spatial import POINT_SQL, point_wkb
from appliance.records.sql import Sql

COLUMNS: tuple[str, ...] = tuple(column.name for column in Case.__table__.columns if column.name not in ("id", "geom"))  # type: ignore[attr-defined]  # SQLModel adds __table__ at run time
EMPTY: dict[str, Any] = dict.fromkeys(COLUMNS) | {
    "version": 1, "is_open": True, "provisional": False, "rework": 0, "extensions": 0, "flags": "", "description": "",
    "address": "", "reachable": False,
}  # fmt: skip

_NAMES = ", ".join(COLUMNS)
_VALUES = ", ".join(f":{name}" for name in COLUMNS)
INSERT = Sql(f"INSERT INTO cases ({_NAMES}, geom) VALUES ({_VALUES}, {POINT_SQL}) RETURNING id")  # noqa: S608
SELECT = Sql(f"SELECT id, {_NAMES} FROM cases WHERE number = :number")  # noqa: S608
SELECT_BY_ID = Sql(f"SELECT id, {_NAMES} FROM cases WHERE id = :id")  # noqa: S608


def insert(connection: Connection, case: dict[str, Any]) -> int:
    """Insert a case and return its key."""
    values = {**case, "wkb": point_wkb(case["lon"], case["lat"])}
    return int(INSERT.value(connection, values))


def load(connection: Connection, number: str) -> dict[str, Any] | None:
    """The row of a case by its number, None when there is none."""
    row = SELECT.row(connection, {"number": number})
    return None if row is None else dict(zip(("id", *COLUMNS), row, strict=True))


def load_by_id(connection: Connection, case_id: int) -> dict[str, Any]:
    """The row of a case by its key."""
    row = SELECT_BY_ID.row(connection, {"id": case_id})
    assert row is not None, case_id
    return dict(zip(("id", *COLUMNS), row, strict=True))


def update(connection: Connection, case_id: int, changed: dict[str, Any]) -> None:
    """Write changed columns; a moved case gets its new point."""
    settings = [f"{name} = :{name}" for name in changed]
    values = {**changed, "id": case_id}
    if "lon" in changed or "lat" in changed:
        settings.append(f"geom = {POINT_SQL}")
        values["wkb"] = point_wkb(changed["lon"], changed["lat"])
    statement = f"UPDATE cases SET {', '.join(settings)} WHERE id = :id"  # noqa: S608  # names of our own columns
    connection.execute(text(statement), values)
