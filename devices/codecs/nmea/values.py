"""Single fields of a sentence: empty is None, impossible is refused. Nothing is guessed.

Text that Python would take for a number and a receiver never sends (`nan`, `1_0`, `1e5`) is impossible too. What comes
again and again (the time in every sentence of an epoch, numbers of satellites) is read once.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

DAY = 86_400_000_000
PLAIN = "0123456789."
LONGEST = 20
"""No field with a number has more characters."""
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d*))?").fullmatch
KNOT = 1852 / 3600
"""Metres a second."""


class Impossible(ValueError):
    """A field holds what cannot be: minutes of 75, a 31st of February, letters where a number stands."""


@lru_cache(maxsize=1024)
def number(text: str) -> float | None:
    """A plain decimal number."""
    if not text:
        return None
    if len(text) > LONGEST or text.strip(PLAIN) not in ("", "-"):
        raise Impossible(text)
    try:
        return float(text)
    except ValueError:
        raise Impossible(text) from None


@lru_cache(maxsize=1024)
def whole(text: str) -> int | None:
    """A number without sign or fraction."""
    if not text:
        return None
    if not text.isdigit() or len(text) > 9:
        raise Impossible(text)
    return int(text)


def between(low: float, value: float | None, high: float) -> float | None:
    """The value, if it is within bounds."""
    if value is not None and not low <= value <= high:
        raise Impossible(str(value))
    return value


@lru_cache(maxsize=16)
def angle(text: str, side: str, sides: str, at_most: float) -> float | None:
    """Degrees of `ddmm.mmmm` with its side of the world; None when either is empty.

    Args:
        sides: the letters of the positive and the negative side, "NS" or "EW".
        at_most: 90 or 180.
    """
    if not text or not side:
        return None
    told = number(text)
    if told is None or told < 0 or side not in sides or len(side) != 1:
        raise Impossible(f"{text},{side}")
    degrees, minutes = divmod(told, 100)
    value = degrees + minutes / 60
    if minutes >= 60 or value > at_most:
        raise Impossible(text)
    return value if side == sides[0] else -value


def position(fields: tuple[str, ...], at: int) -> tuple[float, float] | None:
    """Latitude and longitude of four fields, None when any of them is empty."""
    latitude = angle(fields[at], fields[at + 1], "NS", 90)
    longitude = angle(fields[at + 2], fields[at + 3], "EW", 180)
    return None if latitude is None or longitude is None else (latitude, longitude)


@lru_cache(maxsize=16)
def time_of_day(text: str) -> int | None:
    """Microseconds since midnight of `hhmmss.sss`; a leap second (second 60) is one."""
    if not text:
        return None
    found = _TIME(text)
    if found is None or len(text) > 16:
        raise Impossible(text)
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
    if hours > 23 or minutes > 59 or seconds > 60:
        raise Impossible(text)
    fraction = int((found[4] or "0").ljust(6, "0")[:6])
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction


@lru_cache(maxsize=16)
def day(day_text: str, month_text: str, year_text: str) -> date | None:
    """A date of the calendar; a year of two digits is of this century from 00 to 79, of the last one from 80 on."""
    if not (day_text and month_text and year_text):
        return None
    parts = [whole(part) or 0 for part in (year_text, month_text, day_text)]
    if len(year_text) == 2:
        parts[0] += 2000 if parts[0] < 80 else 1900
    try:
        return date(*parts)
    except ValueError:
        raise Impossible(f"{day_text}.{month_text}.{year_text}") from None
