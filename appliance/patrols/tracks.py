"""Positions of collectors and vehicles: one SQLite file a day beside the county's database, outside the feed.

Late and out-of-order positions go into the file of their own day. A position sent twice is kept once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from appliance.clock import DAY, local

AHEAD_AT_MOST = 10 * 60 * 1_000_000
BEHIND_AT_MOST = 62 * DAY
DAYS_LOOKED_AT = 2

_NEWEST = (
    "WITH RECURSIVE one(who) AS (SELECT min(who) FROM position "
    "UNION ALL SELECT (SELECT min(who) FROM position WHERE who > one.who) FROM one WHERE one.who IS NOT NULL) "
    "SELECT p.who, p.at, p.lon, p.lat, p.speed FROM one JOIN position p ON p.who = one.who "
    "AND p.at = (SELECT max(at) FROM position WHERE who = one.who)"
)
"""The newest row of everybody by two look-ups of the key each; a day has ten million rows."""


class Position(msgspec.Struct, frozen=True):
    """One position; `who` is an account or a device, `at` microseconds, `speed` metres a second."""

    who: str
    at: int
    lon: float
    lat: float
    speed: float | None = None


class Tracks:
    """The tracks of one home."""

    def __init__(self, home: Path, zone: ZoneInfo) -> None:
        self._folder = home / "tracks"
        self._zone = zone
        self._lock = threading.Lock()
        self._last: dict[str, Position] | None = None

    def add(self, positions: Iterable[Position]) -> int:
        """Store positions durably and return how many were new."""
        by_day: dict[str, list[Position]] = {}
        for position in positions:
            by_day.setdefault(local(position.at, self._zone).date().isoformat(), []).append(position)
        new = 0
        with self._lock:
            for day, group in by_day.items():
                new += self._store(day, group)
                self._note(group)
        return new

    def last(self) -> list[Position]:
        """The newest position of everybody, of those who sent one in the last two days or since this process began."""
        with self._lock:
            return sorted(self._newest().values(), key=lambda position: position.who)

    def _note(self, group: Iterable[Position]) -> None:
        newest = self._newest()
        for position in group:
            known = newest.get(position.who)
            if known is None or known.at <= position.at:
                newest[position.who] = position

    def _newest(self) -> dict[str, Position]:
        """The newest positions in memory; at first from the files of the last two days, by their key alone."""
        if self._last is None:
            self._last = {}
            for path in sorted(self._folder.glob("*.db"))[-DAYS_LOOKED_AT:]:
                with closing(sqlite3.connect(path)) as connection:
                    self._note([Position(*row) for row in connection.execute(_NEWEST)])
        return self._last

    def of_day(self, who: str, day: str) -> list[Position]:
        """The track of one day (YYYY-MM-DD in county time), oldest first."""
        path = self._folder / f"{day}.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                "SELECT who, at, lon, lat, speed FROM position WHERE who = ? ORDER BY at", (who,)
            ).fetchall()
        return [Position(*row) for row in rows]

    def _store(self, day: str, group: list[Position]) -> int:
        self._folder.mkdir(exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(self._folder / f"{day}.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS position (who TEXT NOT NULL, at INTEGER NOT NULL, lon REAL NOT NULL, "
                "lat REAL NOT NULL, speed REAL, PRIMARY KEY (who, at)) WITHOUT ROWID"
            )
            connection.execute("BEGIN IMMEDIATE")
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO position VALUES (?, ?, ?, ?, ?)",
                [(item.who, item.at, item.lon, item.lat, item.speed) for item in group],
            )
            added = connection.total_changes - before
            connection.execute("COMMIT")
        return added
