"""Campaigns on the map: the targets of those that run, in a box, done and still to do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

TARGETS_AT_MOST = 2000
_RUNNING = "c.ended_at IS NULL AND c.starts_at <= :now AND c.ends_at > :now"
_IN_BOX = (
    "FROM campaign_target t JOIN campaign c ON c.code = t.campaign "
    f"WHERE {_RUNNING} AND t.lon >= :west AND t.lon <= :east AND t.lat >= :south AND t.lat <= :north"
)
_COUNT = text(
    f"SELECT count(*) AS number, coalesce(sum(CASE WHEN t.answers > 0 THEN 1 ELSE 0 END), 0) AS answered {_IN_BOX}"
)
_TARGETS = text(f"SELECT t.campaign, t.subject, t.name, t.lon, t.lat, t.answers {_IN_BOX} ORDER BY t.id LIMIT :limit")


def targets_in_view(connection: Connection, now: int, box: dict[str, float]) -> dict[str, Any]:
    """How many targets lie in a box of west, south, east, north, how many are done, and the first 2000 of them."""
    values = box | {"now": now, "limit": TARGETS_AT_MOST}
    counted = connection.execute(_COUNT, values).one()
    items = [
        {
            "campaign": row.campaign, "subject": row.subject, "name": row.name, "lon": row.lon, "lat": row.lat,
            "answered": row.answers > 0,
        }
        for row in connection.execute(_TARGETS, values)
    ]  # fmt: skip
    return {"number": counted.number, "answered": counted.answered, "items": items}
