"""The notice to a unit and the letter of a supervision are saved from the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.nodes import RunningNode
from tests.tui.conftest import Seat, report, seat_at
from tui.papers.saving import paper_file

Story = Callable[[Seat], Awaitable[None]]


def play(node: RunningNode, account: str, story: Story) -> None:
    async def whole() -> None:
        async with seat_at(node, account) as seat:
            await story(seat)

    asyncio.run(whole())


def act(node: RunningNode, account: str, number: str, action: str, **body: Any) -> None:
    client = node.client(account)
    version = client.get(f"/api/v1/cases/{number}").json()["version"]
    answer = client.post(f"/api/v1/cases/{number}/actions/{action}", json=body, headers={"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text


def dispatched(node: RunningNode) -> str:
    """A case that a unit has."""
    number = str(report(node)["number"])
    act(node, "s1", number, "accept", reason="照片清楚")
    act(node, "z1", number, "file")
    act(node, "p1", number, "dispatch", department="D01", condition=1)
    return number


async def on_case(seat: Seat, number: str) -> None:
    seat.app.find_number(number)
    await seat.until(lambda: (seat.selected or {}).get("number") == number, "the case is under the cursor")
    await seat.settled()


def test_a_case_without_unit_has_no_paper_and_a_dispatched_one_its_notice(node: RunningNode) -> None:
    new, number = str(report(node)["number"]), dispatched(node)

    async def story(seat: Seat) -> None:
        await on_case(seat, new)
        await seat.keys("W")
        assert "还没有派遣" in seat.banner
        await on_case(seat, number)
        await seat.keys("W")
        await seat.on_form()
        assert "整改通知" in seat.screen_text()
        await seat.keys("end", ".doc", "enter")
        await seat.until(lambda: "文件名须以" in seat.banner, "no such format")
        await seat.keys("W")
        await seat.on_form()
        await seat.keys("enter")
        target = paper_file(f"notice-{number}.pdf")
        await seat.until(lambda: target.exists() and str(target) in seat.banner, "saved, and where it is")
        assert target.read_bytes().startswith(b"%PDF-")
        assert target.stat().st_mode & 0o077 == 0

    play(node, "z1", story)


def test_a_supervised_case_has_its_letter_too(node: RunningNode) -> None:
    number = dispatched(node)
    act(node, "z1", number, "supervise", note="群众多次反映")

    async def story(seat: Seat) -> None:
        await on_case(seat, number)
        await seat.keys("W")
        await seat.until(lambda: "督办函 群众多次反映" in seat.screen_text(), "which paper")
        await seat.keys("2")
        await seat.on_form()
        assert "督办函" in seat.screen_text()
        await seat.keys("end")
        await seat.burst(*["backspace"] * len("pdf"))
        await seat.keys("html", "enter")
        letters = paper_file("").parent
        await seat.until(lambda: list(letters.glob(f"papers/letter-{number}-*.html")), "saved")
        assert "督办函" in next(letters.glob("papers/letter-*.html")).read_text(encoding="utf-8")

    play(node, "b1", story)
