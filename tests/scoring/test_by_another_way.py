"""Whatever happens to cases, the scores are those that a second, plain computation from the definitions makes."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from appliance.clock import micros
from appliance.scoring.countable import SCOPES
from appliance.scoring.counting import Counted, count_period, count_rows, grid_counts
from appliance.scoring.formula import Value
from appliance.scoring.pack import Subject, national
from appliance.scoring.periods import Period, period_of
from appliance.scoring.store import rows_to_keep
from tests.scoring import histories
from tests.scoring.example import ZONE
from tests.scoring.histories import BYTES, GRIDS, PEOPLE, SOURCES, SUB_UNITS, Case, cases_of
from tests.scoring.plain_numbers import GRID_BANDS, UNIT_BANDS, band, work_band
from tests.scoring.plainly import Plainly

MID_OCTOBER = micros(datetime(2026, 10, 17, 9, tzinfo=ZONE))
LATER = micros(datetime(2028, 1, 1, tzinfo=ZONE))
PERIODS = [
    *(period_of(name, ZONE, LATER) for name in ("2026-10", "2026-Q4", "2026-10-10", "2026-11")),
    period_of("2026-10", ZONE, MID_OCTOBER),
]
SUBJECTS = {
    "collector": PEOPLE["collector"], "acceptor": PEOPLE["acceptor"], "shift_leader": PEOPLE["shift_leader"],
    "dispatcher": PEOPLE["dispatcher"], "department": tuple(SUB_UNITS),
    "sub_unit": tuple(unit for below in SUB_UNITS.values() for unit in below), "region": tuple(GRIDS),
    "source": tuple(source for source, _ in SOURCES), "platform": ("",),
}  # fmt: skip
OF_NO_CASE = {"unproven", "patrol_rate", "video_looks", "video_rate"}
"""Of patrols and of positions; sections 1 to 8 do not speak of them."""
OF_TWO_THINGS = {"open_rate", "dispatch_rate", "extension_rate", "void_rate"}
"""Rates of events of one month above those of another; they may pass 1."""
HISTORIES = st.lists(st.binary(min_size=BYTES, max_size=BYTES), min_size=2, max_size=8).map(cases_of)


def counted(cases: list[Case], period: Period) -> Counted:
    """What the software counts of the rows before as_of."""
    begun = [case for case in cases if case.rows[0].at < period.as_of]
    rows = [row for case in begun for row in case.rows if row.at < period.as_of]
    found = count_rows(rows, [(case.key, case.facts(period.as_of)) for case in begun], period)
    found.grids = grid_counts(found, histories.basis())
    return found


def by_the_software(found: Counted) -> dict[tuple[str, str, str], Value]:
    """Every value of everybody, by scope, subject and code."""
    pack, basis = national(), histories.basis()
    return {
        (scope, subject, code): value
        for scope, subjects in SUBJECTS.items()
        for told in [found.subjects(scope, basis)]
        for subject in subjects
        for code, value in pack.values(scope, told.get(subject, Subject({}))).items()
        if code not in OF_NO_CASE
    }


def plainly(cases: list[Case], period: Period) -> dict[tuple[str, str, str], Value]:
    """The same by the other way, from all rows."""
    rows = [row for case in cases for row in case.rows]
    other = Plainly(rows, {case.key: case.facts(period.as_of) for case in cases}, period, GRIDS)
    return {
        (scope, subject, code): value
        for scope, subjects in SUBJECTS.items()
        for subject in subjects
        for code, value in getattr(other, scope)(subject).items()
    }


def behind(found: Counted) -> dict[tuple[str, str, str], list[int]]:
    """The cases behind every fact."""
    return {key: sorted(cases) for key, cases in found.cases.items() if cases}


def kept(found: Counted) -> list[object]:
    """What would be written into the tables."""
    basis = histories.basis()
    return [list(row.values()) for scope in SCOPES for row in rows_to_keep("2026-10", scope, found, basis)]


@settings(deadline=None)
@given(cases=HISTORIES)
def test_every_value_of_everybody_is_the_same_by_another_way(cases: list[Case]) -> None:
    for period in PERIODS:
        assert by_the_software(counted(cases, period)) == pytest.approx(plainly(cases, period)), period.name


def test_points_by_count_are_the_same_by_another_way() -> None:
    """More cases than a made-up history has: every count up to the last band and beyond."""
    pack = national()
    for count in range(2_100):
        facts = Subject({"accepted": count, "dispatched": count, "opened": count})
        assert pack.values("acceptor", facts)["accepted_band"] == work_band(count)
        assert pack.values("dispatcher", facts)["dispatched_band"] == work_band(count)
        assert pack.values("department", facts)["dept_opened_band"] == band(count, UNIT_BANDS)
    for count in range(12):
        of_region = pack.values("region", Subject({}, {1: {count: 1}, 2: {count: 1}}))
        for class_ in (1, 2):
            assert of_region[f"region_opened_band_{class_}"] == band(count, GRID_BANDS[class_])


@settings(deadline=None)
@given(cases=HISTORIES, period=st.sampled_from(PERIODS))
def test_what_always_holds(cases: list[Case], period: Period) -> None:
    """Units sum to the county, rates are rates, points are points, and who counts twice gets the same."""
    found = counted(cases, period)
    facts = found.facts()
    whole = facts["platform"].get("", {})
    for fact in ("should_close", "closed", "closed_on_time", "suspended_overdue", "reworked", "handle_should"):
        for scope in ("department", "region", "source"):
            parts = [own for own in facts[scope].values() if fact in own]
            assert sum(own[fact] for own in parts) == whole.get(fact, 0) or not parts, (scope, fact)
    units = {(scope, code): each.unit for scope, own in national().indicators.items() for code, each in own.items()}
    for (scope, subject, code), value in by_the_software(found).items():
        most = {"count": 10_000, "rate": 1.0, "points": 100.0}[units[scope, code]]
        assert value is None or 0 <= value <= most + 1e-9 or code in OF_TWO_THINGS, (scope, subject, code, value)
    assert kept(counted(cases, period)) == kept(found)


TABLES = """
CREATE TABLE cases (id, is_open, reported_at, closed_at, channel, source, street, grid, duty_grid);
CREATE TABLE case_action (case_id, seq, action, on_behalf_of, actor, role, at, to_state, clock_started, clock_stopped,
                          due_at, detail);
"""


def written(cases: list[Case]) -> Connection:
    """The county's tables as they stand after all that happened."""
    connection = create_engine("sqlite://").connect()
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executescript(TABLES)
    driver.executemany("INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [case.as_it_stands() for case in cases])
    rows = [row for case in cases for row in case.as_written()]
    driver.executemany("INSERT INTO case_action VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return connection


@settings(deadline=None)
@given(cases=HISTORIES)
def test_what_happens_later_changes_nothing(cases: list[Case]) -> None:
    """A period counted years later from the tables, cases amended, reopened and void since, is the period as it was."""
    with written(cases) as connection:
        for period in PERIODS:
            later = count_period(connection, period, histories.basis())
            assert behind(later) == behind(counted(cases, period))
            assert later.grids == counted(cases, period).grids
