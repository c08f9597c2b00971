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

AT_ONCE = 10_000
NOTHING: dict[str, Any] = {}
PLACE = ("grid", "street", "duty_grid")
"""What an amendment may change of what scores look at."""

_CASES = (
    "WITH found AS (SELECT case_id AS id FROM {p}case_action WHERE at >= :start AND at < :as_of "
    "UNION SELECT id FROM {p}cases WHERE is_open AND reported_at < :start "
    "UNION SELECT id FROM {p}cases WHERE closed_at >= :as_of AND reported_at < :start "
    "UNION SELECT case_id FROM {p}case_action WHERE at >= :as_of "
    "AND to_state IN ('void', 'rejected', 'merged', 'answered', 'returned_up')) "
)
_ROWS = _CASES + (  # noqa: S608  # constants
    "SELECT a.case_id, a.action, COALESCE(a.on_behalf_of, a.actor), a.role, a.at, a.to_state, a.clock_started, "
    "a.clock_stopped, a.due_at, a.detail FROM found JOIN {p}case_action a ON a.case_id = found.id "
    "WHERE a.at < :as_of ORDER BY a.case_id, a.seq"
)
_FACTS = _CASES + (  # noqa: S608  # constants
    "SELECT k.id, k.channel, k.source, k.street, k.grid, k.duty_grid FROM found "
    "JOIN {p}cases k ON k.id = found.id ORDER BY k.id"
)
_AMENDED_LATER = (
    "SELECT case_id, detail FROM {p}case_action WHERE action = 'amend' AND at >= :as_of ORDER BY case_id, seq DESC"
)


def history(connection: Connection, period: Period, schema: str = "") -> Iterator[Row]:
    """The history rows before `as_of` of every case that can count, by case and in order.

    Args:
        schema: where the tables stand, one of our own names; "" where the connection sees them by itself.
    """
    for page in _pages(connection, _ROWS, period, schema):
        for values in page:
            detail = values[9]
            if isinstance(detail, str):
                detail = msgspec.json.decode(detail)
            yield Row._make((*values[:9], detail or NOTHING))


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
    written = statement.format(p=f"{schema}." if schema else "")
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
