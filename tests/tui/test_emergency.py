"""The shift leader marks a case as an emergency with one key and a reason, and takes it back."""

from __future__ import annotations

import asyncio

from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report
from tests.tui.conftest import seat_at


def test_a_case_becomes_an_emergency_by_one_key_and_is_none_again(shared_node: RunningNode) -> None:
    number = report(shared_node)["number"]
    leader = shared_node.client("z1")

    def flags() -> list[str]:
        return list(leader.get(f"/api/v1/cases/{number}").json()["flags"])

    async def story() -> None:
        async with seat_at(shared_node, "z1", (110, 30)) as seat:
            await seat.keys("right_square_bracket")
            await seat.until(lambda: seat.app.screen.queue.selected, "all open cases")
            await seat.settled()
            assert seat.app.screen.queue.selected["number"] == number
            for word, flagged in (("tx", ["emergency"]), ("wd", [])):
                await seat.keys("E")
                await seat.until(lambda: type(seat.app.screen).__name__ == "FormScreen", "the reason is asked for")
                await seat.keys(word, "enter")
                await seat.until(lambda flagged=flagged: flags() == flagged, "told")
                await seat.until(lambda: hasattr(seat.app.screen, "queue"), "the desk again")
                await seat.until(
                    lambda flagged=flagged: seat.app.screen.queue.selected["flags"] == flagged, "the row has changed"
                )

    asyncio.run(story())
