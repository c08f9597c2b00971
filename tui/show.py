"""How values of a record look on the screen: times, lights, numbers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appliance.cases.workflow import workflow
from appliance.i18n.labels import Labels

ZONE = ZoneInfo("Asia/Shanghai")
LIGHT_STYLE = {"red": "bold red", "yellow": "yellow", "green": "green"}
LIGHT_SIGN = {"red": "X", "yellow": "+", "green": "o"}
"""On maps, where a sign has one cell; colour is never alone."""


def moment(value: str | None) -> datetime | None:
    """The aware time of an RFC 3339 text."""
    return None if not value else datetime.fromisoformat(value)


def clock_text(value: str | None, *, day: bool = True) -> str:
    """`11-22 16:30` in the county's time zone; empty for none."""
    found = moment(value)
    return "" if found is None else found.astimezone(ZONE).strftime("%m-%d %H:%M" if day else "%H:%M")


def short_number(number: str) -> str:
    """The end of a case number: the whole day and serial of ours (1122-00007), the last 12 signs of others."""
    if len(number) == 19 and number.isdigit():
        return f"{number[10:14]}-{number[14:]}"
    return number if len(number) <= 12 else number[-12:]


def state_text(state: str, labels: Labels) -> str:
    """The name of a state."""
    found = workflow().states.get(state)
    return labels.pick(found.chinese, found.english) if found else state


def action_text(action: str, labels: Labels) -> str:
    """The name of an action of the workflow, or of a row beside it (request, decide)."""
    found = workflow().actions.get(action)
    return labels.pick(found.chinese, found.english) if found else labels(f"history.{action}")


def role_text(role: str, labels: Labels) -> str:
    """The name of a role."""
    return labels(f"role.{role}") if f"role.{role}" in labels else role


def light_text(light: str | None, labels: Labels) -> str:
    """One sign for a light, with two cells in Chinese: 红 黄 绿, R Y G."""
    return labels(f"light.{light}") if light else "  " if labels.language == "zh" else " "


def remaining(due_at: str | None, labels: Labels, now: datetime | None = None) -> str:
    """Time until the due time, negative after it, in its two largest units: `2天3时`, `-5h20m`."""
    due = moment(due_at)
    if due is None:
        return "--"
    left = due - (now or datetime.now(UTC))
    sign, left = ("-", -left) if left < timedelta() else ("", left)
    minutes = int(left.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return labels("time.days_hours", sign=sign, days=days, hours=hours)
    if hours:
        return labels("time.hours_minutes", sign=sign, hours=hours, minutes=minutes)
    return labels("time.minutes", sign=sign, minutes=minutes)


def limit_text(limit: dict[str, Any] | None) -> str:
    """`4 工作时`; -- for none."""
    return f"{limit['value']:g} {limit['unit']}" if limit and limit.get("value") is not None else "--"


def parse_moment(text: str, now: datetime | None = None) -> str:
    """An RFC 3339 time of what somebody typed: `+3` (days), `+4h`, `12-31`, `2026-12-31`, `2026-12-31 16:30`.

    Raises:
        ValueError: none of these.
    """
    plain = text.strip()
    present = (now or datetime.now(UTC)).astimezone(ZONE)
    if plain.startswith("+"):
        number, unit = (plain[1:-1], plain[-1]) if plain[-1] in "hd" else (plain[1:], "d")
        step = timedelta(hours=float(number)) if unit == "h" else timedelta(days=float(number))
        return (present + step).replace(microsecond=0).isoformat()
    date, _, time = plain.replace("/", "-").partition(" ")
    if date.count("-") == 1:
        date = f"{present.year}-{date}"
    year, month, day = (int(part) for part in date.split("-"))
    hour, minute = (int(part) for part in (time or "18:00").split(":")[:2])
    return datetime(year, month, day, hour, minute, tzinfo=ZONE).isoformat()
