"""The prefecture's month: its table, the county's own return beside it, ties that are told, counties without a case."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from openpyxl import load_workbook

from appliance.clock import micros
from appliance.errors import Invalid
from appliance.scoring.facts import count
from appliance.scoring.monthly_return import Row, columns, return_document, row_of
from appliance.scoring.periods import month_of
from server.prefecture.county_port import Answer
from server.prefecture.down import finish, hand_out
from server.prefecture.monthly import ranking, table, written
from server.prefecture.store import Platform
from tests.cases.desk import Desk
from tests.prefecture.city import City
from tests.prefecture.counties import DeskPort, enrolled, pull

ZONE = ZoneInfo("Asia/Shanghai")
LATER = micros(datetime(2026, 11, 20, tzinfo=ZONE))
OCTOBER = month_of("2026-10", ZONE, LATER)


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


def test_the_table_is_counted_from_the_rows(city: City, platform: Platform, desk: Desk, tmp_path: Path) -> None:
    """One county closes a case and has one open, the other has none."""
    enrolled(platform)
    enrolled(platform, "411082", "长葛市")
    desk.to_closed()
    desk.to_dispatched()
    pull(platform, DeskPort(desk))
    with platform.begin() as connection:
        rows = table(connection, OCTOBER)
    with desk.office.records.read() as connection:
        assert rows[0] == row_of("411081", "禹州市", count(connection, OCTOBER)), "the county counts the same"
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


def handed_in(platform: Platform, desk: Desk, code: str, **changed: int) -> None:
    """A county that calls by itself fetches its order and brings the return."""
    with desk.office.records.read() as connection:
        row = row_of(code, "禹州市", count(connection, OCTOBER))
    told = return_document(Row(code, row.name, row.values | changed), OCTOBER)
    (order,) = hand_out(platform, code)
    assert (order["method"], order["path"]) == ("GET", "/exchange/v1/reports/monthly/2026-10")
    finish(platform, code, order["id"], Answer(200, {}, msgspec.json.encode(told)))


def test_a_return_that_is_not_what_the_rows_give_is_told(
    city: City, platform: Platform, desk: Desk, tmp_path: Path
) -> None:
    """By name, column and both values; where no return can be had the row says why."""
    enrolled(platform, mode="outbound")
    enrolled(platform, "411082", "长葛市", mode="outbound")
    enrolled(platform, "411083", "襄城县", scopes=["cases.read"])
    enrolled(platform, "411084", "鄢陵县")
    enrolled(platform, "411085", "魏都区", mode="files")
    desk.to_closed()
    desk.to_dispatched()
    for code in ("411081", "411082"):
        pull(platform, DeskPort(desk, code))
    ask = ("monthly", "2026-10", "--from", "returns")
    asked = city.json(*ask, "--strict")["counties"]
    assert [each["trouble_en"].split(";")[0].split(":")[0] for each in asked] == [
        "it was asked for", "it was asked for", "it grants no reports.read", "It cannot be reached",
        "it was asked for",
    ]  # fmt: skip
    assert [each["returned"] for each in asked] == [None] * 5
    handed_in(platform, desk, "411081")
    handed_in(platform, desk, "411082", closed=2)
    told = city.json(*ask, "--strict", code=1)["counties"]
    assert told[0]["returned"] == told[0]["counted"]
    assert told[1]["differences"] == [{"column": "closed", "name": "结案数", "returned": 2, "counted": 1}]
    assert told[1]["fetched"]
    assert told[0]["same_rule"]
    lines = city.run(*ask).splitlines()
    assert lines[1].startswith("411081\t禹州市 (上报)\t2\t2\t100.00%")
    assert "\t2≠\t" in lines[3]
    assert lines[11].startswith("\t合计 (上报)\t4\t4"), "the sums of those that returned"
    assert "≠ 411082 长葛市: 结案数 上报 2,过程数据 1 (Closed: returned 2, rows give 1)" in lines
    target = tmp_path / "compared.xlsx"
    city.run(*ask, "--out", str(target))
    sheet = load_workbook(target).active
    marked = [(cell.row, sheet.cell(1, cell.column).value) for row in sheet for cell in row if cell.fill.patternType]
    assert marked == [(4, "结案数")]


def test_a_return_of_another_month_is_not_taken_for_this_one(city: City, platform: Platform, desk: Desk) -> None:
    enrolled(platform, "411082", "长葛市", mode="outbound")
    city.run("monthly", "2026-10", "--from", "returns")
    (order,) = hand_out(platform, "411082")
    finish(platform, "411082", order["id"], Answer(200, {}, b'{"county":"411081","period":"2026-10"}'))
    told = city.json("monthly", "2026-10", "--from", "returns")["counties"][0]
    assert (told["returned"], "cannot be read" in told["trouble_en"]) == (None, True)
