"""The assessor oversees by keys: ledgers and their limits, what is odd, campaigns, and appeals to decide."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from textual.widgets import Static

from tests.nodes import RunningNode
from tests.server.test_campaigns import campaign, shops
from tests.server.test_ledgers import county_with_ledgers
from tests.server.test_scores import LAST_MONTH
from tests.tui.conftest import Seat, seat_at
from tui.oversight.finding_map import LEAST_HEIGHT
from tui.oversight.screen import OversightScreen

Story = Callable[[Seat], Awaitable[None]]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A county with ledgers, whose figures are counted as often as in an office."""
    yield from county_with_ledgers(tmp_path_factory.mktemp("ledgers") / "home")


def play(node: RunningNode, account: str, story: Story, size: tuple[int, int] = (120, 36)) -> None:
    async def whole() -> None:
        async with seat_at(node, account, size) as seat:
            await seat.app.action_go("oversight")
            await read(seat, "ledgers")
            await story(seat)

    asyncio.run(whole())


async def read(seat: Seat, page: str, period: str = "") -> None:
    """Wait until a page, of a period, is on the screen."""

    def there() -> bool:
        screen = seat.app.screen
        found = screen.found.get(page) if isinstance(screen, OversightScreen) and screen.page == page else None
        return found is not None and period in ("", found.get("period"))

    await seat.until(there, page)
    await seat.settled()


def test_ledgers_warn_and_open_to_their_rows_and_cases(county: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys(",")
        await read(seat, "ledgers", LAST_MONTH)
        seen = seat.screen_text()
        assert "接近控制线" in seen
        assert "超过控制线" in seen
        assert "14.29%" in seen
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "the rows of the first ledger")
        await seat.settled()
        assert "回退台账" in seat.screen_text()
        await seat.keys("enter")
        await seat.until(lambda: seat.app.current_mode == "desk", "the case is on the desk")

    play(county, "k1", story)


def test_findings_campaigns_and_empty_pages_say_what_they_are(county: RunningNode) -> None:
    office = county.client("k1")
    assert office.post("/api/v1/campaigns", json=campaign("seen")).status_code == 201
    office.post("/api/v1/campaigns/seen/targets", json=shops())

    async def story(seat: Seat) -> None:
        await seat.keys("right_square_bracket")
        await read(seat, "findings")
        assert "没有发现异常" in seat.screen_text()
        await seat.keys("right_square_bracket")
        await read(seat, "campaigns")
        assert "门前三包检查" in seat.screen_text()
        assert "0/3" in seat.screen_text()
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "how far it is")
        await seat.settled()
        assert "411081001 0/1" in seat.screen_text()
        await seat.keys("right_square_bracket")
        await read(seat, "appeals")
        assert "没有申诉" in seat.screen_text()

    play(county, "k1", story, (80, 24))


def test_a_hot_spot_is_a_line_and_a_small_map_and_opens_to_its_cases_on_a_closer_one(county: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys(",")
        await read(seat, "ledgers", LAST_MONTH)
        await seat.keys("right_square_bracket")
        await read(seat, "findings", LAST_MONTH)
        assert "热点网格" in seat.screen_text()
        assert "前三期 0 · 0 · 0，本期 7" in seat.screen_text()
        far = picture(seat)
        assert "7" in far, "seven cases in one cell of the county"
        await seat.keys("enter")
        await seat.until(lambda: seat.app.screen.inside, "the cases of the hot spot")
        await seat.settled()
        assert "7" in picture(seat)
        assert picture(seat) != far, "closer"
        assert any(sign in picture(seat) for sign in OUTLINE), "over the outlines of unit grids"
        await seat.keys("down", "enter")
        await seat.until(lambda: seat.app.current_mode == "desk", "the case is on the desk")

    play(county, "k1", story, (80, 24))


OUTLINE = "".join(chr(0x2801 + dots) for dots in range(255))
"""What outlines are drawn with on a terminal that has braille, as this one."""


def picture(seat: Seat) -> str:
    """The small map alone: what stands below the last line that has a sentence."""
    lines = str(seat.app.screen.query_one("#text", Static).render()).splitlines()
    last = max(number for number, line in enumerate(lines) if any("一" <= sign <= "鿿" for sign in line))
    assert len(lines) - last - 1 >= LEAST_HEIGHT, lines
    return "\n".join(lines[last + 1 :])


def test_an_appeal_is_decided_with_a_second_look(county: RunningNode) -> None:
    number = county.client("d1").get("/api/v1/cases", params={"limit": 1}).json()["items"][0]["number"]
    closed = county.client("k1").post(f"/api/v1/scores/periods/{LAST_MONTH}/close")
    assert closed.status_code in (200, 409), closed.text
    body = {"period": LAST_MONTH, "scope": "department", "subject": "D01", "number": number, "reason": "停电"}
    asked = county.client("d1").post("/api/v1/appeals", json=body)
    assert asked.status_code == 201, asked.text

    async def story(seat: Seat) -> None:
        for page in ("findings", "campaigns", "appeals"):
            await seat.keys("right_square_bracket")
            await read(seat, page)
        assert "待裁定" in seat.screen_text()
        await seat.keys("y", "n")
        await seat.settled()
        assert "待裁定" in seat.screen_text()
        await seat.keys("y", "y")
        await seat.until(lambda: "已裁定" in seat.banner, "decided")
        await seat.until(lambda: "已采纳" in seat.screen_text(), "approved")

    play(county, "k1", story)
    told = county.client("d1").get("/api/v1/appeals").json()["items"][-1]
    assert (told["approved"], told["decided_by"]) == (True, "k1")
