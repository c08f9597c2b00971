"""The running clock of a case as its department reads it: how much of the limit is left, in the limit's own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from appliance.cases import columns
from appliance.cases.sight import require_sight
from appliance.clock import HOUR, rfc3339
from appliance.errors import NotFound

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor


def running_clock(connection: Connection, office: Office, actor: Actor, number: str) -> dict[str, Any]:
    """Clock, due time and what is left at this moment; `remaining` is null when nothing runs, negative when overdue.

    The handling clock counts in the unit of the case's limit (工作时, 工作日 …), the stages' clocks in plain hours.

    Raises:
        NotFound, Forbidden: no such case, or not for this account.
    """
    case = columns.load(connection, number)
    if case is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    require_sight(actor, case)
    now, due_at = office.records.clock.now(), case["due_at"]
    remaining = None
    if due_at is not None:
        unit = case["limit_unit"] if case["clock"] == "handle" else None
        value = office.deadlines.remaining(now, due_at, unit) if unit else (due_at - now) / HOUR
        remaining = {"value": round(value, 2), "unit": unit or "小时"}
    return {"number": number, "clock": case["clock"], "due_at": rfc3339(due_at), "at": rfc3339(now),
            "remaining": remaining, "provisional": bool(case["provisional"])}  # fmt: skip
