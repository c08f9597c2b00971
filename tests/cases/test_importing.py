"""The old system's open cases come in, and the desk goes on with them as if they had been reported here."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.cases import evidence
from appliance.clock import DAY, HOUR
from provisioning.import_files.pipeline import Options, Result, run_import, undo
from tests.cases.desk import Desk, at
from tests.homes import SOUTH, STEP, WEST
from tests.places.imports import column, scalar

HEADER = "number,source,kind,code,description,lon,lat,state,department,reported_at,due_at\n"
DUE = "2026-10-12 09:00:00"


def line(number: str, state: str, department: str = "D01", due: str = DUE, source: str = "hotline_12319") -> str:
    place = f"{WEST + STEP / 2},{SOUTH + STEP / 2}"
    return f"{number},{source},part,01002,井盖缺失,{place},{state},{department},2026-10-08 09:00:00,{due}\n"


def bring(desk: Desk, folder: Path, *lines: str, kind: str = "cases", header: str = HEADER) -> Result:
    path = folder / f"{kind}.csv"
    path.write_text(header + "".join(lines), encoding="utf-8")
    return run_import(desk.office.records, kind, path, Options())[0]


def test_every_open_state_has_its_own_clock_and_a_limit(desk: Desk, tmp_path: Path) -> None:
    clocks = {
        "reported": "accept", "verifying": "verify", "accepted": "file", "filed": "dispatch", "coordinating":
        "coordinate", "dispatched": "handle", "handling": "handle", "handled": "ask_check", "checking": "check",
        "checked": "close", "suspended": None,
    }  # fmt: skip
    result = bring(desk, tmp_path, *(line(f"A-{state}", state) for state in clocks))
    assert result.added == len(clocks), result.refusals
    for state, clock in clocks.items():
        case = desk.case(f"A-{state}")
        assert (case["state"], case["clock"]) == (state, clock)
        assert case["handle_due_at"] == "2026-10-12T01:00:00Z"
        assert case["due_at"] == (case["handle_due_at"] if clock == "handle" else None)
        assert case["limit"] == {"value": 3, "unit": "工作日"}
        assert case["flags"] == ["default_limit", "imported"]


def test_the_loop_goes_on_from_wherever_the_old_system_left_it(desk: Desk, tmp_path: Path) -> None:
    assert bring(desk, tmp_path, line("R1", "reported", ""), line("C1", "checking"), line("P1", "suspended")).added == 3
    desk.act("s1", "R1", "accept", reason="核对过")
    desk.act("z1", "R1", "file")
    assert desk.act("p1", "R1", "dispatch", department="D01", condition=1)["clock"] == "handle"
    again = desk.act("s1", "C1", "check_fail", reason="没修好", method="photo")
    assert (again["state"], again["department"], again["rework"]) == ("dispatched", "D01", 1)
    resumed = desk.act("p1", "P1", "resume")
    assert (resumed["state"], resumed["clock"]) == ("handling", "handle")
    assert resumed["due_at"] == "2026-10-13T01:00:00Z"  # three working days from Friday 9 October; Saturday 10 is one


@pytest.mark.parametrize("due", [DUE, ""])
def test_more_time_and_a_suspension_are_granted_as_for_any_case(desk: Desk, tmp_path: Path, due: str) -> None:
    assert bring(desk, tmp_path, line("H1", "handling", due=due), line("H2", "dispatched", due=due)).added == 2
    first = desk.case("H1")["due_at"]
    extended = desk.decide("p1", "H1", desk.ask("d1", "H1", "extension"), approve=True)
    assert extended["extensions"] == 1
    assert first is not None
    assert extended["due_at"] > first
    until = at("2026-10-20 09:00")
    suspended = desk.decide("p1", "H2", desk.ask("d1", "H2", "suspension", until=until), approve=True)
    assert (suspended["state"], suspended["clock"]) == ("suspended", None)
    desk.clock.set(until + HOUR)
    assert desk.act("p1", "H2", "resume")["due_at"] > "2026-10-20"


def test_an_extension_adds_the_limit_to_the_due_time_of_the_file(desk: Desk, tmp_path: Path) -> None:
    far = "2026-11-16 09:00:00"
    assert bring(desk, tmp_path, line("H1", "handling", due=far)).added == 1
    extended = desk.decide("p1", "H1", desk.ask("d1", "H1", "extension"), approve=True)
    assert extended["due_at"] == "2026-11-19T01:00:00Z"


def test_a_dispatched_case_without_a_department_is_refused_by_name(desk: Desk, tmp_path: Path) -> None:
    result = bring(desk, tmp_path, line("A1", "dispatched", ""), line("A2", "filed", ""), line("A3", "checked", ""))
    assert not result.applied
    assert [(item["row"], item["field"]) for item in result.refusals] == [(2, "department"), (4, "department")]
    assert "已派遣" in result.refusals[0]["why"]


@pytest.mark.parametrize("odd", ["0001-01-01T00:00:00+14:00", "1899-12-30 08:00", "2100-01-01"])
def test_a_case_of_a_year_in_which_nothing_can_happen_is_refused_by_name(desk: Desk, tmp_path: Path, odd: str) -> None:
    result = bring(desk, tmp_path, line("A1", "filed", "").replace("2026-10-08 09:00:00", odd))
    assert not result.applied
    assert [item["field"] for item in result.refusals] == ["reported_at"]
    assert "2000" in result.refusals[0]["why"]


def test_a_source_by_its_chinese_name_keeps_its_channel(desk: Desk, tmp_path: Path) -> None:
    source = next(item for item in desk.office.book.sources.values() if item.channel_kind == "public")
    bring(
        desk, tmp_path, line("A1", "reported", "", source=source.name), line("A2", "reported", "", source="collector")
    )
    assert [desk.case(number)["channel"] for number in ("A1", "A2")] == ["public", "inside"]
    assert desk.case("A1")["source"] == source.code


def test_after_its_history_a_case_shows_the_version_the_next_action_needs(desk: Desk, tmp_path: Path) -> None:
    bring(desk, tmp_path, line("H1", "handling"))
    fed = int(scalar(desk.office.records, "SELECT max(seq) FROM change"))
    rows = ("H1,report,老系统,2026-10-08 09:00:00\n", "H1,dispatch,老系统,2026-10-08 10:00:00\n")
    result = bring(desk, tmp_path, *rows, kind="history", header="number,action,actor,at\n")
    assert result.added == 2, result.refusals
    assert desk.case("H1")["version"] == 3
    feed = column(desk.office.records, f"SELECT id FROM change WHERE seq > {fed} AND type = 'case'")
    assert feed == ["H1"]
    assert desk.act("d1", "H1", "finish", result="已更换")["version"] == 4


def test_an_import_that_is_taken_back_ends_what_hung_on_its_cases(desk: Desk, tmp_path: Path) -> None:
    result = bring(desk, tmp_path, line("H1", "handling"))
    desk.act("b1", "H1", "supervise", note="抓紧", until=desk.clock.now() + DAY)
    desk.ask("d1", "H1", "extension")
    content, new = evidence.Content("a" * 64, "png", 9), evidence.NewFile("before")
    case_id = scalar(desk.office.records, "SELECT id FROM cases WHERE number = 'H1'")
    desk.office.records.write(lambda unit: evidence.add(unit, desk.who("d1"), content, new, case_id))
    assert result.batch is not None
    undo(desk.office.records, result.batch)
    case = desk.case("H1")
    assert (case["state"], case["clock"], case["due_at"]) == ("void", None, None)
    assert case["supervisions"][0]["cleared_at"] is not None
    assert [item["stage"] for item in case["evidence"]] == ["before"]
    assert (case["requests"][0]["waiting_for"], case["requests"][0]["approved"]) == (None, False)
    assert desk.numbers(states=("void",)) == ["H1"]
