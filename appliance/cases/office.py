"""The opened office of one county: its records, code book, calendar and responsibility table, kept fresh.

The reference data is cached and read anew when an administrative act was appended, by this process or another.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.campaigns.plans import running_plans
from appliance.cases.calendar import Day, WorkingCalendar, shipped_calendar
from appliance.cases.deadlines import Deadlines
from appliance.cases.duties import DutyTable, read_duties
from appliance.cases.tallies import Tallies
from appliance.cases.workflow import Workflow, workflow
from appliance.clock import Clock
from appliance.codes.book import CodeBook
from appliance.codes.values import CodeClass, Limit
from appliance.places.density import Lattice
from appliance.records.acts import last_act
from appliance.records.store import Records
from appliance.settings import Settings

if TYPE_CHECKING:
    from appliance.cases.open_cases import OpenCase
    from appliance.cases.wall import WallFigures

FRESH_SECONDS = 1.0


class Office:
    """What the engine needs at hand for every case.

    Attributes:
        book: the code book with the county's pack and limits.
        calendar, deadlines: the working-day calendar and the due times over it.
        duties: who answers for what.
        departments: name by code of the departments that are not ended.
        recompute_after: the key after which provisional due times are to be computed anew; None when none are.
        has_layers: whether a thematic layer may give a new case its flag.
        plans: the weather plans that run, which give new cases of their classes a flag.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.settings: Settings = records.settings
        self.workflow: Workflow = workflow()
        self.base_book = CodeBook.national()
        if self.settings.pack:
            self.base_book = self.base_book.with_county_pack(records.home / self.settings.pack)
        self._checked = 0.0
        self._act = -1
        self.recompute_after: int | None = 0
        self.last_summary: tuple[int, int, dict[str, Any]] | None = None
        self.commonest: tuple[tuple[int, int], list[tuple[str, str]]] | None = None
        self.last_open: tuple[int, int, list[OpenCase]] | None = None
        self.last_wall: tuple[int, int, WallFigures] | None = None
        self.tallies = Tallies()
        self.lattice = Lattice()
        self.calendar = shipped_calendar()
        with records.read() as connection:
            self.refresh(connection, at_once=True)

    @classmethod
    def open(cls, home: Path, *, clock: Clock | None = None, settings: Settings | None = None) -> Office:
        """Open the office of a home.

        Raises:
            BadHome: no node there.
            Invalid: the county's code pack is wrong.
        """
        return cls(Records.open(home, clock=clock, settings=settings))

    def close(self) -> None:
        """Close the records."""
        self.records.close()

    def refresh(self, connection: Connection, *, at_once: bool = False) -> None:
        """Read the reference data anew if an act was appended since; looks at most once a second."""
        now = monotonic()
        if not at_once and now - self._checked < FRESH_SECONDS:
            return
        self._checked = now
        act = last_act(connection)
        if act == self._act:
            return
        self._act = act
        known = self.calendar.known_years
        self.calendar = county_calendar(connection)
        if self.calendar.known_years != known:
            self.recompute_after = 0
        self.deadlines = Deadlines(self.calendar, self.settings.desk.office_hours, self.settings.zone)
        limits = county_limits(connection)
        self.book = self.base_book.with_limits(limits) if limits else self.base_book
        self.duties: DutyTable = read_duties(connection)
        rows = connection.execute(text("SELECT code, name, parent FROM department WHERE ended_at IS NULL")).all()
        self.has_layers = connection.execute(text("SELECT EXISTS (SELECT 1 FROM layer)")).scalar_one() == 1
        self.plans = running_plans(connection)
        self.departments: dict[str, str] = {row.code: row.name for row in rows}
        self.department_parents: dict[str, str | None] = {row.code: row.parent for row in rows}

    def code_class(self, kind: str, code: str) -> CodeClass:
        """The class of a code in the county's edition.

        Raises:
            UnknownCode: with the nearest ones.
        """
        return self.book.find(self.settings.edition, kind, code)

    def limits(self, edition: str, kind: str, code: str) -> tuple[Limit, ...]:
        """The limits of a class."""
        return self.book.limits(edition, kind, code)


def county_calendar(connection: Connection) -> WorkingCalendar:
    """The shipped calendar with the county's own days on top."""
    rows = connection.execute(text("SELECT day, is_workday, name FROM calendar_day")).all()
    if not rows:
        return shipped_calendar()
    return shipped_calendar().with_days(
        Day(date.fromisoformat(row.day), bool(row.is_workday), row.name) for row in rows
    )


def county_limits(connection: Connection) -> list[Limit]:
    rows = connection.execute(
        text(
            "SELECT kind, code, name, condition_to_open, condition_to_close, limit_value, limit_unit, urgency, "
            "provenance FROM case_limit ORDER BY id"
        )
    )
    return [Limit(*row) for row in rows]
