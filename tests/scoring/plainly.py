"""The indicators once more, plainly and slowly, as indicator_definitions 1 to 8 say them.

Every indicator looks by itself through all cases and all rows. It shares nothing with what it is compared with, except
the shapes of a row, of a case's facts and of a period.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.scoring.periods import Period
from appliance.scoring.runs import Facts, Row
from tests.scoring.plain_numbers import GRID_BANDS, UNIT_BANDS, Value, band, missing, points, share, weighed, work_band

WORK = {
    "verify": ["verify_true", "verify_false"], "check": ["check_pass", "check_fail"],
    "accept": ["accept", "ask_verify", "reject"], "file": ["file"], "dispatch": ["dispatch"], "handle": ["finish"],
    "ask_check": ["ask_check"], "close": ["close"],
}  # fmt: skip
STAGE = {
    "accept": "acceptor", "ask_check": "acceptor", "file": "shift_leader", "close": "shift_leader",
    "dispatch": "dispatcher",
}  # fmt: skip


@dataclass
class Task:
    """A run of a clock: the row that began it, the rows of its case before that, how it ended and when it was due."""

    facts: Facts
    before: list[Row]
    begin: Row
    due: int | None
    end: Row | None = None
    paused: bool = False

    @property
    def done(self) -> bool:
        """Whether the row that does the work ended it."""
        return self.end is not None and self.end.action in WORK[str(self.begin.clock_started)]

    @property
    def on_time(self) -> bool:
        """Equal is on time."""
        return self.end is not None and (self.due is None or self.end.at <= self.due)

    @property
    def department(self) -> str | None:
        """The unit of the last dispatch up to its begin."""
        units = [row.detail["department"] for row in [*self.before, self.begin] if row.action == "dispatch"]
        return units[-1] if units else None


class Plainly:
    """The scores of one period.

    Args:
        rows: all history rows, also those after the period. grids: by street, the class of each unit grid.
    """

    def __init__(
        self, rows: Iterable[Row], cases: dict[int, Facts], period: Period, grids: dict[str, dict[str, int]]
    ) -> None:
        self.period, self.facts, self.grids = period, cases, grids
        self.rows = [row for row in rows if row.at < period.as_of]
        only_reports = ("merged", "answered", "returned_up")
        self.cases = [case for case in cases if self.of(case) and self.state(case) not in only_reports]

    def of(self, case: int) -> list[Row]:
        """The rows of a case before as_of."""
        return [row for row in self.rows if row.case == case]

    def state(self, case: int) -> str:
        """The state of a case at as_of."""
        return self.of(case)[-1].to_state

    def within(self, row: Row) -> bool:
        """Whether a row counts as an event of the period."""
        return self.period.start <= row.at < self.period.as_of

    def events(self, *actions: str) -> list[Row]:
        """The rows of the period with these actions."""
        return [row for row in self.rows if row.case in self.cases and row.action in actions and self.within(row)]

    def cases_with(self, *actions: str) -> list[int]:
        """The cases with such a row in the period, each once."""
        return sorted({row.case for row in self.events(*actions)})

    def tasks(self, clock: str) -> list[Task]:
        """All runs of a clock."""
        found = []
        for case in self.cases:
            rows = self.of(case)
            for place, row in enumerate(rows):
                if row.clock_started == clock and row.action not in ("extend", "resume"):
                    found.append(
                        self.followed(Task(self.facts[case], rows[:place], row, row.due_at), rows[place + 1 :])
                    )
        return found

    def followed(self, task: Task, later: list[Row]) -> Task:
        """A run with what became of it."""
        handling = task.begin.clock_started == "handle"
        for row in later:
            if handling and row.action == "suspend":
                task.paused = True
            elif handling and row.action == "resume":
                task.paused, task.due = False, row.due_at
            elif handling and row.action in ("extend", "amend"):
                task.due = task.due if row.due_at is None else row.due_at
            elif row.clock_stopped == task.begin.clock_started or row.to_state == "void":
                task.end = row
                break
        return task

    def should(self, clock: str) -> list[Task]:
        """The runs done in the period, and those that are overdue at as_of."""
        done = [task for task in self.tasks(clock) if task.done and task.end is not None and self.within(task.end)]
        return done + [
            task
            for task in self.tasks(clock)
            if task.end is None and not task.paused and task.due is not None and task.due < self.period.as_of
        ]

    def charged(self, task: Task) -> str | None:
        """Whose the run of a stage is."""
        if task.done and task.end is not None:
            return task.end.actor
        role = STAGE[str(task.begin.clock_started)]
        acted = [row.actor for row in self.of(task.begin.case) if row.role == role]
        return acted[-1] if acted else None

    def of_person(self, clock: str, person: str) -> list[Task]:
        """The runs of a stage that are due from a person."""
        return [task for task in self.should(clock) if self.charged(task) == person]

    def sent_to(self, clock: str, person: str) -> list[Task]:
        """The verifications or checks due from a collector."""
        return [
            task
            for task in self.should(clock)
            if task.begin.detail["collector"] == person and not (task.end is not None and task.end.role == "acceptor")
        ]

    @staticmethod
    def on_time_rate(tasks: list[Task]) -> float | None:
        """On time / should."""
        return share(len([task for task in tasks if task.done and task.on_time]), len(tasks))

    def collector(self, person: str) -> dict[str, Value]:
        """Section 2."""
        own = [row for row in self.rows if row.actor == person and row.role == "collector" and self.within(row)]
        reports = [row for row in own if row.action == "report"]
        effective = [
            row
            for row in reports
            if row.case in self.cases and [each for each in self.of(row.case) if each.action == "file"]
        ]
        area = [case for case in self.cases_with("file") if self.facts[case].own_collector == person]
        public = [case for case in area if self.facts[case].channel == "public"]
        effective_rate, miss = share(len(effective), len(reports)), share(len(public), len(area))
        verify, check = (self.on_time_rate(self.sent_to(clock, person)) for clock in ("verify", "check"))
        return {
            "reports": len(reports), "effective_reports": len(effective), "effective_report_rate": effective_rate,
            "self_handled": len([row for row in own if row.action == "self_handle"]), "miss_rate": miss,
            "verify_on_time_rate": verify, "check_on_time_rate": check,
            "collector_score": weighed(
                (40, points(effective_rate)), (20, missing(miss)), (20, points(verify)), (20, points(check))
            ),
        }  # fmt: skip

    def acceptor(self, person: str) -> dict[str, Value]:
        """Section 3."""
        accepted = len([row for row in self.events("accept") if row.actor == person])
        for row in self.events("verify_true"):
            before = self.of(row.case)[: self.of(row.case).index(row)]
            if [each.actor for each in before if each.action == "ask_verify"][-1] == person:
                accepted += 1
        sent = self.on_time_rate([
            task
            for task in self.of_person("accept", person)
            if task.facts.channel == "public" and (task.end is None or task.end.action == "ask_verify")
        ])  # fmt: skip
        check = self.on_time_rate(self.of_person("ask_check", person))
        return {
            "accepted": accepted, "accepted_band": work_band(accepted), "verify_dispatch_on_time_rate": sent,
            "check_dispatch_on_time_rate": check,
            "acceptor_score": weighed((25, work_band(accepted)), (40, points(sent)), (35, points(check))),
        }  # fmt: skip

    def shift_leader(self, person: str) -> dict[str, Value]:
        """Section 4."""
        filed = [row for row in self.events("file") if row.actor == person]
        tasks = [task for task in self.tasks("file") if task.end in filed]
        on_time = share(len([task for task in tasks if task.on_time]), len(filed))
        accurate = share(len([row for row in filed if self.state(row.case) != "void"]), len(filed))
        closing = self.on_time_rate(self.of_person("close", person))
        return {
            "filed": len(filed), "open_on_time_rate": on_time, "open_accurate_rate": accurate,
            "close_on_time_rate": closing,
            "shift_leader_score": weighed((25, points(on_time)), (40, points(accurate)), (35, points(closing))),
        }  # fmt: skip

    def dispatcher(self, person: str) -> dict[str, Value]:
        """Section 5."""
        rows = [row for row in self.events("dispatch") if row.actor == person]
        should, accurate = self.of_person("dispatch", person), 0
        for row in rows:
            later = self.of(row.case)[self.of(row.case).index(row) + 1 :]
            again = [each.detail["department"] for each in later if each.action == "dispatch"]
            accurate += not [unit for unit in again if unit != row.detail["department"]]
        on_time, right = self.on_time_rate(should), share(accurate, len(should))
        return {
            "dispatched": len(rows), "dispatched_band": work_band(len(rows)), "dispatch_on_time_rate": on_time,
            "dispatch_accurate_rate": right,
            "dispatcher_score": weighed((20, work_band(len(rows))), (40, points(on_time)), (40, points(right))),
        }  # fmt: skip

    def unit_of(self, case: int) -> str | None:
        """A case's department at as_of."""
        unit = None
        for row in self.of(case):
            if row.action == "dispatch":
                unit = row.detail["department"]
            elif row.action in ("return", "dispute"):
                unit = None
        return unit

    def handling(self, case: int) -> list[Task]:
        """The handling tasks of a case."""
        return [task for task in self.tasks("handle") if task.begin.case == case]

    def should_close(self) -> list[int]:
        """The cases due to be closed, whoever has them."""
        found = []
        for case in self.cases:
            before = [row.to_state for row in self.of(case) if row.at < self.period.start]
            if self.unit_of(case) is None or (before and before[-1] in ("closed", "void", "rejected")):
                continue
            due = (self.handling(case)[-1].due or 0) if self.handling(case) else self.period.as_of
            if self.state(case) in ("handled", "checking", "checked", "closed") or (
                self.state(case) in ("dispatched", "handling", "suspended") and due < self.period.as_of
            ):
                found.append(case)
        return found

    def closed_among(self, cases: list[int]) -> list[int]:
        """Of these cases, those closed."""
        return [case for case in cases if self.state(case) == "closed"]

    def on_time_among(self, cases: list[int]) -> list[int]:
        """Of these cases, those closed of which no handling task of their department was finished late."""
        return [
            case
            for case in self.closed_among(cases)
            if not [
                task
                for task in self.handling(case)
                if task.department == self.unit_of(case) and task.done and not task.on_time
            ]
        ]

    def reworked_among(self, cases: list[int]) -> list[int]:
        """Of these cases, those with a failed check while with their department."""
        return [
            case
            for case in cases
            if [
                place
                for place, row in enumerate(self.of(case))
                if row.action == "check_fail"
                and [each.detail["department"] for each in self.of(case)[:place] if each.action == "dispatch"][-1]
                == self.unit_of(case)
            ]
        ]

    def satisfaction(self, cases: list[int]) -> float | None:
        """Satisfied / (satisfied + dissatisfied), by the last call-back of each case in the period."""
        last = {row.case: row.detail["answer"] for row in self.events("callback") if row.case in cases}
        answers = list(last.values())
        return share(answers.count("satisfied"), answers.count("satisfied") + answers.count("dissatisfied"))

    def department(self, unit: str) -> dict[str, Value]:
        """Section 6."""
        own = [case for case in self.cases if self.unit_of(case) == unit]
        sent = {row.case for row in self.events("dispatch") if row.detail["department"] == unit}
        opened = len([case for case in own if case in sent and self.state(case) != "void"])
        due = [case for case in self.should_close() if case in own]
        tasks = [task for task in self.should("handle") if task.department == unit]
        done = [task for task in tasks if task.done]
        close_rate, on_time = share(len(self.closed_among(due)), len(due)), self.on_time_rate(tasks)
        rework = share(len(self.reworked_among(due)), len(due))
        return {
            "opened": opened, "dept_opened_band": band(opened, UNIT_BANDS), "should_close": len(due),
            "closed": len(self.closed_among(due)), "close_rate": close_rate,
            "handle_rate": share(len(done), len(tasks)), "handle_on_time_rate": on_time,
            "handle_overdue_rate": share(len([task for task in done if not task.on_time]), len(tasks)),
            "rework_rate": rework, "public_satisfaction": self.satisfaction(own),
            "dept_score": weighed(
                (10, band(opened, UNIT_BANDS)), (30, points(close_rate)), (30, points(on_time)), (30, missing(rework))
            ),
        }  # fmt: skip

    def sub_unit(self, unit: str) -> dict[str, Value]:
        """Section 6: units below, by their own due times; a task ends with the handling, or when given to another."""
        should = on_time = 0
        for task in self.tasks("handle"):
            rows = self.of(task.begin.case)[len(task.before) :]
            rows = rows if task.end is None else rows[: rows.index(task.end)]
            given = [row for row in rows if row.action == "assign"]
            if not given or given[-1].detail["sub_unit"] != unit:
                continue
            until = given[-1].detail["until"]
            if task.end is None:
                should += not task.paused and until < self.period.as_of
            elif task.done and self.within(task.end):
                should, on_time = should + 1, on_time + (task.end.at <= until)
        return {"sub_should": should, "sub_on_time_rate": share(on_time, should)}

    def region(self, street: str) -> dict[str, Value]:
        """Section 7."""
        filed = [case for case in self.cases_with("file") if self.facts[case].street == street]
        public = share(len([case for case in filed if self.facts[case].channel == "public"]), len(filed))
        worth: dict[int, list[int]] = {1: [], 2: []}
        for grid, class_ in self.grids[street].items():
            own = [case for case in filed if self.facts[case].grid == grid]
            worth[class_].append(band(len(own), GRID_BANDS[class_]))
        means = {of: sum(own) / len(own) if own else None for of, own in (*worth.items(), (0, worth[1] + worth[2]))}
        due = [case for case in self.should_close() if self.facts[case].street == street]
        closed = share(len(self.closed_among(due)), len(due))
        on_time = share(len(self.on_time_among(due)), len(due))
        return {
            "filed": len(filed), "public_report_rate": public, "region_opened_band_1": means[1],
            "region_opened_band_2": means[2], "region_opened_band": means[0], "should_close": len(due),
            "close_rate": closed, "close_on_time_rate": on_time,
            "region_score": weighed((10, missing(public)), (20, means[0]), (30, points(closed)), (40, points(on_time))),
        }  # fmt: skip

    def source(self, source: str) -> dict[str, Value]:
        """By source, counted as the platform's."""
        own = [case for case in self.cases if self.facts[case].source == source]
        due = [case for case in self.should_close() if case in own]
        return {
            "reports": len([row for row in self.reports() if self.facts[row.case].source == source]),
            "filed": len([case for case in self.cases_with("file") if case in own]),
            "close_rate": share(len(self.closed_among(due)), len(due)),
            "close_on_time_rate": share(len(self.on_time_among(due)), len(due)),
            "public_satisfaction": self.satisfaction(own),
        }

    def reports(self) -> list[Row]:
        """All reports of the period."""
        return [row for row in self.rows if row.action == "report" and self.within(row)]

    def platform(self, _county: str) -> dict[str, Value]:
        """Section 8."""
        reports, accepted = self.reports(), self.cases_with("accept", "verify_true")
        filed, dispatched = self.cases_with("file"), self.cases_with("dispatch")
        extended, voided, due = self.cases_with("extend"), self.cases_with("void"), self.should_close()
        closed, on_time, reworked = self.closed_among(due), self.on_time_among(due), self.reworked_among(due)
        wrong = [case for case in accepted if self.state(case) in ("void", "rejected")]
        ended = ("closed", "rejected", "void")
        unclosed = [row for row in reports if row.case in self.cases and self.state(row.case) not in ended]
        waiting = [case for case in filed if self.state(case) == "filed"]
        less = len(due) - len([case for case in due if self.state(case) == "suspended"])
        verify, check = self.should("verify"), self.should("check")
        return {
            "reports": len(reports), "accepted": len(accepted), "filed": len(filed), "dispatched": len(dispatched),
            "undispatched": len([c for c in waiting if "dispatch" not in [row.action for row in self.of(c)]]),
            "extended": len(extended), "voided": len(voided), "should_close": len(due), "closed": len(closed),
            "closed_on_time": len(on_time), "reworked": len(reworked), "open_rate": share(len(filed), len(accepted)),
            "dispatch_rate": share(len(dispatched), len(filed)),
            "accept_on_time_rate": self.on_time_rate(self.should("accept")),
            "accept_accurate_rate": share(len(accepted) - len(wrong), len(accepted)),
            "verify_rate": share(len([task for task in verify if task.done]), len(verify)),
            "check_rate": share(len([task for task in check if task.done]), len(check)),
            "close_rate": share(len(closed), len(due)), "close_on_time_rate": share(len(on_time), len(due)),
            "overdue_close_rate": share(len(closed) - len(on_time), len(due)),
            "unclosed_rate": share(len(unclosed), len(reports)), "rework_rate": share(len(reworked), len(due)),
            "extension_rate": share(len(extended), len(dispatched)), "void_rate": share(len(voided), len(filed)),
            "public_satisfaction": self.satisfaction(self.cases), "close_rate_less_suspended": share(len(closed), less),
            "close_on_time_rate_less_suspended": share(len(on_time), less),
        }  # fmt: skip
