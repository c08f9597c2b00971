"""The assessor looks for what is staged, and the leader for what comes again; each finding opens to its cases."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from appliance.analysis.analysing import analyse
from appliance.analysis.values import check_kind, kinds
from appliance.cli import wanmi
from appliance.clock import micros
from appliance.errors import Invalid
from appliance.patrols import day_file
from appliance.scoring.periods import period_of
from tests.cases.desk import ZONE, Desk, place
from tests.cases.test_proof import photo, saved, upload


def found(desk: Desk, name: str = "2026-10") -> dict[str, list[dict[str, Any]]]:
    """The findings of a month by kind."""
    desk.clock.advance(minutes=1)
    items = analyse(desk.office.records, period_of(name, ZONE, desk.clock.now()))
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds()}
    for item in items:
        by_kind[item["kind"]].append(item)
    return by_kind


def checked(desk: Desk, collector: str, minutes: float, content: bytes | None = None, *, proof: bool = True) -> str:
    """A case of D01 that this collector checked so many minutes after its handling."""
    number = desk.to_dispatched()
    desk.act("d1", number, "take")
    desk.act("d1", number, "finish", result="修好了")
    desk.act("s1", number, "ask_check", collector=collector)
    desk.clock.advance(minutes=minutes)
    if content is not None:
        upload(desk, content, number, account=collector)
    body = {**place(), "at": desk.clock.now()} if proof else {}
    desk.act(collector, number, "check_pass", **body)
    return number


def test_staged_checks_are_found_with_their_cases(desk: Desk) -> None:
    used = saved(photo(1))
    first = checked(desk, "l1", 45, used)
    hasty = [checked(desk, "l1", 3, saved(photo(seed))) for seed in (2, 3, 4)]
    again = checked(desk, "l1", 45, used)
    without = [checked(desk, "l2", 45, saved(photo(seed)), proof=False) for seed in (5, 6, 7)]
    told = found(desk)
    pair = told["pair"][0]
    assert (pair["subject"], pair["count"], pair["of"]) == ("l1 D01", 5, 8)
    assert set(pair["numbers"]) == {first, *hasty, again}
    assert [(each["subject"], each["numbers"]) for each in told["quick_check"]] == [("l1 D01", hasty)]
    assert [(each["subject"], each["numbers"]) for each in told["photos_alike"]] == [("l1", [again])]
    assert [(each["subject"], each["numbers"]) for each in told["unproven"]] == [("l2", without)]
    assert pair["name"] == "采集员一 · 市政管理所"


def test_a_county_with_honest_checks_has_no_finding(desk: Desk) -> None:
    for seed, collector in enumerate(("l1", "l2", "l1", "l2")):
        checked(desk, collector, 60, saved(photo(100 + seed)))
    told = found(desk)
    assert {kind: items for kind, items in told.items() if items} == {}


def test_hot_spots_repeat_parts_and_seasonal_rise(desk: Desk) -> None:
    old = [desk.report() for _ in range(6)]
    assert len(old) == 6
    desk.clock.advance(days=365)
    numbers = [desk.report() for _ in range(20)]
    for number in numbers[:3]:
        desk.office.records.write(
            lambda unit, number=number: unit.connection.execute(
                text("UPDATE cases SET part = '4110810102000318' WHERE number = :number"), {"number": number}
            ) and None
        )  # fmt: skip
    told = found(desk, "2027-10")
    hot = told["hot_spot"][0]
    assert (hot["count"], hot["of"], hot["cases"]) == (20, 0.0, 20)
    assert hot["lon"] is not None
    assert len(hot["points"]) == 20
    assert hot["points"][7] == pytest.approx((hot["lon"], hot["lat"]), abs=1e-5), "where each of its cases is"
    assert [(each["subject"], each["numbers"]) for each in told["repeat_part"]] == [("4110810102000318", numbers[:3])]
    assert [(each["count"], each["of"]) for each in told["seasonal"]] == [(20, 6)]
    assert found(desk, "2026-10")["seasonal"] == [], "nothing is known of the year before"


def test_a_hot_spot_tells_how_it_came(desk: Desk) -> None:
    """One, none and two cases in the three months before, seven now."""
    desk.report()
    desk.clock.advance(days=62)
    for _ in range(2):
        desk.report()
    desk.clock.advance(days=31)
    for _ in range(7):
        desk.report()
    hot = found(desk, "2027-01")["hot_spot"][0]
    assert (hot["before"], hot["count"], hot["of"]) == ([1, 0, 2], 7, 1.0)


def finished_at(desk: Desk, share: float) -> str:
    """A case that D01 finishes after this share of its limit."""
    number = desk.to_dispatched()
    due = micros(datetime.fromisoformat(desk.case(number)["due_at"]))
    desk.clock.advance(microseconds=(due - desk.clock.now()) * share)
    desk.act("d1", number, "take")
    desk.act("d1", number, "finish", result="修好了")
    return number


def test_a_unit_that_always_answers_at_the_limit(desk: Desk) -> None:
    late = [finished_at(desk, 0.95) for _ in range(7)]
    early = [finished_at(desk, 0.2) for _ in range(2)]
    assert found(desk)["at_limit"] == [], "nine tasks are too few to say"
    early.append(finished_at(desk, 0.5))
    told = found(desk)["at_limit"]
    assert [(each["subject"], each["count"], each["of"]) for each in told] == [("D01", 7, 10)]
    assert told[0]["numbers"] == late
    for _ in range(2):
        finished_at(desk, 0.1)
    assert found(desk)["at_limit"] == [], "seven of twelve are not most"


def test_a_unit_that_is_far_too_late_is_late_and_not_at_the_limit(desk: Desk) -> None:
    for _ in range(10):
        finished_at(desk, 3.0)
    assert found(desk)["at_limit"] == []


def test_a_task_is_of_the_unit_it_was_dispatched_to(desk: Desk) -> None:
    """What D01 finished at the limit stays D01's, whoever has the cases today."""
    late = [finished_at(desk, 0.95) for _ in range(10)]
    moved = text("UPDATE cases SET department = 'D02'")
    desk.office.records.write(lambda unit: unit.connection.execute(moved) and None)
    told = found(desk)["at_limit"]
    assert [(each["subject"], each["name"], each["numbers"]) for each in told] == [("D01", "市政管理所", late)]


def test_positions_that_jump_are_told_with_what_was_answered_then(desk: Desk) -> None:
    number = checked(desk, "l1", 45)
    now = desk.clock.now()
    day = datetime.fromtimestamp(now / 1_000_000, ZONE).date()
    with closing(day_file.connect(day_file.path_of(desk.office.records.home, day.isoformat()))) as file:
        file.executemany(
            "INSERT INTO odd VALUES ('l1', ?, 113.4, 34.1, 90.0)", [(now + each * 1_000_000,) for each in range(10)]
        )
    desk.clock.advance(hours=3)
    checked(desk, "l1", 45)
    told = found(desk)["jumps"]
    assert [(each["subject"], each["count"], each["numbers"]) for each in told] == [("l1", 10, [number])]


def test_the_command_tells_findings_and_refuses_unknown_kinds(desk: Desk) -> None:
    for seed in range(5):
        checked(desk, "l1", 45, saved(photo(seed)))
    home = str(desk.office.records.home)
    done = CliRunner().invoke(wanmi, ["analysis", "2026-10", "--home", home, "--json"], standalone_mode=False)
    assert json.loads(done.stdout)["items"][0]["kind"] == "pair"
    shown = (
        CliRunner().invoke(wanmi, ["analysis", "2026-10", "--numbers", "--home", home], standalone_mode=False).stdout
    )
    assert "核查配对过密 (pair)  采集员一 · 市政管理所  5 / 5" in shown
    with pytest.raises(Invalid):
        check_kind("happiness")
