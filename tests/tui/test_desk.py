"""Days at the desk: what an operator sees and does, at a real node."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.events import Key

from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.tui.conftest import Seat, report, seat_at
from tui.app import SCREENS, Console
from tui.desk.queue import Queue
from tui.intake.screen import IntakeScreen
from tui.keys import SHOWN
from tui.screens.form import FormScreen
from tui.screens.help import HelpScreen
from tui.show import short_number
from tui.widgets.bars import KeyLine

Story = Callable[[Seat], Awaitable[None]]


def play(node: RunningNode, account: str, story: Story, size: tuple[int, int] = (120, 36)) -> None:
    """Play a story at a seat."""

    async def whole() -> None:
        async with seat_at(node, account, size) as seat:
            await story(seat)

    asyncio.run(whole())


def filed(node: RunningNode) -> str:
    """A case that waits for dispatch."""
    number = str(report(node)["number"])
    for account, action, body in (("s2", "accept", {"reason": "情况属实"}), ("z1", "file", {})):
        assert node.act(account, number, action, **body).is_success
    return number


def handling(node: RunningNode) -> str:
    """A case that a department handles."""
    number = filed(node)
    assert node.act("p1", number, "dispatch", department="D01").is_success
    assert node.act("d1", number, "take").is_success
    return number


async def go_to(seat: Seat, number: str) -> None:
    """Walk the cursor to a case."""
    for _ in range(60):
        listed = list(seat.app.screen.queue.records)
        if number in listed and seat.selected:
            steps = listed.index(number) - listed.index(seat.selected["number"])
            if steps == 0:
                await seat.settled()
                return
            await seat.keys("down" if steps > 0 else "up")
        else:
            await seat.settled()
    raise AssertionError(f"{number} is not in the queue\n{seat.screen_text()}")


def test_rows_change_in_place_and_the_cursor_never_jumps(shared_node: RunningNode) -> None:
    """Somebody else files the case under the cursor and a new one comes in: nothing moves under the hands."""
    first, second = report(shared_node)["number"], report(shared_node)["number"]

    async def story(seat: Seat) -> None:
        await go_to(seat, first)
        queue = seat.app.screen.query_one(Queue)
        row = queue.cursor_row
        shared_node.act("s2", first, "accept", reason="情况属实")
        await seat.until(lambda: queue.records[first]["state"] == "accepted", "the row changes")
        new = report(shared_node)["number"]
        await seat.until(lambda: "新 1" in seat.screen_text(), "the new row waits behind a counter")
        assert new not in queue.records
        assert (queue.cursor_row, seat.selected["number"]) == (row, first)
        await seat.settled()
        assert any(name == "更正" for _, name in seat.key_line), "the keys follow the new state"
        await seat.keys("N")
        await seat.until(lambda: new in queue.records, "N shows it")
        assert second in queue.records

    play(shared_node, "s1", story)


def test_a_stale_case_is_read_again_and_the_form_stays(shared_node: RunningNode) -> None:
    """Somebody else writes a note while the form is open; the second Enter goes through."""
    number = report(shared_node)["number"]
    shared_node.act("s2", number, "accept", reason="情况属实")

    async def story(seat: Seat) -> None:
        await go_to(seat, number)
        await seat.keys("f")
        await seat.on_form()
        shared_node.act("s2", number, "note", note="来电催促")
        await seat.keys("enter")
        await seat.until(lambda: "版本" in seat.screen_text(), "the refusal is shown")
        assert isinstance(seat.app.screen, FormScreen)
        await seat.keys("enter")
        await seat.done("filed")

    play(shared_node, "z1", story)


def test_keys_in_a_burst_meet_the_case_the_cursor_went_to(shared_node: RunningNode) -> None:
    """A slow line delivers "down" and "d" at once: the form is that of the lower case, never of the one left behind."""
    lower, upper = filed(shared_node), filed(shared_node)

    async def story(seat: Seat) -> None:
        await go_to(seat, upper)
        await seat.burst("down", "d")
        await seat.on_form()
        assert short_number(lower) in seat.screen_text()
        assert short_number(upper) not in seat.screen_text().splitlines()[-1]
        await seat.keys("escape")
        assert seat.selected["number"] == lower

    play(shared_node, "p1", story)


def test_a_needed_field_is_asked_for_before_anything_is_sent(shared_node: RunningNode) -> None:
    number = filed(shared_node)

    async def story(seat: Seat) -> None:
        await go_to(seat, number)
        await seat.keys("d")
        await seat.on_form()
        await seat.keys("ctrl+s")
        await seat.until(lambda: "请填写 部门" in seat.screen_text(), "the department is asked for")
        await seat.keys("hwzx", "enter", "ctrl+s")
        await seat.done("dispatched")
        assert seat.selected["department"] == "D02"

    play(shared_node, "p1", story)


def test_a_refusal_is_the_sentence_of_the_node(shared_node: RunningNode) -> None:
    """A unit that is not below is refused by the node; the form says so and keeps what was typed."""
    number = filed(shared_node)
    shared_node.act("p1", number, "dispatch", department="D01", condition=1)

    async def story(seat: Seat) -> None:
        await go_to(seat, number)
        assert "x" not in dict(seat.key_line), "what is another's to do is no key here"
        await seat.keys("b")
        await seat.on_form()
        await seat.keys("hwzx", "enter", "ctrl+s")
        await seat.until(lambda: "不是 D01 的下级单位" in seat.screen_text(), "the sentence is shown")
        assert "环卫中心" in seat.screen_text()
        await seat.keys("escape")
        assert seat.selected["state"] == "dispatched"

    play(shared_node, "d1", story)


def test_an_extension_is_asked_by_the_department_and_approved_by_the_dispatcher(shared_node: RunningNode) -> None:
    number = handling(shared_node)

    async def ask(seat: Seat) -> None:
        await go_to(seat, number)
        due = seat.selected["due_at"]
        await seat.keys("R")
        await seat.on_form()
        await seat.keys("yq", "enter", "xydpcl", "down", "enter", "ctrl+s")
        await seat.until(lambda: "待批" in seat.screen_text(), "the request waits")
        assert seat.selected["due_at"] == due

    async def approve(seat: Seat) -> None:
        await seat.keys("right_square_bracket")
        await seat.settled()
        await go_to(seat, number)
        due = seat.selected["due_at"]
        assert ("A", "审批") in seat.key_line
        await seat.keys("A")
        await seat.on_form()
        await seat.keys("ctrl+s")
        await seat.until(lambda: seat.banner and seat.selected and seat.selected["due_at"] != due, "a new due time")

    play(shared_node, "d1", ask)
    play(shared_node, "p1", approve)
    record = shared_node.client("z1").get(f"/api/v1/cases/{number}").json()
    assert record["extensions"] == 1
    assert record["requests"][0]["approved"] is True


def test_the_search_finds_by_letters_and_escape_brings_the_queue_back(shared_node: RunningNode) -> None:
    report(shared_node)
    other = report(shared_node, kind="event", code="06001", condition=None, description="路边堆满垃圾")["number"]

    async def story(seat: Seat) -> None:
        everything = len(seat.app.screen.query_one(Queue).records)
        await seat.keys("slash", "堆满", "enter")
        await seat.settled()
        assert list(seat.app.screen.query_one(Queue).records) == [other]
        await seat.keys("escape")
        await seat.settled()
        assert len(seat.app.screen.query_one(Queue).records) == everything

    play(shared_node, "s1", story)


def test_pages_follow_when_the_cursor_comes_near_the_end(shared_node: RunningNode) -> None:
    for _ in range(110):
        report(shared_node)

    async def story(seat: Seat) -> None:
        queue = seat.app.screen.query_one(Queue)
        assert queue.row_count == 100
        await seat.keys("ctrl+end")
        await seat.until(lambda: queue.row_count > 100, "the next page comes")
        assert queue.cursor_row == 99, "and the cursor stays where it was"

    play(shared_node, "s1", story)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
def test_every_line_fits_the_terminal(shared_node: RunningNode, size: tuple[int, int]) -> None:
    """Names that are too long are cut by cells; at 80x24 the right column folds under a key."""
    report(
        shared_node,
        address="颍川街道药城路与轩辕大道交叉口向北二百米路东第十八号院门前人行道上",
        description="很长" * 200,
    )

    async def story(seat: Seat) -> None:
        await seat.until(lambda: "上报" in seat.screen_text(), "history")
        lines = seat.screen_text().split("\n")
        assert len(lines) == size[1]
        assert len(seat.key_line) <= SHOWN
        assert ("?", "帮助") in seat.key_line
        folded = "疑似重复" not in seat.screen_text()
        assert folded == (size[0] < 100)
        if folded:
            assert "坐席一" not in seat.screen_text().split("\n", 1)[1]
            await seat.keys("J", "J", "J", "J", "J", "J", "J", "J", "J", "J")
            await seat.until(lambda: "坐席一" in seat.screen_text().split("\n", 1)[1], "the history is turned to")
            await seat.keys("tab")
            await seat.until(lambda: "疑似重复" in seat.screen_text(), "the other column")

    play(shared_node, "s1", story, size)


def test_one_key_changes_the_language_of_everything(shared_node: RunningNode) -> None:
    report(shared_node)

    async def story(seat: Seat) -> None:
        await seat.keys("f9")
        await seat.until(lambda: "Likely duplicates" in seat.screen_text(), "English")
        assert "Send to verify" in [name for _, name in seat.key_line]
        assert "Sewage manhole cover" in seat.screen_text()
        await seat.keys("f3")
        await seat.until(lambda: "Phone" in seat.screen_text(), "intake in English")
        await seat.keys("f9", "escape")
        await seat.until(lambda: "疑似重复" in seat.screen_text(), "Chinese")

    play(shared_node, "s1", story)


def test_the_draft_of_a_call_survives_a_look_at_the_desk(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("f3")
        await seat.until(lambda: "接警" in seat.screen_text() and seat.app.focused, "intake")
        await seat.keys("13812341234", "enter", "wsjg", "enter")
        await seat.keys("escape")
        await seat.until(lambda: seat.app.current_mode == "desk", "desk")
        await seat.keys("f3")
        await seat.until(lambda: "13812341234" in seat.screen_text(), "the draft is still there")
        assert "污水井盖 01002" in seat.screen_text()
        await seat.keys("ctrl+s")
        await seat.until(lambda: "请填写 地点" in seat.screen_text(), "the place is asked for")

    play(shared_node, "s1", story)


def test_a_ringing_telephone_opens_the_intake_with_the_number(shared_node: RunningNode) -> None:
    report(shared_node, reporter={"name": "张先生", "phone": "13900001111"})

    async def story(seat: Seat) -> None:
        rung = shared_node.client("s1").post("/api/v1/calls", json={"number": "13900001111", "seat": "s1"})
        assert rung.is_success
        await seat.until(lambda: "来电人此前 1 件" in seat.screen_text(), "the caller's earlier case")

    play(shared_node, "s1", story)


def test_the_map_shows_grids_and_cases_and_opens_one(shared_node: RunningNode) -> None:
    number = report(shared_node)["number"]

    async def story(seat: Seat) -> None:
        await seat.keys("f4")
        await seat.until(lambda: "单元网格" in seat.screen_text(), "grids are drawn")
        assert any("\u2801" <= sign <= "\u28ff" for sign in seat.screen_text())
        await seat.keys("plus", "left", "minus", "right", "2")
        await seat.settled()
        await seat.until(lambda: "单元网格" not in seat.screen_text(), "layer 2 is off")
        await seat.keys("tab", "enter")
        await seat.until(lambda: seat.app.current_mode == "desk" and seat.selected, "the case opens")
        assert seat.selected["number"] <= number

    play(shared_node, "s1", story)


def test_help_is_made_from_the_keys_themselves(shared_node: RunningNode) -> None:
    report(shared_node)

    async def story(seat: Seat) -> None:
        await seat.settled()
        await seat.keys("question_mark")
        await seat.until(lambda: isinstance(seat.app.screen, HelpScreen), "help")
        text = seat.app.screen.text().plain
        assert "核实派发" in text
        assert "审批" in text
        assert "接警" in text
        await seat.keys("escape")

    play(shared_node, "s1", story, (120, 50))


def test_no_key_is_bound_twice_in_a_screen() -> None:
    """But the map's: at the intake it picks the place of the case."""
    for screen in SCREENS.values():
        seen: dict[str, str] = {}
        for owner in (screen, Console):
            for binding in owner.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding)
                assert binding.id, f"{binding.key} has no id"
                for key in binding.key.split(","):
                    if (screen, binding.id) == (IntakeScreen, "app.map"):
                        assert seen[key] == "intake.place"
                        continue
                    assert key not in seen, f"{screen.__name__}: {key} is {seen.get(key)} and {binding.id}"
                    seen[key] = binding.id


def test_a_lost_node_is_a_banner_and_comes_back_by_itself(node: RunningNode) -> None:
    number = report(node)["number"]

    async def story(seat: Seat) -> None:
        node.stop(signal.SIGKILL)
        await seat.until(lambda: "没有应答" in seat.banner, "the banner")
        assert seat.selected["number"] == number, "the queue is kept"
        await seat.keys("v")
        await asyncio.to_thread(node.start)
        await seat.until(lambda: not seat.app.away and "没有应答" not in seat.banner, "back")
        if isinstance(seat.app.screen, FormScreen):
            await seat.keys("escape")
        answer = node.act("s2", number, "accept", reason="情况属实")
        assert answer.is_success
        await seat.until(lambda: seat.selected["state"] == "accepted", "and live again")

    play(node, "s1", story)


def test_wrong_passwords_and_ended_sessions_are_told(shared_node: RunningNode) -> None:
    async def story() -> None:
        async with seat_at(shared_node) as seat:
            await seat.until(lambda: seat.app.focused, "sign-in")
            await seat.keys("s2", "enter", "wrong", "enter")
            await seat.until(lambda: seat.banner.strip(), "the node's sentence")
            assert seat.app.screen.query_one(KeyLine).keys[0][0] == "Enter"

    asyncio.run(story())


def test_keys_typed_ahead_reach_the_field_they_are_meant_for(shared_node: RunningNode) -> None:
    """A burst of keys, as a slow line delivers them: action, department, Enter, all at once."""
    number = filed(shared_node)

    async def story(seat: Seat) -> None:
        await go_to(seat, number)
        for sign in "dhwzx":
            seat.app.post_message(Key(sign, sign))
        for _ in range(3):
            seat.app.post_message(Key("enter", "\r"))
        await seat.done("dispatched")
        assert seat.selected["department"] == "D02"

    play(shared_node, "p1", story)


def test_the_first_sign_in_asks_for_a_password_of_ones_own(home: Path) -> None:
    with sqlite3.connect(home / "county.db") as county:
        county.execute("UPDATE account SET new_password_due = 1 WHERE account = 's1'")
    node = RunningNode(home, environment={"WANMI_SIGN_IN__NEW_PASSWORD_AT_FIRST_SIGN_IN": "true"}).start()

    async def story() -> None:
        async with seat_at(node) as seat:
            await seat.until(lambda: seat.app.focused, "sign-in")
            await seat.keys("s1", "enter", PASSWORD, "enter")
            await seat.until(lambda: "首次登录" in seat.banner, "a new password is asked for")
            await seat.keys("rushuang-81", "enter")
            await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "the desk")
            await seat.settled()

    try:
        asyncio.run(story())
        assert node.client("s1", "rushuang-81").get("/api/v1/me").is_success
    finally:
        node.stop(signal.SIGKILL)
