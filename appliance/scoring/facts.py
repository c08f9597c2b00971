"""The platform's facts of a month alone: what the monthly return and the prefecture's table are made of."""

from __future__ import annotations

from sqlalchemy import Connection

from appliance.scoring.basis import Basis
from appliance.scoring.countable import countables
from appliance.scoring.counting import count_period
from appliance.scoring.imported import add_imported
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM
from appliance.scoring.store import read_period, subjects_of

COUNTS = tuple(countables()["platform"])
"""The facts a column can be made of; each counts cases."""
NOBODY = Basis({}, {}, {}, {}, {}, {}, frozenset())


def count(connection: Connection, month: Period, schema: str = "") -> dict[str, int]:
    """The facts of a county.

    Args:
        schema: where its tables stand, one of our own names; "" where the connection sees them by itself.
    """
    counted = count_period(connection, month, NOBODY, schema)
    add_imported(connection, counted, month, schema)
    found = counted.facts()["platform"].get(PLATFORM, {})
    return {fact: found.get(fact, 0) for fact in COUNTS}


def facts_of_month(connection: Connection, month: Period) -> dict[str, int]:
    """The facts of the county's own month: as they were frozen when it was closed, else counted now."""
    row = read_period(connection, month.name)
    if row is None or row.closed_at is None:
        return count(connection, month)
    found = subjects_of(connection, month.name, "platform")[PLATFORM].subject.facts
    return {fact: found.get(fact, 0) for fact in COUNTS}
