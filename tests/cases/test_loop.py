"""The loop from report to close, and everything that may happen on the way."""

from __future__ import annotations

import pytest

from appliance.cases.actions import ActionBody, act
from appliance.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotAllowed,
    StaleVersion,
    UnknownCode,
    UnknownPlace,
    VersionRequired,
)
from appliance.records.writer import Unit
from tests.cases.desk import Desk, at, place


def test_a_hotline_call_is_walked_from_report_to_close(desk: Desk) -> None:
    number = desk.report("s1", reporter_name="张先生", reporter_phone="13812341234")
    case = desk.case(number)
    assert (case["state"], case["clock"], case["grid"]) == ("reported", "accept", "411081001001001")
    assert case["duty_grid"] == "411081001-1"
    assert case["query_code"]
    desk.clock.advance(minutes=5)
    assert desk.act("s1", number, "ask_verify")["collector"] == "l1"
    desk.clock.advance(minutes=30)
    assert desk.act("l1", number, "verify_true", **place(0.6, 0.5))["state"] == "accepted"
    desk.act("z1", number, "file")
    case = desk.act("p1", number, "dispatch", department="D01", condition=2)
    assert case["limit"] == {"value": 4.0, "unit": "工作时"}
    desk.act("d1", number, "take")
    desk.clock.advance(hours=2)
    desk.act("d1", number, "finish", result="已更换井盖")
    case = desk.act("s1", number, "ask_check")
    desk.act(case["collector"], number, "check_pass", method="site", **place())
    case = desk.act("z1", number, "close")
    assert (case["state"], case["clock"], case["due_at"], case["light"]) == ("closed", None, None, None)
    actions = [row["action"] for row in desk.history(number)]
    assert actions == [
        "report", "ask_verify", "verify_true", "file", "dispatch", "take", "finish", "ask_check", "check_pass", "close",
    ]  # fmt: skip
    assert [row["seq"] for row in desk.history(number)] == list(range(1, 11))


def test_the_reporter_is_masked_for_those_who_need_not_know(desk: Desk) -> None:
    number = desk.report("s1", reporter_name="张先生", reporter_phone="13812341234")
    assert desk.case(number, "s1")["reporter"] == {"name": "张先生", "phone": "13812341234"}
    assert desk.case(number, "b1")["reporter"] == {"name": "张*", "phone": "138****1234"}
    assert all("13812341234" not in str(row) for row in desk.history(number))


def test_wrong_role_state_and_version_are_refused_with_what_is_possible(desk: Desk) -> None:
    number = desk.report()
    with pytest.raises(Forbidden):
        desk.act("d1", number, "file")
    with pytest.raises(NotAllowed) as refused:
        desk.act("z1", number, "close")
    assert "reject" in refused.value.extra["allowed"]
    with pytest.raises(StaleVersion):
        desk.act("s1", number, "ask_verify", version=7)
    actor = desk.who("s1")
    with pytest.raises(VersionRequired):
        desk.office.records.write(lambda unit: act(unit, desk.office, actor, number, "note", ActionBody(), None))
    with pytest.raises(NotAllowed, match="no action dance"):
        desk.act("s1", number, "dance")
    with pytest.raises(NotAllowed, match="approved request"):
        desk.act("p1", number, "extend")
    assert len(desk.history(number)) == 1


def test_unknown_codes_and_places_are_refused_with_the_nearest(desk: Desk) -> None:
    with pytest.raises(UnknownCode) as refused:
        desk.report(code="0102")
    assert refused.value.fields[0].nearest
    with pytest.raises(UnknownPlace):
        desk.report(lon=114.9, lat=34.5)
    with pytest.raises(UnknownPlace):
        desk.report(part="41108101002000001")
    with pytest.raises(UnknownCode):
        desk.report(source="telepathy")
    number = desk.to_dispatched()
    assert desk.case(number)["state"] == "dispatched"
    assert desk.numbers() == [number]


def test_a_class_with_several_conditions_asks_for_one(desk: Desk) -> None:
    number = desk.report("l1", source="collector")
    desk.act("s1", number, "accept")
    desk.act("z1", number, "file")
    with pytest.raises(Invalid) as refused:
        desk.act("p1", number, "dispatch", department="D01")
    assert len(refused.value.fields[0].nearest) >= 2
    with pytest.raises(UnknownCode) as unknown:
        desk.act("p1", number, "dispatch", department="市政", condition=1)
    assert any("D01" in near for near in unknown.value.fields[0].nearest)


def test_a_public_case_without_verification_needs_a_reason_and_is_flagged(desk: Desk) -> None:
    number = desk.report()
    with pytest.raises(Invalid):
        desk.act("s1", number, "accept")
    assert desk.act("s1", number, "accept", reason="市长热线录音属实")["flags"] == ["unverified"]


def test_who_registered_a_case_does_not_verify_it(desk: Desk) -> None:
    number = desk.report("s1")
    desk.act("s1", number, "ask_verify")
    with pytest.raises(Forbidden):
        desk.act("s1", number, "verify_true", method="photo")
    with pytest.raises(Forbidden):
        desk.act("s2", number, "verify_true", method="phone")
    assert desk.act("s2", number, "verify_true", method="video")["state"] == "accepted"


def test_rework_goes_to_the_same_department_with_a_new_limit(desk: Desk) -> None:
    number = desk.to_dispatched()
    first_due = desk.case(number)["due_at"]
    desk.clock.advance(hours=1)
    desk.act("d1", number, "finish", result="修好了")
    desk.act("s1", number, "ask_check", collector="l1")
    case = desk.act("l1", number, "check_fail", reason="没有修")
    assert (case["state"], case["rework"], case["department"]) == ("dispatched", 1, "D01")
    assert case["due_at"] > first_due


def test_an_extension_asked_in_time_counts_although_it_is_decided_late(desk: Desk) -> None:
    number = desk.to_dispatched()
    due = desk.case(number)["due_at"]
    request = desk.ask("d1", number, "extension")
    with pytest.raises(Conflict):
        desk.ask("d1", number, "extension")
    desk.clock.advance(hours=3)
    assert desk.case(number)["light"] == "red"
    case = desk.decide("p1", number, request, True)
    assert case["due_at"] > due
    assert case["extensions"] == 1
    with pytest.raises(Conflict):
        desk.decide("p1", number, request, True)
    assert [row["action"] for row in desk.history(number)][-3:] == ["request", "decide", "extend"]


def test_extensions_are_not_for_overdue_cases_and_at_most_two(desk: Desk) -> None:
    number = desk.to_dispatched()
    for _ in range(2):
        desk.decide("z1", number, desk.ask("d1", number, "extension"), True)
    with pytest.raises(NotAllowed):
        desk.ask("d1", number, "extension")
    other = desk.to_dispatched()
    desk.clock.advance(hours=5)
    with pytest.raises(NotAllowed):
        desk.ask("d1", other, "extension")


def test_a_suspended_case_goes_on_by_itself_with_what_was_left(desk: Desk) -> None:
    from appliance.cases.resume import resume_due

    number = desk.to_dispatched()
    desk.clock.advance(minutes=30)
    request = desk.ask("d1", number, "suspension", until=at("2026-11-02 10:00"))
    case = desk.decide("p1", number, request, True)
    assert (case["state"], case["due_at"]) == ("suspended", None)
    assert desk.office.records.write(lambda unit: resume_due(unit, desk.office)) == 0
    desk.clock.set(at("2026-11-02 10:00"))
    assert desk.office.records.write(lambda unit: resume_due(unit, desk.office)) == 1
    case = desk.case(number)
    assert (case["state"], case["due_at"]) == ("handling", "2026-11-02T03:30:00Z")
    with pytest.raises(NotAllowed):
        desk.ask("d1", number, "suspension", until=at("2026-12-02 10:00"))


def test_a_returned_case_goes_to_another_department(desk: Desk) -> None:
    number = desk.to_dispatched()
    case = desk.decide("p1", number, desk.ask("d1", number, "return", "不归我们"), True)
    assert (case["state"], case["department"]) == ("filed", None)
    case = desk.act("p1", number, "dispatch", department="D02", condition=1)
    assert case["department"] == "D02"
    with pytest.raises(Forbidden):
        desk.case(number, "d1")


def test_void_needs_the_shift_leader_and_never_the_asker(desk: Desk) -> None:
    number = desk.to_dispatched()
    with pytest.raises(Forbidden):
        desk.ask("d2", number, "void")
    request = desk.ask("p1", number, "void", "重复登记")
    with pytest.raises(Forbidden):
        desk.decide("p1", number, request, True)
    case = desk.decide("z1", number, request, False)
    assert (case["state"], case["requests"][0]["approved"]) == ("dispatched", False)
    assert desk.decide("z1", number, desk.ask("d1", number, "void", "误报"), True)["state"] == "void"


def test_an_appeal_takes_two_decisions_and_changes_no_fact(desk: Desk) -> None:
    number = desk.to_closed()
    request = desk.ask("d1", number, "appeal", "停电三小时")
    with pytest.raises(Forbidden):
        desk.decide("s1", number, request, True)
    desk.decide("p1", number, request, True)
    case = desk.decide("s1", number, request, True)
    assert case["state"] == "closed"
    assert case["flags"] == ["appeal_granted"]
    with pytest.raises(NotAllowed):
        desk.ask("d1", number, "appeal")


def test_second_level_dispatch_goes_below_and_not_past_the_due_time(desk: Desk) -> None:
    number = desk.to_dispatched()
    with pytest.raises(Invalid):
        desk.act("d1", number, "assign", department="D02")
    with pytest.raises(Invalid):
        desk.act("d1", number, "assign", department="D0101", until=at("2026-10-12 09:00"))
    case = desk.act("d1", number, "assign", department="D0101")
    assert (case["department"], case["sub_unit"], case["sub_due_at"]) == ("D01", "D0101", case["due_at"])
    assert desk.case(number, "d11")["number"] == number


def test_a_dispute_is_settled_with_a_basis_that_becomes_a_duty(desk: Desk) -> None:
    number = desk.to_dispatched()
    desk.act("p1", number, "dispute", note="市政、环卫到场")
    case = desk.act("z1", number, "settle", reason="属环卫", department="D02", basis="会议纪要〔2026〕3号")
    assert (case["state"], case["department_suggested"]) == ("filed", "D02")
    desk.office._checked = 0
    assert desk.case(desk.report())["department_suggested"] == "D02"


def test_merge_and_unmerge(desk: Desk) -> None:
    first, second = desk.report(), desk.report()
    with pytest.raises(Invalid):
        desk.act("s1", second, "merge", into=second)
    case = desk.act("s1", second, "merge", into=first)
    assert (case["state"], case["merged_into"], case["clock"]) == ("merged", first, None)
    case = desk.act("z1", second, "unmerge")
    assert (case["state"], case["merged_into"], case["clock"]) == ("reported", None, "accept")


def test_reporters_of_merged_cases_are_called_back_with_the_case(desk: Desk) -> None:
    first, second = desk.to_dispatched(), desk.report()
    desk.act("s1", second, "merge", into=first)
    desk.act("d1", first, "finish", result="好了")
    desk.act("s1", first, "ask_check", collector="l2")
    desk.act("l2", first, "check_pass")
    desk.act("z1", first, "close")
    desk.act("s1", first, "callback", answer="satisfied")
    assert desk.case(second)["satisfaction"] == "satisfied"
    assert desk.history(second)[-1]["with"] == first


def test_supervisions_run_beside_each_other_and_end_with_the_case(desk: Desk) -> None:
    number = desk.to_dispatched()
    desk.act("b1", number, "supervise", note="今天必须修好", until=at("2026-10-09 18:00"))
    case = desk.act("z1", number, "supervise", note="又有人投诉")
    assert len(case["supervisions"]) == 2
    desk.act("d1", number, "answer_supervision", note="正在修")
    case = desk.act("b1", number, "clear_supervision")
    assert [bool(item["cleared_at"]) for item in case["supervisions"]] == [True, False]
    desk.act("d1", number, "finish", result="好了")
    case = desk.act("b1", number, "force_close", reason="防汛应急")
    assert all(item["cleared_at"] for item in case["supervisions"])
    assert case["flags"] == ["forced"]


def test_call_back_and_reopening(desk: Desk) -> None:
    number = desk.to_closed()
    with pytest.raises(Invalid):
        desk.act("s1", number, "callback", answer="so-so")
    assert desk.act("s1", number, "callback", answer="dissatisfied")["satisfaction"] == "dissatisfied"
    case = desk.act("z1", number, "reopen", reason="群众不满意")
    assert (case["state"], case["rework"], case["closed_at"], case["department"]) == ("dispatched", 1, None, "D01")


def test_an_answer_by_telephone_keeps_both_names(desk: Desk) -> None:
    number = desk.to_dispatched()
    with pytest.raises(Invalid):
        desk.act("s1", number, "finish", result="已修", on_behalf_of="d1")
    desk.act("s1", number, "finish", result="已修", on_behalf_of="d1", note="电话答复")
    row = desk.history(number)[-1]
    assert (row["actor"], row["on_behalf_of"], row["role"]) == ("s1", "d1", "department")
    other = desk.to_dispatched()
    with pytest.raises(Forbidden):
        desk.act("s1", other, "finish", result="已修", on_behalf_of="d2", note="电话答复")


def test_a_correction_moves_the_case_and_computes_the_due_time_anew(desk: Desk) -> None:
    number = desk.to_dispatched()
    case = desk.act("p1", number, "amend", reason="定位错", **place(15.5, 3.5))
    assert case["street"] == "411081002"
    case = desk.act("p1", number, "amend", reason="条件选错", condition=2)
    assert case["limit"]["unit"] == "工作时"
    assert case["due_at"] == "2026-10-09T07:00:00Z"
    assert desk.history(number)[-1]["changed"]["condition"]
    with pytest.raises(Invalid):
        desk.act("p1", number, "amend", reason="什么都没改")


def test_only_a_case_from_above_goes_back_there(desk: Desk) -> None:
    number = desk.report()
    with pytest.raises(NotAllowed):
        desk.act("z1", number, "return_up", reason="不属本县")
    upper = desk.report(source="upper_level", upper_number="S-1")
    assert desk.act("z1", upper, "return_up", reason="不属本县")["state"] == "returned_up"


def test_a_question_is_answered_at_once(desk: Desk) -> None:
    case = desk.act("s1", desk.report(), "answer", note="办理地点在政务大厅")
    assert (case["state"], case["clock"]) == ("answered", None)


def test_a_collector_mends_something_on_the_spot_with_two_photos(desk: Desk) -> None:
    with pytest.raises(Invalid):
        desk.report("l1", source="self_handled", self_handled=True)


def test_sight_of_departments_and_collectors(desk: Desk) -> None:
    mine = desk.to_dispatched()
    other = desk.report("s1", **place(12.5, 1.5))
    assert desk.numbers("d1") == [mine]
    assert desk.numbers("d2") == []
    assert desk.numbers("l1") == [mine]
    assert desk.numbers("l2") == [other]
    assert desk.numbers("z1") == [other, mine]


def test_a_case_inside_a_thematic_layer_carries_its_flag(desk: Desk) -> None:
    from appliance.places.layers import add_members, save_layer

    def make(unit: Unit) -> None:
        save_layer(unit, "L1", "赛事保障", case_flag="event2026")
        add_members(unit, "L1", "grid", ["411081001001001"])

    desk.office.records.write(make)
    desk.office._checked = 0
    assert desk.case(desk.report())["flags"] == ["event2026"]
    assert desk.case(desk.report(**place(5.5, 5.5)))["flags"] == []
