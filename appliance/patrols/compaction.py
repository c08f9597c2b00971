"""Packing the tracks of finished days, and forgetting those that are older than the county keeps them.

A person is packed in one transaction, so a kill in the middle loses nothing; what was packed stays so, and packing a
second time finds nothing to do. What came late is merged into what is packed. The job runs it as a process of its own,
`python -m appliance.patrols.compaction HOME DAY`, as ten million positions take a minute of a core.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date, timedelta
from pathlib import Path

import msgspec

from appliance.patrols import day_file
from appliance.patrols.packing import pack

NICE = 10
"""The process that packs stands back for the node."""
PEOPLE_A_SLICE = 4
"""So many people are packed in one transaction, so that late positions wait a fifth of a second at most."""

_WHO = "SELECT DISTINCT who FROM position ORDER BY who"
_PUT = "INSERT OR REPLACE INTO packed (who, number, at, lon, lat, speed, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TAKE_AWAY = "DELETE FROM position WHERE who = ?"


def compact(home: Path, day: str) -> int:
    """Pack all positions of a day that are not packed yet; returns of how many people there were any."""
    path = day_file.path_of(home, day)
    if not path.exists():
        return 0
    with closing(day_file.connect(path)) as connection:
        waiting = [row[0] for row in connection.execute(_WHO)]
        for at in range(0, len(waiting), PEOPLE_A_SLICE):
            connection.execute("BEGIN IMMEDIATE")
            for who in waiting[at : at + PEOPLE_A_SLICE]:
                _pack(connection, who)
            connection.execute("COMMIT")
        if waiting:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(waiting)


def to_compact(home: Path, today: date) -> Iterator[str]:
    """The finished days that have positions which are not packed; a damaged file is left to the doctor."""
    for day in day_file.days_of(home):
        with suppress(sqlite3.DatabaseError):
            if day < today.isoformat() and has_loose(home, day):
                yield day


def has_loose(home: Path, day: str) -> bool:
    """Whether a day has positions that are not packed."""
    with day_file.opened(home, day) as connection:
        return connection is not None and connection.execute("SELECT 1 FROM position LIMIT 1").fetchone() is not None


def to_forget(home: Path, today: date, days: int) -> list[str]:
    """The days that are older than so many days. A position that is just young enough still finds its file."""
    oldest = (today - timedelta(days=days + 1)).isoformat()
    return [day for day in day_file.days_of(home) if day < oldest]


def forget(home: Path, day: str) -> None:
    """Remove the file of a day."""
    path = day_file.path_of(home, day)
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def main(home: Path, today: date) -> None:
    """Pack all finished days and print how many people of each there were, as JSON."""
    os.nice(NICE)
    days = {day: compact(home, day) for day in list(to_compact(home, today))}
    sys.stdout.buffer.write(msgspec.json.encode(days))


def _pack(connection: sqlite3.Connection, who: str) -> None:
    positions = day_file.track(connection, who)
    newest = positions[-1]
    values = (who, len(positions), newest.at, newest.lon, newest.lat, newest.speed, pack(positions))
    connection.execute(_PUT, values)
    connection.execute(_TAKE_AWAY, (who,))


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
