"""The console asks for six digits on the same screen, by keys only."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.server.test_second_factor import given_to
from tests.tui.conftest import seat_at
from tui.widgets.line import Line


def test_the_seat_is_asked_for_six_digits_and_the_next_one_is_told_to_get_them(home: Path) -> None:
    telephone = given_to(home, "s1")["s1"]
    node = RunningNode(home, environment={"WANMI_SIGN_IN__SECOND_FACTOR_ROLES": '["acceptor"]'}).start()

    async def story() -> None:
        async with seat_at(node) as seat:
            await seat.until(lambda: seat.app.focused, "sign-in")
            await seat.keys("f9", "s1", "enter", PASSWORD, "enter")
            await seat.until(lambda: "six digits" in seat.banner, "the code is asked for, in English")
            await seat.until(lambda: "Six digits or a recovery code" in seat.screen_text(), "and what it is")
            await seat.keys("999", "enter")
            await seat.until(lambda: "was used" in seat.banner, "a wrong one is told")
            await seat.until(lambda: seat.app.screen.query_one("#code", Line).value == "", "and taken away")
            await seat.keys("f9", telephone.now(), "enter")
            await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "the desk")
            await seat.settled()
            assert "两步验证" not in seat.banner
        async with seat_at(node, "s2") as seat:
            await seat.until(lambda: "wanmi users second-factor s2 on" in seat.banner, "what to do")

    try:
        asyncio.run(story())
    finally:
        node.stop()
