"""A day at the shift desk by keys: signing on, working, handing over, and the next seat that takes over."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from appliance.i18n.labels import table
from tests.nodes import RunningNode
from tests.tui import fake_shift
from tests.tui.conftest import Seat, report, seat_at
from tests.tui.test_desk import filed
from tui.app import Console
from tui.cells import cell_len
from tui.screens.form import FormScreen
from tui.shift import text as shift_text
from tui.shift.screen import PAGES, WATCHED, ShiftScreen
from tui.widgets.rows import Rows

Story = Callable[[Seat], Awaitable[None]]
SIZES = [(80, 24), (120, 36)]
pictures = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")


def play(node: RunningNode, account: str, story: Story, size: tuple[int, int] = (120, 36)) -> None:
    """Play a story at a seat that stands on the shift screen."""

    async def whole() -> None:
        async with seat_at(node, account, size) as seat:
            await go_to_shift(seat)
            await story(seat)

    asyncio.run(whole())


async def go_to_shift(seat: Seat) -> None:
    await seat.keys("f11")
    await seat.until(lambda: isinstance(seat.app.screen, ShiftScreen) and seat.app.screen.found, "the shift desk")
    await seat.settled()


async def page(seat: Seat, name: str) -> None:
    """Turn to a page."""
    while seat.app.screen.page != name:
        await seat.keys("right_square_bracket")
        await seat.settled()


async def on_form(seat: Seat) -> None:
    await seat.until(lambda: isinstance(seat.app.screen, FormScreen) and seat.app.focused, "a form")
    await seat.settled()


def test_a_shift_is_worked_handed_over_and_taken_over(node: RunningNode) -> None:
    """Sign on, a call with a case, a line in the log, hand over; the next seat signs on and takes over."""
    case: dict[str, Any] = {}

    async def first(seat: Seat) -> None:
        assert "我未签到" in seat.screen_text()
        await seat.keys("s")
        await on_form(seat)
        await seat.keys("enter", "1", "enter")
        await seat.until(lambda: "已签到" in seat.banner, "signed on")
        await seat.settled()
        assert ("o", "交班签退") in seat.key_line
        node.client("s1").post("/api/v1/calls", json={"number": "13900001111", "seat": "s1"})
        case.update(report(node, reporter={"name": "张先生", "phone": "13900001111"}))
        await seat.until(lambda: seat.app.current_mode == "intake", "the call opens the intake")
        await go_to_shift(seat)
        await seat.keys("e", "3")
        await on_form(seat)
        await seat.keys("检查组到访", "enter")
        await seat.until(lambda: "已记入日志" in seat.banner, "written")
        await page(seat, "log")
        for word in ("检查组到访", "来访", "来电", "签到"):
            assert word in seat.screen_text()
        await page(seat, "calls")
        await seat.until(lambda: "13900001111" in seat.screen_text(), "the call")
        assert case["number"][-5:] in seat.screen_text()
        assert "已接" in seat.screen_text()
        await page(seat, "now")
        await seat.keys("o")
        await on_form(seat)
        await seat.until(lambda: "已上报 1" in seat.screen_text(), "what is open stands above the note")
        await seat.keys("enter")
        await seat.until(lambda: "请填写 说明" in seat.screen_text(), "the note is asked for")
        await seat.keys("张先生要求回电", "enter")
        await seat.until(lambda: "等待接班" in seat.banner, "handed over")
        await seat.settled()
        assert "我未签到" in seat.screen_text()

    async def second(seat: Seat) -> None:
        assert "待接班" in seat.screen_text()
        assert "张先生要求回电" in seat.screen_text()
        await seat.keys("c")
        await seat.until(lambda: "请先签到" in seat.banner, "the node's sentence")
        await seat.keys("s")
        await on_form(seat)
        await seat.keys("ctrl+s")
        await seat.until(lambda: "已签到" in seat.banner, "signed on")
        await seat.settled()
        assert ("c", "接班") in seat.key_line
        await seat.keys("c")
        await seat.until(lambda: "已接班" in seat.banner, "taken over")
        await seat.settled()
        assert "待接班" not in seat.screen_text()

    play(node, "s1", first)
    play(node, "s2", second)
    (handover,) = node.client("z1").get("/api/v1/handovers").json()["items"]
    assert (handover["account"], handover["confirmed_by"], handover["note"]) == ("s1", "s2", "张先生要求回电")
    assert handover["items"]["states"]["reported"]["numbers"] == [case["number"]]
    shift = node.client("z1").get(f"/api/v1/shifts/{handover['shift']}").json()
    assert (shift["seat"], shift["actions"]) == ("1", {"report": 1})


def test_a_shift_leader_keeps_the_week_by_single_keys(node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await page(seat, "roster")
        await seat.keys("right", "1", "right", "2", "right", "3")
        await seat.until(lambda: "晚班" in seat.screen_text().split("\n", 3)[3].rsplit("1 早班", 1)[0], "three turns")
        await seat.settled()
        await seat.keys(".", "y")
        await seat.until(lambda: "已保存 3 项排班" in seat.banner, "the week is copied")
        await seat.keys("0")
        await seat.until(lambda: "已保存 1 项排班" in seat.banner, "the last day is off again")
        await seat.settled()

    play(node, "z1", story, (80, 24))
    first = node.client("z1").get("/api/v1/roster?days=1").json()["days"][0]
    found = node.client("z1").get(f"/api/v1/roster?from={first[:8]}01&days=62").json()["entries"]
    assert sorted(entry["turn"] for entry in found) == ["afternoon", "afternoon", "morning", "morning", "night"]


def test_an_acceptor_reads_the_roster_and_does_not_change_it(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await page(seat, "roster")
        assert ("0", "休") not in seat.key_line
        await seat.keys("right", "1")
        await seat.until(lambda: "只有值班长可以排班" in seat.banner, "told so")

    play(shared_node, "s1", story)


def test_a_leaders_instruction_is_replied_to_from_its_ledger(shared_node: RunningNode) -> None:
    number = report(shared_node)["number"]
    assert shared_node.act("b1", number, "instruct", note="三日内办结", until="2098-01-01T00:00:00Z").is_success

    async def story(seat: Seat) -> None:
        await page(seat, "instructions")
        await seat.until(lambda: "未回复" in seat.screen_text(), "the instruction")
        await seat.keys("r")
        await on_form(seat)
        await seat.keys("已派单处置", "enter")
        await seat.until(lambda: "已回复批示" in seat.banner, "replied")
        await seat.settled()
        assert "未回复" not in seat.screen_text()
        assert "已派单处置" in seat.screen_text()
        await seat.keys("enter")
        await seat.until(
            lambda: seat.app.current_mode == "desk" and seat.selected["number"] == number, "the case opens"
        )

    play(shared_node, "z1", story)
    (item,) = shared_node.client("b1").get("/api/v1/instructions?replied=true").json()["items"]
    assert (item["case"], item["reply"]["actor"]) == (number, "z1")


def test_everybody_has_the_pages_that_are_open_to_the_role(shared_node: RunningNode) -> None:
    """A leader looks on and has no key to sign on; a department sees the instructions on its own cases and replies."""
    number = filed(shared_node)
    assert shared_node.act("p1", number, "dispatch", department="D01").is_success
    assert shared_node.act("b1", number, "instruct", note="请市政三日内办结").is_success

    async def leader(seat: Seat) -> None:
        for name in WATCHED:
            assert seat.app.screen.page == name
            assert not {key for key, _ in seat.key_line} & {"s", "o", "c", "e"}
            assert not seat.banner.strip()
            await seat.keys("s", "e", "right_square_bracket")
            await seat.settled()
        assert isinstance(seat.app.screen, ShiftScreen)

    async def department(seat: Seat) -> None:
        assert seat.app.screen.pages == ("instructions",)
        await seat.keys("r")
        await on_form(seat)
        await seat.keys("已在处置", "enter")
        await seat.until(lambda: "已回复批示" in seat.banner, "replied")

    play(shared_node, "b1", leader)
    play(shared_node, "d1", department)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_every_page_fits_and_speaks_both_languages(shared_node: RunningNode, size: tuple[int, int]) -> None:
    async def story(seat: Seat) -> None:
        for _ in PAGES:
            assert all(cell_len(line) <= size[0] for line in seat.screen_text().split("\n"))
            await seat.keys("right_square_bracket")
            await seat.settled()
        await seat.keys("f9")
        await seat.until(lambda: "On duty" in seat.screen_text(), "English")
        assert seat.app.screen.query_one(Rows).row_count == 0

    play(shared_node, "p1", story, size)


def test_every_label_of_the_pages_stands_in_the_table() -> None:
    """Labels by hand in the sources (ids of keys apart), and the ones that are put together."""
    root = Path(__file__).resolve().parents[2] / "tui"
    used = {f"shift.page_{page}" for page in PAGES} | {f"log.{kind}" for kind in shift_text.LOG_FILTERS if kind}
    used |= {f"shift.{kind}" for kind in shift_text.ITEM_KINDS} | {f"weekday.{day}" for day in range(7)}
    for name in ("shift/text.py", "video/round.py", "shift/screen.py", "shift/calls.py", "video/screen.py"):
        source = (root / name).read_text(encoding="utf-8")
        used |= set(re.findall(r'(?<!id=)"((?:shift|video)\.[a-z_]+)"', source))
        used |= {f"shift.column_{key}" for key in re.findall(r'\("([a-z]+)", \d+, \d+\)', source)}
    assert used - table().keys() == set()
    assert len(used) > 60


def console() -> Console:
    """A console on the canned node."""
    return Console("http://node", transport=httpx.MockTransport(fake_shift.answer))


@pictures
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["now", "roster"])
def test_the_picture_of_a_page(snap_compare: Any, size: tuple[int, int], name: str) -> None:
    """Names, seats and notes that are too long, at a desk with a handover that waits and somebody missing."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await go_to_shift(seat)
        await page(seat, name)

    assert snap_compare(console(), terminal_size=size, run_before=story)
