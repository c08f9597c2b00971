"""The commonest classes of late, for the template keys of the intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from appliance.clock import DAY

if TYPE_CHECKING:
    from appliance.cases.office import Office

DAYS = 90
_COUNT = text(
    "SELECT kind, code, count(*) AS cases FROM cases WHERE reported_at >= :since AND edition = :edition "
    "GROUP BY kind, code ORDER BY cases DESC, kind, code LIMIT :most"
)


def commonest_classes(connection: Connection, office: Office, most: int = 10) -> list[tuple[str, str]]:
    """Kind and code of the classes reported most in the last 90 days, in the order of the code book.

    The order is that of the codes and not of the counts, so that a key seldom changes its class. Counted once a day.
    """
    day = office.records.clock.now() // DAY
    if office.commonest is None or office.commonest[0] != (day, most):
        edition = office.settings.edition
        values = {"since": (day - DAYS) * DAY, "edition": edition, "most": most}
        found = sorted((row.kind, row.code) for row in connection.execute(_COUNT, values))
        if not found:
            return []
        office.commonest = ((day, most), found)
    return office.commonest[1]
