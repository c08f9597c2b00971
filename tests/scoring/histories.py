"""Histories as chance makes them: every case walks the workflow, with all its detours, as the engine writes rows."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from appliance.cases.workflow import Action, workflow
from appliance.clock import DAY, HOUR, MINUTE, micros
from appliance.scoring.basis import Basis, Unit
from appliance.scoring.runs import Facts, Row
from tests.scoring.example import ZONE

PEOPLE = {
    "collector": ("L1", "L2", "X"), "acceptor": ("S1", "S2", "X"), "shift_leader": ("Z1", "Q"),
    "dispatcher": ("P1", "P2", "Q"), "department": ("d1", "d2"), "leader": ("b1",), "public": ("public",),
    "prefecture": ("above",), "device": ("eye",), "clock": ("clock",),
}  # fmt: skip
"""By role; X and Q have two each."""
SUB_UNITS = {"D01": ("D011", "D012"), "D02": ("D021",), "D03": ("D031",)}
GRIDS = {
    "510182001": {"510182001001001": 1, "510182001001002": 1, "510182001001003": 2},
    "510182002": {"510182002001001": 2, "510182002001002": 2},
    "510182003": {"510182003001001": 1},
}  # fmt: skip
"""By street, the class of each unit grid."""
AREAS = {"510182001": "L1", "510182002": "L2", "510182003": "X"}
SOURCES = (("collector", "inside"), ("hotline_12319", "public"), ("upper", "office"), ("wechat", "public"))
TO_MONTH_S_END = None
GAPS = (MINUTE, 10 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 12 * DAY, 30 * DAY, TO_MONTH_S_END)
LIMITS = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 4 * DAY, 12 * DAY, 40 * DAY, TO_MONTH_S_END, TO_MONTH_S_END)
BEGIN = micros(datetime(2026, 8, 25, tzinfo=ZONE))
MONTHS = [micros(datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=ZONE)) for month in range(8, 60)]
BYTES_A_STEP, STEPS = 5, 22
BYTES = BYTES_A_STEP * (STEPS + 2)
WAYS_ON = {
    "reported": ("ask_verify", "accept"), "verifying": ("verify_true",), "accepted": ("file",), "filed": ("dispatch",),
    "dispatched": ("take", "finish"), "handling": ("finish",), "coordinating": ("settle",),
    "handled": ("ask_check",), "checking": ("check_pass", "check_fail"), "checked": ("close",),
    "merged": ("unmerge", "callback"),
}  # fmt: skip
OFTEN = 12
ENDINGS = ("reject", "merge", "answer", "void", "return_up", "withdraw", "force_close")
ASIDES = ("supervise", "answer_supervision", "clear_supervision", "urge", "instruct", "note")
ANSWERS = ("satisfied", "dissatisfied", "unreachable")


def after(at: int, gap: int | None) -> int:
    """A time so much later; the very end of the month where that is asked for."""
    return MONTHS[bisect_right(MONTHS, at)] if gap is TO_MONTH_S_END else at + gap


def basis() -> Basis:
    """The county of these histories. D03 and L2 are gone from the lists, as those who left."""
    staff = {role: [one for one in PEOPLE[role] if one != "L2"] for role in
             ("collector", "acceptor", "shift_leader", "dispatcher")}  # fmt: skip
    return Basis(
        staff=staff, names={}, units={code: Unit(code, None, None) for code in ("D01", "D02", "D011")},
        collectors={f"duty-{street}": person for street, person in AREAS.items()}, streets=dict.fromkeys(GRIDS, ""),
        grids={street: {of: list(own.values()).count(of) for of in set(own.values())} for street, own in GRIDS.items()},
        second_class=frozenset(grid for own in GRIDS.values() for grid, of in own.items() if of == 2),
    )  # fmt: skip


@dataclass
class Case:
    """A case on its walk, and every row it has made. What is drawn of `luck` decides each step.

    Attributes:
        places: from when on which unit grid was its place, the first first.
    """

    key: int
    luck: Iterator[int]
    source: str
    channel: str
    from_above: bool
    at: int
    places: list[tuple[int, str]]
    rows: list[Row] = field(default_factory=list)
    state: str = ""
    clock: str | None = None
    due: int | None = None
    department: str | None = None

    def pick(self, options: tuple[Any, ...]) -> Any:
        """One of them by luck."""
        return options[next(self.luck) % len(options)]

    def walk(self) -> None:
        """Report the case and take steps until luck ends it."""
        first = "self_handle" if next(self.luck) % 12 == 11 else "report"
        self.step(workflow().actions[first])
        for _ in range(STEPS):
            self.at = after(self.at, self.pick(GAPS))
            action = self.pick(self.options())
            if action is None:
                return
            self.step(workflow().actions[action])

    def options(self) -> tuple[str | None, ...]:
        """What may come next: the ways on often, endings and asides seldom; None is nothing more."""
        able = [action.name for action in workflow().allowed(self.state) if self.may(action.name)]
        detours = [name for name in able if name not in (*ENDINGS, *ASIDES)]
        ways = [way for way in WAYS_ON.get(self.state, ()) if way in able or way == "callback"]
        return (None, *able, *detours * 3, *ways * OFTEN)

    def may(self, action: str) -> bool:
        """What the rules ask for beyond the workflow's row."""
        if action in ("return_up", "withdraw"):
            return self.from_above
        return action != "reopen" or self.department is not None

    def step(self, action: Action) -> None:
        """Take an action and write its row."""
        role = self.pick(tuple(role for role in action.role_order if role in PEOPLE))
        actor, due, detail = self.pick(PEOPLE[role]), after(self.at, self.pick(LIMITS)), self.detail(action.name)
        started, stopped, due_at = action.started, None, None
        if self.clock in action.stopped:
            stopped, self.clock, self.due = self.clock, None, None
        if started is not None:
            self.clock, self.due, due_at = started, due, due
        elif action.name == "amend" and self.clock == "handle" and "changed" not in detail:
            self.due = due_at = due
        self.state = action.target or self.state
        self.rows.append(Row(self.key, action.name, actor, role, self.at, self.state, started, stopped, due_at, detail))

    def detail(self, action: str) -> dict[str, Any]:
        """What the rule of an action writes into its row."""
        if action == "dispatch":
            self.department = self.pick(tuple(SUB_UNITS))
            return {"department": self.department}
        if action in ("ask_verify", "ask_check"):
            return {"collector": self.pick(PEOPLE["collector"])}
        if action in ("return", "dispute"):
            detail, self.department = {"department": self.department}, None
            return detail
        if action in ("check_fail", "finish", "reopen"):
            return {"department": self.department}
        if action == "assign":
            until = min(after(self.at, self.pick(LIMITS)), self.due or 0)
            return {"sub_unit": self.pick(SUB_UNITS[str(self.department)]), "until": until}
        if action == "suspend":
            return {"until": self.at + 10 * DAY, "due_at_then": self.due}
        if action == "callback":
            return {"answer": self.pick(ANSWERS)}
        return self.moved() if action == "amend" and next(self.luck) % 2 else {}

    def moved(self) -> dict[str, Any]:
        """The place of the case is corrected."""
        old, new = self.places[-1][1], self.pick(tuple(grid for own in GRIDS.values() for grid in own))
        self.places.append((self.at, new))
        changed = {
            "grid": [old, new],
            "street": [old[:9], new[:9]],
            "duty_grid": [f"duty-{old[:9]}", f"duty-{new[:9]}"],
        }
        return {"changed": {name: pair for name, pair in changed.items() if pair[0] != pair[1]}}

    def facts(self, before: int) -> Facts:
        """What was known of it just before a time."""
        grid = [grid for at, grid in self.places if at < before][-1]
        return Facts(self.channel, self.source, grid[:9], grid, AREAS[grid[:9]])

    def as_it_stands(self) -> tuple[object, ...]:
        """Its row among the cases."""
        ends = [row for row in self.rows if row.action in ("self_handle", "close", "force_close", "reopen")]
        closed_at = ends[-1].at if ends and ends[-1].action != "reopen" else None
        grid = self.places[-1][1]
        return (
            self.key, workflow().states[self.state].is_open, self.rows[0].at, closed_at, self.channel, self.source,
            grid[:9], grid, f"duty-{grid[:9]}",
        )  # fmt: skip

    def as_written(self) -> list[tuple[object, ...]]:
        """Its rows in the history; every third was telephoned to a seat."""
        return [
            (row.case, seq, row.action, *((row.actor, "seat") if seq % 3 == 0 else (None, row.actor)), *row[3:9],
             json.dumps(row.detail) if row.detail else None)
            for seq, row in enumerate(self.rows, start=1)
        ]  # fmt: skip


def case_of(key: int, luck: bytes) -> Case:
    """A case whose walk is decided by these bytes."""
    drawn = iter(luck + bytes(BYTES))
    source, channel = SOURCES[next(drawn) % len(SOURCES)]
    grid = tuple(grid for own in GRIDS.values() for grid in own)[next(drawn) % 6]
    at = BEGIN + next(drawn) * 6 * HOUR
    case = Case(key, drawn, source, channel, channel == "office", at, [(0, grid)])
    case.walk()
    return case


def cases_of(lots: list[bytes]) -> list[Case]:
    """A case for each lot of bytes."""
    return [case_of(key, luck) for key, luck in enumerate(lots, start=1)]
