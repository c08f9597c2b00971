"""Counts for the title line and the wall: open cases by state, overdue ones, waiting requests, today's in and out."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.clock import local, micros, rfc3339
from appliance.records.feed import last_seq

if TYPE_CHECKING:
    from appliance.cases.office import Office

FRESH = 5_000_000

_BY_STATE = text("SELECT state, count(*) FROM cases INDEXED BY ix_cases_open WHERE is_open GROUP BY state")
_OVERDUE = text(
    "SELECT count(*) FROM cases INDEXED BY ix_cases_due_at WHERE is_open AND due_at IS NOT NULL AND due_at < :now"
)
_REPORTED = text("SELECT count(*) FROM cases WHERE reported_at >= :since")
_CLOSED = text("SELECT count(*) FROM cases WHERE closed_at >= :since")
_WAITING = text("SELECT count(*) FROM request WHERE waiting_for IS NOT NULL")


def summary(connection: Connection, office: Office) -> dict[str, Any]:
    """The figures of this moment; counted anew when the feed went on, and every few seconds for what time changes."""
    seq, now = last_seq(connection), office.records.clock.now()
    known = office.last_summary
    if known is None or known[0] != seq or not known[1] <= now < known[1] + FRESH:
        known = office.last_summary = (seq, now, _counted(connection, office, now))
    return known[2]


def _counted(connection: Connection, office: Office, now: int) -> dict[str, Any]:
    zone = office.settings.zone
    since = micros(datetime.combine(local(now, zone).date(), time(), zone))
    states = {str(state): int(count) for state, count in connection.execute(_BY_STATE)}
    return {
        "at": rfc3339(now),
        "states": states,
        "open": sum(states.values()),
        "overdue": connection.execute(_OVERDUE, {"now": now}).scalar_one(),
        "reported_today": connection.execute(_REPORTED, {"since": since}).scalar_one(),
        "closed_today": connection.execute(_CLOSED, {"since": since}).scalar_one(),
        "waiting_requests": connection.execute(_WAITING).scalar_one(),
    }
