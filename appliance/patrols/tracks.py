"""Positions of collectors and vehicles: one SQLite file a day beside the county's database, outside the feed.

Late and out-of-order positions go into the file of their own day. A position sent twice is kept once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.clock import DAY, HOUR, moment
from appliance.patrols import day_file
from appliance.patrols.position import Position, kept
from appliance.patrols.track_writer import ByDay, TrackWriter

AHEAD_AT_MOST = 10 * 60 * 1_000_000
DAYS_LOOKED_AT = 2


class Tracks:
    """The tracks of one home; close them when done."""

    def __init__(self, home: Path, zone: ZoneInfo) -> None:
        self._home = home
        self._days = Days(zone)
        self._lock = threading.Lock()
        self._last: dict[str, Position] | None = None
        self._writer = TrackWriter(home, self._note)

    def add(self, positions: Iterable[Position]) -> int:
        """Store positions durably and return how many were new."""
        return self._writer.write(self._by_day(positions))

    async def add_async(self, positions: Iterable[Position]) -> int:
        """The same for coroutines."""
        return await self._writer.write_async(self._by_day(positions))

    @property
    def waiting(self) -> int:
        """How many batches wait for the disk now."""
        return self._writer.waiting

    def close(self) -> None:
        """Write what waits and close the files."""
        self._writer.close()

    def last(self) -> list[Position]:
        """The newest position of everybody, of those who sent one in the last two days or since this process began."""
        with self._lock:
            return sorted(self._newest().values(), key=lambda position: position.who)

    def newest_of(self, names: Iterable[str]) -> list[Position]:
        """The newest positions of these, of those who sent one."""
        with self._lock:
            newest = self._newest()
            return [newest[name] for name in names if name in newest]

    def of_day(self, who: str, day: str) -> list[Position]:
        """The track of one day (YYYY-MM-DD in county time), oldest first."""
        with day_file.opened(self._home, day) as connection:
            return [] if connection is None else day_file.track(connection, who)

    def _by_day(self, positions: Iterable[Position]) -> ByDay:
        by_day: ByDay = {}
        for position in positions:
            by_day.setdefault(self._days.day(position.at), []).append(kept(position))
        return by_day

    def _note(self, group: list[Position]) -> None:
        with self._lock:
            _keep_newest(self._newest(), group)

    def _newest(self) -> dict[str, Position]:
        """The newest positions in memory; at first from the files of the last two days, by their key alone."""
        if self._last is None:
            found: dict[str, Position] = {}
            for day in day_file.days_of(self._home)[-DAYS_LOOKED_AT:]:
                with suppress(sqlite3.DatabaseError), day_file.opened(self._home, day) as connection:  # doctor tells
                    _keep_newest(found, [] if connection is None else day_file.newest(connection))
            self._last = found
        return self._last


def _keep_newest(known: dict[str, Position], group: Iterable[Position]) -> None:
    for position in group:
        before = known.get(position.who)
        if before is None or before.at <= position.at:
            known[position.who] = position


class Days:
    """The county day of a moment. All moments of a quarter of an hour are of one day; it is looked up once."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[int, str] = {}

    def day(self, at: int) -> str:
        """YYYY-MM-DD."""
        quarter = at // QUARTER
        found = self._known.get(quarter)
        if found is None:
            if len(self._known) >= KNOWN_AT_MOST:
                self._known.clear()
            found = self._known[quarter] = moment(quarter * QUARTER).astimezone(self._zone).date().isoformat()
        return found


QUARTER = HOUR // 4
"""Zones differ from UTC by whole quarters of an hour."""
KNOWN_AT_MOST = 100 * DAY // QUARTER
