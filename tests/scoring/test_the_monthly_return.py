"""The county's month: the worked example of the indicators, and a return that an ended month does not change."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from appliance.clock import micros
from appliance.errors import Invalid
from appliance.scoring.counting import count_rows
from appliance.scoring.facts import COUNTS, count
from appliance.scoring.monthly_return import Row, columns, facts_in, return_document, row_of, rule
from appliance.scoring.periods import Period, month_of
from appliance.scoring.return_files import csv_of, xlsx_of
from tests.cases.desk import Desk
from tests.scoring import example

ZONE = ZoneInfo("Asia/Shanghai")
LATER = micros(datetime(2026, 11, 20, tzinfo=ZONE))
OCTOBER = month_of("2026-10", ZONE, LATER)


def facts(month: Period) -> dict[str, int]:
    """What the worked example makes of a month."""
    rows = [row for row in example.rows() if row.at < month.as_of]
    found = count_rows(rows, example.cases(), month).facts()["platform"].get("", {})
    return {fact: found.get(fact, 0) for fact in COUNTS}


def test_the_worked_example_counts_as_it_is_written() -> None:
    expected = {
        "reports": 6, "accepted": 5, "filed": 5, "dispatched": 4, "undispatched": 0, "should_close": 4, "closed": 2,
        "closed_on_time": 1, "reworked": 1, "extended": 0, "voided": 1,
    }  # fmt: skip
    counted = facts(OCTOBER)
    assert {fact: counted[fact] for fact in expected} == expected


def test_an_old_overdue_case_is_due_every_month_until_it_is_closed() -> None:
    november = month_of("2026-11", ZONE, LATER)
    assert facts(november)["should_close"] == 2, "cases 3 and 5"


def test_nothing_is_neither_none_nor_all() -> None:
    nothing = dict.fromkeys(COUNTS, 0)
    assert {each.code for each in columns() if each.value(nothing) is None} == {
        each.code for each in columns() if each.denominator
    }


@pytest.mark.parametrize("month", ["2026-13", "october", "2027-01", "9999-12"])
def test_no_month_and_one_to_come_are_refused(month: str) -> None:
    with pytest.raises(Invalid):
        month_of(month, ZONE, LATER)


def own_row(desk: Desk, month: Period) -> Row:
    """The county's row of a month as it counts now."""
    with desk.office.records.read() as connection:
        return row_of("411081", "禹州市", count(connection, month))


def test_an_ended_month_is_the_same_whenever_it_is_asked_for(desk: Desk) -> None:
    """One case is closed in October; what happens in November to it and to the other changes nothing of October."""
    desk.to_closed()
    open_case = desk.to_dispatched()
    row = own_row(desk, OCTOBER)
    assert (row.values["filed"], row.values["closed"], row.values["should_close"]) == (2, 1, 2)
    files = csv_of([row], OCTOBER), xlsx_of([row], OCTOBER)
    desk.clock.advance(days=40)
    for action, body in (("take", {}), ("finish", {"result": "修好了"})):
        desk.act("d1", open_case, action, **body)
    desk.report()
    assert own_row(desk, OCTOBER) == row
    assert (csv_of([row], OCTOBER), xlsx_of([row], OCTOBER)) == files
    november = own_row(desk, month_of("2026-11", ZONE, desk.clock.now()))
    assert november.values["should_close"] == 1


def test_a_return_tells_by_which_rule_it_was_made(desk: Desk) -> None:
    told = return_document(own_row(desk, OCTOBER), OCTOBER)
    assert (told["county"], told["period"], told["as_of"]) == ("411081", "2026-10", "2026-10-31T16:00:00Z")
    assert told["rule"] == {"id": "return_columns", "sha256": rule().sha256}
    assert [each["code"] for each in told["columns"]] == list(told["values"])
    head, row = csv_of([own_row(desk, OCTOBER)], OCTOBER).decode("utf-8-sig").splitlines()
    assert head.startswith("代码,县(市、区),受理数,立案数,立案率,派遣数")
    assert row.startswith("411081,禹州市,0,0,—,0,—")
    assert row.endswith(f",2026-10,2026-10-31T16:00:00Z,return_columns,{rule().sha256}")
    sheet = load_workbook(BytesIO(xlsx_of([own_row(desk, OCTOBER)], OCTOBER))).active
    assert [cell.value for cell in sheet[2]][:5] == ["411081", "禹州市", 0, 0, "—"]


def test_rows_can_be_summed_by_what_they_tell() -> None:
    counted = facts(OCTOBER)
    told = facts_in(row_of("1", "", counted).values)
    assert row_of("1", "", told) == row_of("1", "", counted)
