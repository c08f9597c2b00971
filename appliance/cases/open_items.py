"""What is open at the desk at a moment: counted, and the first of each kind listed by number. Handed over with a shift.

The states that wait at the desk are those whose clock is a stage of the office itself; they follow from the workflow.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from appliance.cases.tables import CALLBACK
from appliance.cases.workflow import workflow

DESK_CLOCKS = frozenset(("accept", "file", "dispatch", "ask_check", "close", "coordinate"))
LISTED = 20
COUNTED_AT_MOST = 1000
"""A count that reaches this means "so many or more"; nobody hands a thousand over by number."""

_BY_STATE = text("SELECT number FROM cases WHERE state = :state ORDER BY id DESC LIMIT :most")
_OVERDUE = text(
    "SELECT number FROM cases WHERE is_open AND due_at IS NOT NULL AND due_at < :now ORDER BY due_at LIMIT :most"
)
_REQUESTS = text("SELECT number FROM request WHERE waiting_for IS NOT NULL ORDER BY waiting_for, id LIMIT :most")
_SUPERVISIONS = text("SELECT number FROM supervision WHERE cleared_at IS NULL ORDER BY id LIMIT :most")
_CALLBACKS = text(
    f"SELECT number FROM cases WHERE channel = 'public' AND {CALLBACK} ORDER BY id DESC LIMIT :most"  # noqa: S608
)


def desk_states() -> tuple[str, ...]:
    """The states in which a case waits for somebody at the desk, in the workflow's order."""
    targets = {action.target for action in workflow().actions.values() if action.started in DESK_CLOCKS}
    return tuple(state for state in workflow().states if state in targets)


def open_items(connection: Connection, now: int) -> dict[str, Any]:
    """Counts and first numbers by kind; `now` in microseconds.

    Returns:
        `states` by state, and `overdue`, `requests`, `supervisions`, `callbacks` (public cases that are checked or
        closed and were not called back); each `{"count", "numbers"}`. Numbers only: no text, no personal data.
    """
    states = {state: _item(connection, _BY_STATE, state=state) for state in desk_states()}
    return {
        "states": {state: item for state, item in states.items() if item["count"]},
        "overdue": _item(connection, _OVERDUE, now=now),
        "requests": _item(connection, _REQUESTS),
        "supervisions": _item(connection, _SUPERVISIONS),
        "callbacks": _item(connection, _CALLBACKS),
    }


def counts_of(items: dict[str, Any]) -> dict[str, int]:
    """Only the counts, by state and kind, for the audit chain."""
    plain = {kind: item["count"] for kind, item in items.items() if kind != "states"}
    return {state: item["count"] for state, item in items["states"].items()} | plain


def _item(connection: Connection, statement: Any, **values: Any) -> dict[str, Any]:
    rows = connection.execute(statement, {**values, "most": COUNTED_AT_MOST})
    numbers = [row.number for row in rows]
    return {"count": len(numbers), "numbers": list(dict.fromkeys(numbers))[:LISTED]}
