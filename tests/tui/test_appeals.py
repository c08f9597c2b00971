"""A unit appeals at the console against a case in its score; the assessor sees it waiting."""

from __future__ import annotations

import asyncio

import pytest

from tests.nodes import RunningNode
from tests.server.test_scores import LAST_MONTH, scored
from tests.tui.conftest import Seat, seat_at
from tests.tui.test_evaluation import last_month
from tests.tui.test_evaluation import play as at_evaluation

__all__ = ["scored"]


@pytest.fixture
def closed(scored: RunningNode) -> RunningNode:
    """The county whose last month is closed."""
    answer = scored.client("k1").post(f"/api/v1/scores/periods/{LAST_MONTH}/close")
    assert answer.status_code in (200, 409), answer.text
    return scored


async def open_figure(seat: Seat) -> None:
    """The cases behind the closing rate of the unit under the cursor."""
    await last_month(seat)
    await seat.keys("enter")
    await seat.until(lambda: "结案率" in seat.screen_text(), "which figure")
    await seat.keys("5")
    await seat.until(lambda: getattr(seat.app.screen, "figure", None), "the cases")
    await seat.settled()


def test_before_the_month_is_closed_the_console_says_when_appeals_come(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("a")
        assert "先按 Enter" in seat.banner
        await open_figure(seat)
        await seat.keys("a")
        assert "结账后才能申诉" in seat.banner

    at_evaluation(scored, "d1", story)


def test_a_unit_appeals_and_the_assessor_sees_it_waiting(closed: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await open_figure(seat)
        assert ("a", "申诉") in seat.key_line
        await seat.keys("a")
        await seat.on_form()
        await seat.keys("enter")
        await seat.until(lambda: "请填写 理由" in seat.screen_text(), "a reason is needed")
        await seat.keys(*"停电", "enter")
        await seat.until(lambda: "待裁定" in seat.banner, "asked")
        assert seat.app.screen.figure, "the cases are still open"
        await seat.keys("a")
        await seat.on_form()
        await seat.keys(*"还是停电", "enter")
        await seat.until(lambda: "已经申诉过" in seat.screen_text(), "the node refuses the second one")
        assert "还是停电" in seat.screen_text(), "what was typed stays"
        await seat.keys("escape")
        await seat.app.action_go("oversight")
        await seat.until(lambda: "待裁定" in seat.screen_text(), "the unit follows its own appeals")
        assert "台账" not in seat.screen_text(), "and nothing else of the oversight"
        assert all(word != "采纳" for _, word in seat.key_line)

    at_evaluation(closed, "d1", story)

    async def seen(seat: Seat) -> None:
        await seat.app.action_go("oversight")
        for _ in range(3):
            await seat.keys("right_square_bracket")
        await seat.until(lambda: "待裁定" in seat.screen_text() and "停电" in seat.screen_text(), "it waits")

    async def whole() -> None:
        async with seat_at(closed, "k1") as seat:
            await seen(seat)

    asyncio.run(whole())


def test_nobody_appeals_for_the_county(closed: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await last_month(seat)
        await seat.keys("left_square_bracket")
        await seat.until(lambda: seat.app.screen.scores.get("scope") == "platform", "the county")
        await seat.settled()
        await seat.keys("enter")
        await seat.until(lambda: getattr(seat.app.screen, "figure", None), "the cases")
        await seat.settled()
        assert all(word != "申诉" for _, word in seat.key_line)

    at_evaluation(closed, "k1", story)
