"""An office in one process for the stories: people by account, a clock that is moved by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.cases.actions import ActionBody, act
from appliance.cases.listing import CaseFilter, Page, find_case, history, list_cases
from appliance.cases.office import Office
from appliance.cases.report import NewCase, report
from appliance.cases.requests import ask, decide
from appliance.clock import ManualClock, micros
from appliance.people.accounts import actor_of
from appliance.people.actor import Actor
from tests.homes import SOUTH, STEP, WEST

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> int:
    """A county time such as `2026-10-09 09:00` in microseconds."""
    return micros(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def place(column: float = 0.5, row: float = 0.5) -> dict[str, float]:
    """A position in the furnished county, counted in grids from its south-west corner."""
    return {"lon": WEST + column * STEP, "lat": SOUTH + row * STEP}


class Desk:
    """The office under test."""

    def __init__(self, home: Path, start: str = "2026-10-09 09:00") -> None:
        self.clock = ManualClock(at(start))
        self.office = Office.open(home, clock=self.clock)

    def close(self) -> None:
        self.office.close()

    def who(self, account: str) -> Actor:
        with self.office.records.read() as connection:
            return actor_of(connection, account)

    def report(self, account: str = "s1", **fields: Any) -> str:
        """Report a case and return its number."""
        values = {"source": "hotline_12319", "kind": "part", "code": "01002", "description": "井盖破了,车都绕着走"}
        new = NewCase(**{**values, **place(), **fields})
        actor = self.who(account)
        case = self.office.records.write(lambda unit: report(unit, self.office, actor, new))
        return str(case["number"])

    def act(self, account: str, number: str, action: str, version: int | None = None, **body: Any) -> dict[str, Any]:
        """Take an action as somebody; the version is looked up unless given."""
        seen = self.case(number)["version"] if version is None else version
        actor = self.who(account)
        self.office.records.write(lambda unit: act(unit, self.office, actor, number, action, ActionBody(**body), seen))
        return self.case(number)

    def ask(self, account: str, number: str, kind: str, reason: str = "需要时间", until: int | None = None) -> int:
        """Ask for something and return the request's id."""
        actor = self.who(account)
        self.office.records.write(lambda unit: ask(unit, self.office, actor, number, kind, reason, until))
        return int(self.case(number)["requests"][-1]["id"])

    def decide(self, account: str, number: str, request: int, approve: bool) -> dict[str, Any]:
        """Decide on a request."""
        actor = self.who(account)
        self.office.records.write(lambda unit: decide(unit, self.office, actor, number, request, approve, None))
        return self.case(number)

    def case(self, number: str, account: str = "z1") -> dict[str, Any]:
        """The record as somebody sees it."""
        actor = self.who(account)
        with self.office.records.read() as connection:
            found: dict[str, Any] = msgspec.json.decode(find_case(connection, self.office, actor, number))
        return found

    def history(self, number: str) -> list[dict[str, Any]]:
        with self.office.records.read() as connection:
            return history(connection, self.office, self.who("z1"), number)

    def page(self, account: str = "z1", **wanted: Any) -> Page:
        actor = self.who(account)
        with self.office.records.read() as connection:
            return list_cases(connection, self.office, actor, CaseFilter(**wanted))

    def numbers(self, account: str = "z1", **wanted: Any) -> list[str]:
        """The numbers on a page."""
        return [msgspec.json.decode(item)["number"] for item in self.page(account, **wanted).items]

    def to_dispatched(self, **fields: Any) -> str:
        """A case that stands at department D01."""
        number = self.report("l1", source="collector", **fields)
        self.act("s1", number, "accept")
        self.act("z1", number, "file")
        self.act("p1", number, "dispatch", department="D01", condition=1)
        return number

    def to_closed(self, **fields: Any) -> str:
        """A case that went straight through the loop."""
        number = self.to_dispatched(**fields)
        self.act("d1", number, "finish", result="已更换")
        self.act("s1", number, "ask_check", collector="l1")
        self.act("l1", number, "check_pass")
        self.act("z1", number, "close")
        return number
