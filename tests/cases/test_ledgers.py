"""Ledgers: who is to be called back, what was handled anew, what leaders instructed and who replied."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import event

from appliance.cases import calls
from appliance.cases.instructions import instructions_page
from appliance.clock import DAY
from appliance.errors import Conflict, Forbidden, Invalid, NotFound
from tests.cases.desk import Desk

PHONE = "13800001111"


def to_checked(desk: Desk, number: str) -> str:
    for account, action, body in (
        ("s2", "accept", {"reason": "属实"}), ("z1", "file", {}),
        ("p1", "dispatch", {"department": "D01", "condition": 1}), ("d1", "finish", {"result": "已更换"}),
        ("s1", "ask_check", {"collector": "l1"}), ("l1", "check_pass", {}),
    ):  # fmt: skip
        desk.act(account, number, action, **body)
    return number


def pages(desk: Desk, size: int, account: str = "z1", **wanted: Any) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = desk.page(account, limit=size, after=after, **wanted)
        found += desk.numbers(account, limit=size, after=after, **wanted)
        after = page.next
        if after is None:
            return found


def test_the_call_back_list_has_public_cases_first_and_loses_the_called(desk: Desk) -> None:
    """Checked or closed and not called back: the public ones, then inside ones whose reporter left a number."""
    reachable = to_checked(desk, desk.report("s1", source="video", reporter_phone=PHONE))
    first, second = (to_checked(desk, desk.report("s1", reporter_phone=PHONE)) for _ in range(2))
    desk.to_closed()
    desk.report("s1", reporter_phone=PHONE)
    wanted = {"awaiting_callback": True}
    assert desk.numbers("s1", **wanted) == [second, first, reachable]
    assert pages(desk, 1, **wanted) == pages(desk, 2, **wanted) == [second, first, reachable]
    assert desk.numbers("s1", awaiting_callback=True, states=("closed",)) == []
    desk.act("z1", first, "close")
    assert desk.numbers("s1", awaiting_callback=True, states=("closed",)) == [first]
    desk.act("s1", second, "callback", answer="satisfied")
    desk.act("s1", first, "callback", answer="dissatisfied")
    assert desk.numbers("s1", **wanted) == [reachable]
    desk.act("z1", first, "reopen", reason="来电人不满意")
    assert desk.numbers("s1", **wanted) == [reachable], "while it is handled anew nobody is called"
    assert desk.numbers("k1", reopened=True) == [first]
    with pytest.raises(Forbidden):
        desk.numbers("d1", **wanted)


def test_the_supervised_cases_are_those_whose_supervision_runs(desk: Desk) -> None:
    first, second = desk.to_dispatched(), desk.to_dispatched()
    desk.act("p1", first, "supervise", note="请尽快", until=desk.clock.now() + 3_600_000_000)
    assert desk.numbers(supervised=True) == [first]
    assert desk.numbers("d1", supervised=True) == [first], "a department sees its own"
    desk.act("p1", first, "clear_supervision")
    assert desk.numbers(supervised=True) == []
    assert second in desk.numbers()


LISTS: dict[str, Any] = {
    "phone": "1111", "waiting": True, "awaiting_callback": True, "reopened": True, "supervised": True,
    "collector": "l1", "overdue": True, "states": ("dispatched", "checking", "checked"), "text": "井盖",
}  # fmt: skip


def furnished(desk: Desk) -> None:
    """Cases of every list, several on two or three of them."""
    for place in range(24):
        number = desk.report("s1", reporter_phone=PHONE if place % 3 else "13922223333")
        steps: list[tuple[str, str, dict[str, Any]]] = [
            ("s2", "accept", {"reason": "属实"}), ("z1", "file", {}),
            ("p1", "dispatch", {"department": ("D01", "D02")[place % 5 == 4], "condition": 1}),
        ]  # fmt: skip
        if place % 2:
            handler = ("d1", "d2")[place % 5 == 4]
            steps += [
                (handler, "finish", {"result": "已更换"}), ("s1", "ask_check", {"collector": "l1"}),
                ("l1", "check_pass", {}),
            ]  # fmt: skip
        for account, action, body in steps:
            desk.act(account, number, action, **body)
        if place % 4 == 1:
            desk.act("z1", number, "close")
        if place % 8 == 1:
            desk.act("z1", number, "reopen", reason="又坏了")
        if place % 4 == 0:
            desk.act("p1", number, "supervise", note="请尽快", until=desk.clock.now() + 3_600_000_000)
        if place % 6 in (0, 2):
            desk.ask("p1", number, "void", "误报")


@pytest.mark.parametrize("account", ["s1", "z1", "d1", "l1"])
def test_lists_can_be_mixed_and_nothing_that_is_asked_for_is_left_out(desk: Desk, account: str) -> None:
    """Every mix of lists is what all of them have in common, on one page and on many."""
    furnished(desk)
    desk.clock.advance(hours=30)
    allowed = [
        name for name in LISTS if account in ("s1", "z1") or name not in ("phone", "awaiting_callback", "reopened")
    ]
    single = {name: set(desk.numbers(account, limit=1000, **{name: LISTS[name]})) for name in allowed}
    everything = desk.numbers(account, limit=1000)
    for size in range(2, len(allowed) + 1):
        for names in combinations(allowed, size):
            mix = {name: LISTS[name] for name in names}
            common = [number for number in everything if all(number in single[name] for name in names)]
            found = desk.numbers(account, limit=1000, **mix)
            assert found == common, names
            if common and size == 2:
                assert pages(desk, 1, account, **mix) == common, names


@pytest.mark.sqlite("its query plans")
def test_both_lists_walk_an_index(desk: Desk) -> None:
    seen: dict[str, Any] = {}

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen[statement] = parameters

    event.listen(desk.office.records.readers, "before_cursor_execute", remember)
    desk.numbers(awaiting_callback=True)
    desk.numbers(reopened=True)
    desk.numbers(supervised=True)
    for size in range(2, len(LISTS) + 1):
        for names in combinations(LISTS, size):
            desk.numbers("s1", **{name: LISTS[name] for name in names})
    with desk.office.records.read() as connection:
        instructions_page(connection, desk.who("k1"), 0, before=9, limit=9, replied=None, overdue=False)
        calls.calls_page(connection, before=9, limit=9, seat=None, shift_id=None, unanswered=True)
        calls.calls_page(connection, before=9, limit=9, seat="s1", shift_id=None, unanswered=False)
    event.remove(desk.office.records.readers, "before_cursor_execute", remember)
    plans = []
    with desk.office.records.read() as connection:
        for statement, parameters in seen.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            plans += [row[3] for row in plan]
    text = "\n".join(plans)
    for index in ("callback_public", "callback_other"):
        assert f"ix_cases_{index}" in text
    for index in ("ix_case_action_reopen", "ix_case_action_instruct", "ix_seat_call_unanswered", "ix_seat_call_seat"):
        assert index in text
    assert [plan for plan in plans if plan.startswith("SCAN c") and "INDEX" not in plan] == []


def ledger(desk: Desk, account: str = "k1", **wanted: Any) -> list[dict[str, Any]]:
    actor = desk.who(account)
    asked = {"before": 2**60, "limit": 9, "replied": None, "overdue": False, **wanted}
    with desk.office.records.read() as connection:
        return instructions_page(connection, actor, desk.clock.now(), **asked)[0]


def test_a_reply_is_a_note_that_names_its_instruction(desk: Desk) -> None:
    number, other = desk.to_dispatched(), desk.report("s1")
    desk.act("b1", number, "instruct", note="三日内办结并报告", until=desk.clock.now() + 3 * DAY)
    desk.act("b1", other, "instruct", note="请关注")
    (second, first) = ledger(desk)
    assert (first["case"], first["note"], first["reply"], first["overdue"]) == (number, "三日内办结并报告", None, False)
    assert [item["case"] for item in ledger(desk, "d1")] == [number], "a department sees those on its own cases"
    desk.clock.advance(days=4)
    assert [item["case"] for item in ledger(desk, overdue=True)] == [number]
    with pytest.raises(Invalid, match="no instruction"):
        desk.act("d1", number, "note", note="已办结", instruction=1)
    desk.act("d1", number, "note", note="已办结", instruction=first["seq"])
    (replied,) = ledger(desk, replied=True)
    assert (replied["reply"]["actor"], replied["reply"]["note"]) == ("d1", "已办结")
    assert [item["id"] for item in ledger(desk, replied=False)] == [second["id"]]
    assert ledger(desk, overdue=True) == []
    assert len(ledger(desk, limit=1)) == 1
    assert ledger(desk, before=second["id"])[0]["id"] == first["id"]


def ring(desk: Desk, number: str = PHONE, seat: str = "s1") -> dict[str, Any]:
    return desk.office.records.write(lambda unit: calls.ring(unit, desk.office, number, seat, None))


def test_a_case_registered_for_the_caller_is_linked_to_the_call(desk: Desk) -> None:
    older, call, missed = ring(desk), ring(desk), ring(desk, "02112345678")
    desk.clock.advance(minutes=3)
    number = desk.report("s1", reporter_phone=PHONE)
    desk.report("s1", reporter_phone=PHONE)
    with desk.office.records.read() as connection:
        found = calls.find_call(connection, call["id"])
        open_ones = calls.calls_page(connection, before=99, limit=9, seat=None, shift_id=None, unanswered=True)
    assert (found["case"], found["answered_by"]) == (number, "s1"), "the first case after the call stays the one"
    assert [item["id"] for item in open_ones] == [missed["id"], older["id"]]
    with pytest.raises(Forbidden):
        desk.office.records.write(lambda unit: calls.answer(unit, desk.who("s2"), missed["id"], None))
    with pytest.raises(Invalid):
        desk.office.records.write(lambda unit: calls.answer(unit, desk.who("s1"), missed["id"], "none"))
    with pytest.raises(Conflict):
        desk.office.records.write(lambda unit: calls.answer(unit, desk.who("s1"), call["id"], desk_case(desk)))
    answered = desk.office.records.write(lambda unit: calls.answer(unit, desk.who("z1"), missed["id"], None))
    assert (answered["answered_by"], answered["case"]) == ("z1", None)


def desk_case(desk: Desk) -> str:
    """Another case than the newest."""
    with desk.office.records.read() as connection:
        return str(connection.exec_driver_sql("SELECT max(number) FROM cases").scalar_one())


def test_calls_are_kept_as_long_as_the_county_says(desk: Desk) -> None:
    old = ring(desk)
    desk.clock.advance(days=91)
    new = ring(desk)
    with desk.office.records.read() as connection:
        with pytest.raises(NotFound):
            calls.find_call(connection, old["id"])
        assert calls.last_call(connection, "s1")["id"] == new["id"]
    desk.clock.advance(days=91)
    assert calls.forget_calls(desk.office) == {"forgotten": 0}
    with desk.office.records.read() as connection:
        assert calls.last_call(connection, "s1")["number"] == ""
    assert ring(desk)["id"] > new["id"], "no key is given twice"
