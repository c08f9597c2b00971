"""Patterns of cases: hot spots, parts that fail again and again, classes that rise, units always at the limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from appliance.analysis.at_limit import units_at_limit
from appliance.analysis.values import Finding, kinds
from appliance.scoring.periods import Period

PERIODS_BEFORE = 3
YEAR = 365 * 86_400_000_000
SUBJECTS_AT_MOST = 200

_HOT = text(
    "SELECT c.grid, c.class_code, min(c.name) AS name, count(*) AS cases, avg(c.lon) AS lon, avg(c.lat) AS lat "
    "FROM cases c WHERE c.reported_at >= :start AND c.reported_at < :as_of AND c.grid IS NOT NULL "
    "GROUP BY c.grid, c.class_code HAVING count(*) >= :least ORDER BY count(*) DESC LIMIT :most"
)
_OF_GRID = text(
    "SELECT number, reported_at FROM cases WHERE grid = :grid AND class_code = :class_code "
    "AND reported_at >= :from AND reported_at < :as_of ORDER BY id"
)
_PARTS = text(
    "SELECT c.part, count(*) AS cases, min(c.name) AS name, avg(c.lon) AS lon, avg(c.lat) AS lat FROM cases c "
    "WHERE c.reported_at >= :start AND c.reported_at < :as_of AND c.part IS NOT NULL "
    "GROUP BY c.part HAVING count(*) >= :least ORDER BY count(*) DESC LIMIT :most"
)
_OF_PARTS = text(
    "SELECT part, number, reported_at FROM cases WHERE part IN :parts "
    "AND reported_at >= :from AND reported_at < :as_of ORDER BY id"
).bindparams(bindparam("parts", expanding=True))
_CLASSES = text(
    "SELECT class_code, min(name) AS name, count(*) AS cases FROM cases "
    "WHERE reported_at >= :start AND reported_at < :as_of GROUP BY class_code"
)
_OF_CLASS = text(
    "SELECT number FROM cases WHERE class_code = :class_code AND reported_at >= :start AND reported_at < :as_of "
    "ORDER BY id LIMIT 500"
)


def patterns(connection: Connection, period: Period) -> Iterator[Finding]:
    """Every finding about places, classes and units in a period."""
    span = {"start": period.start, "as_of": period.as_of}
    yield from _hot_spots(connection, period, span)
    yield from _repeat_parts(connection, period, span)
    yield from _seasonal(connection, period, span)
    yield from units_at_limit(connection, period)


def _hot_spots(connection: Connection, period: Period, span: dict[str, int]) -> Iterator[Finding]:
    """Grids with more cases of a class than the three periods before would have led to expect."""
    kind = kinds()["hot_spot"]
    for row in connection.execute(_HOT, span | {"least": kind.least, "most": SUBJECTS_AT_MOST}).all():
        values = {"grid": row.grid, "class_code": row.class_code, "as_of": period.as_of}
        before, numbers = _by_period(connection.execute(_OF_GRID, values | {"from": _earliest(period)}).all(), period)
        mean = sum(before) / PERIODS_BEFORE
        if len(numbers) >= kind.share * mean:
            yield Finding(
                "hot_spot", f"{row.grid} {row.class_code}", f"{row.name} · {row.grid}", len(numbers), round(mean, 2),
                numbers, row.lon, row.lat, before,
            )  # fmt: skip


def _repeat_parts(connection: Connection, period: Period, span: dict[str, int]) -> Iterator[Finding]:
    values = span | {"least": kinds()["repeat_part"].least, "most": SUBJECTS_AT_MOST}
    rows = connection.execute(_PARTS, values).all()
    behind: dict[str, list[Row[Any]]] = defaultdict(list)
    if rows:
        asked = {"parts": [row.part for row in rows], "from": _earliest(period), "as_of": period.as_of}
        for each in connection.execute(_OF_PARTS, asked):
            behind[each.part].append(each)
    for row in rows:
        before, numbers = _by_period(behind[row.part], period)
        yield Finding(
            "repeat_part", row.part, f"{row.name} · {row.part}", row.cases, None, numbers, row.lon, row.lat, before
        )


def _earliest(period: Period) -> int:
    return period.start - PERIODS_BEFORE * (period.end - period.start)


def _by_period(rows: Sequence[Row[Any]], period: Period) -> tuple[list[int], list[str]]:
    """How many cases there were in each of the periods before, the oldest first, and the numbers of this one's."""
    before, length = [0] * PERIODS_BEFORE, period.end - period.start
    for row in rows:
        if row.reported_at < period.start:
            before[(row.reported_at - _earliest(period)) // length] += 1
    return before, [row.number for row in rows if row.reported_at >= period.start]


def _seasonal(connection: Connection, period: Period, span: dict[str, int]) -> Iterator[Finding]:
    """Classes with more cases than in the same period a year before; where nothing is known of it, none."""
    kind = kinds()["seasonal"]
    then = {"start": period.start - YEAR, "as_of": period.as_of - YEAR}
    before = {row.class_code: row.cases for row in connection.execute(_CLASSES, then)}
    for row in connection.execute(_CLASSES, span).all():
        was = before.get(row.class_code, 0)
        if row.cases >= kind.least and before and row.cases >= kind.share * was:
            numbers = list(connection.execute(_OF_CLASS, span | {"class_code": row.class_code}).scalars())
            yield Finding("seasonal", row.class_code, row.name, row.cases, was, numbers)
