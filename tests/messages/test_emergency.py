"""A case is marked as an emergency: told at once whether channels are on or not, tried again, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import MINUTE
from appliance.errors import Conflict, Forbidden, Invalid, NotAllowed, StaleVersion, VersionRequired
from appliance.messages import outbox
from appliance.messages.checks import check_messages
from appliance.messages.emergency import mark
from tests.messages.outgoing import Outgoing

URL = "http://127.0.0.1:9/urgent"


@pytest.fixture
def out(home: Path) -> Iterator[Outgoing]:
    """No channel to departments is switched on; the emergency centre has its address."""
    made = Outgoing(home, channels=[], emergency_webhook=URL)
    yield made
    made.close()


def put(out: Outgoing, account: str, number: str, emergency: bool = True, note: str = "塌陷", version: int = -1) -> Any:
    desk = out.desk
    seen = desk.case(number)["version"] if version == -1 else version
    actor = desk.who(account)
    return out.office.records.write(
        lambda unit: mark(unit, out.office, actor, number, emergency=emergency, note=note, version=seen or None)
    )


def test_it_is_written_at_once_and_tried_again_until_it_is_heard(out: Outgoing) -> None:
    number = out.desk.to_dispatched(address="药城路18号 13812345678", description="张建国家门口塌陷")
    put(out, "z1", number)
    assert out.desk.case(number)["flags"] == ["emergency"]
    last = out.desk.history(number)[-1]
    assert (last["action"], last["emergency"], last["note"], last["role"]) == ("note", True, "塌陷", "shift_leader")
    waiting = out.waiting()
    assert [(item["event"], item["channel"], item["case"]) for item in waiting] == [("emergency", "emergency", number)]
    assert "药城路18号" in waiting[0]["text"]
    assert "市政管理所" in waiting[0]["text"]
    for word in ("13812345678", "张建国", "塌陷"):
        assert word not in waiting[0]["text"], "no telephone, no caller's words, no note of the office"
    taken = out.office.records.write(lambda unit: outbox.take_messages(unit, ["emergency"]))
    assert [item["id"] for item in taken] == [waiting[0]["id"]]
    assert out.result(waiting[0]["id"], False, "HTTP 503")["state"] == "waiting"
    assert out.waiting() == []
    out.go_to(out.now + MINUTE)
    assert out.result(out.waiting()[0]["id"], True)["state"] == "sent"
    put(out, "b1", number, emergency=False, note="已围挡")
    assert out.waiting()[0]["event"] == "emergency_over"
    assert out.desk.case(number)["flags"] == []


def test_it_is_kept_when_the_other_channels_are_switched_off(out: Outgoing) -> None:
    out.sql("INSERT INTO message_cursor (id, seq, due) VALUES (1, 0, 0)")
    put(out, "z1", out.desk.to_dispatched())
    out.tell()
    assert [item["event"] for item in out.waiting()] == ["emergency"]


def test_who_marks_why_and_what_cannot_be_marked(out: Outgoing) -> None:
    number = out.desk.to_dispatched()
    with pytest.raises(Forbidden):
        put(out, "p1", number)
    with pytest.raises(Invalid):
        put(out, "z1", number, note=" ")
    with pytest.raises(StaleVersion):
        put(out, "z1", number, version=1)
    with pytest.raises(VersionRequired):
        put(out, "z1", number, version=0)
    with pytest.raises(Conflict, match="is not an emergency"):
        put(out, "z1", number, emergency=False)
    put(out, "z1", number)
    with pytest.raises(Conflict, match="is already"):
        put(out, "z1", number)
    with pytest.raises(NotAllowed):
        put(out, "z1", out.desk.to_closed())
    assert len(out.ledger()) == 1


def test_the_doctor_warns_of_an_unsigned_emergency_webhook(out: Outgoing, home: Path) -> None:
    assert [finding.result for finding in check_messages(home)] == ["passed", "warning"]
