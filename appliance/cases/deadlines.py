"""Deadlines: from a start and a limit to a due time, and back from two times to the part of the limit used.

Each unit is a timeline on which only some time counts:

| unit | counts |
|---|---|
| 紧急工作时 | hours, day and night |
| 工作时 | hours inside office hours of working days |
| 工作日 | working days; a start out of hours counts from the next opening, then the time of day is kept |
| 自然日, 紧急工作日 | days, day and night (紧急工作日: taken as continuous days, standards/workflow.md) |

A timeline maps a moment to the amount counted so far (`position`) and back (`moment`); both are monotone and inverse to
each other, so a suspended case can go on with exactly what was left.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from appliance.cases.calendar import WorkingCalendar
from appliance.clock import DAY, HOUR, MINUTE, local, micros
from appliance.errors import FieldError, Invalid

URGENT_HOURS, WORKING_HOURS, WORKING_DAYS, CALENDAR_DAYS = "紧急工作时", "工作时", "工作日", "自然日"
URGENT_DAYS = "紧急工作日"
UNITS = (URGENT_HOURS, WORKING_HOURS, WORKING_DAYS, CALENDAR_DAYS, URGENT_DAYS)


@dataclass(frozen=True, slots=True)
class Due:
    """A due time in microseconds; provisional when it leans on a year whose calendar is not known yet."""

    at: int
    provisional: bool


class Timeline(Protocol):
    """Counts time in one unit."""

    def start(self, moment: int) -> int: ...

    def position(self, moment: int) -> float: ...

    def moment(self, position: float) -> int: ...


class Continuous:
    """Hours or days that run on day and night."""

    def __init__(self, length: int) -> None:
        self._length = length

    def start(self, moment: int) -> int:
        return moment

    def position(self, moment: int) -> float:
        return moment / self._length

    def moment(self, position: float) -> int:
        return round(position * self._length)


class OfficeHours:
    """Opening hours of working days, in local time."""

    def __init__(self, calendar: WorkingCalendar, hours: list[tuple[str, str]], zone: ZoneInfo) -> None:
        self.calendar = calendar
        self.zone = zone
        self.windows = [(_micros_of_day(opening), _micros_of_day(closing)) for opening, closing in hours]
        self._before = [0]
        for opening, closing in self.windows:
            self._before.append(self._before[-1] + closing - opening)
        self.day_length = self._before[-1]

    def split(self, moment: int) -> tuple[date, int]:
        """Local date and microseconds since its midnight."""
        there = local(moment, self.zone)
        midnight = datetime.combine(there.date(), time(), self.zone)
        return there.date(), moment - micros(midnight)

    def join(self, day: date, of_day: int) -> int:
        """The moment at so many microseconds after a local midnight."""
        return micros(datetime.combine(day, time(), self.zone)) + of_day

    def opening(self, moment: int) -> int:
        """This moment if the office is open then, else the next opening."""
        day, of_day = self.split(moment)
        if self.calendar.is_workday(day):
            for opening, closing in self.windows:
                if of_day < opening:
                    return self.join(day, opening)
                if of_day < closing:
                    return moment
        day = self.calendar.next_workday(day + timedelta(days=1))
        return self.join(day, self.windows[0][0])

    def worked(self, of_day: int) -> int:
        """Microseconds worked on a working day up to a time of day."""
        return sum(min(max(of_day - opening, 0), closing - opening) for opening, closing in self.windows)

    def of_worked(self, worked: int) -> int:
        """The time of day at which so much of a working day was worked."""
        index = min(bisect_right(self._before, worked - 1) - 1, len(self.windows) - 1) if worked else 0
        return self.windows[index][0] + worked - self._before[index]


class WorkingHours:
    """Hours inside office hours."""

    def __init__(self, office: OfficeHours) -> None:
        self._office = office

    def start(self, moment: int) -> int:
        return self._office.opening(moment)

    def position(self, moment: int) -> float:
        day, of_day = self._office.split(moment)
        worked = self._office.worked(of_day) if self._office.calendar.is_workday(day) else 0
        return (self._office.calendar.workdays_before(day) * self._office.day_length + worked) / HOUR

    def moment(self, position: float) -> int:
        length = self._office.day_length
        days, worked = divmod(round(position * HOUR), length)
        if worked == 0:  # the end of a day, not the beginning of the next
            days, worked = days - 1, length
        return self._office.join(self._office.calendar.nth_workday(days), self._office.of_worked(worked))


class WorkingDays:
    """Working days; inside a working day the time of day counts as its part."""

    def __init__(self, office: OfficeHours) -> None:
        self._office = office

    def start(self, moment: int) -> int:
        return self._office.opening(moment)

    def position(self, moment: int) -> float:
        day, of_day = self._office.split(moment)
        part = of_day / DAY if self._office.calendar.is_workday(day) else 0.0
        return self._office.calendar.workdays_before(day) + part

    def moment(self, position: float) -> int:
        days, of_day = divmod(round(position * DAY), DAY)
        return self._office.join(self._office.calendar.nth_workday(days), of_day)


class Deadlines:
    """Due times over a county's calendar and office hours."""

    def __init__(self, calendar: WorkingCalendar, hours: list[tuple[str, str]], zone: ZoneInfo) -> None:
        self._office = OfficeHours(calendar, hours, zone)
        self._calendar = calendar
        self._zone = zone
        self._timelines: dict[str, Timeline] = {
            URGENT_HOURS: Continuous(HOUR),
            WORKING_HOURS: WorkingHours(self._office),
            WORKING_DAYS: WorkingDays(self._office),
            CALENDAR_DAYS: Continuous(DAY),
            URGENT_DAYS: Continuous(DAY),
        }

    def due(self, start: int, value: float, unit: str) -> Due:
        """The moment at which `value` units after `start` are used up.

        Raises:
            Invalid: an unknown unit, or a limit that is not positive.
        """
        if value <= 0:
            raise Invalid(f"限时必须大于 0,得到 {value}。", f"A limit must be above 0, got {value}.")
        timeline = self._timeline(unit)
        begin = timeline.start(start)
        at = timeline.moment(timeline.position(begin) + value)
        return Due(at, self._provisional(at, unit))

    def minutes(self, start: int, minutes: float) -> Due:
        """A stage limit: minutes that run on day and night."""
        return Due(start + round(minutes * MINUTE), False)

    def remaining(self, now: int, due_at: int, unit: str) -> float:
        """How much of the limit is left at `now`, in its unit; negative when overdue."""
        timeline = self._timeline(unit)
        return timeline.position(due_at) - timeline.position(timeline.start(now) if now < due_at else now)

    def used(self, start: int, end: int, unit: str) -> float:
        """How much of the unit counts between two moments."""
        timeline = self._timeline(unit)
        return timeline.position(end) - timeline.position(start)

    def after(self, start: int, amount: float, unit: str) -> Due:
        """Go on from `start` with an amount that may be nothing or already overdue."""
        if amount <= 0:
            timeline = self._timeline(unit)
            at = timeline.moment(timeline.position(start) + amount) if amount < 0 else start
            return Due(at, self._provisional(at, unit))
        return self.due(start, amount, unit)

    def _timeline(self, unit: str) -> Timeline:
        try:
            return self._timelines[unit]
        except KeyError:
            raise Invalid(
                f"未知的限时单位 {unit};可用: {' '.join(UNITS)}。",
                f"Unknown limit unit {unit}; known: {' '.join(UNITS)}.",
                fields=(FieldError("limit_unit", f"未知单位 {unit}", f"unknown unit {unit}", UNITS),),
            ) from None

    def _provisional(self, at: int, unit: str) -> bool:
        return unit in (WORKING_HOURS, WORKING_DAYS) and not self._calendar.is_known(local(at, self._zone).date())


def light(now: int, started: int | None, due_at: int | None, yellow_at: float) -> str | None:
    """`green` up to 80 % (or `yellow_at`) of the running limit, `yellow` up to its end, then `red`; None without clock.

    The share is of the time between start and due time; exactly at the due time is still on time.
    """
    if due_at is None:
        return None
    if now > due_at:
        return "red"
    begin = started if started is not None else now
    if due_at <= begin or now - begin <= (due_at - begin) * yellow_at:
        return "green"
    return "yellow"


def _micros_of_day(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE
