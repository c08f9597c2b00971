"""The assessor reads the scores by keys: scopes, periods, bars, the cases behind a figure, closing a month."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests import homes
from tests.cases.desk import Desk
from tests.nodes import RunningNode
from tests.server.test_scores import LAST_MONTH
from tests.tui.conftest import Seat, seat_at
from tui.evaluation import text as evaluation_text
from tui.evaluation.screen import EvaluationScreen

Story = Callable[[Seat], Awaitable[None]]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A county that worked on two cases last month; one was closed."""
    home: Path = homes.copy_home(tmp_path_factory.mktemp("scores") / "home")
    desk = Desk(home, f"{LAST_MONTH}-09 09:00")
    try:
        desk.to_closed()
        desk.to_dispatched()
    finally:
        desk.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


def play(node: RunningNode, account: str, story: Story, size: tuple[int, int] = (120, 36)) -> None:
    async def whole() -> None:
        async with seat_at(node, account, size) as seat:
            await seat.app.action_go("evaluation")
            await read(seat)
            await story(seat)

    asyncio.run(whole())


async def read(seat: Seat, period: str = "") -> None:
    """Wait until the scores of the page, and of the period, are on the screen."""

    def there() -> bool:
        screen = seat.app.screen
        told = screen.scores if isinstance(screen, EvaluationScreen) else {}
        return bool(told) and told["scope"] == screen.scope and period in ("", told["period"])

    await seat.until(there, "the scores")
    await seat.settled()


async def last_month(seat: Seat) -> None:
    await seat.keys(",")
    await read(seat, LAST_MONTH)


def test_the_assessor_reads_units_streets_people_and_the_county(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await last_month(seat)
        seen = seat.screen_text()
        assert "市政管理所" in seen
        assert "70.00" in seen
        assert "50.00%" in seen, "bars of the unit under the cursor"
        assert "未结账" in seen
        for name, words in (("区域", "颍川街道"), ("采集员", "采集员一"), ("受理员", "坐席一")):
            await seat.keys("right_square_bracket")
            await read(seat)
            assert words in seat.screen_text(), name
        await seat.keys("left_square_bracket", "left_square_bracket", "left_square_bracket", "left_square_bracket")
        await read(seat)
        seen = seat.screen_text()
        assert seat.app.screen.scope == "platform"
        assert "filed / accepted" in seen
        assert "立案率" in seen

    play(scored, "k1", story)


def test_a_figure_opens_to_its_cases_and_a_case_to_the_desk(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await last_month(seat)
        await seat.keys("enter")
        await seat.until(lambda: "结案率" in seat.screen_text(), "which figure")
        await seat.keys("5")
        await seat.until(lambda: getattr(seat.app.screen, "figure", None), "the cases")
        await seat.settled()
        assert "应结案数 2" in seat.screen_text()
        await seat.keys("enter")
        await seat.until(lambda: seat.app.current_mode == "desk", "the case is on the desk")

    play(scored, "k1", story)


def test_the_kind_of_period_is_chosen_and_a_month_is_closed_once(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("k", "5")
        await read(seat, LAST_MONTH[:4] if LAST_MONTH[5:] != "12" else str(int(LAST_MONTH[:4]) + 1))
        await seat.keys("k", "1")
        await seat.until(lambda: seat.app.screen.scores["period"] != LAST_MONTH[:4], "this month")
        await last_month(seat)
        await seat.keys("X", "n")
        await seat.settled()
        assert "未结账" in seat.screen_text()
        await seat.keys("X", "y")
        await seat.until(lambda: "不再重算" in seat.banner, "closed")
        await seat.until(lambda: LAST_MONTH in seat.screen_text() and "走势" in seat.screen_text(), "the trend")
        assert "已结账" in seat.screen_text()
        assert all(word != "结账" for _, word in seat.key_line)

    play(scored, "k1", story)


def test_a_collector_sees_the_own_row_on_a_small_screen(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("right_square_bracket", "right_square_bracket")
        await read(seat)
        seen = seat.screen_text()
        assert "采集员一" in seen
        assert "采集员二" not in seen

    play(scored, "l1", story, (80, 24))


@pytest.mark.parametrize(("share", "cells"), [(0.0, 0), (0.5, 12), (1.0, 24), (1.7, 24)])
def test_a_bar_is_as_long_as_its_share(share: float, cells: int) -> None:
    assert evaluation_text.bar(share).count("█") == cells
    assert len(evaluation_text.bar(share)) == 24


def test_values_are_rounded_half_up_and_nothing_is_no_number() -> None:
    assert [evaluation_text.shown(value, unit) for value, unit in (
        (0.00125, "rate"), (2 / 3, "rate"), (88.335, "points"), (5, "count"), (None, "rate")
    )] == ["0.13%", "66.67%", "88.34", "5", "—"]  # fmt: skip
