"""The turns of the day (早 中 晚): when each begins and ends in the county's zone, and which one runs at a moment.

A turn belongs to the day on which it begins; one that ends at or before its beginning ends on the next day. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.clock import local, micros
from appliance.errors import FieldError, UnknownCode
from appliance.nearest import nearest
from appliance.settings import Turn

MIDNIGHT = "24:00"


@dataclass(frozen=True, slots=True)
class Span:
    """One turn on one day: from `starts_at` until before `ends_at`, in microseconds."""

    turn: Turn
    day: str
    starts_at: int
    ends_at: int


def span(turn: Turn, day: date, zone: ZoneInfo) -> Span:
    """The turn that begins on a day."""
    starts = _moment(day, turn.begins, zone)
    last = day + timedelta(days=1) if turn.ends <= turn.begins else day
    return Span(turn, day.isoformat(), starts, _moment(last, turn.ends, zone))


def running(turns: list[Turn], now: int, zone: ZoneInfo) -> list[Span]:
    """The turns that run at a moment, the one that began last first."""
    today = local(now, zone).date()
    spans = [span(turn, day, zone) for turn in turns for day in (today, today - timedelta(days=1))]
    found = [item for item in spans if item.starts_at <= now < item.ends_at]
    return sorted(found, key=lambda item: -item.starts_at)


def nearest_span(turn: Turn, now: int, zone: ZoneInfo) -> Span:
    """The running turn of this kind, else the one whose beginning is nearest: who comes early is not of yesterday."""
    today = local(now, zone).date()
    spans = [span(turn, today + timedelta(days=days), zone) for days in (-1, 0, 1)]
    inside = [item for item in spans if item.starts_at <= now < item.ends_at]
    return inside[0] if inside else min(spans, key=lambda item: abs(item.starts_at - now))


def find_turn(turns: list[Turn], key: str) -> Turn:
    """The turn of a key or name.

    Raises:
        UnknownCode: the county has no such turn; all are named.
    """
    for turn in turns:
        if key in (turn.key, turn.name, turn.english):
            return turn
    known = tuple(f"{turn.key} {turn.name}" for turn in turns)
    near = tuple(nearest(key, known)) or known
    raise UnknownCode(
        f"没有班次“{key}”;可用: {'、'.join(known)}。",
        f"There is no shift '{key}'; known: {', '.join(known)}.",
        fields=(FieldError("shift", f"没有班次 {key}", f"no shift {key}", near),),
    )


def days_from(first: date, count: int) -> Iterator[str]:
    """So many days in order, as ISO texts."""
    return ((first + timedelta(days=step)).isoformat() for step in range(count))


def _moment(day: date, time: str, zone: ZoneInfo) -> int:
    if time == MIDNIGHT:
        day, time = day + timedelta(days=1), "00:00"
    return micros(datetime.fromisoformat(f"{day.isoformat()}T{time}").replace(tzinfo=zone))
