"""The working-day calendar: which days are worked, and up to which year that is known.

A year is known when at least one of its days stands in the calendar (public calendars end at 31 December of the
current year). Past the known years a day is judged by its weekday, and what is computed from it is provisional.
Make-up weekends (调休) are why working days must never be derived from weekdays where the year is known.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).parent / "calendars" / "cn.csv"


@dataclass(frozen=True, slots=True)
class Day:
    """A day that differs from its weekday."""

    day: date
    is_workday: bool
    name: str = ""


class WorkingCalendar:
    """Working days of a county.

    Args:
        days: the days that differ from their weekday; each makes its year a known one.
        known_years: years known besides, although no day of theirs differs.
    """

    def __init__(self, days: Iterable[Day], known_years: Iterable[int] = ()) -> None:
        self._days = {item.day: item for item in days}
        self.known_years = frozenset({day.year for day in self._days} | set(known_years))
        self._ordered = sorted(self._days)
        self._sums = [0]
        for day in self._ordered:
            by_weekday = day.weekday() < 5
            self._sums.append(self._sums[-1] + self._days[day].is_workday - by_weekday)

    def with_days(self, days: Iterable[Day]) -> WorkingCalendar:
        """This calendar with a county's own days on top; where a year is given anew, its old days are dropped."""
        own = list(days)
        years = {item.day.year for item in own}
        return WorkingCalendar([item for item in self._days.values() if item.day.year not in years] + own)

    def is_workday(self, day: date) -> bool:
        """Whether the office works on this day."""
        special = self._days.get(day)
        return special.is_workday if special is not None else day.weekday() < 5

    def is_known(self, day: date) -> bool:
        """Whether the official table of this day's year is loaded."""
        return day.year in self.known_years

    def workdays_before(self, day: date) -> int:
        """How many working days lie between 1970-01-01 and this day, the day itself not counted."""
        return self._weekdays_before(day) + self._corrections_before(day)

    def nth_workday(self, count: int) -> date:
        """The day `d` that is a working day with `workdays_before(d) == count`; the inverse of it."""
        day = date(1970, 1, 1) + timedelta(days=count * 7 // 5)
        while (before := self.workdays_before(day)) != count or not self.is_workday(day):
            if before > count:
                day -= timedelta(days=max(1, before - count))
            elif before < count:
                day += timedelta(days=count - before)
            else:
                day += timedelta(days=1)
        return day

    def next_workday(self, day: date) -> date:
        """This day if it is worked, else the first worked one after it."""
        while not self.is_workday(day):
            day += timedelta(days=1)
        return day

    @staticmethod
    def _weekdays_before(day: date) -> int:
        days = (day - date(1970, 1, 1)).days  # 1970-01-01 was a Thursday
        weeks, rest = divmod(days + 3, 7)
        return weeks * 5 + min(rest, 5) - 3

    def _corrections_before(self, day: date) -> int:
        return self._sums[bisect_left(self._ordered, day)]


@cache
def shipped_calendar() -> WorkingCalendar:
    """The official days off and make-up days of China, 2024 to 2026."""
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        return WorkingCalendar(
            Day(date.fromisoformat(row["day"]), row["is_workday"] == "yes", row["name"]) for row in csv.DictReader(file)
        )
