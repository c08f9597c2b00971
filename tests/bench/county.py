"""A county of any size, written straight into the tables so that a million and a half cases take minutes and not hours.

The rows are those the engine would write (same columns, same record, same search tokens); indexes are made at the end.
Positions fill 200 by 100 grids; all but some thousand cases are closed.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from appliance.cases import record
from appliance.cases.columns import COLUMNS, EMPTY
from appliance.cases.search import case_tokens
from appliance.clock import DAY, HOUR, MINUTE, SystemClock
from appliance.codes.book import CodeBook
from appliance.records.engine import connect_sqlite
from appliance.records.spatial import point_wkb
from tests import homes

COLUMNS_OF_GRIDS, ROWS_OF_GRIDS = 200, 100
WEST, SOUTH, STEP = homes.WEST, homes.SOUTH, homes.STEP
DEPARTMENTS = [f"B{number:02d}" for number in range(40)]
PLACES = ("药城路", "滨河路", "画圣路", "禹王大道", "钧官窑路", "颍河大道", "府东路", "建设路", "行政路", "朝阳路")
THINGS = ("井盖破损", "井盖丢失", "暴露垃圾", "占道经营", "路灯不亮", "绿地脏乱", "道路破损", "乱贴广告")
OPEN = ("reported", "verifying", "accepted", "filed", "dispatched", "handling", "handled", "checking")
CLOSED = ("closed", "closed", "closed", "closed", "closed", "closed", "closed", "rejected", "void", "merged")


def make(home: Path, *, cases: int, parts: int) -> None:
    """Make a home of that size from the furnished template."""
    homes.copy_home(home)
    connection = connect_sqlite(home / "county.db", cache_kib=400_000, read_only=False)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("DELETE FROM unit_grid")
        _grids(connection)
        _parts(connection, parts)
        _cases(connection, cases)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _grids(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    connection.execute("DELETE FROM duty_grid")
    for block in range(100):
        connection.execute(
            "INSERT INTO duty_grid (code, name, collector, geom) VALUES (?, ?, ?, ST_GeomFromText(?, 4490))",
            (f"duty-{block}", f"责任网格{block}", "l1" if block % 2 else "l2", homes.cell(block * 2, 0)),
        )
    for index in range(COLUMNS_OF_GRIDS * ROWS_OF_GRIDS):
        column, row = index % COLUMNS_OF_GRIDS, index // COLUMNS_OF_GRIDS
        street, community = f"411081{column // 20 + 1:03d}", f"411081{column // 20 + 1:03d}{row // 5 + 1:03d}"
        serial = (row % 5) * 20 + column % 20 + 1
        connection.execute(
            "INSERT INTO unit_grid (code, name, street, community, duty_grid, area_m2, lon, lat, geom) "
            "VALUES (?, '', ?, ?, ?, 10200, ?, ?, ST_GeomFromText(?, 4490))",
            (f"{community}{serial:03d}", street, community, f"duty-{column // 2}", WEST + (column + 0.5) * STEP,
             SOUTH + (row + 0.5) * STEP, homes.cell(column, row)),
        )  # fmt: skip
    for department in DEPARTMENTS:
        connection.execute("INSERT INTO department (code, name) VALUES (?, ?)", (department, f"部门{department}"))
    connection.execute("COMMIT")


def _parts(connection: sqlite3.Connection, count: int) -> None:
    random = Random(1)
    names = [item for item in CodeBook.national().classes.values() if item.edition == "2026" and item.kind == "part"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(count):
            item = names[number % len(names)]
            lon = WEST + random.random() * COLUMNS_OF_GRIDS * STEP
            lat = SOUTH + random.random() * ROWS_OF_GRIDS * STEP
            code = f"411081{item.code}{number // len(names):06d}"
            yield code, item.code, item.name, lon, lat, point_wkb(lon, lat)

    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO part (code, type, edition, name, state, lon, lat, geom) "
        "VALUES (?, ?, '2026', ?, '完好', ?, ?, ST_GeomFromWKB(?, 4490))",
        rows(),
    )
    connection.execute("COMMIT")


def _cases(connection: sqlite3.Connection, count: int) -> None:
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('cases', 'case_action', 'reporter')"
    ).fetchall()
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
        "AND tbl_name IN ('cases', 'case_record', 'reporter')"
    ).fetchall()
    connection.execute("BEGIN")
    for kind, found in (("INDEX", indexes), ("TRIGGER", triggers)):
        for name, _ in found:
            connection.execute(f'DROP {kind} "{name}"')
    names = ", ".join(COLUMNS)
    marks = ", ".join(f":{name}" for name in COLUMNS)
    insert = f"INSERT INTO cases (id, {names}, geom) VALUES (:id, {marks}, ST_GeomFromWKB(:wkb, 4490))"
    for start in range(0, count, 10_000):
        rows = [_case(number, count) for number in range(start, min(start + 10_000, count))]
        connection.executemany(insert, rows)
        connection.executemany("INSERT INTO case_record (id, masked, search) VALUES (?, ?, ?)", map(_record, rows))
        connection.executemany("INSERT INTO reporter (id, name, phone) VALUES (?, ?, ?)", map(_reporter, rows))
        connection.executemany(
            "INSERT INTO case_action (case_id, seq, number, action, actor, actor_name, role, at, from_state, to_state, "
            "previous, hash) VALUES (?, ?, ?, ?, 's1', '坐席一', 'acceptor', ?, ?, ?, '', '')",
            (action for row in rows for action in _history(row)),
        )
        connection.executemany(
            "INSERT INTO change (type, id, op, at) VALUES ('case', ?, 'put', ?)",
            ((row["number"], row["reported_at"]) for row in rows),
        )
        sys.stderr.write(f"\r{start + len(rows):>9} / {count}")
    connection.execute("INSERT INTO idx_cases_geom SELECT id, lon, lon, lat, lat FROM cases")
    connection.execute("UPDATE feed SET last = (SELECT max(seq) FROM change)")
    connection.execute("COMMIT")
    for _, sql in (*indexes, *triggers):
        connection.execute(sql)
    connection.execute("INSERT INTO case_search (case_search) VALUES ('rebuild')")
    connection.execute("INSERT INTO reporter_search (reporter_search) VALUES ('rebuild')")
    sys.stderr.write("\n")


OPEN_AT_MOST = 7500
"""How much is open depends on the county and not on its age: a fifth of a small history, this in a long one."""

CLASSES = [
    item
    for item in CodeBook.national().classes.values()
    if item.edition == "2026" and item.code in ("01002", "06010", "09006", "01037", "09005")
]
NOW = SystemClock().now()


def _case(number: int, count: int) -> dict[str, Any]:
    random = Random(number)
    item = CLASSES[random.randrange(len(CLASSES))]
    is_open = number >= count // 2 and random.random() < 2 * min(OPEN_AT_MOST, count // 5) / count
    state = random.choice(OPEN if is_open else CLOSED)
    column, row = random.randrange(COLUMNS_OF_GRIDS), random.randrange(ROWS_OF_GRIDS)
    street, community = f"411081{column // 20 + 1:03d}", f"411081{column // 20 + 1:03d}{row // 5 + 1:03d}"
    reported = NOW - 3650 * DAY + round(3650 * DAY * number / count)
    lon, lat = WEST + (column + random.random()) * STEP, SOUTH + (row + random.random()) * STEP
    due = NOW + random.randrange(-48, 48) * HOUR if is_open else None
    return EMPTY | {
        "id": number + 1, "number": f"41108120{number:011d}", "query_code": f"Q{number:09d}", "kind": item.kind,
        "edition": "2026", "code": item.code, "class_code": item.class_code, "name": item.name,
        "source": "hotline_12319", "channel": "public", "state": state, "is_open": is_open,
        "description": f"{random.choice(THINGS)},市民来电 {number}",
        "address": f"{random.choice(PLACES)}{number % 300}号",
        "lon": lon, "lat": lat, "grid": f"{community}{(row % 5) * 20 + column % 20 + 1:03d}", "street": street,
        "community": community, "duty_grid": f"duty-{column // 2}", "department": random.choice(DEPARTMENTS),
        "reported_at": reported, "clock": "handle" if is_open else None, "due_at": due,
        "clock_started_at": reported if is_open else None, "closed_at": None if is_open else reported + 30 * MINUTE,
        "collector": "l1" if is_open else None, "version": 4, "wkb": point_wkb(lon, lat),
    }  # fmt: skip


def _record(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["id"], record.build(row, reporter={"name": "市民", "phone": "13800000000"}), case_tokens(row)


def _reporter(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["id"], "市民", f"138{row['id'] * 7919 % 100_000_000:08d}"


def _history(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    steps = (("report", None, "reported"), ("accept", "reported", "accepted"), ("file", "accepted", "filed"),
             ("dispatch", "filed", row["state"]))  # fmt: skip
    return [
        (row["id"], seq, row["number"], action, row["reported_at"] + seq * MINUTE, before, after)
        for seq, (action, before, after) in enumerate(steps, start=1)
    ]


def remove(home: Path) -> None:
    """Delete a home."""
    shutil.rmtree(home, ignore_errors=True)
