"""What is read for a period: the history rows it needs, and what is known of their cases; one statement each.

Cases are those with a row in the period, those open now, and those that ended after it. What ended before the period
and was not touched in it adds to nothing. Rows and facts are read by keys, so that two processes can share the work. No
SQLAlchemy is loaded here: the process for the other half begins in 0.1 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from appliance.scoring.runs import Facts, Row

AT_ONCE = 1_000
PLACE = ("grid", "street", "duty_grid")
"""What an amendment may change of what scores look at."""

_KEYS = (
    "SELECT case_id FROM {p}case_action WHERE at >= :start AND at < :as_of "
    "UNION SELECT id FROM {p}cases WHERE is_open "
    "UNION SELECT id FROM {p}cases WHERE closed_at >= :as_of AND +reported_at < :start "
    "UNION SELECT case_id FROM {p}case_action WHERE at >= :as_of "
    "AND to_state IN ('void', 'rejected', 'merged', 'answered', 'returned_up')"
)
"""A sign + keeps SQLite from the index of that column, which would find all cases there ever were."""
_ROWS = (
    "SELECT a.case_id, a.action, COALESCE(a.on_behalf_of, a.actor), a.role, a.at, a.to_state, a.clock_started, "
    "a.clock_stopped, a.due_at, a.detail FROM {p}case_action a WHERE a.case_id IN ({keys}) "
    "AND +a.at < :as_of ORDER BY a.case_id, a.seq"
)
_FACTS = (
    "SELECT k.id, k.channel, k.source, k.street, k.grid, k.duty_grid FROM {p}cases k "
    "WHERE k.id IN ({keys}) ORDER BY k.id"
)
_AMENDED_LATER = (
    "SELECT case_id, detail FROM {p}case_action WHERE action = 'amend' AND at >= :as_of ORDER BY +case_id, seq DESC"
)

_SQLITE_KEYS = "SELECT value FROM json_each(:keys)"
_OTHER_KEYS = "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:keys AS json)) AS told(value)"

Pages = Callable[[str], Iterator[list[Any]]]
"""Reads a statement with the period's values, many rows at once."""


def statements() -> tuple[str, ...]:
    """All that is read for a period, in SQLite's words: keys of cases, then rows, facts and later amendments.

    Their values are `start` and `as_of`, and `keys`: the keys as a JSON array.
    """
    return tuple(written(each) for each in (_KEYS, _ROWS, _FACTS, _AMENDED_LATER))


def written(statement: str, schema: str = "", *, is_sqlite: bool = True) -> str:
    """A statement for the tables of a schema."""
    keys = _SQLITE_KEYS if is_sqlite else _OTHER_KEYS
    return statement.format(p=f"{schema}." if schema else "", keys=keys)


def keys(pages: Pages) -> list[int]:
    """The keys of every case that can count, in their order."""
    return sorted(row[0] for page in pages(_KEYS) for row in page)


def history(pages: Pages) -> Iterator[Row]:
    """The history rows before `as_of` of every case that can count, by case and in order."""
    for page in pages(_ROWS):
        yield from map(Row._make, page)


def cases(pages: Pages, collectors: dict[str, str]) -> Iterator[tuple[int, Facts]]:
    """What is known of those cases at `as_of`, by case; what was amended later is taken back.

    Args:
        collectors: the person named by each duty grid.
    """
    later = _places_before(pages)
    for page in pages(_FACTS):
        for id_, channel, source, street, grid, duty_grid in page:
            if id_ in later:
                was = {"street": street, "grid": grid, "duty_grid": duty_grid} | later[id_]
                street, grid, duty_grid = was["street"], was["grid"], was["duty_grid"]
            yield (
                id_,
                Facts(channel, source, street if grid is None else grid[:9], grid, collectors.get(duty_grid or "")),
            )


def _places_before(pages: Pages) -> dict[int, dict[str, Any]]:
    """The place that cases had at `as_of`, where it was amended after it."""
    found: dict[int, dict[str, Any]] = {}
    for page in pages(_AMENDED_LATER):
        for id_, detail in page:
            changed = (msgspec.json.decode(detail) if isinstance(detail, str) else detail or {}).get("changed", {})
            old = {name: changed[name][0] for name in PLACE if name in changed}
            found[id_] = found.get(id_, {}) | old
    return found


def driver_pages(driver: Any, values: dict[str, Any]) -> Pages:
    """Rows as plain tuples straight from SQLite's driver, whose rows cost least so."""

    def pages(statement: str) -> Iterator[list[Any]]:
        cursor = driver.execute(written(statement), values)
        while page := cursor.fetchmany(AT_ONCE):
            yield page

    return pages
