"""The figures of the wall screen: today's work, who is behind, what is urgent. No reporter, no text of a caller.

Counted anew when the feed went on, at most once a second, whoever looks; every walk is one of an index, over the open
cases or over one day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, text

from appliance.cases.open_cases import OpenCase, open_cases
from appliance.cases.summary import summary
from appliance.cases.tallies import Tally, tally
from appliance.clock import HOUR, local, micros, rfc3339
from appliance.records.feed import last_seq

if TYPE_CHECKING:
    from appliance.cases.office import Office

FRESH = 1_000_000
SHOWN = 12
NO_UNIT = ""

_HOURS = text(
    f"SELECT (reported_at - :since) / {HOUR} AS hour, count(*) AS number "  # noqa: S608  # a number of our own
    "FROM cases INDEXED BY ix_cases_reported_at WHERE reported_at >= :since AND reported_at < :until GROUP BY 1"
)
_AREAS = text("SELECT code, name FROM area WHERE level IN ('street', 'community')")


class OnTime(msgspec.Struct):
    """Closed cases of a day or month; `rate` is the share of the measured ones handled by their due time."""

    closed: int
    measured: int
    on_time: int
    rate: float | None


class UnitFigures(msgspec.Struct):
    """The open cases of a responsible unit with those of the units below it; code "" is not dispatched yet."""

    code: str
    name: str
    open: int
    overdue: int


class WallCase(msgspec.Struct):
    """A case on the wall; `place` is street and community."""

    number: str
    kind: str
    edition: str
    code: str
    name: str
    state: str
    place: str
    department: str
    light: str | None
    supervised: bool
    reported_at: str
    due_at: str | None


class WallFigures(msgspec.Struct):
    """Everything on the wall but the map. `hours` is today's intake by hour of the county's day."""

    at: str
    county: str
    name: str
    time_zone: str
    reported_today: int
    closed_today: int
    open: int
    overdue: int
    waiting_requests: int
    today: OnTime
    month: OnTime
    hours: list[int]
    departments: list[UnitFigures]
    urgent: list[WallCase]
    latest: list[WallCase]


def wall(connection: Connection, office: Office) -> WallFigures:
    """The figures of this moment."""
    seq, now = last_seq(connection), office.records.clock.now()
    known = office.last_wall
    if known is not None:
        age = now - known[1]
        if 0 <= age < FRESH or (known[0] == seq and 0 <= age < 5 * FRESH):
            return known[2]
    found = _counted(connection, office, now)
    office.last_wall = (seq, now, found)
    return found


def _counted(connection: Connection, office: Office, now: int) -> WallFigures:
    figures, cases, zone = (
        summary(connection, office),
        open_cases(connection, office, newest=True),
        office.settings.zone,
    )
    day = local(now, zone).date()
    begin = _begin(day, office)
    today = tally(connection, begin, now + 1)
    past = [day - timedelta(days=number) for number in range(1, day.day)]
    month = today
    for one in past:
        month += office.tallies.past(connection, _begin(one, office), _begin(one + timedelta(days=1), office), now)
    areas = {row.code: row.name for row in connection.execute(_AREAS)}
    return WallFigures(
        at=rfc3339(now) or "", county=office.settings.county, name=office.settings.name,
        time_zone=office.settings.time_zone, reported_today=figures["reported_today"],
        closed_today=figures["closed_today"], open=figures["open"], overdue=figures["overdue"],
        waiting_requests=figures["waiting_requests"], today=_on_time(today), month=_on_time(month),
        hours=_hours(connection, begin, now), departments=_departments(cases, office),
        urgent=[_shown(case, office, areas) for case in _urgent(cases)],
        latest=[_shown(case, office, areas) for case in cases[: -SHOWN - 1 : -1]],
    )  # fmt: skip


def _begin(day: date, office: Office) -> int:
    return micros(datetime.combine(day, time(), office.settings.zone))


def _on_time(counted: Tally) -> OnTime:
    return OnTime(counted.closed, counted.measured, counted.on_time, counted.rate)


def _hours(connection: Connection, begin: int, now: int) -> list[int]:
    hours = [0] * 24
    for row in connection.execute(_HOURS, {"since": begin, "until": now + 1}):
        hours[min(int(row.hour), 23)] += row.number
    return hours


def _departments(cases: Iterable[OpenCase], office: Office) -> list[UnitFigures]:
    """Open and overdue cases by the unit at the top of each tree, the most overdue first."""
    found: dict[str, UnitFigures] = {}
    for case in cases:
        code = _top(case.department, office)
        unit = found.setdefault(code, UnitFigures(code, office.departments.get(code, code), 0, 0))
        unit.open += 1
        unit.overdue += case.light == "red"
    return sorted(found.values(), key=lambda unit: (-unit.overdue, -unit.open, unit.code))


def _top(code: str | None, office: Office) -> str:
    seen: set[str] = set()
    while code is not None and code not in seen:
        seen.add(code)
        above = office.department_parents.get(code)
        if above is None:
            return code
        code = above
    return code or NO_UNIT


def _urgent(cases: Iterable[OpenCase]) -> list[OpenCase]:
    """Supervised cases and those with a red light: supervised first, then the longest overdue."""
    some = [case for case in cases if case.supervised or case.light == "red"]
    return sorted(some, key=lambda case: (not case.supervised, case.due_at or case.reported_at))[:SHOWN]


def _shown(case: OpenCase, office: Office, areas: dict[str, str]) -> WallCase:
    place = " ".join(areas[code] for code in (case.street, case.community) if code in areas)
    return WallCase(
        case.number, case.kind, case.edition, case.code, case.name, case.state, place,
        office.departments.get(case.department or "", case.department or ""), case.light, case.supervised,
        rfc3339(case.reported_at) or "", rfc3339(case.due_at),
    )  # fmt: skip
