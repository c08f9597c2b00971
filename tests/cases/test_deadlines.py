"""Deadlines over real calendars: the examples of the office, and what must always hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.cases.calendar import Day, shipped_calendar
from appliance.cases.deadlines import UNITS, Deadlines, light
from appliance.clock import HOUR, MINUTE, local, micros
from appliance.errors import Invalid

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = [("08:00", "12:00"), ("14:00", "18:00")]
DEADLINES = Deadlines(shipped_calendar(), HOURS, ZONE)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1)).map(lambda naive: micros(naive.replace(tzinfo=ZONE)))
AMOUNTS = st.floats(0.1, 60).map(lambda value: round(value, 2))


def at(written: str) -> int:
    return micros(datetime.fromisoformat(written).replace(tzinfo=ZONE))


@pytest.mark.parametrize(
    ("start", "value", "unit", "due"),
    [
        ("2026-10-09 10:00", 4, "工作时", "2026-10-09 16:00"),
        ("2026-10-09 14:00", 4, "工作时", "2026-10-09 18:00"),
        ("2026-10-09 17:00", 4, "工作时", "2026-10-10 11:00"),  # Saturday 10 October is a make-up working day
        ("2026-09-30 17:00", 2, "工作时", "2026-10-08 09:00"),  # the seven days off of National Day
        ("2026-09-30 17:00", 1, "工作日", "2026-10-08 17:00"),
        ("2026-10-10 23:00", 1, "工作日", "2026-10-13 08:00"),  # out of hours: from the next opening
        ("2026-10-09 13:00", 1, "工作日", "2026-10-10 14:00"),  # at noon: from the afternoon's opening
        ("2026-10-01 01:00", 2, "紧急工作时", "2026-10-01 03:00"),
        ("2026-10-01 01:00", 3, "自然日", "2026-10-04 01:00"),
        ("2026-10-01 01:00", 1, "紧急工作日", "2026-10-02 01:00"),
    ],
)
def test_the_office_s_examples(start: str, value: float, unit: str, due: str) -> None:
    assert local(DEADLINES.due(at(start), value, unit).at, ZONE) == datetime.fromisoformat(due).replace(tzinfo=ZONE)


def test_past_the_known_years_a_due_time_is_provisional_and_goes_by_weekdays() -> None:
    due = DEADLINES.due(at("2026-12-30 10:00"), 5, "工作日")
    assert due.provisional
    assert local(due.at, ZONE).date() == date(2027, 1, 6)
    assert not DEADLINES.due(at("2026-12-30 10:00"), 1, "工作日").provisional
    known = shipped_calendar().with_days([Day(date(2027, 1, 1), False, "元旦")])
    due = Deadlines(known, HOURS, ZONE).due(at("2026-12-30 10:00"), 5, "工作日")
    assert not due.provisional
    assert local(due.at, ZONE).date() == date(2027, 1, 7)


@given(MOMENTS, AMOUNTS, st.sampled_from(UNITS))
def test_a_limit_ends_after_its_start_and_uses_exactly_itself(start: int, value: float, unit: str) -> None:
    due = DEADLINES.due(start, value, unit)
    assert due.at > start
    opened = DEADLINES._timeline(unit).start(start)
    assert DEADLINES.used(opened, due.at, unit) == pytest.approx(value, abs=1e-6)


@given(MOMENTS, AMOUNTS, AMOUNTS, st.sampled_from(UNITS))
def test_more_limit_is_never_earlier(start: int, less: float, more: float, unit: str) -> None:
    less, more = sorted((less, more))
    assert DEADLINES.due(start, less, unit).at <= DEADLINES.due(start, more, unit).at


@given(MOMENTS, AMOUNTS, st.floats(0, 1), MOMENTS, st.sampled_from(UNITS))
def test_a_suspension_keeps_exactly_what_was_left(start: int, value: float, share: float, back: int, unit: str) -> None:
    due = DEADLINES.due(start, value, unit).at
    asked = start + round((due - start) * share)
    left = DEADLINES.remaining(asked, due, unit)
    again = DEADLINES.after(back, left, unit).at
    opened = DEADLINES._timeline(unit).start(back) if left > 0 else back
    assert DEADLINES.used(opened, again, unit) == pytest.approx(left, abs=1e-6)


@given(st.dates(date(2023, 1, 1), date(2028, 1, 1)))
def test_counting_working_days_and_finding_them_are_inverse(day: date) -> None:
    calendar = shipped_calendar()
    worked = calendar.next_workday(day)
    assert calendar.nth_workday(calendar.workdays_before(worked)) == worked
    following = day + timedelta(days=1)
    assert calendar.workdays_before(following) - calendar.workdays_before(day) == calendar.is_workday(day)


def test_lights_turn_at_eighty_per_cent_and_after_the_end() -> None:
    start, due = 0, 100 * MINUTE
    assert light(80 * MINUTE, start, due, 0.8) == "green"
    assert light(81 * MINUTE, start, due, 0.8) == "yellow"
    assert light(due, start, due, 0.8) == "yellow"
    assert light(due + 1, start, due, 0.8) == "red"
    assert light(5 * HOUR, start, None, 0.8) is None


def test_an_unknown_unit_and_no_limit_are_refused() -> None:
    with pytest.raises(Invalid):
        DEADLINES.due(0, 1, "个月")
    with pytest.raises(Invalid):
        DEADLINES.due(0, 0, "工作日")
