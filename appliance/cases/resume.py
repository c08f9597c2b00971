"""What the clock does by itself: suspended cases go on at their end date, provisional due times are computed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from appliance.cases import columns
from appliance.cases.actions import ActionBody, execute
from appliance.cases.step import Step, rewrite_record
from appliance.people.actor import machine
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office

AT_ONCE = 50
_DUE = text(
    "SELECT id FROM cases WHERE resume_at IS NOT NULL AND resume_at <= :now AND state = 'suspended' LIMIT :most"
)
_PROVISIONAL = text("SELECT id FROM cases WHERE provisional AND id > :after ORDER BY id LIMIT :most")


def resume_due(unit: Unit, office: Office) -> int:
    """Resume suspended cases whose end date has come; returns how many (at most `AT_ONCE` a call)."""
    office.refresh(unit.connection)
    clock = machine("clock")
    action = office.workflow.actions["resume"]
    ids = list(unit.connection.execute(_DUE, {"now": unit.now, "most": AT_ONCE}).scalars())
    for case_id in ids:
        step = Step(unit, office, clock, columns.load_by_id(unit.connection, case_id), role="clock")
        execute(step, action, ActionBody(), clock)
    return len(ids)


def recompute_provisional(unit: Unit, office: Office, after: int = 0) -> int | None:
    """Compute provisional due times anew after a calendar was loaded; returns the key to go on after, or None."""
    office.refresh(unit.connection, at_once=True)
    ids = list(unit.connection.execute(_PROVISIONAL, {"after": after, "most": AT_ONCE}).scalars())
    for case_id in ids:
        case = columns.load_by_id(unit.connection, case_id)
        due = office.deadlines.due(case["clock_started_at"], case["limit_value"], case["limit_unit"])
        for _ in range(case["extensions"]):
            due = office.deadlines.due(due.at, case["limit_value"], case["limit_unit"])
        if (due.at, due.provisional) != (case["due_at"], bool(case["provisional"])):
            changed = {"due_at": due.at, "handle_due_at": due.at, "provisional": due.provisional}
            case.update(changed)
            columns.update(unit.connection, case_id, changed)
            rewrite_record(unit, case)
    return ids[-1] if len(ids) == AT_ONCE else None
