"""Points in time as they come from another system."""

from __future__ import annotations

from datetime import datetime

from appliance.clock import micros
from appliance.errors import Invalid


def micros_of(written: str | None) -> int | None:
    """Microseconds of an RFC 3339 time; the inverse of `appliance.clock.rfc3339`.

    Raises:
        Invalid: no such time, or one without a zone.
    """
    if written is None:
        return None
    try:
        return micros(datetime.fromisoformat(written))
    except (ValueError, TypeError):
        raise Invalid(f"“{written}”不是带时区的时间。", f"'{written}' is no time with a zone.") from None
