"""The feed is kept for so many days (`exchange.feed_kept_days`); who comes back later takes a snapshot.

Changes go in slices, oldest first, so that no writer waits. The last forgotten change of each type stays known, so that
`prev` stays true for those who read on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.clock import DAY
from appliance.exchange.read_log import forget_months
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

SLICE = 5_000

_CUT = text(
    "SELECT coalesce(min(seq) FILTER (WHERE at >= :before) - 1, max(seq)) "
    "FROM (SELECT seq, at FROM change ORDER BY seq LIMIT :slice) AS oldest"
)
"""The last change before the first one that is kept: a clock that was set back must not cost a change."""
_LAST = text(
    "INSERT INTO forgotten_change (type, seq) SELECT type, max(seq) FROM change WHERE seq <= :cut GROUP BY type "
    "ON CONFLICT (type) DO UPDATE SET seq = excluded.seq"
)
_DELETE = text("DELETE FROM change WHERE seq <= :cut")
_FIRST = text("UPDATE feed SET first = :first WHERE id = 1")
_READERS = text("SELECT min(seq) FROM message_cursor")


def forget_changes(office: Office) -> dict[str, Any]:
    """The job: forget what is older than it is kept, and the months of the read log that are over."""
    settings, before = office.settings.exchange, office.records.clock.now()
    before -= settings.feed_kept_days * DAY
    forgotten = 0
    while found := office.records.write(lambda unit: forget_slice(unit, before)):
        forgotten += found
    months = forget_months(office.records.home, settings.reads_kept_months)
    return {"forgotten": forgotten, "months": months}


def forget_slice(unit: Unit, before: int) -> int:
    """Forget a slice of what is older than `before` (microseconds) and was told to departments; says how many rows."""
    connection = unit.connection
    cut = connection.execute(_CUT, {"slice": SLICE, "before": before}).scalar_one()
    told = connection.execute(_READERS).scalar_one()
    if told is not None and cut is not None:
        cut = min(cut, told)
    if cut is None:
        return 0
    connection.execute(_LAST, {"cut": cut})
    forgotten = int(connection.execute(_DELETE, {"cut": cut}).rowcount)
    if forgotten:
        connection.execute(_FIRST, {"first": cut + 1})
    return forgotten
