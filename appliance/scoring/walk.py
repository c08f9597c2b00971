"""One case's way through its history rows: which facts it adds to, and for whom (indicator_definitions 1 to 8).

Everything follows from the history rows before `as_of`. A clock run begins with the row that starts its clock and ends
with the row that stops it; a row that does the run's work makes it done, any other row drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from appliance.scoring.periods import Period
from appliance.scoring.runs import DOES, ENDED, HANDLED, ONLY_REPORTS, PLATFORM, STAGE_ROLE, WITH_UNIT, Facts, Row, Run

Count = Callable[[str, str | None, str, int], None]
"""Told of each fact: scope, subject, fact, case. A subject None is nobody's."""


class Walk:
    """Counts one case.

    Args:
        count: is told of every fact the case adds to.
    """

    __slots__ = (
        "_accepted_by", "_case", "_count", "_department", "_dispatches", "_done", "_ended_before", "_facts",
        "_filed_by", "_filed_ever", "_last_in_role", "_late_at", "_paused_due", "_period", "_reports", "_reworked_at",
        "_run", "_satisfaction", "_sent_out_by", "_started", "_state", "_stopped_run", "_sub", "_with_unit",
    )  # fmt: skip

    def __init__(self, case: int, facts: Facts, period: Period, count: Count) -> None:
        self._case, self._facts, self._period, self._count = case, facts, period, count
        self._started = self._ended_before = False
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
        self._last_in_role: dict[str, str] = {}
        self._satisfaction: str | None = None

    def run(self, rows: Iterable[Row]) -> None:
        """Take the rows in their order, none at or after `as_of`, and count what they make."""
        start, found = self._period.start, list(rows)
        if found[-1].to_state in ONLY_REPORTS:
            self._count_only_reports(found)
            return
        for row in found:
            inside = row.at >= start
            if inside and not self._started:
                self._started, self._ended_before = True, self._state in ENDED
            self._clock(row, inside)
            self._act(row, inside)
            self._state = row.to_state
            self._last_in_role[row.role] = row.actor
        if not self._started:
            self._ended_before = self._state in ENDED
        self._finish()

    def _count_only_reports(self, rows: list[Row]) -> None:
        for row in rows:
            if row.action == "report" and row.at >= self._period.start:
                self._report(row)

    def _report(self, row: Row) -> None:
        collector = row.actor if row.role == "collector" else None
        self._count("collector", collector, "reports", self._case)
        self._count("source", self._facts.source, "reports", self._case)
        self._count("platform", PLATFORM, "reports", self._case)
        self._reports.append(collector)

    # clocks

    def _clock(self, row: Row, inside: bool) -> None:
        run = self._run
        if run is not None and row.clock_stopped == run.clock:
            if inside and row.action in DOES.get(run.clock, ()):
                self._stopped(run, row)
            self._run, self._stopped_run = None, run
        else:
            self._stopped_run = None
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
            given: str | None = row.detail.get("collector")
            return given
        if clock == "handle":
            department: str | None = row.detail.get("department") or self._department
            return department
        return None

    def _stopped(self, run: Run, row: Row) -> None:
        """A run was done in the period by this row."""
        on_time = run.on_time(row.at)
        match run.clock:
            case "verify" | "check":
                self._answered_task(run, row, on_time)
            case "handle":
                self._handled(run.subject, done=True, on_time=on_time)
            case "accept":
                self._accept_run(row.actor, row.action == "ask_verify", done=True, on_time=on_time)
            case "ask_check":
                self._tally("acceptor", row.actor, "check_sent_should", "check_sent_on_time", on_time)
            case "dispatch":
                self._tally("dispatcher", row.actor, "dispatch_should", "dispatch_on_time", on_time)
            case "close":
                self._tally("shift_leader", row.actor, "close_should", "close_on_time", on_time)
            case "file":
                self._tally("shift_leader", row.actor, None, "filed_on_time", on_time)

    def _overdue(self, run: Run) -> None:
        """A run that nobody has done is past its due time at `as_of`."""
        who = self._last_in_role.get(STAGE_ROLE.get(run.clock, ""))
        match run.clock:
            case "verify" | "check":
                self._task(run, run.subject, done=False, on_time=False)
            case "handle":
                self._handled(run.subject, done=False, on_time=False)
            case "accept":
                self._accept_run(who, True, done=False, on_time=False)
            case "ask_check":
                self._tally("acceptor", who, "check_sent_should", "check_sent_on_time", False)
            case "dispatch":
                self._tally("dispatcher", who, "dispatch_should", "dispatch_on_time", False)
            case "close":
                self._tally("shift_leader", who, "close_should", "close_on_time", False)

    def _tally(self, scope: str, subject: str | None, should: str | None, good: str, on_time: bool) -> None:
        if should is not None:
            self._count(scope, subject, should, self._case)
        if on_time:
            self._count(scope, subject, good, self._case)

    def _task(self, run: Run, collector: str | None, *, done: bool, on_time: bool) -> None:
        """A verify or check task, for its collector and for the platform."""
        self._count("collector", collector, f"{run.clock}_should", self._case)
        self._count("platform", PLATFORM, f"{run.clock}_should", self._case)
        if done:
            self._count("collector", collector, f"{run.clock}_done", self._case)
            self._count("platform", PLATFORM, f"{run.clock}_done", self._case)
        if on_time:
            self._count("collector", collector, f"{run.clock}_on_time", self._case)

    def _answered_task(self, run: Run, row: Row, on_time: bool) -> None:
        """An answer that does not prove itself is the platform's, but the collector's is still to do."""
        collector = None if row.role == "acceptor" else run.subject
        if row.detail.get("proven") is not False:
            self._task(run, collector, done=True, on_time=on_time)
            return
        self._task(run, None, done=True, on_time=on_time)
        self._count("collector", collector, f"{run.clock}_should", self._case)
        self._count("collector", row.actor, "unproven", self._case)

    def _handled(self, department: str | None, *, done: bool, on_time: bool) -> None:
        for scope, subject in (("department", department), ("platform", PLATFORM)):
            self._count(scope, subject, "handle_should", self._case)
            if done:
                self._count(scope, subject, "handle_done", self._case)
            if on_time:
                self._count(scope, subject, "handle_on_time", self._case)
        if done and not on_time:
            self._count("department", department, "handle_late", self._case)

    def _accept_run(self, acceptor: str | None, sends_out: bool, *, done: bool, on_time: bool) -> None:
        self._tally("platform", PLATFORM, "accept_should", "accept_on_time", on_time)
        if sends_out and self._facts.channel == "public":
            self._tally("acceptor", acceptor, "verify_sent_should", "verify_sent_on_time", on_time)

    # rows

    def _act(self, row: Row, inside: bool) -> None:
        """What a row does besides clocks; most kinds of rows do nothing more."""
        handler = _ACTS.get(row.action)
        if handler is not None:
            handler(self, row, inside)
        if inside:
            self._done.add(row.action)

    def _reported(self, row: Row, inside: bool) -> None:
        if inside:
            self._report(row)

    def _self_handled(self, row: Row, inside: bool) -> None:
        if inside:
            self._count("collector", row.actor, "self_handled", self._case)

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
            self._count("shift_leader", row.actor, "filed", self._case)
            self._filed_by.append(row.actor)

    def _dispatched(self, row: Row, inside: bool) -> None:
        department = row.detail.get("department") or ""
        self._department = department
        self._dispatches.append((row.actor, department, inside))
        if inside:
            self._with_unit.add(("dispatched", department))

    def _undispatched(self, row: Row, inside: bool) -> None:
        self._department = self._sub = None

    def _assigned(self, row: Row, inside: bool) -> None:
        self._sub = Run("sub", row.detail.get("until"), row.detail.get("sub_unit"))

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
            self._satisfaction = row.detail.get("answer")

    def _suspended(self, row: Row, inside: bool) -> None:
        run = self._stopped_run
        self._paused_due = row.detail.get("due_at_then") or (run.due if run is not None else None)

    # the end

    def _sub_task(self, run: Run, *, done: bool, on_time: bool) -> None:
        self._count("sub_unit", run.subject, "sub_should", self._case)
        if done:
            self._count("sub_unit", run.subject, "sub_done", self._case)
        if on_time:
            self._count("sub_unit", run.subject, "sub_on_time", self._case)

    def _finish(self) -> None:
        """What the whole way makes."""
        as_of, run = self._period.as_of, self._run
        if run is not None and run.due is not None and run.due < as_of:
            self._overdue(run)
        sub = self._sub
        if sub is not None and self._state in WITH_UNIT and sub.due is not None and sub.due < as_of:
            self._sub_task(sub, done=False, on_time=False)
        self._count_events()
        for department in {to for _, to, inside in self._dispatches if inside}:
            if department == self._department and self._state != "void":
                self._count("department", department, "opened", self._case)
        for fact, department in self._with_unit:
            self._count("department", department, fact, self._case)
        self._count_accuracy()
        self._count_satisfaction()
        if self._should_close(as_of):
            self._count_closing()

    def _count_events(self) -> None:
        """What happened in the period, for the platform, the region, the source and the people."""
        done, state, facts = self._done, self._state, self._facts
        public = facts.channel == "public"
        for person in self._accepted_by:
            self._count("acceptor", person, "accepted", self._case)
        events = [name for action, name in _EVENTS.items() if action in done]
        if self._accepted_by or "verify_true" in done:
            events.append("accepted")
            if state in ("void", "rejected"):
                events.append("accepted_wrong")
        if public and "accept" in done:
            events.append("unverified_accepted")
        if "file" in done and state == "filed" and not self._dispatches:
            events.append("undispatched")
        for _ in self._reports:
            if state not in ENDED:
                events.append("reports_unclosed")
        for event in events:
            self._count("platform", PLATFORM, event, self._case)
        if "file" in done:
            for scope, subject in (("region", facts.street), ("source", facts.source)):
                self._count(scope, subject, "filed", self._case)
            self._count("collector", facts.own_collector, "filed_in_area", self._case)
            if public:
                self._count("region", facts.street, "public_filed", self._case)
                self._count("collector", facts.own_collector, "public_in_area", self._case)
            self._count("grid", facts.grid, "filed", self._case)

    def _count_accuracy(self) -> None:
        """Reports that were opened, files that were void, dispatches to the right unit."""
        if self._filed_ever:
            for collector in self._reports:
                self._count("collector", collector, "effective_reports", self._case)
        if self._state == "void":
            for leader in self._filed_by:
                self._count("shift_leader", leader, "filed_void", self._case)
        for at, (dispatcher, department, inside) in enumerate(self._dispatches):
            if not inside:
                continue
            self._count("dispatcher", dispatcher, "dispatched", self._case)
            if all(later == department for _, later, _ in self._dispatches[at + 1 :]):
                self._count("dispatcher", dispatcher, "dispatch_accurate", self._case)

    def _count_satisfaction(self) -> None:
        told = self._satisfaction
        if told not in ("satisfied", "dissatisfied"):
            return
        for scope, subject in (
            ("platform", PLATFORM), ("source", self._facts.source), ("department", self._department)
        ):  # fmt: skip
            self._count(scope, subject, told, self._case)

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
        facts, department = ["should_close"], self._department
        if self._state == "closed":
            facts.append("closed")
            if department not in self._late_at:
                facts.append("closed_on_time")
        elif self._state == "suspended":
            facts.append("suspended_overdue")
        for fact in facts:
            self._count("platform", PLATFORM, fact, self._case)
            self._count("department", department, fact, self._case)
            self._count("region", self._facts.street, fact, self._case)
            if fact != "suspended_overdue":
                self._count("source", self._facts.source, fact, self._case)
        if department in self._reworked_at:
            self._count("platform", PLATFORM, "reworked", self._case)
            self._count("department", department, "reworked", self._case)


_EVENTS = {
    "file": "filed", "dispatch": "dispatched", "extend": "extended", "void": "voided", "return": "returned",
    "suspend": "suspended", "force_close": "force_closed", "dispute": "disputed",
}  # fmt: skip
"""The platform's facts that are cases with such a row in the period."""

_ACTS = {
    "report": Walk._reported, "self_handle": Walk._self_handled, "ask_verify": Walk._asked_verify,
    "verify_true": Walk._verified, "verify_false": Walk._verified, "check_pass": Walk._answered,
    "check_fail": Walk._answered, "accept": Walk._accepted, "file": Walk._filed, "dispatch": Walk._dispatched,
    "return": Walk._undispatched, "dispute": Walk._undispatched, "assign": Walk._assigned, "finish": Walk._finished,
    "suspend": Walk._suspended, "extend": Walk._extended, "callback": Walk._called_back,
}  # fmt: skip
