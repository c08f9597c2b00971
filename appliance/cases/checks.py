"""What the cases let the doctor check: the history's chain (its end), the calendar of next year."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

from appliance.cases.calendar import shipped_calendar
from appliance.cases.office import county_calendar
from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.records.store import glance

NOVEMBER = 11


def check_calendar(home: Path) -> Iterator[Finding]:
    """The working-day table of this year, and late in the year of the next one too."""
    calendar = shipped_calendar()
    with suppress(BadHome), glance(home) as connection:
        calendar = county_calendar(connection)
    today = date.today()
    years = [today.year] + ([today.year + 1] if today.month >= NOVEMBER else [])
    missing = [str(year) for year in years if year not in calendar.known_years]
    if missing:
        zh = f"缺少 {'、'.join(missing)} 年放假安排;公布后请 wanmi import calendar 文件，到期时间会自动重算"
        yield Finding("calendar.years", "warning", zh, f"no official days off of {', '.join(missing)} yet")
    else:
        yield Finding("calendar.years", "passed", "放假安排齐全", "the days off are known")
