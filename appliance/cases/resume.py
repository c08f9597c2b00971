"""What the clock does by itself: suspended cases go on at their end date, provisional due times are computed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from appliance.cases import columns
from appliance.cases.actions import ActionBody, execute
from appliance.cases.step import Step
from appliance.people.actor import machine
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

AT_ONCE = 50
_DUE = text(
    "SELECT id FROM cases WHERE resume_at IS NOT NULL AND resume_at <= :now AND state = 'suspended' LIMIT :most"
)
_PROVISIONAL = text(
    "SELECT id FROM cases WHERE provisional AND clock = 'handle' AND granted IS NOT NULL AND id > :after "
    "ORDER BY id LIMIT :most"
)


def resume_due(unit: Unit, office: Office) -> int:
    """Resume suspended cases whose end date has come; returns how many (at most `AT_ONCE` a call)."""
    recompute_when_needed(unit, office)
    clock = machine("clock")
    action = office.workflow.actions["resume"]
    ids = list(unit.connection.execute(_DUE, {"now": unit.now, "most": AT_ONCE}).scalars())
    for case_id in ids:
        step = Step(unit, office, clock, columns.load_by_id(unit.connection, case_id), role="clock")
        execute(step, action, ActionBody(), clock)
    return len(ids)


def recompute_provisional(unit: Unit, office: Office, after: int = 0) -> int | None:
    """Compute provisional due times anew after a calendar was loaded; returns the key to go on after, or None.

    A due time that changes gets a history row by the clock.
    """
    office.refresh(unit.connection, at_once=True)
    clock = machine("clock")
    ids = list(unit.connection.execute(_PROVISIONAL, {"after": after, "most": AT_ONCE}).scalars())
    for case_id in ids:
        step = Step(unit, office, clock, columns.load_by_id(unit.connection, case_id), role="clock")
        due = step.due_anew()
        if (due.at, due.provisional) != (step.case["due_at"], bool(step.case["provisional"])):
            step.set_due(due)
            step.commit("recompute")
    return ids[-1] if len(ids) == AT_ONCE else None


def recompute_when_needed(unit: Unit, office: Office) -> None:
    """One slice of `recompute_provisional`, when the calendar changed since the last time."""
    office.refresh(unit.connection)
    if office.recompute_after is not None:
        office.recompute_after = recompute_provisional(unit, office, office.recompute_after)
