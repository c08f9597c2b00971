"""What departments are told: at dispatch, when overdue, under supervision; once, to the right one, while it holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from appliance.clock import DAY, HOUR, MINUTE, local
from appliance.messages import writing
from tests.cases.desk import ZONE, at
from tests.messages.outgoing import PHONE, Outgoing

SECOND = 1_000_000


def clock_text(moment: int) -> str:
    return local(moment, ZONE).strftime("%m-%d %H:%M")


def due_of(out: Outgoing, number: str) -> int:
    """When the handling limit of a case passes."""
    with out.office.records.read() as connection:
        found = connection.execute(text("SELECT due_at FROM cases WHERE number = :number"), {"number": number})
        return int(found.scalar_one())


def test_a_dispatch_is_told_once_to_the_departments_phone(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    assert out.tell() == 1
    message = out.ledger()[0]
    assert (message["event"], message["case"], message["phone"]) == ("dispatch", number, PHONE)
    assert (message["department"], message["department_name"], message["channel"]) == ("D01", "市政管理所", "sms")
    assert message["state"] == "waiting"
    due = clock_text(due_of(out, number))
    assert message["text"] == f"【禹州市数字城管】案件{number}派遣: 污水井盖 颍川街道。请于{due}前处置。"
    out.desk.act("d1", number, "take")
    assert out.tell() == 0, "the department's own steps are no news to it"


def test_rework_is_told_with_its_new_due_time(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    out.tell()
    out.go_to(out.now + HOUR)
    out.desk.act("d1", number, "finish", result="已更换")
    out.desk.act("s1", number, "ask_check", collector="l1")
    out.desk.act("l1", number, "check_fail", reason="没有修好")
    assert out.tell() == 1
    first, second = out.ledger()
    assert second["event"] == "dispatch"
    assert clock_text(due_of(out, number)) in second["text"]
    assert first["text"] != second["text"]
    assert "没有修好" not in second["text"]


def test_a_supervision_is_told_with_its_own_due_time(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    out.tell()
    until = at("2026-10-12 16:30")
    out.desk.act("b1", number, "supervise", note="限时办结", until=until)
    out.desk.act("b1", number, "supervise", note="再督")
    assert out.tell() == 2
    first, second = (message["text"] for message in out.ledger()[1:])
    assert "请于10-12 16:30前回复" in first
    assert clock_text(due_of(out, number)) in second, "without a time of its own that of the case"
    assert "督" in first
    assert "限时办结" not in first


def test_a_supervision_before_the_dispatch_reaches_no_department(out: Outgoing) -> None:
    number = out.desk.report("l1", source="collector")
    out.desk.act("b1", number, "supervise", note="重点")
    assert out.tell() == 0


def test_overdue_is_told_once_when_the_limit_passes(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    out.tell()
    due = due_of(out, number)
    out.go_to(due - SECOND)
    assert out.tell() == 0, "a second before nothing is late"
    out.go_to(out.now + SECOND)
    assert out.tell() == 1
    assert out.told()[-1] == ("overdue", number)
    assert f"原定{clock_text(due)}" in out.ledger()[-1]["text"]
    for step in (SECOND, HOUR, 3 * DAY):
        out.go_to(out.now + step)
        assert out.tell() == 0
    out.desk.act("p1", number, "urge")
    assert out.tell() == 0


def test_after_an_extension_overdue_is_told_at_the_new_limit_only(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    out.tell()
    old = due_of(out, number)
    out.desk.decide("p1", number, out.desk.ask("d1", number, "extension"), True)
    new = due_of(out, number)
    assert new > old
    out.go_to(old + MINUTE)
    assert out.tell() == 0
    out.go_to(new)
    assert out.tell() == 1
    assert clock_text(new) in out.ledger()[-1]["text"]


def test_an_extension_that_comes_after_the_limit_is_told_at_both(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    request = out.desk.ask("d1", number, "extension")
    old = due_of(out, number)
    out.go_to(old + MINUTE)
    out.tell()
    out.desk.decide("p1", number, request, True)
    out.go_to(due_of(out, number) + MINUTE)
    out.tell()
    assert [event for event, _ in out.told()] == ["dispatch", "overdue", "overdue"]


def test_a_limit_that_is_corrected_into_the_past_is_told_at_once(out: Outgoing) -> None:
    """Three working days become two hours when the class is corrected; the clock had looked past that time already."""
    number = out.desk.to_dispatched(code="01036")
    out.tell()
    before = due_of(out, number)
    out.go_to(out.now + 2 * DAY)
    out.desk.report()
    assert out.tell() == 0
    out.desk.act("z1", number, "amend", code="01002", condition=1, reason="部件类别登记错误")
    assert due_of(out, number) < out.now < before
    assert out.tell() == 1
    assert out.told()[-1] == ("overdue", number)
    assert clock_text(due_of(out, number)) in out.ledger()[-1]["text"]


def test_a_suspended_case_is_not_late(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    out.tell()
    request = out.desk.ask("d1", number, "suspension", until=out.now + 5 * DAY)
    due = due_of(out, number)
    out.desk.decide("p1", number, request, True)
    out.go_to(due + HOUR)
    assert out.tell() == 0
    out.desk.act("p1", number, "resume")
    out.go_to(due_of(out, number))
    assert out.tell() == 1


def test_nothing_of_before_the_channel_was_switched_on(home: Path) -> None:
    out = Outgoing(home, channels=[])
    late, number = out.desk.to_dispatched(), out.desk.to_dispatched()
    out.go_to(due_of(out, late) + HOUR)
    assert out.tell() == 0
    out.close()
    out = Outgoing(home, start=clock_start(out))
    try:
        assert out.tell() == 0
        out.desk.act("b1", number, "supervise", note="督")
        assert out.tell() == 1
        assert out.told() == [("supervise", number)]
    finally:
        out.close()


def clock_start(out: Outgoing, later: int = MINUTE) -> str:
    """A time as `Desk` takes it, after what an office has seen."""
    return local(out.now + later, ZONE).strftime("%Y-%m-%d %H:%M")


def test_a_node_that_was_stopped_tells_what_happened_meanwhile(out: Outgoing, home: Path) -> None:
    """It stopped after the case was written and before it was told; while it was down a limit passed."""
    first = out.desk.to_dispatched()
    second = out.desk.to_dispatched()
    start = clock_start(out, due_of(out, first) - out.now + HOUR)
    out.close()
    again = Outgoing(home, start=start)
    try:
        assert again.tell() == 4
        assert sorted(again.told()) == sorted(
            [(event, case) for case in (first, second) for event in ("dispatch", "overdue")]
        )
    finally:
        again.close()


def test_what_no_longer_holds_after_a_stop_is_not_told(out: Outgoing) -> None:
    """Taken back, dispatched elsewhere, void, closed, struck off: nobody is sent out for it."""
    out.sql("UPDATE department SET phone = '13900001111' WHERE code = 'D02'")
    elsewhere = out.desk.to_dispatched()
    out.desk.decide("p1", elsewhere, out.desk.ask("d1", elsewhere, "return"), True)
    out.desk.act("p1", elsewhere, "dispatch", department="D02", condition=1)
    void = out.desk.to_dispatched()
    out.desk.decide("z1", void, out.desk.ask("s1", void, "void"), True)
    out.desk.to_closed()
    cleared = out.desk.to_dispatched()
    out.desk.act("b1", cleared, "supervise", note="督")
    out.desk.act("b1", cleared, "clear_supervision")
    merged = out.desk.report("l1", source="collector")
    out.desk.act("s1", merged, "merge", into=cleared)
    out.tell()
    told = [(message["event"], message["case"], message["department"]) for message in out.ledger()]
    assert told == [("dispatch", elsewhere, "D02"), ("dispatch", cleared, "D01")]


def test_a_channel_that_was_off_begins_from_its_own_beginning(out: Outgoing, home: Path) -> None:
    told = out.desk.to_dispatched()
    out.tell()
    out.close()
    off = Outgoing(home, start=clock_start(out), channels=[])
    assert off.tell() == 0
    assert [message["state"] for message in off.ledger()] == ["given_up"], "what waited is not sent weeks later"
    meanwhile = off.desk.to_dispatched()
    assert off.tell() == 0
    off.close()
    on = Outgoing(home, start=clock_start(off))
    try:
        assert on.tell() == 0
        number = on.desk.to_dispatched()
        assert on.tell() == 1
        assert on.told() == [("dispatch", told), ("dispatch", number)]
        assert meanwhile not in dict(on.told()).values()
    finally:
        on.close()


def test_a_pile_of_changes_and_of_one_due_time_is_told_whole(out: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night's cases share the due time of the morning; a slice ends neither between them nor without the rest."""
    monkeypatch.setattr(writing, "AT_ONCE", 3)
    numbers = [out.desk.to_dispatched() for _ in range(8)]
    assert len({due_of(out, number) for number in numbers}) == 1
    assert out.tell() == 8
    assert out.told() == [("dispatch", number) for number in numbers]
    out.go_to(due_of(out, numbers[0]) + SECOND)
    assert out.tell() == 8
    assert sorted(out.told()[8:]) == [("overdue", number) for number in sorted(numbers)]


def test_two_channels_are_told_each_and_a_webhook_needs_no_phone(home: Path) -> None:
    out = Outgoing(home, channels=["sms", "webhook"], webhook="http://127.0.0.1:9/hook")
    try:
        out.tell()
        out.sql("UPDATE department SET phone = NULL WHERE code = 'D01'")
        out.desk.to_dispatched()
        assert out.tell() == 2
        assert [(message["channel"], message["state"]) for message in out.ledger()] == [
            ("sms", "no_phone"),
            ("webhook", "waiting"),
        ]
        assert [message["channel"] for message in out.waiting()] == ["webhook"]
    finally:
        out.close()


def test_only_the_events_that_the_county_wants(home: Path) -> None:
    out = Outgoing(home, events=["supervise"])
    try:
        out.tell()
        number = out.desk.to_dispatched()
        out.desk.act("b1", number, "supervise", note="督")
        out.go_to(due_of(out, number) + HOUR)
        assert out.tell() == 1
        assert out.told() == [("supervise", number)]
    finally:
        out.close()


def test_no_message_names_the_caller_or_says_what_was_said(out: Outgoing) -> None:
    """Not by name, telephone, description, note or answer; a number in the address is hidden."""
    number = out.desk.report(
        "s1", description="张先生说井盖破了", address="药城路18号 138-1234-5678张先生", reporter_name="张先生",
        reporter_phone="13712345678",
    )  # fmt: skip
    out.desk.act("s1", number, "accept", reason="张先生着急")
    out.desk.act("z1", number, "file")
    out.desk.act("p1", number, "dispatch", department="D01", condition=1, note="张先生等着")
    out.desk.act("b1", number, "supervise", note="张先生又来电")
    out.go_to(due_of(out, number))
    assert out.tell() == 3
    texts = [message["text"] for message in out.ledger()]
    for words in ("137", "138", "5678", "井盖破了", "着急", "等着", "来电"):
        assert not any(words in told for told in texts), words
    assert all("药城路18号 ***" in told for told in texts)


def test_the_place_that_the_public_wrote_is_not_passed_on(out: Outgoing) -> None:
    from appliance.cases.report import NewCase, report
    from appliance.people.actor import machine
    from tests.cases.desk import place

    app = machine("public", "open311:app", "app")
    new = NewCase(source="web", kind="part", code="01002", description="坏了", address="张先生家门口", **place())
    number = str(out.office.records.write(lambda unit: report(unit, out.office, app, new))["number"])
    out.desk.act("s1", number, "accept", reason="照片清楚")
    out.desk.act("z1", number, "file")
    out.desk.act("p1", number, "dispatch", department="D01", condition=1)
    assert out.tell() == 1
    assert "污水井盖 颍川街道" in out.ledger()[0]["text"]
    assert "张先生" not in out.ledger()[0]["text"]
