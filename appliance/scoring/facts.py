"""What happened in a county in a month, counted from its history rows: by the county itself, or above from its replica.

One rule for all: `indicator_definitions` sections 1, 6 and 8, as `return_columns.csv` names them. A month is
[start, end) in the time of who counts; rows at or after the earlier of `end` and now are not looked at, so an ended
month gives the same numbers whenever it is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from appliance.clock import micros
from appliance.errors import Invalid

COUNTS = (
    "reports", "accepted", "filed", "dispatched", "undispatched", "should_close", "closed", "closed_on_time",
    "reworked", "extended", "voided",
)  # fmt: skip
"""The facts a column can be made of; each counts cases."""

ENDED = frozenset(("closed", "void", "rejected"))
HANDLED = frozenset(("handled", "checking", "checked", "closed"))
WITH_UNIT = frozenset(("dispatched", "handling"))
HANDLE = "handle"
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Month:
    """A month in microseconds; `as_of` is where looking ends."""

    name: str
    start: int
    end: int
    as_of: int


def month_of(written: str, zone: ZoneInfo, now: int) -> Month:
    """The month `2026-10`.

    Raises:
        Invalid: no such month, or one that has not begun.
    """
    try:
        first = datetime.strptime(written, "%Y-%m").replace(tzinfo=zone)
        next_ = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        start, end = micros(first), micros(next_)
    except (ValueError, OverflowError):
        raise Invalid(
            f"“{written[:20]}”不是月份;例如 2026-10。", f"'{written[:20]}' is no month; write 2026-10."
        ) from None
    if start > now:
        raise Invalid(f"{written} 还没有开始。", f"{written} has not begun yet.")
    return Month(first.strftime("%Y-%m"), start, end, min(end, now))


def count(connection: Connection, month: Month, schema: str = "") -> dict[str, int]:
    """The facts of a county.

    Args:
        schema: where its tables stand, one of our own names; "" where the connection sees them by itself.
    """
    return count_rows(_rows(connection, month, f"{schema}." if schema else ""), month)


def count_rows(rows: Iterable[Any], month: Month) -> dict[str, int]:
    """The facts of history rows: case_id, action, at, to_state, clock_started, due_at, department.

    Args:
        rows: in the order of case and `seq`, none at or after `as_of`.
    """
    total = dict.fromkeys(COUNTS, 0)
    for _, history in groupby(rows, key=attrgetter("case_id")):
        for fact in _case(history, month):
            total[fact] += 1
    return total


def _rows(connection: Connection, month: Month, prefix: str) -> Iterator[Any]:
    """The history of every case that was open in the month or changed in it or after it."""
    query = text(
        "SELECT a.case_id, a.seq, a.action, a.at, a.to_state, a.clock_started, a.due_at, "  # noqa: S608  # our own names
        f"a.detail ->> 'department' AS department FROM {prefix}case_action a "
        f"JOIN {prefix}cases c ON c.id = a.case_id WHERE a.at < :as_of AND (c.is_open OR EXISTS "
        f"(SELECT 1 FROM {prefix}case_action b WHERE b.case_id = a.case_id AND b.at >= :start)) "
        "ORDER BY a.case_id, a.seq"
    )
    span = {"start": month.start, "as_of": month.as_of}
    yield from connection.execute(query, span, execution_options={"yield_per": ROWS_AT_ONCE})


def _case(history: Iterable[Any], month: Month) -> set[str]:
    """Which facts one case adds to."""
    walk = _Walk()
    for row in history:
        if row.at >= month.start and not walk.started:
            walk.begin_month()
        walk.take(row, row.at >= month.start)
    if not walk.started:
        walk.begin_month()
    return walk.facts(month)


class _Walk:
    """A case's way through its rows: what it did in the month, and how it stands at the end."""

    def __init__(self) -> None:
        self.started = self.ended_before = False
        self.done: set[str] = set()
        self.state = ""
        self.department: str | None = None
        self.due: int | None = None
        self.paused_due: int | None = None
        self.late_at: set[str | None] = set()
        self.reworked_at: set[str | None] = set()
        self.ever_dispatched = False

    def begin_month(self) -> None:
        """What came before the first row of the month."""
        self.started, self.ended_before = True, self.state in ENDED

    def take(self, row: Any, inside: bool) -> None:
        """One row."""
        if inside:
            self.done.add(row.action)
        if row.action == "dispatch":
            self.department, self.ever_dispatched = row.department, True
        elif row.action in ("return", "dispute"):
            self.department = None
        elif row.action == "finish" and self.due is not None and row.at > self.due:
            self.late_at.add(self.department)
        elif row.action == "check_fail":
            self.reworked_at.add(self.department)
        elif row.action == "suspend":
            self.paused_due = self.due
        if row.clock_started == HANDLE:
            self.due = row.due_at
        self.state = row.to_state

    def facts(self, month: Month) -> set[str]:
        """The facts of the whole walk."""
        done = self.done
        found = {
            "reports": "report" in done, "accepted": bool(done & {"accept", "verify_true"}), "filed": "file" in done,
            "dispatched": "dispatch" in done, "extended": "extend" in done, "voided": "void" in done,
            "undispatched": "file" in done and self.state == "filed" and not self.ever_dispatched,
        }  # fmt: skip
        if self._should_close(month):
            closed = self.state == "closed"
            found |= {
                "should_close": True, "closed": closed, "reworked": self.department in self.reworked_at,
                "closed_on_time": closed and self.department not in self.late_at,
            }  # fmt: skip
        return {name for name, there in found.items() if there}

    def _should_close(self, month: Month) -> bool:
        if self.department is None or self.ended_before:
            return False
        if self.state in HANDLED:
            return True
        due = {"suspended": self.paused_due}.get(self.state, self.due if self.state in WITH_UNIT else None)
        return due is not None and due < month.as_of
