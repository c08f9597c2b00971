"""The platform's facts of a month alone: what the monthly return and the prefecture's table are made of."""

from __future__ import annotations

from sqlalchemy import Connection

from appliance.scoring.basis import Basis
from appliance.scoring.countable import countables
from appliance.scoring.counting import count_period
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM

COUNTS = tuple(countables()["platform"])
"""The facts a column can be made of; each counts cases."""
NOBODY = Basis({}, {}, {}, {}, {}, {}, frozenset())


def count(connection: Connection, month: Period, schema: str = "") -> dict[str, int]:
    """The facts of a county.

    Args:
        schema: where its tables stand, one of our own names; "" where the connection sees them by itself.
    """
    found = count_period(connection, month, NOBODY, schema).facts()["platform"].get(PLATFORM, {})
    return {fact: found.get(fact, 0) for fact in COUNTS}
