"""Times in files: RFC 3339 with a zone, or local times in the forms that exports use, read in a given zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance.moments import WrongMoment, micros_within
from appliance.places.importing import Problems

FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%m/%d/%Y %I:%M:%S %p",
         "%m/%d/%Y %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H时%M分", "%Y-%m-%d", "%Y/%m/%d")  # fmt: skip


def parse_time(value: Any, zone: ZoneInfo, name: str, problems: Problems) -> int | None:
    """Microseconds of a cell, None for an empty one; a wrong one is noted in `problems`."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return _within(value, zone, name, problems)
    written = str(value).strip()
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = _by_forms(written)  # type: ignore[assignment]  # None is handled below
    if found is None:
        problems.add(
            name, f"“{written}”不是时间，写作 2026-10-08 09:30", f"'{written}' is no time, write 2026-10-08 09:30"
        )
        return None
    return _within(found, zone, name, problems)


def _within(found: datetime, zone: ZoneInfo, name: str, problems: Problems) -> int | None:
    try:
        return micros_within(found if found.tzinfo else found.replace(tzinfo=zone))
    except WrongMoment as wrong:
        problems.add(name, f"“{found}”{wrong.zh}", f"'{found}' is not {wrong.en}")
        return None


def _by_forms(written: str) -> datetime | None:
    for form in FORMS:
        try:
            return datetime.strptime(written, form)
        except ValueError:
            continue
    return None
