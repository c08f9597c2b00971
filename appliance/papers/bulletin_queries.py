"""What a bulletin reads besides the scores: classes, the course of a period, cases that stay open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.clock import DAY, local
from appliance.messages.words import place_of
from appliance.scoring.periods import Period, name_of

_CLASSES = text(
    "SELECT c.kind, c.code, max(c.name) AS name, count(DISTINCT c.id) AS cases FROM case_action a "
    "JOIN cases c ON c.id = a.case_id WHERE a.action = 'file' AND a.at >= :start AND a.at < :as_of "
    "GROUP BY c.kind, c.code ORDER BY cases DESC, c.kind, c.code LIMIT :limit"
)
_COURSE = text(
    "SELECT action, at FROM case_action WHERE action IN ('report', 'file', 'close') AND at >= :start AND at < :as_of"
)
_OLDEST = text(
    "SELECT id AS case_id, number, name, address, street, community, reported_at FROM cases "
    "WHERE number IN :numbers ORDER BY reported_at, id LIMIT :limit"
).bindparams(bindparam("numbers", expanding=True))
_HANDLING = text(
    "SELECT action, due_at, detail FROM case_action WHERE case_id = :case_id AND at < :as_of "
    "AND (action = 'dispatch' OR due_at IS NOT NULL) AND clock_started = 'handle' ORDER BY seq DESC"
)
"""The limit and the unit that a case had at the end of a period, whatever became of it later."""
AT_ONCE = 5_000


def commonest_classes(connection: Connection, period: Period, limit: int) -> list[Any]:
    """The classes of which most cases were filed."""
    return list(connection.execute(_CLASSES, {"start": period.start, "as_of": period.as_of, "limit": limit}))


def course(connection: Connection, period: Period, zone: ZoneInfo) -> tuple[list[str], dict[str, list[float | None]]]:
    """Reports, filings and closings over the hours, days, weeks or months of a period."""
    places, place = _places(period, zone)
    counted: dict[str, Counter[str]] = {"report": Counter(), "file": Counter(), "close": Counter()}
    for row in connection.execute(_COURSE, {"start": period.start, "as_of": period.as_of}):
        counted[row.action][place(row.at)] += 1
    reached = places.index(place(max(period.as_of - 1, period.start)))
    told: dict[str, list[float | None]] = {
        action: [count[name] if number <= reached else None for number, name in enumerate(places)]
        for action, count in counted.items()
    }
    return [_short(name) for name in places], told


def oldest_open(connection: Connection, numbers: Sequence[str], as_of: int, limit: int) -> list[dict[str, Any]]:
    """The oldest of some cases, with the days that they had been open; place and class, and no words of the public."""
    rows: list[Any] = []
    for at in range(0, len(numbers), AT_ONCE):
        values = {"numbers": list(numbers[at : at + AT_ONCE]), "limit": limit}
        rows += connection.execute(_OLDEST, values).mappings()
    rows.sort(key=lambda row: (row["reported_at"], row["case_id"]))
    return [
        {
            "number": row["number"], "name": row["name"], "place": place_of(connection, row),
            "days": (as_of - row["reported_at"]) // DAY, "reported_at": row["reported_at"],
            **_handling_at(connection, row["case_id"], as_of),
        }
        for row in rows[:limit]
    ]  # fmt: skip


def _handling_at(connection: Connection, case: int, as_of: int) -> dict[str, Any]:
    """The department and the due time of handling that a case had before a moment."""
    rows = connection.execute(_HANDLING, {"case_id": case, "as_of": as_of}).all()
    due = next((row.due_at for row in rows if row.due_at is not None), None)
    detail = next((row.detail for row in rows if row.action == "dispatch"), None)
    told = msgspec.json.decode(detail) if isinstance(detail, str) else detail or {}
    return {"department": told.get("department"), "due_at": due}


def _places(period: Period, zone: ZoneInfo) -> tuple[list[str], Callable[[int], str]]:
    """The hours, days, weeks or months of a period in order, and in which of them a moment lies."""
    first, last = local(period.start, zone).date(), local(period.end - 1, zone).date()
    if period.kind == "day":
        return [f"{hour:02d}:00" for hour in range(24)], lambda at: f"{local(at, zone):%H:00}"
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    kind = "day" if len(days) <= 62 else "week" if len(days) <= 200 else "month"
    return list(dict.fromkeys(name_of(kind, day) for day in days)), lambda at: name_of(kind, local(at, zone).date())


def _short(name: str) -> str:
    """10-08 of 2026-10-08; others as they are."""
    try:
        return f"{date.fromisoformat(name):%m-%d}" if name.count("-") == 2 else name
    except ValueError:
        return name
