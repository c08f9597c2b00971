"""One case's way through its history rows: which facts it adds to, and for whom (indicator_definitions 1 to 8).

Everything follows from the history rows before `as_of`. A clock run begins with the row that starts its clock and ends
with the row that stops it; a row that does the run's work makes it done, any other row drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.scoring.periods import Period
from appliance.scoring.runs import DOES, ENDED, HANDLED, ONLY_REPORTS, PLATFORM, STAGE_ROLE, WITH_UNIT, Facts, Row, Run

Count = Callable[[str, str | None, tuple[str, ...], int], None]
"""Told of facts: scope, subject, facts, case. A subject None is nobody's."""


class Walk:
    """Counts one case.

    Args:
        count: is told of every fact the case adds to.
    """

    __slots__ = (
        "_accepted_by", "_case", "_count", "_department", "_dispatches", "_done", "_ended_before", "_facts",
        "_filed_by", "_filed_ever", "_handled_by", "_late_at", "_paused_due", "_period", "_reports", "_reworked_at",
        "_run", "_satisfaction", "_sent_out_by", "_state", "_stopped_run", "_sub", "_with_unit",
    )  # fmt: skip

    def __init__(self, case: int, facts: Facts, period: Period, count: Count) -> None:
        self._case, self._facts, self._period, self._count = case, facts, period, count
        self._ended_before = False
        self._done: set[str] = set()
        self._state = ""
        self._department: str | None = None
        self._run: Run | None = None
        self._stopped_run: Run | None = None
        self._sub: Run | None = None
        self._paused_due: int | None = None
        self._late_at: set[str | None] = set()
        self._reworked_at: set[str | None] = set()
        self._with_unit: set[tuple[str, str]] = set()
        self._dispatches: list[tuple[str, str, bool]] = []
        self._reports: list[str | None] = []
        self._accepted_by: list[str] = []
        self._filed_by: list[str] = []
        self._filed_ever = False
        self._sent_out_by: str | None = None
        self._satisfaction: str | None = None
        self._handled_by: int | None = None

    def run(self, rows: Sequence[Row]) -> None:
        """Take the rows in their order, none at or after `as_of`, and count what they make."""
        start = self._period.start
        if rows[-1].to_state in ONLY_REPORTS:
            self._count_only_reports(rows)
            return
        self._done = {row.action for row in rows if row.at >= start}
        self._ended_before = next((row.to_state for row in reversed(rows) if row.at < start), "") in ENDED
        self._state = rows[-1].to_state
        for row in rows:
            _, action, _, _, at, _, started, stopped, due, _ = row
            if started is not None or stopped is not None or due is not None:
                self._clock(row, at >= start)
            handler = _ACTS.get(action)
            if handler is not None:
                handler(self, row, at >= start)
        self._finish(rows)

    def _count_only_reports(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.action == "report" and row.at >= self._period.start:
                self._report(row)

    def _report(self, row: Row) -> None:
        collector = row.actor if row.role == "collector" else None
        self._count("collector", collector, ("reports",), self._case)
        self._count("source", self._facts.source, ("reports",), self._case)
        self._count("platform", PLATFORM, ("reports",), self._case)
        self._reports.append(collector)

    # clocks

    def _clock(self, row: Row, inside: bool) -> None:
        run = self._run
        self._stopped_run = None
        if run is not None and row.clock_stopped == run.clock:
            if inside and row.action in DOES.get(run.clock, ()):
                self._stopped(run, row)
            self._run, self._stopped_run = None, run
        started = row.clock_started
        if started is not None and started != "supervise":
            if self._run is not None and self._run.clock == started:
                self._run.due = row.due_at  # an extension
            else:
                self._run = Run(started, row.due_at, self._charged(started, row))
        elif row.action == "amend" and row.due_at is not None and self._run is not None and self._run.clock == "handle":
            self._run.due = row.due_at

    def _charged(self, clock: str, row: Row) -> str | None:
        """To whom a task is given: a collector, or a department."""
        if clock in ("verify", "check"):
            given: str | None = row.told("collector")
            return given
        if clock == "handle":
            return str(row.told("department") or "") if row.action in ("dispatch", "import") else self._department
        return None

    def _stopped(self, run: Run, row: Row) -> None:
        """A run was done in the period by this row."""
        clock, on_time = run.clock, run.on_time(row.at)
        if clock in ("verify", "check"):
            self._answered_task(run, row, on_time)
        elif clock == "handle":
            self._handled(run.subject, done=True, on_time=on_time)
        elif clock == "accept":
            self._accept_run(row.actor, row.action == "ask_verify", on_time)
        elif clock == "file":
            if on_time:
                self._count("shift_leader", row.actor, ("filed_on_time",), self._case)
        else:
            self._stage(clock, row.actor, on_time)

    def _overdue(self, run: Run, rows: Sequence[Row]) -> None:
        """A run that nobody has done is past its due time at `as_of`."""
        if run.clock in ("verify", "check"):
            self._task(run, run.subject, done=False, on_time=False)
        elif run.clock == "handle":
            self._handled(run.subject, done=False, on_time=False)
        elif run.clock in STAGE_ROLE:
            role = STAGE_ROLE[run.clock]
            who = next((row.actor for row in reversed(rows) if row.role == role), None)
            if run.clock == "accept":
                self._accept_run(who, True, False)
            else:
                self._stage(run.clock, who, False)

    def _stage(self, clock: str, who: str | None, on_time: bool) -> None:
        """A run of the desk's own stages, for its person."""
        facts = _STAGES.get(clock)
        if facts is not None:
            self._count(STAGE_ROLE[clock], who, facts if on_time else facts[:1], self._case)

    def _answered_task(self, run: Run, row: Row, on_time: bool) -> None:
        """An answer that does not prove itself is the platform's, but the collector's is still to do."""
        collector = None if row.role == "acceptor" else run.subject
        if row.told("proven") is not False:
            self._task(run, collector, done=True, on_time=on_time)
            return
        self._task(run, None, done=True, on_time=on_time)
        self._count("collector", collector, _TASKS[run.clock][:1], self._case)
        self._count("collector", row.actor, ("unproven",), self._case)

    def _task(self, run: Run, collector: str | None, *, done: bool, on_time: bool) -> None:
        """A verify or check task, for its collector and for the platform."""
        facts = _TASKS[run.clock]
        self._count("collector", collector, facts[: 1 + done + on_time], self._case)
        self._count("platform", PLATFORM, facts[: 1 + done], self._case)

    def _handled(self, department: str | None, *, done: bool, on_time: bool) -> None:
        facts = _HANDLING[: 1 + done + on_time]
        self._count("platform", PLATFORM, facts, self._case)
        self._count("department", department, (*facts, "handle_late") if done and not on_time else facts, self._case)

    def _accept_run(self, acceptor: str | None, sends_out: bool, on_time: bool) -> None:
        self._count("platform", PLATFORM, ("accept_should", "accept_on_time")[: 1 + on_time], self._case)
        if sends_out and self._facts.channel == "public":
            facts = ("verify_sent_should", "verify_sent_on_time")[: 1 + on_time]
            self._count("acceptor", acceptor, facts, self._case)

    # rows

    def _reported(self, row: Row, inside: bool) -> None:
        if inside:
            self._report(row)

    def _self_handled(self, row: Row, inside: bool) -> None:
        if inside:
            self._count("collector", row.actor, ("self_handled",), self._case)

    def _asked_verify(self, row: Row, inside: bool) -> None:
        self._sent_out_by = row.actor

    def _verified(self, row: Row, inside: bool) -> None:
        if inside and row.action == "verify_true" and self._sent_out_by is not None:
            self._accepted_by.append(self._sent_out_by)
        self._answered(row, inside)

    def _answered(self, row: Row, inside: bool) -> None:
        if row.action == "check_fail":
            self._reworked_at.add(self._department)

    def _accepted(self, row: Row, inside: bool) -> None:
        if inside:
            self._accepted_by.append(row.actor)

    def _filed(self, row: Row, inside: bool) -> None:
        self._filed_ever = True
        if inside:
            self._count("shift_leader", row.actor, ("filed",), self._case)
            self._filed_by.append(row.actor)

    def _dispatched(self, row: Row, inside: bool) -> None:
        department = row.told("department") or ""
        self._department = department
        self._dispatches.append((row.actor, department, inside))
        if inside:
            self._with_unit.add(("dispatched", department))

    def _imported(self, row: Row, inside: bool) -> None:
        """An open case came from another system: its unit, and until when it was to be handled."""
        self._department = row.told("department")
        if row.to_state == "suspended":
            self._paused_due = row.due_at
        self._handled_by = row.due_at if row.to_state in HANDLED else None

    def _closed(self, row: Row, inside: bool) -> None:
        """Whether an imported case was handled late is known only from when it was closed."""
        if self._handled_by is not None and row.at > self._handled_by:
            self._late_at.add(self._department)

    def _undispatched(self, row: Row, inside: bool) -> None:
        self._department = self._sub = None

    def _assigned(self, row: Row, inside: bool) -> None:
        self._sub = Run("sub", row.told("until"), row.told("sub_unit"))

    def _finished(self, row: Row, inside: bool) -> None:
        run = self._stopped_run
        if run is not None and not run.on_time(row.at):
            self._late_at.add(self._department)
        if self._sub is not None and inside:
            self._sub_task(self._sub, done=True, on_time=self._sub.on_time(row.at))
        self._sub = None

    def _extended(self, row: Row, inside: bool) -> None:
        if inside and self._department is not None:
            self._with_unit.add(("extended", self._department))

    def _called_back(self, row: Row, inside: bool) -> None:
        if inside:
            self._satisfaction = row.told("answer")

    def _suspended(self, row: Row, inside: bool) -> None:
        run = self._stopped_run
        self._paused_due = row.told("due_at_then") or (run.due if run is not None else None)

    # the end

    def _sub_task(self, run: Run, *, done: bool, on_time: bool) -> None:
        self._count("sub_unit", run.subject, _SUB_TASKS[: 1 + done + on_time], self._case)

    def _finish(self, rows: Sequence[Row]) -> None:
        """What the whole way makes."""
        as_of, run, sub = self._period.as_of, self._run, self._sub
        if run is not None and run.due is not None and run.due < as_of:
            self._overdue(run, rows)
        if sub is not None and self._state in WITH_UNIT and sub.due is not None and sub.due < as_of:
            self._sub_task(sub, done=False, on_time=False)
        if self._done:
            self._count_events()
            self._count_filed()
            self._count_dispatched()
            self._count_satisfaction()
        if self._should_close(as_of):
            self._count_closing()

    def _count_events(self) -> None:
        """What happened in the period, for the platform, and who accepted."""
        done, state = self._done, self._state
        for person in self._accepted_by:
            self._count("acceptor", person, ("accepted",), self._case)
        events = [name for action, name in _EVENTS.items() if action in done]
        if self._accepted_by or "verify_true" in done:
            events.append("accepted")
            if state in ("void", "rejected"):
                events.append("accepted_wrong")
        if "accept" in done and self._facts.channel == "public":
            events.append("unverified_accepted")
        if "file" in done and state == "filed" and not self._dispatches:
            events.append("undispatched")
        if self._reports and state not in ENDED:
            events.append("reports_unclosed")
        if events:
            self._count("platform", PLATFORM, tuple(events), self._case)

    def _count_filed(self) -> None:
        """Cases filed in the period, for the place and the people; reports that came to it."""
        case, facts = self._case, self._facts
        if self._filed_ever:
            for collector in self._reports:
                self._count("collector", collector, ("effective_reports",), case)
        if "file" not in self._done:
            return
        public = facts.channel == "public"
        self._count("source", facts.source, ("filed",), case)
        self._count("region", facts.street, ("filed", "public_filed")[: 1 + public], case)
        self._count("collector", facts.own_collector, ("filed_in_area", "public_in_area")[: 1 + public], case)
        self._count("grid", facts.grid, ("filed",), case)
        if self._state == "void":
            for leader in self._filed_by:
                self._count("shift_leader", leader, ("filed_void",), case)

    def _count_dispatched(self) -> None:
        """Dispatches of the period: to which units, and whether it was the right one."""
        case, dispatches = self._case, self._dispatches
        if self._state != "void" and any(inside and to == self._department for _, to, inside in dispatches):
            self._count("department", self._department, ("opened",), case)
        for fact, department in self._with_unit:
            self._count("department", department, (fact,), case)
        for at, (dispatcher, department, inside) in enumerate(dispatches):
            if inside:
                right = all(later == department for _, later, _ in dispatches[at + 1 :])
                self._count("dispatcher", dispatcher, ("dispatched", "dispatch_accurate")[: 1 + right], case)

    def _count_satisfaction(self) -> None:
        told, case = self._satisfaction, self._case
        if told in ("satisfied", "dissatisfied"):
            self._count("platform", PLATFORM, (told,), case)
            self._count("source", self._facts.source, (told,), case)
            self._count("department", self._department, (told,), case)

    def _should_close(self, as_of: int) -> bool:
        if self._department is None or self._ended_before:
            return False
        if self._state in HANDLED:
            return True
        if self._state == "suspended":
            return self._paused_due is not None and self._paused_due < as_of
        run = self._run
        return self._state in WITH_UNIT and run is not None and run.due is not None and run.due < as_of

    def _count_closing(self) -> None:
        case, department = self._case, self._department
        facts: tuple[str, ...] = _CLOSING[:1]
        if self._state == "closed":
            facts = _CLOSING if department not in self._late_at else _CLOSING[:2]
        self._count("source", self._facts.source, facts, case)
        if self._state == "suspended":
            facts = (*facts, "suspended_overdue")
        self._count("region", self._facts.street, facts, case)
        if department in self._reworked_at:
            facts = (*facts, "reworked")
        self._count("platform", PLATFORM, facts, case)
        self._count("department", department, facts, case)


_TASKS = {clock: (f"{clock}_should", f"{clock}_done", f"{clock}_on_time") for clock in ("verify", "check")}
_HANDLING = ("handle_should", "handle_done", "handle_on_time")
_SUB_TASKS = ("sub_should", "sub_done", "sub_on_time")
_CLOSING = ("should_close", "closed", "closed_on_time")
_STAGES = {
    "ask_check": ("check_sent_should", "check_sent_on_time"), "dispatch": ("dispatch_should", "dispatch_on_time"),
    "close": ("close_should", "close_on_time"),
}  # fmt: skip
"""Facts by how far something came: due, done, on time."""

_EVENTS = {
    "file": "filed", "dispatch": "dispatched", "extend": "extended", "void": "voided", "return": "returned",
    "suspend": "suspended", "force_close": "force_closed", "dispute": "disputed",
}  # fmt: skip
"""The platform's facts that are cases with such a row in the period."""

_ACTS = {
    "import": Walk._imported, "close": Walk._closed,
    "report": Walk._reported, "self_handle": Walk._self_handled, "ask_verify": Walk._asked_verify,
    "verify_true": Walk._verified, "verify_false": Walk._verified, "check_pass": Walk._answered,
    "check_fail": Walk._answered, "accept": Walk._accepted, "file": Walk._filed, "dispatch": Walk._dispatched,
    "return": Walk._undispatched, "dispute": Walk._undispatched, "assign": Walk._assigned, "finish": Walk._finished,
    "suspend": Walk._suspended, "extend": Walk._extended, "callback": Walk._called_back,
}  # fmt: skip
