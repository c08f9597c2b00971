"""The county's month: the worked example of the indicators, and a return that an ended month does not change."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from appliance.clock import micros
from appliance.errors import Invalid
from appliance.scoring.facts import COUNTS, Month, count, count_rows, month_of
from appliance.scoring.monthly_return import Row, columns, facts_in, return_document, row_of, rule
from appliance.scoring.return_files import csv_of, xlsx_of
from tests.cases.desk import Desk

ZONE = ZoneInfo("Asia/Shanghai")
LATER = micros(datetime(2026, 11, 20, tzinfo=ZONE))
OCTOBER = month_of("2026-10", ZONE, LATER)
TO = {
    "report": "reported", "accept": "accepted", "ask_verify": "verifying", "verify_true": "accepted",
    "verify_false": "reported", "file": "filed", "dispatch": "dispatched", "take": "handling", "finish": "handled",
    "ask_check": "checking", "check_pass": "checked", "check_fail": "dispatched", "close": "closed", "void": "void",
    "return": "filed",
}  # fmt: skip
EXAMPLE = """
1 report 8T09:00, accept 8T09:10, file 8T09:20, dispatch 8T09:30 9T09:30 D01, take 8T10:00, finish 8T15:00, ask_check 8T15:10, check_pass 8T16:00, close 8T16:10
2 report 9T09:00, ask_verify 9T09:20, verify_true 9T11:00, file 9T12:00, dispatch 9T12:10 12T12:10 D01, return 9T14:00, dispatch 9T14:20 10T14:20 D02, finish 11T10:00, ask_check 11T10:40, check_pass 11T12:00, close 11T12:10
3 report 12T09:00, accept 12T09:20, file 12T09:30, dispatch 12T10:10 13T10:10 D02, finish 12T16:00, ask_check 12T16:10, check_fail 12T19:00 13T19:00, finish 13T11:00, ask_check 13T11:20, check_pass 13T12:00
4 report 14T09:00, accept 14T09:40, file 14T10:00, void 14T11:00
5 report 25T09:00, accept 25T09:10, file 25T09:20, dispatch 25T09:40 28T09:40 D01, take 25T10:00
6 report 31T08:00, ask_verify 31T08:40, verify_false 31T09:40, ask_verify 31T10:00
"""  # noqa: E501  # a case a line, as in the worked example


def october(written: str) -> int:
    day, _, hour = written.partition("T")
    return micros(datetime.fromisoformat(f"2026-10-{int(day):02d}T{hour}").replace(tzinfo=ZONE))


def example() -> list[Any]:
    """The history rows of the worked example (indicator_definitions 11)."""
    rows = []
    for line in EXAMPLE.strip().splitlines():
        case, _, told = line.partition(" ")
        for step in told.split(", "):
            action, at, *more = step.split(" ")
            rows.append(
                SimpleNamespace(
                    case_id=int(case), action=action, at=october(at), to_state=TO[action],
                    clock_started="handle" if more else None, due_at=october(more[0]) if more else None,
                    department=more[1] if len(more) > 1 else None,
                )
            )  # fmt: skip
    return rows


def test_the_worked_example_counts_as_it_is_written() -> None:
    assert count_rows(example(), OCTOBER) == {
        "reports": 6, "accepted": 5, "filed": 5, "dispatched": 4, "undispatched": 0, "should_close": 4, "closed": 2,
        "closed_on_time": 1, "reworked": 1, "extended": 0, "voided": 1,
    }  # fmt: skip


def test_an_old_overdue_case_is_due_every_month_until_it_is_closed() -> None:
    november = month_of("2026-11", ZONE, LATER)
    assert count_rows(example(), november)["should_close"] == 2, "cases 3 and 5"
    assert count_rows([], november) == dict.fromkeys(COUNTS, 0)


def test_nothing_is_neither_none_nor_all() -> None:
    nothing = dict.fromkeys(COUNTS, 0)
    assert {each.code for each in columns() if each.value(nothing) is None} == {
        each.code for each in columns() if each.denominator
    }


@pytest.mark.parametrize("month", ["2026-13", "october", "2027-01", "9999-12"])
def test_no_month_and_one_to_come_are_refused(month: str) -> None:
    with pytest.raises(Invalid):
        month_of(month, ZONE, LATER)


def own_row(desk: Desk, month: Month) -> Row:
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
    facts = count_rows(example(), OCTOBER)
    told = facts_in(row_of("1", "", facts).values)
    assert row_of("1", "", told) == row_of("1", "", facts)
