"""Counts the walked patrols of some days: tracks → walks (beside the tracks) → rounds by duty grid (in the county).

It runs as a process of its own, `python -m appliance.patrols.counting HOME NOW`, because it needs shapely before
SpatiaLite and must not take the node's time. Memory holds one person's track at a time. Whoever sent nothing new since
the last count is not counted again; the same positions and grids give the same walks to the byte.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, text

from appliance.clock import ManualClock, local
from appliance.patrols import day_file
from appliance.patrols.compaction import NICE
from appliance.patrols.completed import Completed, Passed, completed
from appliance.patrols.plans import Plan, plan_of
from appliance.patrols.unit_grids import DutyGrid, UnitGrids
from appliance.patrols.walks import walks
from appliance.records.store import Records
from appliance.records.writer import Unit

PEOPLE_A_SLICE, ROWS_A_SLICE = 8, 200
LOCK = "counting.lock"
_STAYS = "SELECT grid, entered_at, who, left_at FROM walk WHERE grid IN ({})"
_PUT = text(
    "INSERT INTO patrol_day (day, duty_grid, collector, rounds_due, rounds_done, grids, needed, passed, last_at, "
    "last_by, walkers, rounds, counted_at) VALUES (:day, :duty_grid, :collector, :rounds_due, :rounds_done, :grids, "
    ":needed, :passed, :last_at, :last_by, :walkers, :rounds, :counted_at) ON CONFLICT (day, duty_grid) DO UPDATE SET "
    "collector = excluded.collector, rounds_due = excluded.rounds_due, rounds_done = excluded.rounds_done, "
    "grids = excluded.grids, needed = excluded.needed, passed = excluded.passed, last_at = excluded.last_at, "
    "last_by = excluded.last_by, walkers = excluded.walkers, rounds = excluded.rounds, "
    "counted_at = excluded.counted_at"
)
_OTHERS = text("DELETE FROM patrol_day WHERE day = :day AND duty_grid NOT IN :known").bindparams(
    bindparam("known", expanding=True)
)


class Counted(msgspec.Struct):
    """What a count of a day did: people counted anew, and how many sent anything."""

    people: int
    of: int
    duty_grids: int


def count(records: Records, now: int) -> dict[str, Counted]:
    """Count yesterday, today, and each other day for which positions came since it was counted.

    A day on which nobody sent anything is counted too, as nobody walked; a home that never had a track is left alone.
    """
    today = local(now, records.settings.zone).date()
    found: dict[str, Counted] = {}
    with _alone(records.home):
        days = _days(records.home, today)
        if not days:
            return found
        with records.read() as connection:
            grids = UnitGrids(connection)
        for day in days:
            found[day] = _count_day(records, grids, day, now)
    return found


def _days(home: Path, today: date) -> list[str]:
    known = day_file.days_of(home)
    always = {(today - timedelta(days=1)).isoformat(), today.isoformat()} if known else set()
    days = sorted(always.union(day for day in known if day < today.isoformat()))
    return [day for day in days if _to_count(home, day, always=day in always)]


def _to_count(home: Path, day: str, *, always: bool) -> bool:
    """Whether a day has positions that were not counted, or is to be counted always; a damaged file is not."""
    try:
        with day_file.opened(home, day) as connection:
            if connection is None or always:
                return always
            return day_file.state(connection, "counted") != str(sum(day_file.numbers(connection).values()))
    except sqlite3.DatabaseError:
        return False  # the doctor tells


def _count_day(records: Records, grids: UnitGrids, day: str, now: int) -> Counted:
    with closing(day_file.connect(day_file.path_of(records.home, day))) as connection:
        if day_file.state(connection, "grids") != grids.fingerprint:
            _forget_walks(connection, grids.fingerprint)
        numbers = day_file.numbers(connection)
        known = dict(connection.execute("SELECT who, number FROM counted"))
        waiting = [who for who, number in numbers.items() if who in grids.collectors and known.get(who) != number]
        for at in range(0, len(waiting), PEOPLE_A_SLICE):
            _walk(connection, grids, waiting[at : at + PEOPLE_A_SLICE])
        rows = _summarise(connection, records, grids, day, now)
        for at in range(0, len(rows), ROWS_A_SLICE):
            some = rows[at : at + ROWS_A_SLICE]
            records.write(lambda unit, some=some: _put(unit, some))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        codes = [row["duty_grid"] for row in rows]
        records.write(lambda unit: unit.connection.execute(_OTHERS, {"day": day, "known": codes}) and None)
        day_file.set_state(connection, "counted", str(sum(numbers.values())))
        day_file.set_state(connection, "counted_at", str(now))
    return Counted(len(waiting), len(numbers), len(rows))


def _walk(connection: sqlite3.Connection, grids: UnitGrids, people: list[str]) -> None:
    """Count some people anew: the reckoning first, then one short transaction."""
    found = [(who, track := day_file.track(connection, who), *walks(track, grids.locate)) for who in people]
    connection.execute("BEGIN IMMEDIATE")
    for who, track, stays, odd in found:
        connection.execute("DELETE FROM walk WHERE who = ?", (who,))
        connection.execute("DELETE FROM odd WHERE who = ?", (who,))
        connection.executemany(
            "INSERT INTO walk (grid, entered_at, who, left_at) VALUES (?, ?, ?, ?)",
            [(grids.codes[stay.grid], stay.entered_at, who, stay.left_at) for stay in stays],
        )
        connection.executemany(
            "INSERT INTO odd VALUES (?, ?, ?, ?, ?)", [(who, item.at, item.lon, item.lat, item.speed) for item in odd]
        )
        connection.execute("INSERT OR REPLACE INTO counted VALUES (?, ?)", (who, len(track)))
    connection.execute("COMMIT")


def _forget_walks(connection: sqlite3.Connection, fingerprint: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table in ("walk", "odd", "counted"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  # our own tables
    day_file.set_state(connection, "grids", fingerprint)
    connection.execute("COMMIT")


def _summarise(
    connection: sqlite3.Connection, records: Records, grids: UnitGrids, day: str, now: int
) -> list[dict[str, Any]]:
    """A row for each duty grid; what became of each unit grid stays beside the tracks."""
    own, zone = records.settings.patrols, records.settings.zone
    rows, walked = [], []
    for duty_grid in grids.duty_grids:
        plan = plan_of(duty_grid.code, duty_grid.attributes, own)
        marks = ",".join("?" * len(duty_grid.grids))
        stays = [Passed(*row) for row in connection.execute(_STAYS.format(marks), duty_grid.grids)]
        found = completed(stays, len(duty_grid.grids), plan, plan.window(date.fromisoformat(day), zone))
        walked += [(one.grid, one.walks, one.rounds, one.level, one.last_at) for one in found.grids]
        rows.append(_row(duty_grid, plan, found, day, now))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM walked")
    connection.executemany("INSERT INTO walked VALUES (?, ?, ?, ?, ?)", walked)
    connection.execute("COMMIT")
    return rows


def _row(duty_grid: DutyGrid, plan: Plan, found: Completed, day: str, now: int) -> dict[str, Any]:
    walkers = [{"who": who, "grids": grids} for who, grids in found.walkers]
    rounds = [msgspec.to_builtins(one) for one in found.rounds]
    return {
        "day": day, "duty_grid": duty_grid.code, "collector": duty_grid.collector, "rounds_due": plan.rounds,
        "rounds_done": found.done, "grids": len(duty_grid.grids), "needed": plan.needed(len(duty_grid.grids)),
        "passed": len(found.grids), "last_at": found.last_at, "last_by": found.last_by,
        "walkers": msgspec.json.encode(walkers).decode(), "rounds": msgspec.json.encode(rounds).decode(),
        "counted_at": now,
    }  # fmt: skip


def _put(unit: Unit, rows: list[dict[str, Any]]) -> None:
    unit.connection.execute(_PUT, rows)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One count of a home at a time; a second one waits, and then finds little to do."""
    folder = day_file.folder_of(home)
    folder.mkdir(exist_ok=True, mode=0o700)
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(home: Path, now: int) -> None:
    """Count and print what was done as JSON."""
    os.nice(NICE)
    records = Records.open(home, clock=ManualClock(now))
    try:
        sys.stdout.buffer.write(msgspec.json.encode(count(records, now)))
    finally:
        records.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
