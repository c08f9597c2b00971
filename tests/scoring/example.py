"""The worked example of the indicators (indicator_definitions 11): history rows, whose grids, and what they make."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance.clock import micros
from appliance.scoring.basis import Basis, Unit
from appliance.scoring.runs import Facts, Row

ZONE = ZoneInfo("Asia/Shanghai")
CLOCKS = {
    "report": ("accept", None), "accept": ("file", "accept"), "ask_verify": ("verify", "accept"),
    "verify_true": ("file", "verify"), "verify_false": ("accept", "verify"), "file": ("dispatch", "file"),
    "dispatch": ("handle", "dispatch"), "take": (None, None), "finish": ("ask_check", "handle"),
    "ask_check": ("check", "ask_check"), "check_pass": ("close", "check"), "check_fail": ("handle", "check"),
    "close": (None, "close"), "return": ("dispatch", "handle"), "void": (None, "dispatch"),
}  # fmt: skip
TO = {
    "report": "reported", "accept": "accepted", "ask_verify": "verifying", "verify_true": "accepted",
    "verify_false": "reported", "file": "filed", "dispatch": "dispatched", "take": "handling", "finish": "handled",
    "ask_check": "checking", "check_pass": "checked", "check_fail": "dispatched", "close": "closed", "void": "void",
    "return": "filed",
}  # fmt: skip
ROLES = {"L": "collector", "S": "acceptor", "Z": "shift_leader", "P": "dispatcher", "d": "department"}

CASES = {
    1: ("510182001001001", "inside"), 2: ("510182001001002", "public"), 3: ("510182001001001", "inside"),
    4: ("510182002001001", "inside"), 5: ("510182002001001", "inside"), 6: ("510182002001002", "public"),
}  # fmt: skip
HISTORY = """
1 report L1 8T09:00 8T09:30, accept S1 8T09:10 8T09:40, file Z1 8T09:20 8T09:50, dispatch P1 8T09:30 9T09:30 D01, take d1 8T10:00, finish d1 8T15:00 8T15:30, ask_check S1 8T15:10 8T17:10 L1, check_pass L1 8T16:00 8T16:30, close Z1 8T16:10
2 report S1 9T09:00 9T09:30, ask_verify S1 9T09:20 10T09:20 L1, verify_true L1 9T11:00 9T11:30, file Z1 9T12:00 9T12:30, dispatch P1 9T12:10 12T12:10 D01, return P1 9T14:00 9T14:30, dispatch P1 9T14:20 10T14:20 D02, finish d2 11T10:00 11T10:30, ask_check S1 11T10:40 11T12:40 L1, check_pass L1 11T12:00 11T12:30, close Z1 11T12:10
3 report L2 12T09:00 12T09:30, accept S1 12T09:20 12T09:50, file Z1 12T09:30 12T10:00, dispatch P1 12T10:10 13T10:10 D02, finish d2 12T16:00 12T16:30, ask_check S1 12T16:10 12T18:10 L1, check_fail L1 12T19:00 13T19:00, finish d2 13T11:00 13T11:30, ask_check S1 13T11:20 13T13:20 L1, check_pass L1 13T12:00 13T12:30
4 report L2 14T09:00 14T09:30, accept S1 14T09:40 14T10:10, file Z1 14T10:00 14T10:30, void Z1 14T11:00
5 report L2 25T09:00 25T09:30, accept S1 25T09:10 25T09:40, file Z1 25T09:20 25T09:50, dispatch P1 25T09:40 28T09:40 D01, take d1 25T10:00
6 report S1 31T08:00 31T08:30, ask_verify S1 31T08:40 31T20:00 L2, verify_false L2 31T09:40 31T10:10, ask_verify S1 31T10:00 31T22:00 L2
"""  # noqa: E501  # a case a line, as in the worked example


def october(written: str) -> int:
    """A time of October 2026 as in `8T09:00`."""
    day, _, hour = written.partition("T")
    return micros(datetime.fromisoformat(f"2026-10-{int(day):02d}T{hour}").replace(tzinfo=ZONE))


def rows() -> list[Row]:
    """The history rows."""
    return [_row(int(line.partition(" ")[0]), step) for line in HISTORY.strip().splitlines()
            for step in line.partition(" ")[2].split(", ")]  # fmt: skip


def _row(case: int, step: str) -> Row:
    action, actor, at, *more = step.split(" ")
    started, stopped = CLOCKS[action]
    to = {"department": more[1]} if action == "dispatch" else {"collector": more[1]} if action.startswith("ask") else {}
    return Row(
        case, action, actor, ROLES[actor[0]], october(at), TO[action], started, stopped,
        october(more[0]) if more else None, to,
    )  # fmt: skip


def cases() -> list[tuple[int, Facts]]:
    """What is known of the cases."""
    source = {"inside": "collector", "public": "hotline_12319"}
    return [
        (case, Facts(channel, source[channel], grid[:9], grid, "L1" if grid.startswith("510182001") else "L2"))
        for case, (grid, channel) in CASES.items()
    ]


def basis(**more: Any) -> Basis:
    """Two collectors with a street each, two unit grids of class 1 in each street."""
    staff = {"collector": ["L1", "L2"], "acceptor": ["S1"], "shift_leader": ["Z1"], "dispatcher": ["P1"]}
    streets = {"510182001": "一街", "510182002": "二街"}
    return Basis(
        staff=staff, names={}, units={"D01": Unit("一处", None, None), "D02": Unit("二处", None, None)},
        collectors={"510182001-1": "L1", "510182002-1": "L2"}, streets=streets,
        grids={street: {1: 2} for street in streets}, second_class=frozenset(), **more,
    )  # fmt: skip
