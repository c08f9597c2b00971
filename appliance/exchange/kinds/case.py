"""Cases in the feed: the masked record that stands ready beside each case, with its light (ENROL.md "Feed")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from appliance.cases import record as case_record
from appliance.cases.workflow import workflow
from appliance.exchange.kinds.base import Kind, Line, Page, Record, Sight, by_keys, chunks, encode
from appliance.exchange.moments import micros_of
from appliance.records.base import SRID
from appliance.records.full_text import CASES, REPORTERS
from appliance.records.spatial import point_wkb

_READ = (
    "SELECT c.number, r.masked, c.clock_started_at, c.due_at, c.grid, c.community, c.street, c.id "
    "FROM cases c JOIN case_record r ON r.id = c.id"
)
_BY_KEYS = by_keys(f"{_READ} WHERE c.number IN :keys")
_PAGE = text(f"{_READ} WHERE c.number > :after ORDER BY c.number LIMIT :limit")
_REPORTERS = by_keys("SELECT id, name, phone FROM reporter WHERE id IN :keys")
_IDS = by_keys("SELECT number, id FROM cases WHERE number IN :keys")

FLAT = (
    *case_record.PLAIN, *case_record.NUMBERS_OF_HANDLING, "provisional", "merged_into", "satisfaction", "version",
)  # fmt: skip
"""Members of the record that are columns of the same name."""
MOMENTS = ("due_at", "handle_due_at", "resume_at", "sub_due_at", *case_record.TIMES)
LIMIT = {"limit_value": "value", "limit_unit": "unit"}
OTHER_SYSTEMS = {"external": "system", "upper": "reply_required"}
"""Member that tells of another system, and its third part beside number and due_at."""

_COLUMNS = (
    *FLAT, *MOMENTS, *LIMIT, "flags", "is_open", "reachable",
    *(f"{system}_{part}" for system, third in OTHER_SYSTEMS.items() for part in ("number", "due_at", third)),
)  # fmt: skip
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS, "geom") if name != "number")
_PUT = text(
    f"INSERT INTO cases ({', '.join(_COLUMNS)}, geom) "  # noqa: S608  # our own columns
    f"VALUES ({', '.join(':' + name for name in _COLUMNS)}, ST_GeomFromWKB(:wkb, {SRID})) "
    f"ON CONFLICT (number) DO UPDATE SET {_CHANGES}"
)
_PUT_RECORD = text(
    "INSERT INTO case_record (id, masked, search) VALUES (:id, :masked, '') "
    "ON CONFLICT (id) DO UPDATE SET masked = excluded.masked"
)
_PUT_REPORTER = text(
    "INSERT INTO reporter (id, name, phone) VALUES (:id, :name, :phone) "
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone = excluded.phone"
)
_FORGET = tuple(
    text(f"DELETE FROM {table} WHERE {key} IN (SELECT id FROM cases WHERE number = :number)")  # noqa: S608
    for table, key in (
        ("case_record", "id"), ("reporter", "id"), ("case_action", "case_id"), ("request", "case_id"),
        ("supervision", "case_id"), ("cases", "id"),
    )
)  # fmt: skip


class CaseKind(Kind):
    """Cases by number."""

    name = "case"
    scope = "cases.read"

    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for keys in chunks(ids):
            found.update(_lines(connection, connection.execute(_BY_KEYS, {"keys": keys}).all(), sight))
        return found

    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        rows = connection.execute(_PAGE, {"after": after or "", "limit": limit}).all()
        return Page(_lines(connection, rows, sight), rows[-1].number if len(rows) == limit else None)

    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        """Write cases; a reporter who is told in full stands apart and is masked in the record, as in the county."""
        if not records:
            return
        connection.execute(_PUT, [_bound(record) for record in records])
        ids: dict[str, int] = {}
        for keys in chunks([record["number"] for record in records]):
            ids.update((row.number, row.id) for row in connection.execute(_IDS, {"keys": keys}))
        told = [_apart(record) for record in records]
        _index_new(connection, "case_record", "search", dict.fromkeys(ids.values(), ""))
        connection.execute(
            _PUT_RECORD,
            [{"id": ids[record["number"]], "masked": encode(record).decode()} for record, _ in told],
        )
        reporters = [
            {"id": ids[record["number"]], "name": reporter["name"], "phone": reporter["phone"]}
            for record, reporter in told
            if reporter is not None
        ]
        if reporters:
            _index_new(connection, "reporter", "phone", {row["id"]: row["phone"] for row in reporters if row["phone"]})
            connection.execute(_PUT_REPORTER, reporters)

    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        """Forget cases and what hangs on them."""
        if ids:
            for statement in _FORGET:
                connection.execute(statement, [{"number": number} for number in ids])


def _index_new(connection: Connection, table: str, column: str, texts: dict[int, str]) -> None:
    """Put rows that come for the first time into SQLite's full-text index, whose triggers take out what was in it.

    Args:
        table, column: names of our own. texts: by key.
    """
    if connection.dialect.name != "sqlite":
        return
    known: set[int] = set()
    for keys in chunks(list(texts)):
        found = connection.execute(by_keys(f"SELECT id FROM {table} WHERE id IN :keys"), {"keys": keys})  # noqa: S608
        known.update(found.scalars())
    rows = [{"id": key, "text": text_} for key, text_ in texts.items() if key not in known]
    index = CASES.index if table == CASES.table else REPORTERS.index
    if rows:
        connection.execute(text(f"INSERT INTO {index} (rowid, {column}) VALUES (:id, :text)"), rows)  # noqa: S608


def _lines(connection: Connection, rows: Sequence[Any], sight: Sight) -> list[Line]:
    if sight.areas:
        rows = [row for row in rows if sight.holds(row.grid, row.community, row.street)]
    if sight.now is None:
        return [(row.number, row.masked.encode()) for row in rows]
    reporters: dict[int, Any] = {}
    if sight.reporters:
        told = Sight(areas=sight.reporter_areas)
        for keys in chunks([row.id for row in rows if told.holds(row.grid, row.community, row.street)]):
            reporters.update((row.id, row._mapping) for row in connection.execute(_REPORTERS, {"keys": keys}))
    return [
        (
            number,
            case_record.finished(
                masked, now=sight.now, started=started, due_at=due_at, yellow_at=sight.yellow_at,
                reporter=reporters.get(key),
            ),
        )
        for number, masked, started, due_at, _, _, _, key in rows
    ]  # fmt: skip


def _bound(record: Record) -> Record:
    values: Record = {name: record[name] for name in FLAT} | {name: micros_of(record[name]) for name in MOMENTS}
    values |= {column: (record["limit"] or {}).get(part) for column, part in LIMIT.items()}
    for system, third in OTHER_SYSTEMS.items():
        told = record[system] or {}
        values[f"{system}_number"], values[f"{system}_{third}"] = told.get("number"), told.get(third)
        values[f"{system}_due_at"] = micros_of(told.get("due_at"))
    wanted = values["upper_reply_required"]
    values["upper_reply_required"] = None if wanted is None else bool(wanted)
    return values | {
        "flags": " ".join(record["flags"]),
        "is_open": workflow().states[record["state"]].is_open,
        "reachable": bool(record["reporter"] and record["reporter"]["phone"]),
        "wkb": point_wkb(record["lon"], record["lat"]),
    }


def _apart(record: Record) -> tuple[Record, Record | None]:
    """The record as it is kept, and the reporter where the county told who it is."""
    kept = {name: value for name, value in record.items() if name != "light"}
    reporter = record["reporter"]
    if reporter is None:
        return kept, None
    masked = case_record.masked_reporter(reporter)
    if _is_masked(reporter):
        return kept, None
    return {**kept, "reporter": masked}, reporter


def _is_masked(reporter: Record) -> bool:
    return "*" in f"{reporter['name'] or ''}{reporter['phone'] or ''}"


def light_left_out(line: bytes) -> bytes:
    """A case as its replica keeps it: without the light, which only holds for the moment it was told."""
    at = line.rfind(b',"light":')
    return line if at < 0 else line[:at] + b"}"
