"""Times that come from outside: with a zone, and in years in which something of ours can happen.

A time of the year 1 can be counted in microseconds and not be told again, so it is refused where it comes in.
"""

from __future__ import annotations

from datetime import datetime

from appliance.clock import micros
from appliance.errors import FieldError, Invalid

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""From the beginning of the first to before the beginning of the last."""


class WrongMoment(ValueError):
    """A time that is not taken; says why in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def micros_within(at: datetime) -> int:
    """Microseconds of a time.

    Raises:
        WrongMoment: it has no zone, or lies outside the years.
    """
    if at.tzinfo is None:
        raise WrongMoment(
            "须带时区,如 2026-10-08T09:00:00+08:00", "a time with its zone, as in 2026-10-08T09:00:00+08:00"
        )
    if not FIRST_YEAR <= at.year < LAST_YEAR:
        raise WrongMoment(
            f"须在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间", f"a time between the years {FIRST_YEAR} and {LAST_YEAR}"
        )
    return micros(at)


def micros_of_field(name: str, at: datetime) -> int:
    """Microseconds of a time in a body.

    Raises:
        Invalid: as above, by the name of the field.
    """
    try:
        return micros_within(at)
    except WrongMoment as wrong:
        raise Invalid(
            f"{name}: {wrong.zh};得到 {at.isoformat()}。", f"{name}: {wrong.en}; got {at.isoformat()}.",
            fields=(FieldError(name, wrong.zh, wrong.en),),
        ) from None  # fmt: skip
