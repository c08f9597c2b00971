"""A hotline call from report to close, at one seat, by keys only."""

from __future__ import annotations

import asyncio

from tests.nodes import RunningNode
from tests.tui.conftest import Seat, seat_at


async def take_the_call(seat: Seat) -> int:
    """The acceptor registers while the caller talks; answers how many keys it took."""
    await seat.keys("f3")
    await seat.until(lambda: type(seat.app.screen).__name__ == "IntakeScreen" and seat.app.focused, "intake")
    await seat.settled()
    await seat.keys("13812341234", "enter", "wsjg")
    await seat.settled()
    await seat.keys("enter")
    await seat.settled()
    assert "紧急工作时" in seat.screen_text(), "the limit stands there while the caller talks"
    await seat.keys("enter", "113.4005,34.1005")
    await seat.until(lambda: "颍川街道" in seat.screen_text(), "street and grid stand there")
    await seat.keys("enter")
    await seat.settled()
    await seat.keys("enter")
    await seat.until(lambda: "已登记" in seat.banner, "registered")
    return len("13812341234wsjg113.4005,34.1005") + 5


async def walk(node: RunningNode) -> str:
    async with seat_at(node, "s1") as seat:
        await take_the_call(seat)
        await seat.keys("escape")
        await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "desk")
        await seat.until(lambda: "新 1" in seat.screen_text(), "the new case waits behind a counter")
        await seat.keys("N")
        await seat.until(lambda: seat.selected, "the case is in the queue")
        await seat.settled()
        number = seat.selected["number"]

        await seat.keys("v")
        await seat.on_form()
        await seat.keys("enter")
        await seat.done("verifying")
        await seat.keys("B", "t")
        await seat.on_form()
        await seat.keys("ctrl+s")
        await seat.done("accepted")

        await seat.keys("f10")
        await seat.sign_in("z1")
        await seat.keys("f")
        await seat.on_form()
        await seat.keys("enter")
        await seat.done("filed")

        await seat.keys("f10")
        await seat.sign_in("p1")
        await seat.keys("d")
        await seat.on_form()
        await seat.keys("szgls", "enter", "ctrl+s")
        await seat.done("dispatched")
        await seat.keys("B", "t")
        await seat.on_form()
        await seat.keys("ctrl+s")
        await seat.done("handling")
        await seat.keys("B", "w")
        await seat.on_form()
        await seat.keys("enter", "ygh", "down", "enter", "ctrl+s")
        await seat.done("handled")

        await seat.keys("f10")
        await seat.sign_in("s1")
        await seat.keys("k")
        await seat.on_form()
        await seat.keys("enter")
        await seat.done("checking")
        await seat.keys("B", "p")
        await seat.on_form()
        await seat.keys("ctrl+s")
        await seat.done("checked")

        await seat.keys("f10")
        await seat.sign_in("z1")
        await seat.keys("c")
        await seat.on_form()
        await seat.keys("enter")
        await seat.done("closed")
        assert "已结案" in seat.screen_text()
    return str(number)


def test_a_hotline_call_is_walked_from_report_to_close(node: RunningNode) -> None:
    """As in the office: acceptor, shift leader, dispatcher and acceptor again; field answers come by telephone."""
    number = asyncio.run(walk(node))

    record = node.client("z1").get(f"/api/v1/cases/{number}").json()
    assert record["state"] == "closed"
    assert record["reporter"]["phone"] == "13812341234"
    rows = node.client("z1").get(f"/api/v1/cases/{number}/history").json()["items"]
    assert [(row["action"], row["actor"], row["on_behalf_of"]) for row in rows] == [
        ("report", "s1", None),
        ("ask_verify", "s1", None),
        ("verify_true", "s1", "l1"),
        ("file", "z1", None),
        ("dispatch", "p1", None),
        ("take", "p1", "d1"),
        ("finish", "p1", "d1"),
        ("ask_check", "s1", None),
        ("check_pass", "s1", rows[-2]["on_behalf_of"]),
        ("close", "z1", None),
    ]
    assert rows[6]["note"].startswith("已更换")
    assert rows[-2]["on_behalf_of"] in ("l1", "l2")
