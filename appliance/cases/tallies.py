"""How many cases of a day were closed, and how many of them were handled in time; counted once for a day that is over.

A reopened case leaves the day on which it was closed, so a past day is counted again now and then. These are the
figures of the hall; what a unit is scored by is counted by `appliance/scoring/`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sqlalchemy import Connection, text

from appliance.clock import HOUR

AGAIN = HOUR
DAYS_KEPT = 40

_DAY = text(
    "SELECT count(*) AS closed, "
    "count(*) FILTER (WHERE handled_at IS NOT NULL AND handle_due_at IS NOT NULL) AS measured, "
    "count(*) FILTER (WHERE handled_at <= handle_due_at) AS on_time "
    "FROM cases INDEXED BY ix_cases_closed_at WHERE closed_at >= :since AND closed_at < :until"
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Closed cases; those with a handling limit; of these the ones handled by it."""

    closed: int = 0
    measured: int = 0
    on_time: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.closed + other.closed, self.measured + other.measured, self.on_time + other.on_time)

    @property
    def rate(self) -> float | None:
        """The share handled in time, None where nothing was measured."""
        return self.on_time / self.measured if self.measured else None


class Tallies:
    """Tallies by day; days are given by their first moment and the next day's, in microseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, tuple[int, Tally]] = {}

    def past(self, connection: Connection, since: int, until: int, now: int) -> Tally:
        """The tally of a day that is over."""
        with self._lock:
            known = self._known.get(since)
        if known is not None and 0 <= now - known[0] < AGAIN:
            return known[1]
        found = tally(connection, since, until)
        with self._lock:
            if len(self._known) >= DAYS_KEPT:
                del self._known[min(self._known)]
            self._known[since] = (now, found)
        return found


def tally(connection: Connection, since: int, until: int) -> Tally:
    """Count the cases closed in a span of time."""
    row = connection.execute(_DAY, {"since": since, "until": until}).one()
    return Tally(row.closed, row.measured, row.on_time)
