"""Who may do what to whom: roles on a case, on behalf of others, the one who was sent."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from appliance.errors import Conflict, Forbidden, Invalid
from appliance.people.accounts import add_account
from appliance.records.writer import Unit
from tests.cases.desk import Desk, at, place


def hire(desk: Desk, account: str, roles: str, department: str | None = None) -> None:
    def work(unit: Unit) -> None:
        add_account(
            unit, account=account, name=account, roles=frozenset(roles.split("|")), by="t", department=department
        )

    desk.office.records.write(work)


def test_a_seat_enters_answers_of_the_field_and_nothing_that_its_own_superiors_do(desk: Desk) -> None:
    number = desk.to_dispatched()
    desk.act("d1", number, "finish", result="好了")
    with pytest.raises(Forbidden):
        desk.act("s1", number, "force_close", reason="结了吧", on_behalf_of="b1", note="电话")
    other = desk.report("l1", source="collector")
    desk.act("s1", other, "accept")
    with pytest.raises(Forbidden):
        desk.act("s1", other, "file", on_behalf_of="z1", note="电话")


def test_only_the_collector_who_was_sent_answers(desk: Desk) -> None:
    number = desk.to_dispatched(**place(5.5, 5.5))
    desk.act("d1", number, "finish", result="好了")
    desk.act("s1", number, "ask_check", collector="l2")
    with pytest.raises(Forbidden):
        desk.act("l1", number, "check_pass")
    with pytest.raises(Forbidden):
        desk.act("s1", number, "check_pass", on_behalf_of="l1", note="电话")
    assert desk.act("s1", number, "check_pass", on_behalf_of="l2", note="电话")["state"] == "checked"


def test_who_reported_is_not_drawn_to_check_or_verify(desk: Desk) -> None:
    for _ in range(8):
        number = desk.to_dispatched()
        desk.act("d1", number, "finish", result="好了")
        assert desk.act("s1", number, "ask_check")["collector"] == "l2"
    own = desk.report("l1", source="collector")
    assert desk.act("s1", own, "ask_verify")["collector"] == "l2"


def test_two_roles_of_one_person_do_not_open_other_departments_cases(desk: Desk) -> None:
    hire(desk, "dl", "department|leader", "D02")
    number = desk.to_dispatched()
    assert desk.case(number, "dl")["number"] == number
    with pytest.raises(Forbidden):
        desk.act("dl", number, "finish", result="代劳")


def test_somebody_with_two_roles_acts_in_the_one_that_fits(desk: Desk) -> None:
    hire(desk, "al", "acceptor|collector")
    number = desk.report("s1")
    desk.act("s1", number, "ask_verify", collector="al")
    desk.act("al", number, "verify_true", method="site", **place())
    assert desk.history(number)[-1]["role"] == "collector"


def test_what_is_out_of_sight_tells_nothing_of_its_state(desk: Desk) -> None:
    number = desk.to_dispatched()
    with pytest.raises(Forbidden):
        desk.act("d2", number, "dance")


def test_the_unit_below_does_not_assign_further(desk: Desk) -> None:
    number = desk.to_dispatched()
    desk.act("d1", number, "assign", department="D0101")
    with pytest.raises(Forbidden):
        desk.act("d11", number, "assign", department="D0101")


def test_requests_end_with_the_handling_they_were_about(desk: Desk) -> None:
    number = desk.to_dispatched()
    stale = desk.ask("d1", number, "suspension", until=at("2026-11-01 10:00"))
    desk.act("p1", number, "dispute", note="不归市政")
    desk.act("p1", number, "settle", reason="归环卫", department="D02")
    desk.act("p1", number, "dispatch", department="D02", condition=1)
    with pytest.raises(Conflict):
        desk.decide("p1", number, stale, True)
    assert desk.ask("d2", number, "suspension", until=at("2026-11-01 10:00")) != stale


def test_an_imported_number_does_not_stop_the_intake(desk: Desk) -> None:
    number = desk.report()
    coming = f"{number[:-5]}{int(number[-5:]) + 1:05d}"
    desk.office.records.write(
        lambda unit: (
            unit.connection.execute(
                text("UPDATE cases SET number = :coming WHERE number = :number"), {"coming": coming, "number": number}
            )
            and None
        )
    )
    assert desk.report() == f"{number[:-5]}{int(number[-5:]) + 2:05d}"


def test_a_citizen_reads_the_reason_and_not_the_office_s_own_note(desk: Desk) -> None:
    from appliance.cases.public import public_view

    number = desk.report("s1")
    desk.act("s1", number, "reject", reason="不属城市管理范围", note="来电人多次骚扰")
    with desk.office.records.read() as connection:
        view = public_view(connection, desk.office, desk.case(number)["query_code"])
    assert view["reason"] == "不属城市管理范围"


def test_an_amended_limit_keeps_what_was_granted(desk: Desk) -> None:
    number = desk.to_dispatched()
    desk.decide("p1", number, desk.ask("d1", number, "extension"), True)
    extended = desk.case(number)["due_at"]
    with pytest.raises(Invalid, match="Nothing to correct"):
        desk.act("p1", number, "amend", reason="没变", condition=1)
    assert desk.case(number)["due_at"] == extended
    case = desk.act("p1", number, "amend", reason="写错地址", address="滨河路2号")
    assert case["due_at"] == extended
    assert "滨河路2号" in desk.history(number)[-1]["note"]


def test_after_a_suspension_a_correction_does_not_give_the_whole_limit_again(desk: Desk) -> None:
    number = desk.to_dispatched()
    desk.clock.advance(minutes=90)
    desk.decide("p1", number, desk.ask("d1", number, "suspension", until=at("2026-11-02 10:00")), True)
    desk.clock.set(at("2026-10-20 10:00"))
    assert desk.act("p1", number, "resume")["due_at"] == "2026-10-20T02:30:00Z"
    case = desk.act("p1", number, "amend", reason="条件", code="01003", condition=1)
    assert case["limit"]["value"] == 2.0
    assert case["due_at"] == "2026-10-20T02:30:00Z"


def test_a_new_calendar_moves_provisional_due_times_by_itself_with_a_history_row(desk: Desk) -> None:
    from appliance.cases.resume import resume_due
    from appliance.records.acts import append_act

    desk.clock.set(at("2026-12-30 10:00"))
    number = desk.to_dispatched(code="01001")
    case = desk.act("p1", number, "amend", reason="条件", condition=3)
    assert case["provisional"]

    def load(unit: Unit) -> None:
        for day in ("2027-01-01", "2027-01-04"):
            unit.connection.execute(
                text("INSERT INTO calendar_day (day, is_workday, name) VALUES (:day, false, '元旦')"), {"day": day}
            )
        append_act(unit, "t", "import", "calendar")

    desk.office.records.write(load)
    desk.office._checked = 0
    desk.office.records.write(lambda unit: resume_due(unit, desk.office))
    moved = desk.case(number)
    assert not moved["provisional"]
    assert moved["due_at"] > case["due_at"]
    assert desk.history(number)[-1]["action"] == "recompute"
