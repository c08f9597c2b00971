"""One day of tracks: a SQLite file beside the county's database, outside the feed.

`position` has what came in, one row each. A finished day is packed into one row a person (`packed`); what comes late
stands in `position` again until the next packing, and whoever reads takes both. `walk` and what follows it are derived
from the positions (`counting.py`) and can be counted anew at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from appliance.patrols.packing import unpack
from appliance.patrols.position import Position

FOLDER = "tracks"
BUSY_MILLISECONDS = 30_000

_TABLES = (
    "CREATE TABLE IF NOT EXISTS position (who TEXT NOT NULL, at INTEGER NOT NULL, lon REAL NOT NULL, "
    "lat REAL NOT NULL, speed REAL, PRIMARY KEY (who, at)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS packed (who TEXT PRIMARY KEY, number INTEGER NOT NULL, at INTEGER NOT NULL, "
    "lon REAL NOT NULL, lat REAL NOT NULL, speed REAL, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS counted (who TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS walk (grid TEXT NOT NULL, entered_at INTEGER NOT NULL, who TEXT NOT NULL, "
    "left_at INTEGER NOT NULL, PRIMARY KEY (grid, entered_at, who)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS walk_who ON walk (who)",
    "CREATE TABLE IF NOT EXISTS odd (who TEXT NOT NULL, at INTEGER NOT NULL, lon REAL NOT NULL, lat REAL NOT NULL, "
    "speed REAL NOT NULL, PRIMARY KEY (who, at)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS walked (grid TEXT PRIMARY KEY, walks INTEGER NOT NULL, rounds INTEGER NOT NULL, "
    "level INTEGER NOT NULL, last_at INTEGER NOT NULL) WITHOUT ROWID",
)
_PUT = "INSERT OR IGNORE INTO position VALUES (?, ?, ?, ?, ?)"
_PACKED = "SELECT body FROM packed WHERE who = ?"
_FRESH = "SELECT who, at, lon, lat, speed FROM position WHERE who = ? ORDER BY at"
_NUMBERS = (
    "SELECT who, sum(number) FROM (SELECT who, number FROM packed UNION ALL SELECT who, count(*) FROM position "
    "GROUP BY who) GROUP BY who ORDER BY who"
)
_NEWEST = (
    "WITH RECURSIVE one(who) AS (SELECT min(who) FROM position "
    "UNION ALL SELECT (SELECT min(who) FROM position WHERE who > one.who) FROM one WHERE one.who IS NOT NULL) "
    "SELECT p.who, p.at, p.lon, p.lat, p.speed FROM one JOIN position p ON p.who = one.who "
    "AND p.at = (SELECT max(at) FROM position WHERE who = one.who) "
    "UNION ALL SELECT who, at, lon, lat, speed FROM packed"
)
"""The newest row of everybody by two look-ups of the key each; a day has ten million rows."""


def folder_of(home: Path) -> Path:
    """Where the days of a home are."""
    return home / FOLDER


def path_of(home: Path, day: str) -> Path:
    """The file of a day (YYYY-MM-DD in county time)."""
    return folder_of(home) / f"{day}.db"


def days_of(home: Path) -> list[str]:
    """The days that have a file, oldest first."""
    return sorted(path.stem for path in folder_of(home).glob("????-??-??.db") if _is_day(path.stem))


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file of a day, which is made when it is not there; commits are on the disk."""
    path.parent.mkdir(exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (f"busy_timeout = {BUSY_MILLISECONDS}", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        for table in _TABLES:
            connection.execute(table)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def opened(home: Path, day: str) -> Iterator[sqlite3.Connection | None]:
    """The file of a day inside one read transaction; None when there is none."""
    path = path_of(home, day)
    if not path.exists():
        yield None
        return
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        yield connection


def store(connection: sqlite3.Connection, positions: Iterable[Position]) -> int:
    """Put positions in (inside the caller's transaction) and return how many were not there yet."""
    known: dict[str, set[int]] = {}
    rows = []
    for item in positions:
        if item.who not in known:
            known[item.who] = packed_times(connection, item.who)
        if item.at not in known[item.who]:
            rows.append((item.who, item.at, item.lon, item.lat, item.speed))
    before = connection.total_changes
    connection.executemany(_PUT, rows)
    return connection.total_changes - before


def packed_times(connection: sqlite3.Connection, who: str) -> set[int]:
    """The times of the positions of somebody that are packed already."""
    row = connection.execute(_PACKED, (who,)).fetchone()
    return set() if row is None else {position.at for position in unpack(who, row[0])}


def track(connection: sqlite3.Connection, who: str) -> list[Position]:
    """The track of somebody, oldest first, packed or not."""
    row = connection.execute(_PACKED, (who,)).fetchone()
    fresh = [Position(*values) for values in connection.execute(_FRESH, (who,))]
    if row is None:
        return fresh
    packed = unpack(who, row[0])
    return sorted([*packed, *fresh], key=lambda position: position.at) if fresh else packed


def numbers(connection: sqlite3.Connection) -> dict[str, int]:
    """How many positions everybody sent; as nothing is taken away, an equal number is an equal track."""
    return dict(connection.execute(_NUMBERS).fetchall())


def newest(connection: sqlite3.Connection) -> list[Position]:
    """The newest positions of everybody, from the rows and from what is packed."""
    return [Position(*row) for row in connection.execute(_NEWEST)]


def state(connection: sqlite3.Connection, name: str) -> str | None:
    """A note that a job left in the file."""
    row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_state(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Leave a note."""
    connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))


def _is_day(name: str) -> bool:
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return True
