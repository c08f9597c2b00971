"""Units that finish most of their tasks at the last moment: in the last tenth of the limit, or just late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.analysis.values import Finding, kinds
from appliance.scoring.periods import Period

LAST_TENTH, JUST_LATE = 0.9, 1.1
"""From and to this part of the limit a task ends at the limit; what ends later is late, and another matter."""

_TASKS = text(
    "SELECT h.case_id, h.number, h.action, h.at, h.due_at, h.clock_started, h.detail, c.department "
    "FROM case_action h JOIN cases c ON c.id = h.case_id "
    "WHERE h.case_id IN (SELECT case_id FROM case_action WHERE at >= :start AND at < :as_of AND action = 'finish') "
    "AND (h.clock_started = 'handle' OR h.action = 'finish') AND h.at < :as_of ORDER BY h.case_id, h.seq"
)
_NAMES = text("SELECT code, name FROM department")


@dataclass(slots=True)
class Task:
    """A handling task: whose it was when it was dispatched, from when to when; times in microseconds."""

    case_id: int
    unit: str | None
    start: int
    due: int | None

    def ends_at_limit(self, at: int) -> bool:
        """Whether ending it at a moment is at the limit."""
        if self.due is None or self.due <= self.start:
            return False
        return LAST_TENTH <= (at - self.start) / (self.due - self.start) <= JUST_LATE


def units_at_limit(connection: Connection, period: Period) -> Iterator[Finding]:
    """Units that finish most of the tasks that were dispatched to them at the limit."""
    kind = kinds()["at_limit"]
    names = {row.code: row.name for row in connection.execute(_NAMES)}
    whole: dict[str, int] = defaultdict(int)
    late: dict[str, list[str]] = defaultdict(list)
    task = Task(0, None, 0, None)
    for row in connection.execute(_TASKS, {"start": period.start, "as_of": period.as_of}):
        if row.clock_started == "handle":
            task = _begun(row, task)
        elif row.at >= period.start and task.case_id == row.case_id and task.unit is not None:
            whole[task.unit] += 1
            if task.ends_at_limit(row.at):
                late[task.unit].append(row.number)
    for unit, numbers in late.items():
        if whole[unit] >= kind.least and len(numbers) > kind.share * whole[unit]:
            yield Finding("at_limit", unit, names.get(unit, unit), len(numbers), whole[unit], numbers)


def _begun(row: Any, before: Task) -> Task:
    """The task as it stands after a row that starts its clock: a dispatch names the unit, other rows leave it."""
    same = before.case_id == row.case_id
    named = _detail(row.detail).get("department") if row.action == "dispatch" else None
    unit = named or (before.unit if same else None) or row.department
    start = before.start if same and row.action == "extend" else row.at
    return Task(row.case_id, unit, start, row.due_at)


def _detail(stored: Any) -> dict[str, Any]:
    found: dict[str, Any] = (msgspec.json.decode(stored) if isinstance(stored, str) else stored) or {}
    return found
