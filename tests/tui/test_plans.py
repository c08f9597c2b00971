"""A storm comes: the shift leader starts the plan by keys, and ends it when it is over."""

from __future__ import annotations

from typing import Any

from tests.nodes import RunningNode
from tests.tui.conftest import Seat
from tests.tui.test_oversight import play


def running(node: RunningNode) -> list[Any]:
    return [plan["plan"] for plan in node.client("z1").get("/api/v1/plans").json()["plans"] if plan["runs"]]


def test_a_plan_is_started_with_a_reason_and_ended_after_a_second_look(node: RunningNode) -> None:
    names = [plan["plan"] for plan in node.client("z1").get("/api/v1/plans").json()["plans"]]
    digit = str(names.index("rainstorm") + 1)

    async def story(seat: Seat) -> None:
        await seat.keys("p")
        await seat.until(lambda: "暴雨" in seat.screen_text(), "which plan")
        await seat.keys(digit)
        await seat.on_form()
        assert "排在前面的类别" in seat.screen_text()
        await seat.keys(*"红色预警", "enter")
        await seat.until(lambda: "预案已启动" in seat.banner, "it runs")
        assert running(node) == ["rainstorm"]
        await seat.settled()
        await seat.keys("p")
        await seat.until(lambda: "执行中" in seat.screen_text(), "seen as running")
        await seat.keys(digit, "n")
        await seat.settled()
        assert running(node) == ["rainstorm"]
        await seat.keys("p")
        await seat.until(lambda: "执行中" in seat.screen_text(), "once more")
        await seat.keys(digit, "y")
        await seat.until(lambda: "已结束" in seat.banner, "ended")
        assert running(node) == []

    play(node, "z1", story, (80, 24))


def test_the_assessor_starts_no_plan(node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("p")
        assert "角色" in seat.banner

    play(node, "k1", story)
