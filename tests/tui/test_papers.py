"""The assessor sees by keys what is due, saves a paper, and hands in the return of a closed month."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.nodes import RunningNode
from tests.server.test_scores import LAST_MONTH, scored
from tests.tui.conftest import Seat, seat_at
from tui.seat.files import state_folder

__all__ = ["scored"]

Story = Callable[[Seat], Awaitable[None]]


def play(node: RunningNode, account: str, story: Story, mode: str = "papers", *, small: bool = False) -> None:
    async def whole() -> None:
        async with seat_at(node, account, (80, 24) if small else (110, 30)) as seat:
            await seat.app.action_go(mode)
            await story(seat)

    asyncio.run(whole())


async def on_return(seat: Seat) -> None:
    """Wait for the papers and go to the return of last month."""
    await seat.until(lambda: getattr(seat.app.screen, "found", None), "the papers")
    await seat.settled()
    for _ in range(30):
        item = seat.app.screen.selected
        if item is not None and (item["maker"], item["period"]) == ("return", LAST_MONTH):
            return
        await seat.keys("down")
    raise AssertionError(seat.screen_text())


def test_what_waits_is_seen_on_the_evaluation_screen_too(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.until(lambda: "报表待办" in seat.screen_text(), "what waits")

    play(scored, "k1", story, "evaluation")


def test_the_return_is_handed_in_after_closing_and_saved_as_a_file(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await on_return(seat)
        assert "还没有签发" in seat.screen_text()
        await seat.keys("S", "n")
        await seat.keys("S", "y")
        await seat.until(lambda: f"wanmi score close {LAST_MONTH}" in seat.banner, "refused: not closed")
        scored.client("k1").post(f"/api/v1/scores/periods/{LAST_MONTH}/close")
        await seat.keys("S", "y")
        await seat.until(lambda: "月报已报送" in seat.banner, "handed in")
        await seat.keys("right_square_bracket")
        await on_return(seat)
        await seat.until(lambda: "考核员一" in seat.screen_text(), "who signed")
        await seat.keys("enter", "2")
        await seat.until(lambda: type(seat.app.screen).__name__ == "FormScreen", "under which name")
        await seat.keys("enter")
        target = state_folder() / "papers" / f"monthly_return-{LAST_MONTH}.csv"
        await seat.until(target.exists, "saved")
        assert target.read_text(encoding="utf-8-sig").splitlines()[-1].startswith("合计,")
        assert target.stat().st_mode & 0o077 == 0

    play(scored, "k1", story)


def test_papers_are_for_the_office_and_fit_a_small_screen(scored: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        assert seat.app.current_mode == "desk"
        assert "papers" not in seat.app.modes_open

    play(scored, "s1", story)

    async def fits(seat: Seat) -> None:
        await seat.keys("right_square_bracket")
        await on_return(seat)
        assert all(word != "报送月报" for _, word in seat.key_line), "a shift leader does not sign"
        assert "现在生成" in seat.screen_text()

    play(scored, "z1", fits, small=True)
