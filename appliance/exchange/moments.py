"""Points in time as they come from another system."""

from __future__ import annotations

from datetime import datetime

from appliance.errors import Invalid
from appliance.moments import FIRST_YEAR, LAST_YEAR, micros_within


def micros_of(written: str | None) -> int | None:
    """Microseconds of an RFC 3339 time; the inverse of `appliance.clock.rfc3339`.

    Raises:
        Invalid: no such time, one without a zone, or one of a year in which nothing of ours can happen.
    """
    if written is None:
        return None
    try:
        return micros_within(datetime.fromisoformat(written))
    except (ValueError, TypeError):
        raise Invalid(
            f"“{written}”不是 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间带时区的时间。",
            f"'{written}' is no time with a zone between the years {FIRST_YEAR} and {LAST_YEAR}.",
        ) from None
