"""One step of a case: its row, the clocks, the history row, the record and the feed, in one unit of work.

`Step` is what the rules of the actions work on: they read `case`, set columns with `set`, add facts to `detail`;
`commit` does the rest. Nothing is written before `commit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.cases import columns, history, record
from appliance.cases.deadlines import Due
from appliance.cases.indexing import index_changed_case
from appliance.cases.search import case_tokens
from appliance.cases.workflow import Action
from appliance.clock import rfc3339
from appliance.records.sql import Sql
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

_REPORTER = Sql("SELECT name, phone FROM reporter WHERE id = :id")
PLACE = frozenset(("grid", "community", "street"))
_HANGING = {
    "case_action": text("SELECT number || '/' || seq AS key FROM case_action WHERE case_id = :id ORDER BY seq"),
    "request": text("SELECT id AS key FROM request WHERE case_id = :id ORDER BY id"),
    "supervision": text("SELECT id AS key FROM supervision WHERE case_id = :id ORDER BY id"),
}
_SUPERVISIONS = text("SELECT * FROM supervision WHERE case_id = :id ORDER BY id")
_REQUESTS = text("SELECT * FROM request WHERE case_id = :id ORDER BY id")
_EVIDENCE = text("SELECT sha256, type, stage, taken_at, lon, lat, share FROM evidence WHERE case_id = :id ORDER BY id")
_SAVE_RECORD = Sql("UPDATE case_record SET masked = :masked WHERE id = :id")
_END_SUPERVISIONS = text(
    "UPDATE supervision SET cleared_at = :now WHERE case_id = :id AND cleared_at IS NULL RETURNING id"
)
_LAPSE_REQUESTS = text(
    "UPDATE request SET waiting_for = NULL, approved = false, decided_at = :now "
    "WHERE case_id = :id AND waiting_for IS NOT NULL AND kind <> 'appeal' AND id <> :keep RETURNING id"
)
REACHED_AT = {
    "accepted": "accepted_at", "filed": "filed_at", "dispatched": "dispatched_at", "handled": "handled_at",
    "checked": "checked_at", "closed": "closed_at",
}  # fmt: skip


_LAPSE_OF_TASK = text(
    "UPDATE request SET waiting_for = NULL, approved = false, decided_at = :now WHERE case_id = :id "
    "AND waiting_for IS NOT NULL AND kind IN ('extension', 'suspension', 'return') AND id <> :keep RETURNING id"
)


class Step:
    """A case on its way through one action.

    Attributes:
        case: the row as it will be; change it with `set`.
        before: the state it came from.
        role: the role in which the actor acts (goes into the history row).
        detail: facts for the history row; no free text, no personal data.
        note: the free text of the history row.
    """

    def __init__(
        self,
        unit: Unit,
        office: Office,
        actor: Actor,
        case: dict[str, Any],
        *,
        role: str,
        on_behalf_of: str | None = None,
        note: str | None = None,
    ) -> None:
        self.unit = unit
        self.office = office
        self.actor = actor
        self.case = case
        self.before: str | None = case["state"]
        self.role = role
        self.on_behalf_of = on_behalf_of
        self.note = note or None
        self.detail: dict[str, Any] = {}
        self.changed: dict[str, Any] = {}
        self.started: str | None = None
        self.stopped: str | None = None
        self.due_row: int | None = None
        self.keep_request = 0

    @property
    def now(self) -> int:
        """The moment of this step."""
        return self.unit.now

    def set(self, **values: Any) -> None:
        """Set columns of the case."""
        self.case.update(values)
        self.changed.update(values)

    def move(self, target: str) -> None:
        """Go to a state, noting when it was reached."""
        self.set(state=target, is_open=self.office.workflow.states[target].is_open)
        if target != "suspended":
            self.set(resume_at=None)
        if column := REACHED_AT.get(target):
            self.set(**{column: self.now})

    def flag(self, name: str) -> None:
        """Set a flag on the case."""
        flags = self.case["flags"].split()
        if name not in flags:
            self.set(flags=" ".join(sorted([*flags, name])))

    def unflag(self, name: str) -> None:
        """Take a flag off the case."""
        flags = [flag for flag in self.case["flags"].split() if flag != name]
        self.set(flags=" ".join(flags))

    def stop_clock(self) -> None:
        """Stop the running clock."""
        self.stopped = self.case["clock"]
        self.set(clock=None, clock_started_at=None, due_at=None, provisional=False)

    def start_clock(self, clock: str, due: Due) -> None:
        """Start a clock with its due time."""
        self.started, self.due_row = clock, due.at
        self.set(clock=clock, clock_started_at=self.now, due_at=due.at, provisional=due.provisional)
        if clock == "handle":
            self.set(handle_due_at=due.at, handle_started_at=self.now)

    def start_stage(self, clock: str) -> None:
        """Start one of the platform's own stages by the county's setting."""
        self.start_clock(clock, self.office.deadlines.minutes(self.now, getattr(self.office.settings.stages, clock)))

    def start_handling(self) -> None:
        """Start a handling task with the case's whole limit; extensions and second-level dispatch begin anew."""
        due = self.office.deadlines.due(self.now, self.case["limit_value"], self.case["limit_unit"])
        self.set(extensions=0, granted=self.case["limit_value"], sub_unit=None, sub_due_at=None)
        self.set(handled_at=None, checked_at=None, paused_remaining=None, paused_clock=None)
        self.start_clock("handle", due)

    def due_anew(self) -> Due:
        """The due time of the running handling task, computed from its start and all it was granted since."""
        case = self.case
        granted = case["limit_value"] if case["granted"] is None else case["granted"]
        return self.office.deadlines.after(case["clock_started_at"], granted, case["limit_unit"])

    def set_due(self, due: Due) -> None:
        """Move the due time of the running handling task."""
        self.due_row = due.at
        self.set(due_at=due.at, handle_due_at=due.at, provisional=due.provisional)

    def lapse_requests(self) -> None:
        """End the waiting requests that were about the handling task which ends here."""
        values = {"now": self.now, "id": self.case["id"], "keep": self.keep_request}
        for row in self.unit.connection.execute(_LAPSE_OF_TASK, values):
            self.unit.changed("request", str(row.id))

    def clocks_of(self, action: Action) -> None:
        """Stop and start the clocks as the action's row says; handling is left to its rule."""
        if self.case["clock"] in action.stopped:
            self.stop_clock()
        if action.started and action.started != "handle":
            self.start_stage(action.started)

    def commit(self, action: str) -> dict[str, Any]:
        """Write the step: history row, case, record, feed. Returns the case's row."""
        connection, case = self.unit.connection, self.case
        if not case["is_open"]:
            self._end_what_hangs_on()
        self.set(version=case["version"] + 1)
        history.append(self.unit, self._history_row(action))
        columns.update(connection, case["id"], self.changed)
        rewrite_record(self.unit, case)
        if not PLACE.isdisjoint(self.changed):
            self._tell_again()
        return case

    def _tell_again(self) -> None:
        """What hangs on a case that moved is told again: a reader of one street sees all of it come, or go."""
        key = {"id": self.case["id"]}
        for type_, statement in _HANGING.items():
            for row in self.unit.connection.execute(statement, key):
                self.unit.changed(type_, str(row.key))

    def _end_what_hangs_on(self) -> None:
        values = {"now": self.now, "id": self.case["id"]}
        for row in self.unit.connection.execute(_END_SUPERVISIONS, values):
            self.unit.changed("supervision", str(row.id))
        for row in self.unit.connection.execute(_LAPSE_REQUESTS, values | {"keep": self.keep_request}):
            self.unit.changed("request", str(row.id))

    def _history_row(self, action: str) -> dict[str, Any]:
        case = self.case
        return {
            "case_id": case["id"], "seq": case["version"], "number": case["number"], "action": action,
            "actor": self.actor.account, "actor_name": self.actor.name, "role": self.role,
            "on_behalf_of": self.on_behalf_of, "at": self.now, "from_state": self.before, "to_state": case["state"],
            "clock_started": self.started, "clock_stopped": self.stopped, "due_at": self.due_row,
            "detail": self.detail or None, "note": self.note,
        }  # fmt: skip


def rewrite_record(unit: Unit, case: dict[str, Any]) -> None:
    """Build the record of a case anew from its rows and note the change in the feed."""
    connection, key = unit.connection, {"id": case["id"]}
    reporter = _REPORTER.row(connection, key)
    masked = record.build(
        case,
        reporter=None if reporter is None else {"name": reporter[0], "phone": reporter[1]},
        supervisions=[supervision_view(dict(row._mapping)) for row in connection.execute(_SUPERVISIONS, key)],
        requests=[request_view(dict(row._mapping)) for row in connection.execute(_REQUESTS, key)],
        evidence=[evidence_view(dict(row._mapping)) for row in connection.execute(_EVIDENCE, key)],
    )
    _SAVE_RECORD.run(connection, {"id": case["id"], "masked": masked})
    index_changed_case(unit, case["id"], case_tokens(case))
    unit.changed("case", case["number"])


def supervision_view(row: dict[str, Any]) -> dict[str, Any]:
    """A supervision as it stands in the record."""
    return {
        "id": row["id"], "by": row["supervisor"], "role": row["role"], "note": row["note"], "at": rfc3339(row["at"]),
        "due_at": rfc3339(row["due_at"]), "answered_at": rfc3339(row["answered_at"]),
        "cleared_at": rfc3339(row["cleared_at"]),
    }  # fmt: skip


def request_view(row: dict[str, Any]) -> dict[str, Any]:
    """A request as it stands in the record."""
    return {
        "id": row["id"], "kind": row["kind"], "reason": row["reason"], "until": rfc3339(row["until"]),
        "asked_by": row["asked_by"], "asked_at": rfc3339(row["asked_at"]), "in_time": bool(row["in_time"]),
        "waiting_for": row["waiting_for"], "approved": None if row["approved"] is None else bool(row["approved"]),
        "decided_at": rfc3339(row["decided_at"]),
    }  # fmt: skip


def evidence_view(row: dict[str, Any]) -> dict[str, Any]:
    """An evidence file as it stands in the record."""
    return {
        "sha256": row["sha256"], "type": row["type"], "stage": row["stage"], "taken_at": rfc3339(row["taken_at"]),
        "lon": row["lon"], "lat": row["lat"], "share": bool(row["share"]),
    }  # fmt: skip
