"""The key bar of a case has no dead keys: what is offered is possible, what is impossible is not offered."""

from __future__ import annotations

import pytest

from appliance.cases.actions import ActionBody, act
from appliance.cases.offers import offered_actions
from appliance.errors import Forbidden, NotAllowed, WanmiError
from appliance.records.writer import Unit
from tests.cases.desk import Desk

PEOPLE = ("s1", "z1", "p1", "b1", "d1", "l1", "l2")


def offered(desk: Desk, account: str, number: str) -> set[str]:
    with desk.office.records.read() as connection:
        return {item["action"] for item in offered_actions(connection, desk.office, desk.who(account), number)}


def refused_outright(desk: Desk, account: str, number: str, action: str) -> bool:
    """Whether the action is refused for who asks or for the case, whatever the form would say."""
    actor, version = desk.who(account), desk.case(number)["version"]

    def trial(unit: Unit) -> None:
        act(unit, desk.office, actor, number, action, ActionBody(), version)
        raise InterruptedError("only a trial")

    try:
        desk.office.records.write(trial)
    except (Forbidden, NotAllowed):
        return True
    except (WanmiError, InterruptedError):
        return False
    return False


def test_nothing_goes_back_above_that_did_not_come_from_there(desk: Desk) -> None:
    number = desk.report()
    assert "return_up" not in offered(desk, "z1", number)


def test_a_supervision_can_be_cleared_only_while_it_runs(desk: Desk) -> None:
    number = desk.to_dispatched()
    assert "clear_supervision" not in offered(desk, "p1", number)
    assert "answer_supervision" not in offered(desk, "d1", number)
    desk.act("p1", number, "supervise", note="请尽快", until=desk.clock.now() + 3_600_000_000)
    assert "clear_supervision" in offered(desk, "p1", number)
    assert "answer_supervision" in offered(desk, "d1", number)
    desk.act("p1", number, "clear_supervision")
    assert "clear_supervision" not in offered(desk, "p1", number)


def test_only_who_was_sent_is_offered_the_answer(desk: Desk) -> None:
    number = desk.report("s1")
    desk.act("s1", number, "ask_verify", collector="l1")
    assert "verify_true" in offered(desk, "l1", number)
    with pytest.raises(Forbidden):
        offered(desk, "d1", number)


def test_along_the_whole_loop_every_key_that_is_shown_does_something(desk: Desk) -> None:
    number = desk.report("l1", source="collector")
    steps = (
        ("s1", "accept", {}), ("z1", "file", {}), ("p1", "dispatch", {"department": "D01", "condition": 1}),
        ("d1", "finish", {"result": "已更换"}), ("s1", "ask_check", {"collector": "l2"}), ("l2", "check_pass", {}),
        ("s1", "callback", {"answer": "dissatisfied"}), ("z1", "close", {}), ("z1", "reopen", {"reason": "不满意"}),
    )  # fmt: skip
    seen = 0
    for account, action, body in steps:
        for person in PEOPLE:
            try:
                keys = offered(desk, person, number)
            except Forbidden:
                continue
            seen += len(keys)
            dead = {key for key in keys if refused_outright(desk, person, number, key)}
            assert not dead, f"{person} at {desk.case(number)['state']}: {dead}"
        assert action in offered(desk, account, number)
        desk.act(account, number, action, **body)
    assert seen > 100
