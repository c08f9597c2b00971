"""Periods of scoring: a day, week, month, quarter, year or any span, in the county's time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.clock import DAY, HOUR, local, micros
from appliance.errors import FieldError, Invalid

EXAMPLES = "2026-10-08, 2026-W41, 2026-10, 2026-Q4, 2026, 2026-10-01..2026-10-15"
YEARS = (2000, 2101)
KINDS = ("day", "week", "month", "quarter", "year", "span")

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in microseconds; `as_of`, the earlier of `end` and now, is where looking ends."""

    name: str
    kind: str
    start: int
    end: int
    as_of: int

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen in it."""
        return self.as_of == self.end


def period_of(written: str, zone: ZoneInfo, now: int) -> Period:
    """The period of a name such as `2026-10`; its own name is the shortest for it, however it was written.

    Raises:
        Invalid: no period, or one that has not begun.
    """
    try:
        kind, first, after = _days(written.strip())
        if not (YEARS[0] <= first.year and after.year <= YEARS[1]):
            raise ValueError(written)
        start, end = (micros(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in (first, after))
    except (ValueError, OverflowError):
        raise _invalid(
            f"“{written[:40]}”不是时段;例如 {EXAMPLES}", f"'{written[:40]}' is no period; write for example {EXAMPLES}"
        ) from None
    if start > now:
        raise _invalid(f"{written} 还没有开始", f"{written} has not begun yet")
    days = (after - first).days
    return Period(name_of(kind, after - timedelta(days=1), days), kind, start, end, min(end, now))


def month_of(written: str, zone: ZoneInfo, now: int) -> Period:
    """The month `2026-10`.

    Raises:
        Invalid: no month, or one that has not begun.
    """
    if not _MONTH.fullmatch(written):
        raise _invalid(f"“{written[:20]}”不是月份;例如 2026-10", f"'{written[:20]}' is no month; write 2026-10")
    return period_of(written, zone, now)


def neighbours(period: Period, zone: ZoneInfo, now: int) -> tuple[str, str | None]:
    """The names of the periods of the same kind just before and just after; None where that has not begun."""
    days = (period.end - period.start + HOUR) // DAY
    first = local(period.start, zone).date()
    last_of_next = first + timedelta(days=2 * days - 1) if period.kind == "span" else local(period.end, zone).date()
    return (
        name_of(period.kind, first - timedelta(days=1), days),
        name_of(period.kind, last_of_next, days) if period.end <= now else None,
    )


def name_of(kind: str, day: date, days: int = 1) -> str:
    """The name of the period of a kind in which a day lies; a span ends with the day and is so many days long."""
    match kind:
        case "day":
            return day.isoformat()
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case "year":
            return str(day.year)
        case _:
            return f"{(day - timedelta(days=days - 1)).isoformat()}..{day.isoformat()}"


def _days(written: str) -> tuple[str, date, date]:
    """Kind, first day, and the day after the last."""
    if ".." in written:
        first, _, last = (part.strip() for part in written.partition(".."))
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
        if end < begin:
            raise ValueError(written)
        return "span", begin, end + timedelta(days=1)
    if found := _WEEK.fullmatch(written):
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return "week", monday, monday + timedelta(days=7)
    if found := _QUARTER.fullmatch(written):
        month = int(found[2]) * 3 - 2
        return "quarter", date(int(found[1]), month, 1), _months_on(int(found[1]), month, 3)
    if found := _MONTH.fullmatch(written):
        return "month", date(int(found[1]), int(found[2]), 1), _months_on(int(found[1]), int(found[2]), 1)
    if _YEAR.fullmatch(written):
        return "year", date(int(written), 1, 1), date(int(written) + 1, 1, 1)
    day = date.fromisoformat(written)
    return "day", day, day + timedelta(days=1)


def _months_on(year: int, month: int, months: int) -> date:
    month += months
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _invalid(zh: str, en: str) -> Invalid:
    return Invalid(f"{zh}。", f"{en}.", fields=(FieldError("period", zh, en),))
