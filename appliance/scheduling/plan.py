"""When a job is to run, written shortly: `every 15m`, `daily 03:10`, `weekly mon 04:00`, `monthly 2 05:00`, `off`.

Times are the county's. A plan knows its last moment before now and its next one after; nothing else is kept, so a box
that was switched off finds by itself what it missed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.clock import MINUTE, local, micros

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORMS = "every 15m, every 6h, daily 03:10, weekly mon 04:00, monthly 2 05:00, off"
DAY_MINUTES = 24 * 60
LAST_DAY_OF_EVERY_MONTH = 28
DAYS_LOOKED_THROUGH = 32

_EVERY = re.compile(r"every ([1-9]\d{0,3})([mh])")
_AT = re.compile(
    rf"(?:daily|weekly (?P<weekday>{'|'.join(WEEKDAYS)})|monthly (?P<day>\d\d?)) "
    r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)"
)


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A plan that runs at least once a month.

    Attributes:
        written: as it was written.
        step: minutes between two runs of a day, of which the first is at midnight; a day's length where it runs once.
        at: the time of day of the first run. weekday: 0 is Monday. day: of the month.
    """

    written: str
    step: int = DAY_MINUTES
    at: time = time()
    weekday: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, written: str) -> JobPlan | None:
        """The plan; None where it says `off`.

        Raises:
            ValueError: it is none; the sentence says what one looks like.
        """
        words = " ".join(written.split()).lower()
        if words == "off":
            return None
        if found := _EVERY.fullmatch(words):
            step = int(found[1]) * (60 if found[2] == "h" else 1)
            if DAY_MINUTES % step == 0:
                return cls(words, step)
        if found := _AT.fullmatch(words):
            at, weekday = time(int(found["hour"]), int(found["minute"])), found["weekday"]
            day = int(found["day"]) if found["day"] else None
            if day is None or 1 <= day <= LAST_DAY_OF_EVERY_MONTH:
                return cls(words, DAY_MINUTES, at, WEEKDAYS.index(weekday) if weekday else None, day)
        raise ValueError(f"{written!r} is no plan; write one of: {FORMS}; a step divides the day, a day is 1 to 28")

    def before(self, now: int, zone: ZoneInfo) -> int:
        """The last planned moment that is not after now; both in microseconds."""
        today = local(now, zone).date()
        days = (today - timedelta(days=back) for back in range(DAYS_LOOKED_THROUGH))
        return max(moment for moment in self._first_day_with(days, zone, lambda moment: moment <= now))

    def after(self, now: int, zone: ZoneInfo) -> int:
        """The next planned moment after now; both in microseconds."""
        today = local(now, zone).date()
        days = (today + timedelta(days=on) for on in range(DAYS_LOOKED_THROUGH))
        return min(moment for moment in self._first_day_with(days, zone, lambda moment: moment > now))

    def _first_day_with(self, days: Iterator[date], zone: ZoneInfo, fits: Callable[[int], bool]) -> list[int]:
        for day in days:
            if found := [moment for moment in self._moments(day, zone) if fits(moment)]:
                return found
        raise AssertionError("a plan runs at least once a month")

    def _moments(self, day: date, zone: ZoneInfo) -> list[int]:
        """The planned moments of a day of the county."""
        if self.weekday not in (None, day.weekday()) or self.day not in (None, day.day):
            return []
        first = micros(datetime.combine(day, self.at, zone))
        return [first + step * MINUTE for step in range(0, DAY_MINUTES, self.step)]
