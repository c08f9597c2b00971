"""Shifts: who is on duty and who is missing, what is handed over, and that a night belongs to the evening it began."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from appliance.cases.open_items import desk_states, open_items
from appliance.errors import BadHome, Conflict, Forbidden, Invalid, NotFound, UnknownCode
from appliance.patrols import looks
from appliance.people import roster, shift_log, shifts
from appliance.people.shift_turns import nearest_span, running
from appliance.records.acts import broken_act
from appliance.records.feed import last_seq
from appliance.settings import Turn, load, save
from provisioning.import_files.pipeline import Options, Result, run_import, undo
from tests.cases.desk import ZONE, Desk, at
from tests.homes import COUNTY
from tests.server.test_query_plans import plans

MONDAY = date(2026, 10, 5)
LISTS = ("SCAN CONSTANT ROW", "SCAN (subquery")
"""Plans of a list of values that a statement was given."""


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """An office at 9 October 2026, 09:00 county time: a morning shift."""
    made = Desk(home)
    yield made
    made.close()


def on(desk: Desk, account: str, turn: str | None = None, seat: str | None = None) -> dict[str, Any]:
    actor = desk.who(account)
    return desk.office.records.write(lambda unit: shifts.sign_on(unit, desk.office, actor, turn, seat))


def off(desk: Desk, account: str, shift: int, note: str = "3 号路灯等配件") -> dict[str, Any]:
    actor = desk.who(account)
    return desk.office.records.write(lambda unit: shifts.sign_off(unit, desk.office, actor, shift, note))


def confirm(desk: Desk, account: str, handover: int) -> dict[str, Any]:
    actor = desk.who(account)
    return desk.office.records.write(lambda unit: shifts.confirm(unit, desk.office, actor, handover))


def now(desk: Desk, account: str = "z1") -> dict[str, Any]:
    actor = desk.who(account)
    with desk.office.records.read() as connection:
        return shifts.now_at_the_desk(connection, desk.office, actor)


def rostered(desk: Desk, *entries: tuple[str, str, str | None]) -> None:
    actor = desk.who("z1")
    wanted = [roster.Entry(*entry) for entry in entries]
    desk.office.records.write(lambda unit: roster.save(unit, desk.office, actor, wanted))


@pytest.mark.parametrize(
    ("moment", "turn", "day"),
    [
        ("2026-10-09 07:00", "morning", "2026-10-09"),
        ("2026-10-09 14:59", "morning", "2026-10-09"),
        ("2026-10-09 23:30", "night", "2026-10-09"),
        ("2026-10-10 06:59", "night", "2026-10-09"),
    ],
)
def test_a_night_belongs_to_the_evening_it_began(desk: Desk, moment: str, turn: str, day: str) -> None:
    desk.clock.set(at(moment))
    (span,) = running(desk.office.settings.shifts.turns, desk.clock.now(), ZONE)
    assert (span.turn.key, span.day) == (turn, day)
    shift = on(desk, "s1")
    assert (shift["turn"], shift["day"]) == (turn, day)


def test_who_comes_early_for_the_night_is_not_of_yesterday(desk: Desk) -> None:
    night = desk.office.settings.shifts.turns[2]
    assert nearest_span(night, at("2026-10-09 22:45"), ZONE).day == "2026-10-09"
    assert nearest_span(night, at("2026-10-10 01:00"), ZONE).day == "2026-10-09"
    whole = Turn(key="day", name="全天", begins="00:00", ends="24:00")
    assert nearest_span(whole, at("2026-10-09 22:45"), ZONE).ends_at == at("2026-10-10 00:00")


def test_one_open_shift_an_account_and_a_leader_ends_a_forgotten_one(desk: Desk) -> None:
    shift = on(desk, "s1", seat="1号席")
    assert shift["seat"] == "1号席"
    with pytest.raises(Conflict, match="still open"):
        on(desk, "s1")
    with pytest.raises(Forbidden):
        off(desk, "s2", shift["id"])
    with pytest.raises(Invalid):
        off(desk, "s1", shift["id"], " ")
    with pytest.raises(NotFound):
        off(desk, "s1", 99)
    desk.clock.advance(days=2)
    assert off(desk, "z1", shift["id"])["account"] == "z1"
    with pytest.raises(Conflict, match="ended"):
        off(desk, "z1", shift["id"])
    assert on(desk, "s1")["day"] == "2026-10-11"


def test_missing_is_who_is_rostered_now_and_not_signed_on(desk: Desk) -> None:
    rostered(desk, ("2026-10-09", "s1", "morning"), ("2026-10-09", "s2", "早班"), ("2026-10-09", "p1", "night"))
    assert {person["account"] for person in now(desk)["missing"]} == {"s1", "s2"}
    on(desk, "s2")
    seen = now(desk, "s2")
    assert [person["account"] for person in seen["missing"]] == ["s1"]
    assert [shift["account"] for shift in seen["on_duty"]] == ["s2"]
    assert (seen["mine"]["account"], seen["suggested"]) == ("s2", None)
    rostered(desk, ("2026-10-09", "s1", None))
    assert now(desk)["missing"] == []
    desk.clock.set(at("2026-10-09 22:40"))
    assert now(desk, "p1")["suggested"] == "night", "one's own rostered turn comes before the running one"
    assert now(desk, "s1")["suggested"] == "afternoon"


def test_a_handover_holds_what_is_open_and_the_next_shift_confirms_it(desk: Desk) -> None:
    """The node counts and lists at the moment of handover; text and numbers of people stay out of feed and acts."""
    first = on(desk, "s1")
    reported = [desk.report("s1"), desk.report("s1")]
    dispatched = desk.to_dispatched()
    desk.ask("d1", dispatched, "extension")
    desk.act("b1", dispatched, "supervise", note="尽快")
    inside = desk.to_closed()
    called = desk.report("s1", reporter_phone="13800001111")
    for account, action, body in (
        ("s2", "accept", {"reason": "属实"}), ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}),
        ("d1", "finish", {"result": "已更换"}), ("s1", "ask_check", {"collector": "l1"}), ("l1", "check_pass", {}),
    ):  # fmt: skip
        desk.act(account, called, action, **body)
    desk.clock.advance(minutes=45)
    with desk.office.records.read() as connection:
        before = last_seq(connection)
    handover = off(desk, "s1", first["id"], "张先生 13800001111 要求明天回电")
    items = handover["items"]
    assert set(items["states"]) == {"reported", "checked"} <= set(desk_states())
    assert items["states"]["reported"] == {"count": 2, "numbers": reported[::-1]}
    assert set(items["overdue"]["numbers"]) == {*reported, called}
    assert items["requests"]["numbers"] == items["supervisions"]["numbers"] == [dispatched]
    assert items["callbacks"] == {"count": 1, "numbers": [called]}
    assert inside not in str(items)

    with desk.office.records.read() as connection:
        assert last_seq(connection) == before
        acts = " ".join(connection.execute(text("SELECT detail FROM admin_act")).scalars())
        assert broken_act(connection)[1] is None
        waiting = shifts.handovers_page(connection, desk.office, before=99, limit=9, waiting=True)
    assert "13800001111" not in acts
    assert [item["id"] for item in waiting] == [handover["id"]]

    with pytest.raises(Forbidden):
        confirm(desk, "s1", handover["id"])
    with pytest.raises(Conflict, match="Sign on first"):
        confirm(desk, "s2", handover["id"])
    on(desk, "s2")
    done = confirm(desk, "s2", handover["id"])
    assert (done["confirmed_by"], done["confirmed_name"]) == ("s2", "坐席二")
    with pytest.raises(Conflict):
        confirm(desk, "s2", handover["id"])


def test_a_shift_counts_what_its_account_did_meanwhile(desk: Desk) -> None:
    desk.report("s1")
    desk.clock.advance(minutes=1)
    shift = on(desk, "s1")
    for _ in range(2):
        desk.act("s1", desk.report("s1"), "ask_verify")
    desk.report("s2")
    with desk.office.records.read() as connection:
        found = shifts.find_shift(connection, desk.office, shift["id"])
    assert found["actions"] == {"ask_verify": 2, "report": 2}
    assert found["logged"] == {"sign_on": 1}


def test_the_log_is_appended_and_paged(desk: Desk) -> None:
    on(desk, "s1")
    actor = desk.who("s1")
    for number in range(5):
        desk.office.records.write(lambda unit, number=number: shift_log.enter(unit, actor, "visit", f"来访 {number}"))
    with pytest.raises(Invalid):
        desk.office.records.write(lambda unit: shift_log.enter(unit, actor, "sign_on", "我来了"))
    with desk.office.records.read() as connection:
        first = shift_log.page(connection, before=2**60, limit=3, kind="visit")
        rest = shift_log.page(connection, before=first[-1]["id"], limit=9)
    assert [line["text"] for line in first] == ["来访 4", "来访 3", "来访 2"]
    assert [line["kind"] for line in rest] == ["visit", "visit", "sign_on"]


def test_a_week_is_copied_over_another(desk: Desk) -> None:
    rostered(desk, ("2026-10-05", "s1", "morning"), ("2026-10-11", "p1", "night"), ("2026-10-12", "s2", "morning"))
    actor = desk.who("z1")

    def copy(target: date) -> int:
        return desk.office.records.write(lambda unit: roster.copy_week(unit, actor, MONDAY, target))

    assert copy(date(2026, 10, 12)) == 2
    with desk.office.records.read() as connection:
        found = roster.roster(connection, desk.office, date(2026, 10, 12), 7)
    assert [(entry["day"], entry["account"], entry["turn"]) for entry in found["entries"]] == [
        ("2026-10-12", "s1", "morning"), ("2026-10-18", "p1", "night"),
    ]  # fmt: skip
    with pytest.raises(Invalid):
        copy(date(2026, 10, 8))
    with pytest.raises(UnknownCode, match="works at the desk"):
        rostered(desk, ("2026-10-09", "d1", "morning"))
    with pytest.raises(UnknownCode, match="no shift"):
        rostered(desk, ("2026-10-09", "s1", "noon"))


def brought(desk: Desk, folder: Path, content: str) -> Result:
    file = folder / "roster.csv"
    file.write_text(content, encoding="utf-8")
    return run_import(desk.office.records, "roster", file, Options())[0]


def test_a_roster_comes_as_a_table_and_twice_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    content = "账号,日期,班次\ns1,2026-10-09,早班\n坐席二,2026/10/9,night\n"
    first = brought(desk, tmp_path, content)
    assert (first.added, first.refusals) == (2, [])
    again = brought(desk, tmp_path, content)
    assert (again.added, again.updated, again.refused) == (0, 0, 0)
    changed = brought(desk, tmp_path, "account,date,shift\ns1,2026-10-09,afternoon\n")
    assert changed.updated == 1
    wrong = brought(desk, tmp_path, "account,date,shift\nd1,2026-10-09,morning\ns1,someday,noon\n")
    assert {(item["row"], item["field"]) for item in wrong.refusals} == {(2, "account"), (3, "date"), (3, "shift")}
    assert not wrong.applied
    assert changed.batch is not None
    assert undo(desk.office.records, changed.batch) == 1
    with desk.office.records.read() as connection:
        entries = roster.roster(connection, desk.office, MONDAY, 7)["entries"]
    assert {entry["account"]: entry["turn"] for entry in entries} == {"s1": "morning", "s2": "night"}


def test_turns_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    turn = {"key": "day", "name": "白班", "begins": "08:00", "ends": "08:00"}
    save(tmp_path, {"county": COUNTY, "shifts": {"turns": [turn]}})
    with pytest.raises(BadHome, match="day"):
        load(tmp_path)
    save(tmp_path, {"county": COUNTY, "shifts": {"turns": [{**turn, "ends": "20:00"}]}})
    assert load(tmp_path).shifts.turns[0].name == "白班"


@pytest.mark.sqlite("its query plans")
def test_every_list_of_the_desk_walks_an_index(desk: Desk) -> None:
    office = desk.office
    on(desk, "s1")

    def read(connection: Connection) -> None:
        shifts.now_at_the_desk(connection, office, actor)
        shifts.shifts_page(connection, office, before=9, limit=9, account="s1")
        shifts.handovers_page(connection, office, before=9, limit=9, waiting=True)
        shifts.find_shift(connection, office, 1)
        shift_log.page(connection, before=9, limit=9, kind="look")
        shift_log.page(connection, before=9, limit=9, shift_id=1)
        roster.roster(connection, office, MONDAY, 7)
        open_items(connection, desk.clock.now())
        looks.cameras_page(connection, office, after="", limit=9)
        looks.coverage_page(connection, office, 0, 1, after="", limit=9)

    actor = desk.who("s1")
    found = plans(office, read)
    assert [
        plan for plan in found if plan.startswith("SCAN ") and "INDEX" not in plan and not plan.startswith(LISTS)
    ] == []
    wanted = ("ix_shift_open", "ix_shift_account", "ix_handover_waiting", "ix_shift_log_kind", "ix_shift_log_shift",
              "ix_roster_day", "ix_camera_look_camera", "ix_supervision_running", "ix_case_action_at")  # fmt: skip
    assert [name for name in wanted if not any(name in plan for plan in found)] == []
