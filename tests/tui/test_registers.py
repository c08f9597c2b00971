"""Records are entered into the registers by keys, and struck off once."""

from __future__ import annotations

import pytest

from tests.nodes import RunningNode
from tests.tui.conftest import Seat
from tests.tui.test_oversight import county, play
from tui.widgets.field_row import FieldRow

__all__ = ["county"]


@pytest.fixture
def number(county: RunningNode) -> str:
    """A case of the county."""
    found: str = county.client("z1").get("/api/v1/cases", params={"limit": 1}).json()["items"][0]["number"]
    return found


async def on_register(seat: Seat, ledger: str) -> None:
    for _ in range(20):
        if (seat.app.screen.selected or {}).get("ledger") == ledger:
            return
        await seat.keys("down")
    raise AssertionError(seat.screen_text())


def test_a_major_case_is_put_on_record_and_struck_off(county: RunningNode, number: str) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("e")
        assert "自动形成" in seat.banner, "returned cases fill themselves"
        await on_register(seat, "major")
        assert ("e", "登记") in seat.key_line
        await seat.keys("e")
        await seat.on_form()
        assert "重大案件备案销号台账" in seat.screen_text()
        await seat.keys("enter", *"一级", "enter", *"市局", "enter", "+3", "enter", "enter")
        await seat.until(lambda: "须写明案件编号" in seat.screen_text(), "the node wants its case")
        assert "市局" in seat.screen_text(), "what was typed stays"
        await type_number(seat, number)
        await seat.until(lambda: "已登记第" in seat.banner, "entered")
        await seat.settled()
        await seat.keys("c")
        assert "先按 Enter" in seat.banner
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "its entries")
        await seat.settled()
        assert "一级 市局" in seat.screen_text()
        assert ("c", "销号") in seat.key_line
        await seat.keys("c")
        await seat.on_form()
        assert "不能再改" in seat.screen_text()
        await seat.keys("escape")
        await seat.settled()
        assert seat.app.screen.inside, "the register is still open"
        await seat.keys("c")
        await seat.on_form()
        await seat.keys(*"已修复", "enter")
        await seat.until(lambda: "已销号" in seat.banner, "struck off")
        await seat.until(lambda: "✓ 一级" in seat.screen_text(), "and seen as such")
        assert all(word != "销号" for _, word in seat.key_line)
        assert "k1  已修复" in seat.screen_text(), "who struck it off, and how"

    play(county, "k1", story)
    entry = county.client("z1").get("/api/v1/ledgers/major").json()["items"][-1]
    assert (entry["number"], entry["closing"], entry["closed_by"]) == (number, {"result": "已修复"}, "k1")


async def type_number(seat: Seat, number: str) -> None:
    """Into the first field of the form, which is sent."""
    seat.app.screen.query(FieldRow).first().focus_line()
    await seat.pilot.pause()
    await seat.keys(number, "ctrl+s")


def test_a_unit_of_last_resort_is_picked_and_an_empty_register_says_so(county: RunningNode, number: str) -> None:
    async def story(seat: Seat) -> None:
        await on_register(seat, "ownerless")
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "its entries")
        await seat.settled()
        assert "本期没有记录" in seat.screen_text()
        await seat.keys("e")
        await seat.on_form()
        await seat.keys(number, "enter", "hwzx", "enter", *"会议纪要", "enter", "12.5", "enter", "enter")
        await seat.until(lambda: "已登记第" in seat.banner, "entered")
        await seat.until(lambda: "会议纪要" in seat.screen_text(), "seen in the open register")

    play(county, "z1", story, (80, 24))
    entry = county.client("z1").get("/api/v1/ledgers/ownerless").json()["items"][-1]
    assert entry["fields"] == {"department": "D02", "basis": "会议纪要", "cost": 12.5}


def test_a_key_of_another_page_says_where_it_works(county: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("right_square_bracket", "e")
        await seat.until(lambda: "“台账”页" in seat.banner, "another page")

    play(county, "b1", story)
