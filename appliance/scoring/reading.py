"""The history rows a period needs, and what is known of their cases: one statement each, on either database.

Cases are those with a row in the period, those open now, and those that ended after it. What ended before the period
and was not touched in it adds to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.scoring.periods import Period
from appliance.scoring.runs import Facts, Row

AT_ONCE = 1_000
PLACE = ("grid", "street", "duty_grid")
"""What an amendment may change of what scores look at."""

_CASES = (
    "SELECT case_id FROM {p}case_action WHERE at >= :start AND at < :as_of "
    "UNION SELECT id FROM {p}cases WHERE is_open "
    "UNION SELECT id FROM {p}cases WHERE closed_at >= :as_of AND +reported_at < :start "
    "UNION SELECT case_id FROM {p}case_action WHERE at >= :as_of "
    "AND to_state IN ('void', 'rejected', 'merged', 'answered', 'returned_up')"
)
"""A sign + keeps SQLite from the index of that column, which would find all cases there ever were."""
_ROWS = (
    "SELECT a.case_id, a.action, COALESCE(a.on_behalf_of, a.actor), a.role, a.at, a.to_state, a.clock_started, "  # noqa: S608
    "a.clock_stopped, a.due_at, a.detail FROM {p}case_action a WHERE a.case_id IN (" + _CASES + ") "
    "AND a.at < :as_of ORDER BY a.case_id, a.seq"
)
_FACTS = (
    "SELECT k.id, k.channel, k.source, k.street, k.grid, k.duty_grid FROM {p}cases k "  # noqa: S608
    "WHERE k.id IN (" + _CASES + ") ORDER BY k.id"
)
_AMENDED_LATER = (
    "SELECT case_id, detail FROM {p}case_action WHERE action = 'amend' AND at >= :as_of ORDER BY +case_id, seq DESC"
)


def statements(schema: str = "") -> tuple[str, ...]:
    """All that is read for a period: rows, facts, later amendments; with the parameters `start` and `as_of`."""
    return tuple(_written(each, schema) for each in (_ROWS, _FACTS, _AMENDED_LATER))


def history(connection: Connection, period: Period, schema: str = "") -> Iterator[Row]:
    """The history rows before `as_of` of every case that can count, by case and in order.

    Args:
        schema: where the tables stand, one of our own names; "" where the connection sees them by itself.
    """
    for page in _pages(connection, _ROWS, period, schema):
        yield from map(Row._make, page)


def cases(
    connection: Connection, period: Period, collectors: dict[str, str], schema: str = ""
) -> Iterator[tuple[int, Facts]]:
    """What is known of those cases at `as_of`, by case; what was amended later is taken back.

    Args:
        collectors: the person named by each duty grid.
    """
    later = _places_before(connection, period, schema)
    for page in _pages(connection, _FACTS, period, schema):
        for id_, channel, source, street, grid, duty_grid in page:
            if id_ in later:
                was = {"street": street, "grid": grid, "duty_grid": duty_grid} | later[id_]
                street, grid, duty_grid = was["street"], was["grid"], was["duty_grid"]
            yield (
                id_,
                Facts(channel, source, street if grid is None else grid[:9], grid, collectors.get(duty_grid or "")),
            )


def _places_before(connection: Connection, period: Period, schema: str) -> dict[int, dict[str, Any]]:
    """The place that cases had at `as_of`, where it was amended after it."""
    found: dict[int, dict[str, Any]] = {}
    for page in _pages(connection, _AMENDED_LATER, period, schema):
        for id_, detail in page:
            changed = (msgspec.json.decode(detail) if isinstance(detail, str) else detail or {}).get("changed", {})
            old = {name: changed[name][0] for name in PLACE if name in changed}
            found[id_] = found.get(id_, {}) | old
    return found


def _pages(connection: Connection, statement: str, period: Period, schema: str) -> Iterator[list[Any]]:
    """Rows as plain tuples, many at once; straight from the driver where it is SQLite, whose rows cost least so."""
    written = _written(statement, schema)
    values = {"start": period.start, "as_of": period.as_of}
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        cursor = driver.execute(written, values)
        while page := cursor.fetchmany(AT_ONCE):
            yield page
        return
    result = connection.execute(text(written), values, execution_options={"yield_per": AT_ONCE})
    for partition in result.partitions():
        yield [tuple(row) for row in partition]


def _written(statement: str, schema: str) -> str:
    return statement.format(p=f"{schema}." if schema else "")
