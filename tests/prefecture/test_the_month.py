"""The prefecture's month: the worked example of the indicators, ties that are told, counties without a case."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from appliance.clock import micros
from appliance.errors import Invalid
from server.prefecture.facts import COUNTS, count_rows, month_of
from server.prefecture.monthly import Row, columns, ranking, table, written
from server.prefecture.store import Platform
from tests.cases.desk import Desk
from tests.prefecture.city import City
from tests.prefecture.counties import DeskPort, enrolled, pull

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


def row(county: str, on_time: float | None, closed: float | None = 0.5) -> Row:
    return Row(
        county, county, {each.code: None for each in columns()} | {"close_on_time_rate": on_time, "close_rate": closed}
    )


def test_equal_counties_share_a_place_and_one_without_cases_has_none() -> None:
    places = ranking([row("1", 0.9), row("2", 0.95), row("3", 0.9), row("4", None), row("5", 0.1), row("", 1.0)])
    assert [(each.place, each.tied, each.row.county) for each in places] == [
        (1, False, "2"), (2, True, "1"), (2, True, "3"), (4, False, "5"), (None, False, "4"),
    ]  # fmt: skip
    less = ranking([row("1", 0.9), row("2", 0.2)], ["rework_rate"])
    assert [each.place for each in less] == [None, None]
    rework = {"1": 0.3, "2": 0.1}
    rows = [Row(code, code, {**row(code, 0.5).values, "rework_rate": rate}) for code, rate in rework.items()]
    assert [each.row.county for each in ranking(rows, ["rework_rate"])] == ["2", "1"], "less rework is better"
    with pytest.raises(Invalid, match="luck"):
        ranking([row("1", 0.9)], ["luck"])


def test_nothing_is_neither_none_nor_all() -> None:
    nothing = dict.fromkeys(COUNTS, 0)
    assert {each.code for each in columns() if each.value(nothing) is None} == {
        each.code for each in columns() if each.denominator
    }


@pytest.mark.parametrize("month", ["2026-13", "october", "2027-01"])
def test_no_month_and_one_to_come_are_refused(month: str) -> None:
    with pytest.raises(Invalid):
        month_of(month, ZONE, LATER)


def test_the_table_is_made_of_the_counties_returns(city: City, platform: Platform, desk: Desk, tmp_path: Path) -> None:
    """One county closes a case and has one open, the other has none."""
    enrolled(platform)
    enrolled(platform, "411082", "长葛市")
    desk.to_closed()
    desk.to_dispatched()
    pull(platform, DeskPort(desk))
    with platform.begin() as connection:
        rows = table(connection, OCTOBER)
    assert [(each.county, each.values["filed"], each.values["closed"]) for each in rows] == [
        ("411081", 2, 1), ("", 2, 1)
    ], "a county that was never taken in has no row"  # fmt: skip
    assert rows[-1].values["close_rate"] == 0.5, "the open one was due in October too"
    told = city.json("rank", "--month", "2026-10")
    assert [(each["place"], each["county"]) for each in told["places"]] == [(1, "411081")]
    assert "50.00%" in city.run("monthly", "2026-10").splitlines()[-1]
    city.run("monthly", "2026-10", "--out", str(tmp_path / "2026-10.pdf"), code=1)
    csv = written(rows, OCTOBER, ".csv").decode("utf-8-sig").splitlines()
    assert csv[0].startswith("代码,县(市、区),受理数,立案数,立案率")
    assert csv[-1].startswith(",合计,2,2,100.00%")
    target = tmp_path / "2026-10.xlsx"
    target.write_bytes(written(rows, OCTOBER, ".xlsx"))
    sheet = load_workbook(target).active
    assert [cell.value for cell in sheet[1]][:4] == ["代码", "县(市、区)", "受理数", "立案数"]
    assert sheet.cell(2, 5).number_format == "0.00%"
