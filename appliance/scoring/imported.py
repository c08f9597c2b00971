"""Old cases that were imported without their history: counted by the times their file gave, where it gave them.

Such a case has one row `import`, of the day it came in, and at most rows that only speak of it (notes, urging). Known
are when it was reported and closed, when handling was due, and its unit; nothing of who did what. A closed one whose
due time is not known adds to no rate; it is left out and told as such. One that came in with a unit while it was open
says so in its row, and from that day on its walk counts it (`walk.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from appliance.scoring.counting import Counted
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM

_CASES = (
    "SELECT c.id, c.source, c.street, c.grid, c.department, c.reported_at, c.closed_at, c.handle_due_at, c.is_open "
    "FROM {p}cases c WHERE ' ' || c.flags || ' ' LIKE '% imported %' AND "
)
_NO_WALK = (
    " AND EXISTS (SELECT 1 FROM {p}case_action a WHERE a.case_id = c.id AND a.action = 'import' AND "
    "(a.detail IS NULL OR CAST(a.detail AS text) = 'null' OR a.at >= :as_of)) "
    "AND NOT EXISTS (SELECT 1 FROM {p}case_action b WHERE b.case_id = c.id AND b.action <> 'import' AND b.at < :as_of "
    "AND (b.from_state IS NULL OR b.from_state <> b.to_state OR b.clock_started IS NOT NULL "
    "OR b.clock_stopped IS NOT NULL))"
)
"""Nothing before `as_of` tells more than the file did."""
_NO_REPORT = (
    " AND NOT EXISTS (SELECT 1 FROM {p}case_action b WHERE b.case_id = c.id AND b.action IN ('report', 'self_handle'))"
)
_ORDER = " ORDER BY c.id"
_REPORTED = _CASES + "c.reported_at >= :start AND c.reported_at < :as_of" + _NO_REPORT + _ORDER
_CLOSED = _CASES + "c.closed_at >= :start AND c.closed_at < :as_of" + _NO_WALK + _ORDER
_OPEN = _CASES + "c.is_open AND c.reported_at < :as_of AND c.handle_due_at < :as_of" + _NO_WALK + _ORDER


def add_imported(connection: Connection, counted: Counted, period: Period, schema: str = "") -> None:
    """Count imported cases of a period, and how many of its closed ones are left out.

    Args:
        schema: where the county's tables stand, "" where the connection sees them by itself.
    """

    def found(cases: str) -> Iterable[Any]:
        statement = cases.format(p=f"{schema}." if schema else "")
        values = {"start": period.start, "as_of": period.as_of}
        return connection.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})

    for row in found(_REPORTED):
        _count(counted, row, ("reports",), ("source", "platform"))
        if row.is_open or (row.closed_at is not None and row.closed_at >= period.as_of):
            _count(counted, row, ("reports_unclosed",), ("platform",))
    counted.left_out = 0
    everybody = ("department", "region", "source", "platform")
    for row in found(_CLOSED):
        if row.handle_due_at is None:
            counted.left_out += 1
            continue
        facts = ["should_close", "closed"]
        if row.closed_at <= row.handle_due_at:
            facts.append("closed_on_time")
        _count(counted, row, facts, everybody)
    for row in found(_OPEN):
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
