"""Old cases that were imported without their history: counted by the times their file gave, where it gave them.

Such a case has one row `import`, of the day it came in. Known of it are when it was reported and closed, when handling
was due, and its unit; nothing of who did what. A closed one whose due time is not known adds to no rate; it is left out
and told as such.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from appliance.scoring.counting import Counted
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM

_ONLY = (
    "SELECT c.id, c.source, c.street, c.grid, c.department, c.reported_at, c.closed_at, c.handle_due_at, c.is_open "
    "FROM cases c WHERE ' ' || c.flags || ' ' LIKE '% imported %' AND {what} "
    "AND EXISTS (SELECT 1 FROM case_action a WHERE a.case_id = c.id AND a.action = 'import') "
    "AND NOT EXISTS (SELECT 1 FROM case_action b WHERE b.case_id = c.id AND b.action <> 'import' AND b.at < :as_of) "
    "ORDER BY c.id"
)
_REPORTED = text(_ONLY.format(what="c.reported_at >= :start AND c.reported_at < :as_of"))
_CLOSED = text(_ONLY.format(what="c.closed_at >= :start AND c.closed_at < :as_of"))
_OPEN = text(_ONLY.format(what="c.is_open AND c.reported_at < :as_of AND c.handle_due_at < :as_of"))


def add_imported(connection: Connection, counted: Counted, period: Period) -> None:
    """Count imported cases of a period, and how many of its closed ones are left out."""
    span = {"start": period.start, "as_of": period.as_of}
    for row in connection.execute(_REPORTED, span):
        _count(counted, row, ("reports",), ("source", "platform"))
        if row.is_open or row.closed_at is None or row.closed_at >= period.as_of:
            _count(counted, row, ("reports_unclosed",), ("platform",))
    counted.left_out = 0
    everybody = ("department", "region", "source", "platform")
    for row in connection.execute(_CLOSED, span):
        if row.handle_due_at is None:
            counted.left_out += 1
            continue
        facts = ["should_close", "closed"]
        if row.closed_at <= row.handle_due_at:
            facts.append("closed_on_time")
        _count(counted, row, facts, everybody)
    for row in connection.execute(_OPEN, span):
        _count(counted, row, ("should_close",), everybody)


def _count(counted: Counted, row: Any, facts: tuple[str, ...] | list[str], scopes: tuple[str, ...]) -> None:
    street = row.grid[:9] if row.grid is not None else row.street
    subjects = {"department": row.department, "region": street, "source": row.source, "platform": PLATFORM}
    for scope in scopes:
        subject = subjects[scope]
        if subject is None:
            continue
        for fact in facts:
            counted.cases.setdefault((scope, subject, fact), []).append(row.id)
