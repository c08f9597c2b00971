"""Messages on their way: given to an agent, tried again after pauses, given up, counted by the doctor, forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.clock import DAY, MINUTE, SystemClock, local
from appliance.errors import NotFound
from appliance.messages.checks import MANY, check_messages
from appliance.messages.outbox import AT_ONCE, DETAIL_AT_MOST, forget_messages, messages_page
from tests.cases.desk import ZONE
from tests.messages.outgoing import Outgoing, configure


def finding(home: Path) -> tuple[str, str]:
    """What the doctor says of the messages."""
    found = next(iter(check_messages(home)))
    return found.result, found.en


def present() -> str:
    """The time of day as `Desk` takes it, for the doctor knows no other clock."""
    return local(SystemClock().now(), ZONE).strftime("%Y-%m-%d %H:%M")


def test_a_failed_message_is_tried_again_after_a_pause_that_doubles_and_given_up(home: Path) -> None:
    out = Outgoing(home, tries=4)
    try:
        out.tell()
        out.desk.to_dispatched()
        out.tell()
        pauses = []
        for tries in range(1, 4):
            message = out.waiting()[0]
            told = out.result(message["id"], False, "无信号" * 200)
            assert (told["state"], told["tries"], told["sent_at"]) == ("waiting", tries, None)
            assert told["detail"].startswith("无信号")
            assert len(told["detail"]) == DETAIL_AT_MOST
            before = out.now
            while not out.waiting():
                out.go_to(out.now + MINUTE)
            pauses.append((out.now - before) // MINUTE)
        assert pauses == [1, 2, 4]
        assert out.result(out.waiting()[0]["id"], False, "无信号")["state"] == "given_up"
        out.go_to(out.now + DAY)
        assert out.waiting() == []
    finally:
        out.close()


def test_the_pause_ends_growing_at_an_hour(home: Path) -> None:
    out = Outgoing(home, tries=50)
    try:
        out.tell()
        out.desk.to_dispatched()
        out.tell()
        key = out.ledger()[0]["id"]
        for _ in range(40):
            out.result(key, False, "x")
        assert out.waiting() == []
        out.go_to(out.now + 60 * MINUTE)
        assert [message["id"] for message in out.waiting()] == [key]
    finally:
        out.close()


def test_the_first_result_of_a_sent_message_counts(out: Outgoing) -> None:
    out.desk.to_dispatched()
    out.tell()
    key = out.waiting()[0]["id"]
    sent = out.result(key, True, "modem: 1")
    assert (sent["state"], sent["detail"], sent["tries"]) == ("sent", "modem: 1", 1)
    assert out.result(key, False, "late")["detail"] == "modem: 1"
    assert out.ledger()[0]["state"] == "sent"
    with pytest.raises(NotFound, match="4711"):
        out.result(4711, True)


def test_an_agent_gets_a_handful_at_a_time_and_the_longest_waiting_first(out: Outgoing) -> None:
    numbers = [out.desk.to_dispatched() for _ in range(AT_ONCE + 2)]
    out.tell()
    out.result(out.waiting()[0]["id"], False, "x")
    out.go_to(out.now + 2 * MINUTE)
    waiting = [message["case"] for message in out.waiting()]
    assert waiting == numbers[1 : AT_ONCE + 1]
    for message in out.waiting():
        out.result(message["id"], True)
    assert [message["case"] for message in out.waiting()] == [numbers[-1], numbers[0]]


def test_the_ledger_comes_in_pages_newest_first(out: Outgoing) -> None:
    for _ in range(5):
        out.desk.to_dispatched()
    out.tell()
    with out.office.records.read() as connection:
        first = messages_page(connection, before=2**62, limit=3)
        second = messages_page(connection, before=first[-1]["id"], limit=3)
    assert [message["id"] for message in [*first, *second]] == [message["id"] for message in out.ledger()[::-1]]


def test_doctor_warns_where_a_department_has_no_phone(home: Path) -> None:
    out = Outgoing(home, start=present())
    try:
        out.tell()
        assert finding(home) == ("passed", "departments are told")
        out.sql("UPDATE department SET phone = ''")
        out.desk.to_dispatched()
        out.tell()
        assert out.ledger()[0]["state"] == "no_phone"
        assert out.waiting() == []
        result, sentence = finding(home)
        assert result == "warning"
        assert "1 messages within a day had no phone" in sentence
    finally:
        out.close()


def test_doctor_fails_where_messages_were_given_up_or_pile_up(home: Path) -> None:
    out = Outgoing(home, start=present(), tries=1)
    try:
        out.tell()
        out.desk.to_dispatched()
        out.tell()
        out.result(out.waiting()[0]["id"], False, "no carrier")
        result, sentence = finding(home)
        assert result == "failed"
        assert "1 messages were given up within a day, 0 wait" in sentence
        out.sql("UPDATE message SET state = 'waiting'")
        for serial in range(1, MANY):
            out.sql(
                "INSERT INTO message (key, event, number, department, phone, channel, text, state, at, next_at, tries, "
                "detail) SELECT key || :serial, event, number, department, phone, channel, text, state, at, next_at, "
                "tries, detail FROM message WHERE id = 1",
                serial=str(serial),
            )
        result, sentence = finding(home)
        assert result == "failed"
        assert f"0 messages were given up within a day, {MANY} wait" in sentence
    finally:
        out.close()


def test_doctor_skips_where_no_channel_is_switched_on(home: Path) -> None:
    assert finding(home)[0] == "skipped"
    configure(home, channels=[])
    assert finding(home)[0] == "skipped"


def test_old_messages_are_forgotten(home: Path) -> None:
    out = Outgoing(home, kept_days=30)
    try:
        out.tell()
        out.desk.to_dispatched()
        out.tell()
        out.go_to(out.now + 29 * DAY)
        kept = out.desk.to_dispatched()
        out.tell()
        assert forget_messages(out.office) == {"forgotten": 0}
        out.go_to(out.now + 2 * DAY)
        assert forget_messages(out.office) == {"forgotten": 1}
        assert {message["case"] for message in out.ledger()} >= {kept}
    finally:
        out.close()


def test_the_doctor_warns_of_messages_that_go_unsigned_to_the_webhook(home: Path) -> None:
    configure(home, channels=["webhook"], webhook="http://127.0.0.1:1/hook")
    secret = home / "keys" / "webhook.secret"

    def said() -> str:
        return next(item.result for item in check_messages(home) if item.check == "messages.signed")

    assert said() == "warning"
    secret.write_text(" \n")
    assert said() == "warning"
    secret.write_text("agreed on\n")
    assert said() == "passed"
