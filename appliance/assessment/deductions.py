"""Deductions of spot checks by month: of that in which the result was entered, whichever period was drawn from.

A result that is entered when that month is closed already counts in the first month after it that was open then, so
nothing is lost and no closed sheet changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from appliance.clock import local
from appliance.people.roles import split_roles
from appliance.scoring.periods import Period, name_of

_ENTERED = text(
    "SELECT c.charged_to, c.deduction, c.checked_at, d.name AS unit, a.name AS person, a.roles FROM spot_check c "
    "LEFT JOIN department d ON d.code = c.charged_to LEFT JOIN account a ON a.account = c.charged_to "
    "WHERE c.deduction > 0 AND c.checked_at < :end ORDER BY c.charged_to, c.id"
)
_CLOSED = text("SELECT name, closed_at FROM score_period WHERE kind = 'month' AND closed_at IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Charged:
    """Whom the deductions of a month are charged to, in cents; `collects` whether it is a collector."""

    subject: str
    name: str
    collects: bool
    cents: int


def charged_in(connection: Connection, month: Period, zone: ZoneInfo) -> list[Charged]:
    """What is charged in a month, by subject."""
    closed = {row.name: row.closed_at for row in connection.execute(_CLOSED)}
    found: dict[str, Charged] = {}
    for row in connection.execute(_ENTERED, {"end": month.end}):
        if month_charged(row.checked_at, closed, zone) != month.name:
            continue
        before = found.get(row.charged_to)
        found[row.charged_to] = Charged(
            row.charged_to, row.unit or row.person or row.charged_to,
            row.unit is None and "collector" in split_roles(row.roles or ""),
            row.deduction + (before.cents if before else 0),
        )  # fmt: skip
    return list(found.values())


def month_charged(entered: int, closed: Mapping[str, int], zone: ZoneInfo) -> str:
    """The month in which a result that was entered at a moment counts.

    Args:
        closed: when each closed month was closed.
    """
    day = local(entered, zone).date().replace(day=1)
    while closed.get(name_of("month", day), entered + 1) <= entered:
        day = (day + timedelta(days=31)).replace(day=1)
    return name_of("month", day)
