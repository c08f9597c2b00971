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
        self._last: dict[str, Position] = {}

    def add(self, positions: Iterable[Position]) -> int:
        """Store positions durably and return how many were new."""
        by_day: dict[str, list[Position]] = {}
        for position in positions:
            by_day.setdefault(local(position.at, self._zone).date().isoformat(), []).append(position)
        new = 0
        with self._lock:
            for day, group in by_day.items():
                new += self._store(day, group)
                for position in group:
                    known = self._last.get(position.who)
                    if known is None or known.at <= position.at:
                        self._last[position.who] = position
        return new

    def last(self) -> list[Position]:
        """The newest known position of everybody since this process began."""
        with self._lock:
            return sorted(self._last.values(), key=lambda position: position.who)

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
